"""Follow-ups: the set that comes with the package, and how what they find is scored."""

import gzip
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from evaluation.conversations import (
    HALVES,
    KINDS,
    PLANTED,
    SHIFT,
    Conversing,
    Followed,
    FollowUp,
    FollowUpSet,
    Place,
    Recall,
    answer_of,
    groups,
    index_corpus,
    ratio,
    read_followups,
    share,
    tables,
)
from evaluation.resampling import Bootstrap
from evaluation.sets import SetError
from graph.hub import Hub
from retrieval.library import Library, Submission
from server.__main__ import main
from server.bootstrap import HOME

SQUAD = Path(__file__).parent.parent.parent / "shared" / "data"
CORPUS = SQUAD / "squad.corpus.jsonl.gz"
squad = pytest.mark.skipif(not CORPUS.is_file(), reason=f"needs {CORPUS.name}, which is no part of the project")
ALL = read_followups().follow_ups
HARBOUR = "The harbour of Aldermoor opens at six. A mooring permit costs 45 crowns a week."
MILL = "The mill of Aldermoor was built in 1820. Its wheel was replaced by a turbine in 1911."


def places(corpus: str) -> Iterator[tuple[str, Place]]:
    for one in ALL:
        if one.corpus == corpus:
            yield from ((one.id, place) for place in (*one.relevant, *(p for said in one.turns for p in said.cited)))


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def told(one: FollowUp) -> list[str]:
    """Everything somebody says in it."""
    return [one.question, one.standalone, *(text for said in one.turns for text in (said.question, said.answer))]


def squad_lines(kind: str) -> list[dict[str, Any]]:
    with gzip.open(SQUAD / f"squad.{kind}.jsonl.gz", "rt", encoding="utf-8") as read:
        return [json.loads(line) for line in read]


# --- the set


def test_the_halves_hold_follow_ups_of_every_kind_about_every_corpus() -> None:
    sizes = Counter((one.half, one.corpus) for one in ALL)
    assert {sizes["heldout", corpus] for corpus in ("docs", "squad")} == {15}
    assert {sizes["dev", corpus] for corpus in ("docs", "squad")} == {25}
    counts = Counter((one.half, one.kind) for one in ALL)
    for kind in KINDS:
        assert counts["heldout", kind] - counts["dev", kind] <= 1, kind
        assert min(counts[half, kind] for half in HALVES) >= 2, kind
        assert {one.corpus for one in ALL if one.kind == kind} == {"docs", "squad"}
    assert counts["dev", SHIFT] == counts["heldout", SHIFT] == 6


def test_a_third_of_the_conversations_or_more_have_more_than_one_turn() -> None:
    assert 1 / 3 <= sum(len(one.turns) > 1 for one in ALL) / len(ALL) <= 1 / 2
    assert all(len(one.turns) > 1 for one in ALL if one.kind in ("chain", "back"))


def test_only_a_shift_stands_alone_as_it_is_asked() -> None:
    for one in ALL:
        assert (words(one.question) == words(one.standalone)) == (one.kind == SHIFT), one.id


def test_an_answer_cites_what_its_markers_point_to() -> None:
    for said in (said for one in ALL for said in one.turns):
        assert {int(n) for n in re.findall(r"\[(\d+)\]", said.answer)} == set(range(1, len(said.cited) + 1))


def test_what_is_relevant_in_the_guide_stands_there_once() -> None:
    pages = {page.stem: page.read_text(encoding="utf-8") for page in (HOME / "docs" / "guide").glob("*.md")}
    for key, place in places("docs"):
        assert place.says is not None, key
        assert pages[place.document].count(place.says) == 1, (key, place.says)


@squad
def test_what_is_relevant_in_squad_stands_inside_its_paragraph() -> None:
    lengths = {entry["id"]: len(entry["text"]) for entry in squad_lines("corpus")}
    for key, place in places("squad"):
        assert place.says is None, "nothing of the corpus is copied"
        assert (place.at or 0) < lengths[place.document], key


@squad
def test_nothing_of_squad_is_copied() -> None:
    def runs(text: str) -> set[tuple[str, ...]]:
        said = words(text)
        return {tuple(said[at : at + 8]) for at in range(len(said) - 7)}

    copied = set[tuple[str, ...]]().union(*(runs(entry["text"]) for entry in squad_lines("corpus")))
    asked = {" ".join(words(entry["question"])) for entry in squad_lines("queries")}
    for one in ALL:
        if one.corpus == "squad":
            assert not any(runs(text) & copied for text in told(one)), one.id
            assert not any(" ".join(words(text)) in asked for text in told(one)), one.id


def test_an_id_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    twice = tmp_path / "twice.jsonl"
    line = PLANTED.read_text(encoding="utf-8").splitlines()[0]
    twice.write_text(f"{line}\n{line}\n", encoding="utf-8")
    with pytest.raises(SetError, match="was there before"):
        read_followups(twice)


def test_a_corpus_is_looked_for_beside_the_set(tmp_path: Path) -> None:
    copied = tmp_path / PLANTED.name
    copied.write_bytes(PLANTED.read_bytes())
    assert read_followups(copied).corpora() == {}
    (tmp_path / "squad.corpus.jsonl").touch()
    assert read_followups(copied).corpora() == {"squad": tmp_path / "squad.corpus.jsonl"}
    (tmp_path / "squad.corpus.jsonl.gz").touch()
    assert read_followups(copied).corpora() == {"squad": tmp_path / "squad.corpus.jsonl.gz"}


# --- the scorer


def follow_up(**changed: Any) -> FollowUp:
    given: dict[str, Any] = {
        "id": "permit",
        "half": "dev",
        "corpus": "town",
        "kind": "pronoun",
        "turns": [
            {
                "question": "When does the harbour of Aldermoor open?",
                "answer": "The harbour of Aldermoor opens at six [1].",
                "cited": [{"document": "harbour", "says": "opens at six"}],
            }
        ],
        "question": "And what does a permit for it cost?",
        "standalone": "What does a mooring permit in the harbour of Aldermoor cost?",
        "relevant": [{"document": "harbour", "at": HARBOUR.index("45 crowns")}],
    }
    return FollowUp.model_validate({**given, **changed})


def followed(alone: float, bare: float, conversing: float, **changed: Any) -> Followed:
    recalls = {"alone": alone, "bare": bare, "conversing": conversing}
    made = {way: Recall(final=recall, first=recall) for way, recall in recalls.items()}
    return Followed(follow_up=follow_up(**changed), understood="What does it cost?", **made)


@pytest.fixture
def town(own_library: Library) -> Library:
    for name, text in {"harbour": HARBOUR, "mill": MILL}.items():
        own_library.add("town", Submission(data=text, id=name, title=name.title()))
    return own_library


@pytest.fixture
def conversing(town: Library, make_hub: Callable[..., Hub]) -> Conversing:
    return Conversing(library=town, make_hub=lambda: make_hub(library=town), collections={"town": "town"})


def test_a_place_is_found_with_any_of_its_passages() -> None:
    assert share([{"a"}, {"b", "c"}], {"c", "d"}) == 0.5
    assert share([{"a"}, {"b", "c"}], {"a", "b", "c"}) == 1.0
    assert share([{"a"}], set()) == 0.0


def test_the_ratio_is_that_of_the_means_and_unknown_over_nothing() -> None:
    figure = ratio(Bootstrap(), [1.0, 0.0, 0.5], [1.0, 1.0, 0.5])
    assert figure.value == pytest.approx(0.6)
    assert figure.low <= figure.value <= figure.high
    assert figure.n == 3
    assert math.isnan(ratio(Bootstrap(), [1.0], [0.0]).value)
    assert math.isnan(ratio(Bootstrap(), [], []).value)


def test_shifts_are_told_apart_and_so_is_what_needs_its_conversation() -> None:
    leaning, easy = followed(1.0, 0.0, 0.5), followed(1.0, 1.0, 1.0)
    shift = followed(1.0, 1.0, 0.5, kind="shift")
    told_apart = dict(groups([leaning, easy, shift]))
    assert told_apart["all"] == [leaning, easy, shift]
    assert told_apart["all but shifts"] == [leaning, easy]
    assert told_apart["shift"] == [shift]
    assert told_apart["bare finds less than alone"] == [leaning]
    assert [one.missed for one in (leaning, easy, shift)] == [True, False, True]


def test_the_report_tells_the_halves_apart_and_of_the_one_held_out_only_the_ids() -> None:
    late = [followed(0.5, 0.0, 0.5, half="heldout", id="same"), followed(0.5, 0.5, 0.0, half="heldout", id="less")]
    found = [followed(1.0, 0.0, 0.5), *late]
    everything = (*(one.follow_up for one in found), follow_up(id="elsewhere", corpus="elsewhere"))
    console = Console(width=160, file=(shown := StringIO()))
    console.print(tables(FollowUpSet(path=PLANTED, digest="0" * 12, follow_ups=everything), found))
    dev, heldout = shown.getvalue().split("follow-ups, heldout")
    assert "3 follow-ups, 1 left out without their corpus" in dev
    assert "0.500 0.500–0.500" in dev
    assert "permit, pronoun: alone 1.00, bare 0.00, conversing 0.50" in dev
    assert "was taken for “What does it cost?”" in dev
    assert "0.500 0.000–1.000" in heldout
    assert "less than alone: less\n" in heldout
    assert "was taken for" not in heldout


def test_a_follow_up_is_asked_in_three_ways(conversing: Conversing) -> None:
    [found] = conversing.follow([follow_up(), follow_up(corpus="elsewhere")])
    assert found.alone == found.conversing == Recall(final=1.0, first=1.0)
    assert not found.failed


def test_a_turn_that_was_said_before_quotes_the_sentence_it_cites(conversing: Conversing) -> None:
    cited = Place(document="harbour", at=HARBOUR.index("45 crowns"))
    said = follow_up().turns[0].model_copy(update={"cited": (cited,)})
    [citation] = answer_of(said, [(conversing.passages("town", cited)[0], cited)]).citations
    assert citation.quote == HARBOUR[citation.source_start : citation.source_end]
    assert citation.quote == "A mooring permit costs 45 crowns a week."
    assert said.answer[citation.start : citation.end] == "[1]"


def test_a_question_on_something_else_finds_it_whatever_was_said_before(conversing: Conversing) -> None:
    asked = "When was the mill of Aldermoor built?"
    relevant = [{"document": "mill", "says": "built in 1820"}]
    [found] = conversing.follow([follow_up(kind="shift", question=asked, standalone=asked, relevant=relevant)])
    assert found.alone == found.bare == found.conversing == Recall(final=1.0, first=1.0)


@pytest.mark.parametrize("place", [{"document": "nowhere"}, {"document": "mill", "says": "1912"}], ids=str)
def test_a_place_that_is_not_there_is_named(conversing: Conversing, place: dict[str, str]) -> None:
    with pytest.raises(SetError, match="does not hold"):
        conversing.follow([follow_up(relevant=[place])])


def test_a_place_is_the_passage_that_holds_it(own_library: Library, conversing: Conversing, tmp_path: Path) -> None:
    text = " ".join(f"Sentence number {at} of the log speaks of the weather on day {at}." for at in range(60))
    corpus = tmp_path / "log.corpus.jsonl"
    corpus.write_text(json.dumps({"id": "log", "title": "Log", "text": text}) + "\n", encoding="utf-8")
    index_corpus(own_library, "logs", corpus)
    everywhere = conversing.passages("logs", Place(document="log"))
    [late] = conversing.passages("logs", Place(document="log", says="on day 59"))
    [same] = conversing.passages("logs", Place(document="log", at=text.index("day 59")))
    assert len(everywhere) > 1
    assert late == same
    assert late.start <= text.index("day 59") < late.end
    assert sum(following.start >= passage.end for passage, following in pairwise(everywhere)) == len(everywhere) - 1


@pytest.mark.slow
def test_eval_reports_a_set_of_follow_ups_with_the_corpora_beside_it(tmp_path: Path) -> None:
    given = tmp_path / PLANTED.name
    given.write_text("\n".join(one.model_dump_json() for one in (follow_up(), follow_up(id="2", corpus="elsewhere"))))
    entries = [{"id": name, "title": name, "text": text} for name, text in (("harbour", HARBOUR), ("mill", MILL))]
    (tmp_path / "town.corpus.jsonl").write_text("\n".join(map(json.dumps, entries)), encoding="utf-8")
    done = CliRunner().invoke(main, ["eval", str(given), "--data-dir", str(tmp_path / "data")])
    assert done.exit_code == 0, done.output
    assert "1 follow-ups, 1 left out without their corpus" in done.output
    assert "about town" in done.output
