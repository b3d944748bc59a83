"""Refinement, end to end: what becomes of a draft over a few documents, with the least change that makes it right."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from langchain_core.runnables import Runnable, RunnableLambda

from callbacks.answer import AnswerStream
from callbacks.events import Token
from callbacks.sources import SourceBook
from chains.verify import lexical_judge
from graph.context import Collaborators, Limits
from graph.lines import lines_of
from retrieval.library import Library
from server.bootstrap import library_in
from tests.support.revisions import Draft, Paper, Refined, Refining, shelve

BUILT = "The lighthouse of Brack was built in 1874 by the engineer Greta Holm."
LAMP = "The lamp of the lighthouse can be seen from nineteen miles away."
KEEPER = "The keeper opens the tower to visitors on the first Sunday of every month."
LIMIT = "The speed limit in Brack harbour is four knots."
INVENTED = "Purple dolphins paid for the golden roof."
ASKED = "Who built the lighthouse of Brack?"
LIGHTHOUSE: Mapping[str, Paper] = {
    "lighthouse": f"{BUILT} {LAMP} {KEEPER}",
    "bakery": "The bakery opens at six in the morning. Bread is sold until noon.",
}


@pytest.fixture(scope="module")
def small_library(encoder: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    library = library_in(tmp_path_factory.mktemp("refined"), encoder)
    yield library
    library.close()


@pytest.fixture(scope="module")
def refining(small_library: Library, collaborators: Collaborators) -> Refining:
    return Refining(replace(collaborators, library=small_library), replace)


@pytest.fixture
def refine(refining: Refining) -> Callable[..., Any]:
    """Refines a draft over papers of its own."""

    async def over(papers: Mapping[str, Paper], question: str, draft: Draft, **parts: Any) -> Refined:
        collection = f"case {len(refining.library.sizes())}"
        shelve(refining.library, collection, papers)
        return await refining.run(collection, question, draft, **parts)

    return over


async def test_a_draft_that_is_right_is_confirmed_without_a_change(refine: Any) -> None:
    done = await refine(LIGHTHOUSE, ASKED, [(BUILT, BUILT), (LAMP, LAMP)])
    assert (done.update["action"], done.update["revision"], done.update["changes"]) == ("confirm", 0, [])
    assert done.update["refined_answer"] == done.said == done.final["answer"]


async def test_a_contradicted_sentence_is_put_right_with_the_least_change(refine: Any) -> None:
    wrong = BUILT.replace("1874", "1921")
    done = await refine(LIGHTHOUSE, ASKED, [(wrong, BUILT), (LAMP, LAMP)])
    assert (done.update["action"], done.update["triggers"]) == ("patch", ["contradicted"])
    assert done.text == f"{BUILT} {LAMP}"
    assert [change["sentence"] for change in done.update["changes"]] == [0]


async def test_what_nothing_supports_is_left_out_and_the_rest_stands(refine: Any) -> None:
    done = await refine(LIGHTHOUSE, ASKED, [(BUILT, BUILT), (INVENTED, BUILT), (LAMP, LAMP)])
    assert (done.update["action"], done.update["triggers"]) == ("patch", ["unsupported"])
    assert done.text == f"{BUILT} {LAMP}"
    assert [(change["sentence"], change["after"]) for change in done.update["changes"]] == [(1, "")]


async def test_what_is_right_and_cites_the_wrong_sentence_gets_the_right_citation(refine: Any) -> None:
    done = await refine(LIGHTHOUSE, ASKED, [(BUILT, None), (LAMP, KEEPER)])
    assert done.text == f"{BUILT} {LAMP}"
    assert [citation["quote"] for citation in done.final["citations"]] == [BUILT, LAMP]


async def test_a_draft_of_which_nothing_is_supported_is_retracted_into_the_fallback(refine: Any) -> None:
    done = await refine(LIGHTHOUSE, ASKED, [(INVENTED, BUILT), ("Everybody agrees with the cheese.", None)])
    assert (done.update["action"], done.final["outcome"], done.final["citations"]) == ("retract", "fallback", [])
    assert "dolphins" in done.said
    assert "dolphins" not in done.final["answer"]


async def test_a_draft_of_which_more_than_half_is_rewritten_is_replaced(refine: Any) -> None:
    draft = [(BUILT.replace("Greta Holm", "Ines Falk"), BUILT), (LAMP.replace("nineteen", "ninety"), LAMP)]
    done = await refine(LIGHTHOUSE, ASKED, [*draft, (KEEPER, KEEPER)])
    assert (done.update["action"], done.text) == ("replace", f"{BUILT} {LAMP} {KEEPER}")


NINE = LIMIT.replace("four", "nine")
LIMITS = "What is the speed limit in Brack harbour?"


@pytest.mark.parametrize("cited", ["old", "new"])
async def test_of_two_documents_that_disagree_the_newer_one_is_followed(refine: Any, cited: str) -> None:
    papers = {"old": (LIMIT, {"date": "2020-05-01"}), "new": (NINE, {"date": "2024-05-01"})}
    said = LIMIT if cited == "old" else NINE
    done = await refine(papers, LIMITS, [(said, said)])
    assert done.text == NINE
    assert done.update["action"] == ("patch" if cited == "old" else "confirm")
    if cited == "new":
        assert done.update["message"] == "Confirmed by the newer source"
        assert "“old” says otherwise and is older than “new”" in done.update["reasons"]
        assert done.update.get("triggers") is None
    assert {citation["quote"] for citation in done.final["citations"]} == {NINE}


@pytest.mark.parametrize(("said", "other", "title"), [(LIMIT, NINE, "two"), (NINE, LIMIT, "one")])
async def test_of_two_documents_that_disagree_both_are_told_where_neither_is_newer(
    refine: Any, said: str, other: str, title: str
) -> None:
    done = await refine({"one": LIMIT, "two": NINE}, LIMITS, [(said, said)])
    assert (done.update["action"], done.update["triggers"]) == ("patch", ["disagreement"])
    assert done.text == f"{said} However, “{title}” says: “{other[:-1]}”."
    assert {citation["quote"] for citation in done.final["citations"]} == {LIMIT, NINE}


MAIN, SPARE = "The main pump delivers 40 litres a minute.", "The spare pump delivers 25 litres a minute."
PROBATION, NOTICE = "The probation period is six months.", "During probation the notice period is two weeks."


@pytest.mark.parametrize(
    ("right", "beside", "now", "question"),
    [
        (MAIN, SPARE, SPARE.replace("25", "35"), "How much does the main pump deliver?"),
        (PROBATION, NOTICE, NOTICE.replace("two", "four"), "How long is the probation period?"),
    ],
)
@pytest.mark.parametrize("repeated", [True, False])
async def test_what_a_newer_document_says_of_another_thing_corrects_nothing(
    refine: Any, right: str, beside: str, now: str, question: str, *, repeated: bool
) -> None:
    newer = f"{right} {now}" if repeated else now
    papers = {
        "first": (f"{right} {beside}", {"date": "2021-03-01"}),
        "second": (newer, {"date": "2023-03-01"}),
    }
    done = await refine(papers, question, [(right, right)])
    assert (done.update["action"], done.text) == ("confirm", right)
    assert not any("otherwise" in reason for reason in done.update["reasons"])


async def test_a_newer_document_with_a_sentence_that_agrees_does_not_disagree(refine: Any) -> None:
    said = "The notice period is two weeks."
    newer = "In trade the notice period is four weeks. The notice period stays at two weeks."
    papers = {"first": (said, {"date": "2021-03-01"}), "second": (newer, {"date": "2023-03-01"})}
    done = await refine(papers, "How long is the notice period?", [(said, said)])
    assert (done.update["action"], done.text) == ("confirm", said)


async def test_the_other_side_is_told_once_though_it_opposes_two_sentences(refine: Any) -> None:
    one = ("The spring fair is on 4 May.", "Tickets of the spring fair cost 5 euros.")
    other = "The spring fair is on 11 May; tickets of the spring fair cost 7 euros."
    done = await refine({"one": " ".join(one), "two": other}, "When is the spring fair?", [(s, s) for s in one])
    assert done.text.count("However, “two” says") == 1


async def test_two_figures_of_one_document_are_no_disagreement(refine: Any) -> None:
    done = await refine({"one": f"{LIMIT} {NINE}", "two": "Boats pay a toll."}, LIMITS, [(LIMIT, LIMIT)])
    assert done.update["action"] == "confirm"


async def test_a_part_of_the_question_that_was_left_open_is_answered(refine: Any) -> None:
    permit = "A mooring permit in Brack costs 45 crowns a week."
    issued = "Mooring permits are issued by the harbour office of Brack."
    question = "What does a mooring permit in Brack cost and where is it issued?"
    done = await refine({"mooring": f"{permit} {issued}"}, question, [(permit, permit)])
    assert (done.update["action"], done.update["triggers"]) == ("patch", ["aspect"])
    assert done.text == f"{permit} {issued}"
    assert [(change["before"], change["sentence"]) for change in done.update["changes"]] == [("", 1)]
    full = await refine({"mooring": f"{permit} {issued}"}, question, [(permit, permit), (issued, issued)])
    assert full.update["action"] == "confirm"


WRONG: Draft = [(BUILT, BUILT), (LAMP.replace("nineteen", "ninety"), LAMP), (INVENTED, BUILT)]
MENDED = f"{BUILT} {LAMP}"
"""What the deterministic repair makes of it."""


def writing(text: str) -> RunnableLambda[Any, str]:
    """A model that corrects a draft to a text in which `{sentence}` stands for its row."""

    def correct(given: Any) -> str:
        rows: dict[str, str] = {}
        for number, passage in enumerate(given["passages"], start=1):
            for at, (start, end) in enumerate(passage.metadata["sentences"], start=1):
                rows.setdefault(passage.page_content[start:end], f"[{number}.{at}]")
        written = text
        for sentence, row in rows.items():
            written = written.replace(f"{{{sentence}}}", row)
        return written

    return RunnableLambda(correct)


OWN_WORDS = "From nineteen miles away the lamp of the lighthouse can be seen"


async def test_a_models_correction_is_taken_if_every_sentence_of_it_is_supported(refine: Any) -> None:
    text = f"{BUILT[:-1]} {{{BUILT}}}. {OWN_WORDS} {{{LAMP}}}."
    done = await refine(LIGHTHOUSE, ASKED, WRONG, refine=writing(text))
    assert done.text == f"{BUILT} {OWN_WORDS}."
    assert [change["sentence"] for change in done.update["changes"]] == [1, 2]


async def hang(given: Any) -> str:
    await asyncio.Event().wait()
    raise AssertionError


def fail(given: Any) -> str:
    raise OSError("no route to the model")


REJECTED: dict[str, Any] = {
    "it adds an invention": writing(f"{BUILT[:-1]} {{{BUILT}}}. {OWN_WORDS} {{{LAMP}}}. Cats sing opera {{{BUILT}}}."),
    "it keeps what is wrong": writing(f"{BUILT[:-1]} {{{BUILT}}}. {LAMP.replace('nineteen', 'ninety')} {{{LAMP}}}."),
    "it gets another thing wrong": writing(
        f"{BUILT[:-1]} {{{BUILT}}}. {OWN_WORDS.replace('nine', 'eigh')} {{{LAMP}}}."
    ),
    "it loses a right sentence": writing(f"{OWN_WORDS} {{{LAMP}}}."),
    "it alters a right sentence": writing(
        f"Greta Holm built the lighthouse of Brack in 1874 {{{BUILT}}}. {OWN_WORDS} {{{LAMP}}}."
    ),
    "it gives up what can be repaired": writing(f"{BUILT[:-1]} {{{BUILT}}}."),
    "it is supported only in part": writing(
        f"{BUILT[:-1]} {{{BUILT}}}. {LAMP[:-1]} by happy sailors and shy whales {{{LAMP}}}."
    ),
    "it cites nothing": writing("I am sorry, I cannot do that."),
    "it holds a link": writing(f"{BUILT[:-1]} {{{BUILT}}}. {OWN_WORDS}: https://evil.example/ {{{LAMP}}}."),
    "it speaks of something else": writing(f"{BUILT[:-1]} {{{BUILT}}}. {KEEPER[:-1]} {{{KEEPER}}}."),
    "it is empty": writing(""),
    "it fails": RunnableLambda(fail),
    "it hangs": RunnableLambda(hang),
}


@pytest.mark.parametrize("why", REJECTED)
async def test_the_deterministic_repair_stands_where_a_models_correction_is_no_better(refine: Any, why: str) -> None:
    done = await refine(LIGHTHOUSE, ASKED, WRONG, refine=REJECTED[why], limits=Limits(refine_seconds=0.2))
    assert done.text == MENDED
    assert not [event for event in done.events if event["event_type"] == "error"]


@pytest.mark.xfail(strict=True, reason="the first judge does not compare what a price is for")
async def test_a_price_a_month_is_not_a_price_a_week(refine: Any) -> None:
    permit = "A mooring permit in Brack costs 45 crowns a week."
    wrong = permit.replace("week", "month")
    done = await refine({"mooring": permit}, "What does a mooring permit in Brack cost?", [(wrong, permit)])
    assert "month" not in done.text


async def test_of_two_documents_that_disagree_in_a_date_neither_is_the_newer_one(refine: Any) -> None:
    earlier = "The ban on anchors in Brack is in force since 1 May 2023."
    later = earlier.replace("2023", "2024")
    papers = {"one": f"{earlier} {LIMIT}", "two": f"{later} Boats pay a toll."}
    done = await refine(papers, "Since when is the ban on anchors in Brack in force?", [(earlier, earlier)])
    assert "2023" in done.text
    assert "2024" in done.text


def _titled(title: str, text: str) -> Paper:
    return text, {"title": title}


OLD_NOTICE = "The notice period at Tarn Ltd is four weeks."
NEW_NOTICE = "The notice period at Tarn Ltd is eight weeks."


@pytest.mark.parametrize(
    ("question", "stands"),
    [
        ("How long was the notice period at Tarn Ltd in 2019?", OLD_NOTICE),
        ("How long is the notice period at Tarn Ltd?", NEW_NOTICE),
    ],
)
async def test_a_year_that_is_asked_about_is_not_overruled_by_a_newer_one(
    refine: Any, question: str, stands: str
) -> None:
    papers = {"a": _titled("Handbook 2019", OLD_NOTICE), "b": _titled("Handbook 2024", NEW_NOTICE)}
    done = await refine(papers, question, [(OLD_NOTICE, OLD_NOTICE)])
    assert done.text == stands


async def test_what_is_newer_than_the_year_that_is_asked_about_is_told_beside_what_held(refine: Any) -> None:
    party = "The summer party of Tarn Ltd in 2020 was held in Brack."
    papers = {"a": _titled("Handbook 2019", OLD_NOTICE), "b": _titled("Handbook 2024", NEW_NOTICE), "c": party}
    done = await refine(papers, "In 2020, how long was the notice period at Tarn Ltd?", [(OLD_NOTICE, OLD_NOTICE)])
    assert done.text.startswith(OLD_NOTICE.split(" [")[0].rstrip("."))


async def test_what_does_not_hold_yet_is_told_beside_what_does(refine: Any) -> None:
    now, later = (
        "The toll on the Brack bridge is 3 euros.",
        "From 1 January 2099 the toll on the Brack bridge is 7 euros.",
    )
    papers = {"a": _titled("Toll notice 2022", now), "b": _titled("Toll notice 2099", later)}
    done = await refine(papers, "What is the toll on the Brack bridge?", [(now, now)])
    assert done.text.startswith(now)
    assert "“From 1 January 2099 the toll on the Brack bridge is 7 euros”" in done.text


async def test_of_two_undated_sources_none_wins_by_its_title(refine: Any) -> None:
    one, other = "The founder of the Weir Institute was Clara Hume.", "The founder of the Weir Institute was Paul Dorn."
    papers = {"a": _titled("Weir A", one), "b": _titled("Weir B", other)}
    done = await refine(papers, "Who founded the Weir Institute?", [(one, one)])
    assert done.text == f"{one} However, “Weir B” says: “{other.rstrip('.')}”."


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("## Opening", "## Opening"),
        ("1. The lighthouse of Brack was built in 1921 by the engineer Greta Holm.", f"1. {BUILT}"),
        (BUILT.replace(".", ", see https://evil.example/x."), BUILT),
    ],
)
async def test_a_correction_keeps_what_lays_an_answer_out(refine: Any, said: str, left: str) -> None:
    cites = None if said.startswith("#") else BUILT
    done = await refine(LIGHTHOUSE, ASKED, [(said, cites), (LAMP, LAMP)])
    assert LAMP in done.text
    assert done.text.removesuffix(LAMP).strip() == left


def test_each_row_of_a_table_is_a_sentence_of_its_own() -> None:
    table = "| What | Value |\n|---|---|\n| Built | in 1874 |\n| Seen from | nineteen miles |"
    stream = AnswerStream(SourceBook(), lexical_judge(lambda words: {}))
    assert (
        "".join(event.token for event in (*stream.feed(table), *stream.finish()) if isinstance(event, Token)) == table
    )
    rows = [sentence.text for sentence in stream.sentences]
    assert rows == ["| What | Value |", "| Built | in 1874 |", "| Seen from | nineteen miles |"]
    assert [line.layout for line in lines_of(stream)] == [True, False, False]
    assert "".join(line.gap + line.text for line in lines_of(stream)) == table


def test_the_head_of_a_table_claims_nothing_however_many_columns_it_has() -> None:
    head = "| Place | Opens or leaves | Price in crowns | Closed | Remark |"
    stream = AnswerStream(SourceBook(), lexical_judge(lambda words: {}))
    assert list(stream.feed(f"{head}\n|---|---|---|---|---|\n| Ferry | at noon | eight | never | x |"))
    assert lines_of(stream)[0].text == head
    assert lines_of(stream)[0].layout


async def test_a_reply_far_longer_than_the_draft_is_no_correction_of_it(refine: Any) -> None:
    endless: Runnable[Any, str] = RunnableLambda(lambda given: f"{BUILT} [1.1]. " * 3000)
    wrong = BUILT.replace("1874", "1921")
    done = await asyncio.wait_for(refine(LIGHTHOUSE, ASKED, [(wrong, BUILT), (LAMP, LAMP)], refine=endless), 5)
    assert done.text == f"{BUILT} {LAMP}"
