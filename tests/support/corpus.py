"""A small corpus with facts that stand in one place only."""

from retrieval.library import Library, Submission

HARBOUR = """# Aldermoor harbour rules

## Mooring

A mooring permit in Aldermoor costs 45 crowns a week. The harbour office issues mooring permits on weekday mornings.
Boats longer than twelve metres need a second mooring line and the harbour master's consent.

## Lighthouse

The Aldermoor lighthouse was built in 1874 by the engineer Greta Holm. Its lamp can be seen from nineteen miles away.
The lighthouse keeper opens the tower to visitors on the first Sunday of every month.

## Speed

The speed limit inside the harbour is four knots. Exceeding the speed limit costs 120 crowns.
"""

BAKERY = """# The Quillon bakery handbook

## Sourdough

The sourdough starter of the Quillon bakery is fed twice a day with rye flour. A sourdough loaf rests for sixteen hours
before it is baked. The oven for sourdough is heated to 245 degrees.

## Opening hours

The Quillon bakery opens at six in the morning from Tuesday to Saturday. The bakery is closed on Sunday and Monday.

## Orders

Orders for wedding cakes must arrive ten days in advance. A deposit of half the price is due with the order.
"""

ODD = "Line separators\u2028and paragraph separators\u2029and next lines\x85survive in Odd notes. Odd emoji: 🦉 here."


def fill(library: Library) -> None:
    """Put the corpus into `default`, and a text with awkward characters into `odd`."""
    for name, text in (("harbour", HARBOUR), ("bakery", BAKERY)):
        library.add("default", Submission(data=text.encode(), name=f"{name}.md", id=name))
    library.add("odd", Submission(data=ODD, id="odd", title="Odd notes"))
    library.create("empty")
