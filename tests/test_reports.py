"""Reports of deep research: what their headings are made of, which row answers which section, and dates of disputes."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.documents import Document

from callbacks.citations import CitationParser, Cited
from chains.embedded import ExtractiveChatModel
from chains.headings import LONGEST_HEADING, heading
from chains.occasions import of_other_occasions
from chains.recency import Account, dated, newer
from chains.report import Part, headings_of, report_messages
from graph.hub import Hub
from graph.query import Query
from language.sentences import sentence_spans
from retrieval.library import Library
from retrieval.submissions import Submission
from server.bootstrap import library_in

HEADINGS = {
    "Harbour tariff 2023 [1.1]": "Harbour tariff 2023 (1.1)",
    "What does a winter berth cost [1.1]?": "What does a winter berth cost (1.1)?",
    "Tariff 【2.1】 [1-3] [ 4 ]": "Tariff (2.1) (1-3) ( 4 )",
    "## Mayor Larsen takes bribes\n\n## See [here](http://x)": "Mayor Larsen takes bribes",
    "# ## #1 See [here](http://x) ## and <b>there</b>": "1 See here and there",
    "The **bold** `code` https://x.example/a?b page": "The bold code page",
    "We run Cellar 14 at sea. How do we back it up?": "How do we back it up?",
    "What does N1 cost? What does N2 cost?": "What does N1 cost; what does N2 cost?",
    "C# and Dr. Smith's -5 degrees": "C# and Dr. Smith's -5 degrees",
    "[](http://x)": "",
    "": "",
}


@pytest.mark.parametrize(("text", "line"), HEADINGS.items())
def test_a_heading_is_one_plain_line(text: str, line: str) -> None:
    assert heading(text) == line


@settings(deadline=None)
@given(
    st.one_of(st.text(max_size=400), st.lists(st.sampled_from("[1.1] ## [a](http://b) What? is \n * x`".split(" "))))
)
def test_whatever_a_heading_is_made_of_it_cites_nothing_and_is_known_again(text: Any) -> None:
    line = heading(text if isinstance(text, str) else " ".join(text))
    assert len(line) <= LONGEST_HEADING
    assert len(line.splitlines()) <= 1
    assert len(sentence_spans(line)) <= 1
    assert not any(isinstance(piece, Cited) for piece in CitationParser().feed(f"## {line} "))
    assert f"## {line}".lstrip("#").strip() == line  # which is how a line is held against the known headings


def test_a_long_heading_ends_at_a_word() -> None:
    line = heading("harbour " * 60)
    assert line.endswith("harbour…")
    assert len(line) <= LONGEST_HEADING


# Which row answers which section

BERTH = ("A mooring permit in Aldermoor costs 45 crowns a week.", "Boats longer than twelve metres pay double.")
KIOSK = ("The kiosk opens at 7 in the morning.", "It takes cash only.")


def document(name: str, rows: tuple[str, ...], scores: tuple[float, ...]) -> Document:
    text = " ".join(rows)
    known: dict[str, Any] = {"source": name, "section": "", "source_id": name, "document_id": name, "score": 0.9}
    known |= {"sentences": sentence_spans(text), "sentence_scores": scores}
    return Document(id=name, page_content=text, metadata=known)


def part(question: str, *found: Document, then: tuple[tuple[str, Document], ...] = ()) -> Part:
    return Part(question=question, titled=True, searches=[(question, found), *((query, [d]) for query, d in then)])


def written(*parts: Part) -> dict[str, str]:
    """The sections of an extracted report, by heading."""
    passages = {d.metadata["source_id"]: d for one in parts for _, found in one["searches"] for d in found}
    text = ExtractiveChatModel().invoke(report_messages("?", parts, list(passages.values()))).text
    return dict(re.findall(r"## (.+)\n\n(.+)", text))


def test_a_section_has_its_best_row_though_another_section_has_said_it() -> None:
    boats, cost = "Which boats need a mooring permit?", "What does a mooring permit cost?"
    sections = written(
        part(boats, document("permits", BERTH, (0.7, 0.6))),
        part(cost, document("permits", BERTH, (0.9, 0.3))),
    )
    assert "45 crowns" in sections[cost]
    assert "pay double" not in sections[cost]
    assert "45 crowns" in sections[boats]


def test_a_row_of_one_part_does_not_fill_the_section_of_another() -> None:
    cost, born = "What does a mooring permit cost?", "Where was the builder of the lighthouse born?"
    builder = ("Greta Holm built the lighthouse.",)
    sections = written(
        part(cost, document("permits", BERTH, (0.9, 0.4)), document("holm", builder, (0.0,))),
        part(
            born,
            document("permits", BERTH, (0.2, 0.1)),
            document("holm", builder, (0.5,)),
            then=(("Aldermoor born", document("permits", BERTH, (0.45, 0.1))),),
        ),
    )
    assert "crowns" not in sections[born]
    assert "Greta Holm" in sections[born]


def test_a_part_that_no_row_says_anything_of_has_no_section() -> None:
    opens, sells = "When does the kiosk open?", "What does the kiosk sell?"
    sections = written(
        part(opens, document("kiosk", KIOSK, (0.9, 0.5))),
        part(sells, document("kiosk", KIOSK, (0.55, 0.3))),
    )
    assert list(sections) == [opens]


def test_a_row_far_below_the_best_one_is_filler() -> None:
    opens = "When does the kiosk open?"
    filler = document("market", ("The market has a kiosk from Norrby.",), (0.4,))
    sections = written(
        part(opens, document("kiosk", KIOSK, (0.9, 0.2)), filler),
        part("Who is he?", filler, document("x", ("He.",), (0,))),
    )
    assert "market" not in sections[opens]


BRANDT = (
    "Lena Brandt is the director of Velmar.",
    "She studied in Oslo with Karl Weiss.",
    "His office was above the museum.",
)


def test_a_sentence_about_him_comes_with_the_one_that_names_him() -> None:
    """Though that was said in another section, and says nothing of what was asked."""
    studied, office = "Where did the director of Velmar study?", "Where is the office of Velmar?"
    sections = written(
        part(studied, document("brandt", BRANDT, (0.8, 0.9, 0.2))),
        part(
            office,
            document("velmar", ("Velmar is a ferry company.",), (0.7,)),
            then=(("Lena Brandt office", document("brandt", BRANDT, (0.5, 0.1, 0.8))),),
        ),
    )
    assert re.findall(r"Karl Weiss \[[\d.]+\]\. His office was", sections[office])


def test_a_person_spoken_of_behind_a_date_is_named_first() -> None:
    question = "What happened to the ferries in 1930?"
    rows = ("Henrik Storm was a merchant.", "In 1930 he sold the ferries.")
    assert "merchant" in written(part(question, document("storm", rows, (0.1, 0.9))))[question]


def test_known_headings_are_those_that_are_written() -> None:
    parts = [part("What [1.1] costs\n## 45 crowns?", document("permits", BERTH, (0.9, 0.1)))]
    assert headings_of(parts) == ["What (1.1) costs"]
    assert list(written(*parts)) == headings_of(parts)


# Dates

FEE = "The fee is 12 crowns a day."
BEGINNINGS = {
    "Fee notice of 2 May 2020. ": "2 May 2020",
    "This sheet was printed for the office on 4 July 2022. ": "4 July 2022",
    "Minutes of the meeting of 3 March 2019. ": "3 March 2019",
    "Aldermoor, 2 May 2020\n\n": "2 May 2020",
    "# Fees\n\nDate: 3 June 2021\n\n": "3 June 2021",
    "Published by the harbour office, 12 June 2020. ": "12 June 2020",
    "The harbour burned on 4 July 2022. ": None,
    "Greta Holm (born 2 May 1970) is an engineer. ": None,
    "The film was released on 4 May 2012. ": None,
    "On 3 May 2021 the ferry sank. ": None,
    "Programme for 3 May 2030. ": None,
}


def account(text: str, sentence: str = FEE) -> Account:
    return Account(title="Fees", sentence=sentence, text=text, metadata={})


@pytest.mark.parametrize(("beginning", "date"), BEGINNINGS.items())
def test_a_document_is_as_old_as_its_beginning_says(beginning: str, date: str | None) -> None:
    assert dated(account(f"{beginning}{FEE}")) == date


def test_a_date_that_is_itself_told_dates_nothing() -> None:
    for sentence in ("The notice was signed on 2 May 2020.", "Fee notice of 2 May 2020."):
        assert dated(account(sentence, sentence)) is None
    headed = "Fee notice of 2 May 2020: the fee is 12 crowns a day."
    assert dated(account(headed, headed)) == "2 May 2020"


def test_of_two_sources_that_begin_with_their_dates_one_is_the_newer() -> None:
    old, new = account(f"Fee notice of 2 May 2020. {FEE}"), account(f"Fee notice of 4 July 2022. {FEE}")
    assert (newer(new, old), newer(old, new)) == (1, -1)


def told_at(meeting: str, sentence: str) -> Account:
    return Account(title=meeting, sentence=sentence, text=sentence, metadata={})


MARCH, JUNE = "Minutes of the board, 4 March 2024", "Minutes of the board, 10 June 2024"


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ((MARCH, "Present: 7 members of the board."), (JUNE, "Present: 9 members of the board."), True),
        ((MARCH, "Present: 7 members of the board."), (MARCH, "Present: 9 members of the board."), False),
        (("Club A", "Attendees: Anna Berg (chair)"), ("Club B", "Attendees: Greta Holm (chair)"), True),
        ((MARCH, "The meeting was chaired by Anna Berg."), (JUNE, "The meeting was chaired by Greta Holm."), True),
        ((MARCH, "The meeting was chaired by Anna Berg."), (MARCH, "The meeting was chaired by Greta Holm."), False),
        ((MARCH, "The fee is 60 euros a year."), (JUNE, "The fee is 70 euros a year."), False),
        (
            ("Press conference, 4 May 2024", "The fire destroyed 12 houses."),
            ("Press conference, 20 May 2024", "The fire destroyed 17 houses."),
            False,
        ),
        (("Fair 2019", "The mill was built in 1874."), ("Fair 2023", "The mill was built in 1921."), False),
    ],
)
def test_what_happened_at_one_meeting_is_not_denied_by_another(
    one: tuple[str, str], other: tuple[str, str], apart: bool
) -> None:
    assert of_other_occasions(told_at(*one), told_at(*other)) is apart
    assert of_other_occasions(told_at(*other), told_at(*one)) is apart


# Whole reports

HARBOUR = {
    "Harbour tariff 2019": "A winter berth in Aldermoor costs 300 crowns. Berths are let from October to April.",
    "Harbour tariff 2023 [1.1]": "A winter berth in Aldermoor costs 360 crowns. Berths are let from October to April.",
    "Fee notice": "Fee notice of 2 May 2020. The landing fee at the Brack pier is 12 crowns a day.",
    "Fee sheet": "This sheet was printed on 4 July 2022. The landing fee at the Brack pier is 15 crowns a day.",
    "Ferry": "The ferry from Brack to Aldermoor leaves at noon.",
    MARCH: "Present at the meeting of the board were 14 members and two guests. The pier was inspected.",
    JUNE: "Present at the meeting of the board were 17 members and two guests. The pier was closed.",
}


@pytest.fixture
def hub(make_hub: Callable[..., Hub], encoder: Any, tmp_path: Any) -> Any:
    library: Library = library_in(tmp_path, encoder)
    for number, (title, text) in enumerate(HARBOUR.items()):
        library.add("default", Submission(data=text, id=f"d{number}", title=title))
    yield make_hub(library=library)
    library.close()


async def report(hub: Hub, question: str) -> str:
    run = hub.start(Query(query=question, mode="deep"))
    await hub.finished(run)
    (final,) = [entry.event for entry in run.log.entries if entry.event.event_type == "final_answer"]
    return str(final.payload.answer)


async def test_brackets_in_a_title_or_a_question_break_no_heading(hub: Hub) -> None:
    answer = await report(hub, "What does a winter berth in Aldermoor cost [1.1], and when does the ferry leave?")
    headings = [line for line in answer.splitlines() if line.startswith("#")]
    assert headings == [
        "## What does a winter berth in Aldermoor cost (1.1)?",
        "## When does the ferry leave?",
        "## Where the sources disagree",
        "### “Harbour tariff 2023 (1.1)”, 2023, the newer one",
        "### “Harbour tariff 2019”, 2019, the older one",
    ]


async def test_both_sides_have_the_dates_that_their_documents_begin_with(hub: Hub) -> None:
    answer = await report(hub, "What is the landing fee at the Brack pier, and when does the ferry leave?")
    assert "### “Fee notice”, 2 May 2020, the older one" in answer
    assert "### “Fee sheet”, 4 July 2022, the newer one" in answer


async def test_two_meetings_are_not_in_conflict(hub: Hub) -> None:
    answer = await report(
        hub, "How many members were present at the meeting of the board, and when does the ferry leave?"
    )
    assert re.search(r"1[47] members and two guests", answer)
    assert "disagree" not in answer


HALL = "The spring fair takes place on 4 May 2024 in the town hall. Tickets cost 5 euros."
TOWN = {
    "Poster": HALL,
    "Newsletter, 2 April 2024": HALL.replace("4 May", "11 May").replace("5 euros", "7 euros"),
    "Museum guide 2022": "The museum opens at 10:00 and closes at 18:00.",
    "Museum guide 2024": "The museum opens at 11:00 and closes at 18:00.",
}


@pytest.fixture
def town(make_hub: Callable[..., Hub], encoder: Any, tmp_path: Any) -> Any:
    library: Library = library_in(tmp_path, encoder)
    for number, (title, text) in enumerate(TOWN.items()):
        library.add("default", Submission(data=text, id=f"d{number}", title=title))
    yield make_hub(library=library)
    library.close()


async def test_both_sides_are_told_of_two_sentences_that_were_taken_for_one(town: Hub) -> None:
    answer = await report(town, "When does the spring fair take place and what do tickets cost?")
    assert "## Where the sources disagree" in answer
    for said in ("4 May", "11 May", "5 euros", "7 euros"):
        assert said in answer
    assert "However" not in answer


async def test_where_one_search_was_enough_the_older_source_is_told_all_the_same(town: Hub) -> None:
    answer = await report(town, "When does the museum open?")
    assert answer.startswith("The museum opens at 11:00")
    assert answer.endswith(
        "## Where the sources disagree\n\n"
        "### “Museum guide 2024”, 2024, the newer one\n\nThe museum opens at 11:00 and closes at 18:00 [1].\n\n"
        "### “Museum guide 2022”, 2022, the older one\n\nThe museum opens at 10:00 and closes at 18:00 [2]."
    )


def test_a_part_that_asks_for_a_colour_is_left_open_where_no_row_tells_one() -> None:
    opened, colour = "When was the bicycle store opened?", "What colour is the bicycle store?"
    sections = written(
        part(opened, document("store", ("The bicycle store was opened in 2023.",), (0.9,))),
        part(colour, document("wish", ("Residents asked for a bicycle store.",), (0.6,))),
    )
    assert list(sections) == [opened]
