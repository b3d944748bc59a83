"""Whatever a model drafts of truths, altered truths and inventions, refinement keeps the promises of a revision."""

import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda

from chains.verify import lexical_judge
from graph.context import Collaborators
from graph.lines import without_markers
from tests.support.libraries import word_library
from tests.support.revisions import Draft, Paper, Refined, Refining, shelve

CASES = 100
QUESTION = "What do the notes say of Brack?"
TRUTHS: dict[str, dict[str, list[str]]] = {
    "lighthouse": {
        "The lighthouse of Brack was built in 1874 by the engineer Greta Holm.": [
            "The lighthouse of Brack was built in 1921 by the engineer Greta Holm.",
            "The lighthouse of Brack was built in 1874 by the engineer Ines Falk.",
            "The lighthouse of Brack was not built in 1874 by the engineer Greta Holm.",
        ],
        "The lamp of the tower can be seen from nineteen miles away.": [
            "The lamp of the tower can be seen from ninety miles away.",
            "The lamp of the tower cannot be seen from nineteen miles away.",
        ],
        "Visitors climb the tower on the first Sunday of every month.": [
            "Visitors climb the tower on the first Monday of every month.",
        ],
    },
    "harbour": {
        "A mooring permit costs 45 crowns a week.": [
            "A mooring permit costs 54 crowns a week.",
            "A mooring permit does not cost 45 crowns a week.",
        ],
        "The speed limit inside the basin is four knots.": [
            "The speed limit inside the basin is nine knots.",
            "The speed limit outside the basin is four knots.",
        ],
        "Boats longer than 12 metres need the consent of the harbour master.": [
            "Boats longer than 21 metres need the consent of the harbour master.",
            "Boats longer than 12 metres do not need the consent of the harbour master.",
        ],
    },
    "bakery": {
        "The bakery is closed on Tuesdays and opens at 6:30 on other days.": [
            "The bakery is open on Tuesdays and opens at 6:30 on other days.",
            "The bakery is closed on Tuesdays and opens at 8:30 on other days.",
        ],
        "Sales of rye bread rose by 12 % last year, says the baker Jonas Brandt.": [
            "Sales of rye bread fell by 12 % last year, says the baker Jonas Brandt.",
            "Sales of rye bread rose by 21 % last year, says the baker Jonas Brandt.",
        ],
        "Wedding cakes must be ordered ten days in advance.": [
            "Wedding cakes must be ordered two days in advance.",
        ],
    },
}
"""Of each document its sentences, and ways to get them wrong."""
RIVALS: dict[str, Paper] = {
    "notice": (
        "A mooring permit costs 60 crowns a week. The bakery is open on Tuesdays and opens at 6:30 on other days.",
        {"date": "2024-01-01"},
    ),
    "leaflet": "The speed limit inside the basin is six knots. Visitors climb the tower on the last Sunday of a month.",
}
"""Documents that say otherwise than some of them, one of them with a date."""
ALTERED = {truth: wrong for sentences in TRUTHS.values() for truth, wrong in sentences.items()}
INVENTED = [
    "Purple dolphins paid for the golden roof.",
    "Everybody agrees that the moon is made of cheese.",
    "A secret tunnel leads to the opera of Vienna.",
    "Martians founded a colony here.",
]


@pytest.fixture
async def refining(collaborators: Collaborators, tmp_path: Any) -> AsyncIterator[Refining]:
    library = word_library(tmp_path)
    papers: dict[str, Paper] = {name: " ".join(sentences) for name, sentences in TRUTHS.items()}
    shelve(library, "agreed", papers)
    shelve(library, "disputed", papers | RIVALS)
    yield Refining(replace(collaborators, library=library), replace)
    library.close()


def drawn(chance: random.Random) -> Draft:
    """A draft of one to five sentences, each of another matter, with or without the right citation."""
    draft: list[tuple[str, str | None]] = []
    for truth in chance.sample(list(ALTERED), chance.randint(1, 5)):
        said = chance.choice([truth, truth, chance.choice(ALTERED[truth]), chance.choice(INVENTED)])
        cites = chance.choice([truth, truth, truth, chance.choice(list(ALTERED)), None])
        if said not in [text for text, _ in draft]:
            draft.append((said, cites))
    return draft


def kept_what_is_right(done: Refined, draft: Draft) -> bool:
    standing = [without_markers(sentence.text) for sentence in done.state["sentences"]]
    return all(text in standing for text, _ in draft if text in ALTERED)


def dropped_what_is_wrong(done: Refined, draft: Draft) -> bool:
    return not any(text in done.text for text, _ in draft if text not in ALTERED)


def scribbling(chance: random.Random) -> RunnableLambda[Any, str]:
    """A model that corrects a draft well or badly: it restates sources, makes things up, drops and keeps sentences."""

    def correct(given: Any) -> str:
        rows = [
            (passage.page_content[start:end], f"[{number}.{at}]")
            for number, passage in enumerate(given["passages"], start=1)
            for at, (start, end) in enumerate(passage.metadata["sentences"], start=1)
        ]
        return " ".join(
            _rewritten(at, text, given["problems"], rows, chance) for at, text in enumerate(given["sentences"])
        )

    return RunnableLambda(correct)


def _rewritten(
    at: int, text: str, problems: Sequence[int], rows: Sequence[tuple[str, str]], chance: random.Random
) -> str:
    plain = without_markers(text).rstrip(".")
    piece, row = chance.choice(rows)
    luck = chance.random()
    if at not in problems and luck < 0.9:
        row = next((number for sentence, number in rows if sentence == f"{plain}."), row)
        return f"{plain} {row}."
    if luck < 0.6:
        near = max(rows, key=lambda known: len(set(known[0].split()) & set(plain.split())))
        return f"Indeed, {near[0][0].lower()}{near[0][1:-1]} {near[1]}."
    if luck < 0.7:
        return f"{chance.choice(INVENTED)[:-1]} {row}."
    return f"{piece[:-1]} {row}." if luck < 0.8 else text if luck < 0.9 else ""


@pytest.mark.parametrize("model", [False, True], ids=["without a model", "with a model"])
async def test_every_revision_of_every_draft_is_no_worse_and_says_truly_what_it_changed(
    refining: Refining, *, model: bool
) -> None:
    chance = random.Random(7)
    actions, own_words = set(), 0
    for _ in range(CASES):
        draft = drawn(chance)
        done = await refining.run("agreed", QUESTION, draft, refine=scribbling(chance) if model else None)
        assert kept_what_is_right(done, draft), draft
        assert dropped_what_is_wrong(done, draft), draft
        actions.add(done.update["action"])
        own_words += "Indeed" in done.text
    assert actions == {"confirm", "patch", "replace", "retract"}
    assert bool(own_words) is model


async def test_the_promises_of_a_revision_hold_where_documents_disagree(refining: Refining) -> None:
    chance = random.Random(8)
    triggers: set[str] = set()
    for _ in range(CASES):
        done = await refining.run("disputed", QUESTION, drawn(chance), refine=chance.choice([None, scribbling(chance)]))
        triggers.update(done.update.get("triggers") or ())
    assert triggers == {"contradicted", "unsupported", "disagreement"}


def test_the_alterations_are_told_from_the_truth() -> None:
    judge = lexical_judge(lambda words: dict.fromkeys(words, 1.0))
    for truth, wrong in ALTERED.items():
        assert judge(truth, list(ALTERED)).support == "supported"
        assert {judge(text, list(ALTERED)).support for text in wrong} == {"contradicted"}
