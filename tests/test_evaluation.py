"""Figures against values worked out by hand, and `groundswell eval` on a set of four questions."""

import gzip
import json
import math
import re
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from callbacks.events import CitationAttached, FinalAnswer
from chains.verify import lexical_judge
from evaluation import probabilities, replies, scoring
from evaluation.decisions import lenient
from evaluation.relevance import contained, holds
from evaluation.replies import Reply
from evaluation.resampling import Bootstrap, Figure
from evaluation.sets import LONG, Question, read_set
from evaluation.targets import at_least, at_most
from graph.policy import BUILT_IN, Policy
from server.__main__ import main

NONE: frozenset[str] = frozenset()
ONE = np.ones((1, 4))


def told(*values: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array(values, np.float64)


def test_a_ranking_is_scored_as_by_hand() -> None:
    held = [NONE, frozenset("a"), frozenset("a"), frozenset("b"), NONE]
    assert [scoring.hit(held, k) for k in (1, 2, 5)] == [0, 1, 1]
    assert scoring.reciprocal_rank(held) == 0.5
    assert [scoring.recall(held, 2, k) for k in (1, 3, 4)] == [0, 0.5, 1]
    gained, best = 1 / math.log2(3) + 1 / math.log2(5), 1 + 1 / math.log2(3)
    assert scoring.ndcg(held, 2) == pytest.approx(gained / best)
    assert scoring.ndcg([frozenset("a"), NONE, frozenset("b")], 2) == pytest.approx(1.5 / best)


def test_a_ranking_without_anything_relevant_scores_nothing() -> None:
    for held in ([], [NONE, NONE]):
        assert scoring.hit(held, 5) == scoring.reciprocal_rank(held) == scoring.ndcg(held, 2) == 0
        assert scoring.recall(held, 2, 5) == 0


def test_a_passage_with_two_spans_is_a_perfect_ranking() -> None:
    assert scoring.ndcg([frozenset("ab")], 2) == 1
    assert scoring.ndcg([frozenset("ab")], 3) == pytest.approx(1 / (1 + 1 / math.log2(3)))


def test_what_is_found_after_k_does_not_count() -> None:
    assert scoring.reciprocal_rank([NONE] * 10 + [frozenset("a")]) == 0
    assert scoring.ndcg([NONE] * 10 + [frozenset("a")], 1) == 0


def test_auroc_counts_a_tie_as_half() -> None:
    labels = told(1, 1, 0, 0)
    for values, expected in (((0.9, 0.5, 0.5, 0.1), 0.875), ((0.3,) * 4, 0.5), ((0.0, 0.2, 0.4, 1.0), 0.0)):
        assert probabilities.auroc(ONE, labels=labels, probabilities=told(*values)) == pytest.approx(expected)


def test_weights_stand_for_questions_drawn_more_than_once() -> None:
    weighed = probabilities.auroc(told(2, 1, 0, 1)[None], labels=told(1, 1, 0, 0), probabilities=told(0.9, 0.2, 1, 0.5))
    assert weighed == pytest.approx(2 / 3)


def test_auroc_of_a_single_class_is_unknown() -> None:
    assert np.isnan(probabilities.auroc(ONE, labels=np.ones(4), probabilities=told(0.1, 0.2, 0.3, 0.4)))[0]


def test_calibration_error_and_brier_score_are_as_by_hand() -> None:
    labels, values = told(1, 0, 1, 1), told(0.92, 0.98, 0.12, 1.0)
    # the bins hold 0.12 with a one, and 0.92, 0.98 and 1.0 with two ones of three
    expected = (abs(0.12 - 1) + abs(2.90 - 2)) / 4
    assert probabilities.expected_calibration_error(ONE, labels=labels, probabilities=values) == pytest.approx(expected)
    bins = probabilities.reliability(labels, values)
    assert [(one.count, round(one.probability, 4), round(one.share, 4)) for one in bins] == [
        (1, 0.12, 1.0),
        (3, 0.9667, 0.6667),
    ]
    brier = probabilities.mean(ONE, values=(labels - values) ** 2)
    assert brier == pytest.approx((0.08**2 + 0.98**2 + 0.88**2) / 4)


def test_curves_take_ties_in_one_step() -> None:
    labels, values = told(1, 1, 0, 0), told(0.9, 0.5, 0.5, 0.1)
    assert probabilities.roc(labels, values) == [(0, 0), (0, 0.5), (0.5, 1), (1, 1)]
    assert probabilities.risk_coverage(labels, values) == [(0.25, 0), (0.75, pytest.approx(1 / 3)), (1, 0.5)]
    assert not probabilities.risk_coverage(told(), told())
    assert not probabilities.reliability(told(), told())


def test_the_area_under_risk_and_coverage_is_as_by_hand() -> None:
    labels, values = told(1, 0, 1, 0), told(0.9, 0.8, 0.4, 0.1)
    area = (0 + 1 / 2 + 1 / 3 + 2 / 4) / 4
    assert probabilities.aurc(ONE, labels=labels, probabilities=values) == pytest.approx(area)
    oracle = (0 + 0 + 1 / 3 + 2 / 4) / 4
    assert probabilities.excess_aurc(ONE, labels=labels, probabilities=values) == pytest.approx(area - oracle)


def test_an_order_without_a_mistake_has_no_excess_also_with_ties() -> None:
    labels = told(1, 0, 1, 0)
    for values in (told(0.9, 0.2, 0.9, 0.2), told(0.9, 0.1, 0.8, 0.2)):
        assert probabilities.excess_aurc(ONE, labels=labels, probabilities=values) == pytest.approx(0)
    tied = told(0.5, 0.5, 0.5, 0.5)
    assert probabilities.aurc(ONE, labels=labels, probabilities=tied) == pytest.approx(0.5), "the risk of guessing"


def test_a_question_drawn_twice_counts_twice_in_the_area() -> None:
    labels, values = told(1, 0, 1, 0), told(0.9, 0.8, 0.4, 0.1)
    twice = probabilities.aurc(told(2, 1, 0, 1)[None], labels=labels, probabilities=values)
    assert twice == pytest.approx((0 + 0 + 1 / 3 + 2 / 4) / 4)


def test_a_threshold_is_a_point_of_its_curve() -> None:
    labels, values = told(1, 0, 1, 0), told(0.9, 0.8, 0.4, 0.1)
    assert probabilities.at_threshold(labels, values, 0.4) == (0.75, pytest.approx(1 / 3))
    assert probabilities.at_threshold(labels, values, 0.95) is None


def test_a_target_is_met_by_the_value_and_narrowly_if_the_interval_says_otherwise() -> None:
    for figure, least, most in (
        (Figure(0.96, 0.95, 0.97, 20), "met", "not met"),
        (Figure(0.96, 0.90, 0.97, 20), "met, narrowly", "not met, narrowly"),
        (Figure(0.93, 0.90, 0.95, 20), "not met, narrowly", "met, narrowly"),
        (Figure(0.94, 0.94, 0.94, 20), "met", "met"),
    ):
        assert (at_least(0.94).verdict(figure), at_most(0.94).verdict(figure)) == (least, most)
    assert at_least(0.94).verdict(Figure(0.96, 0.95, 0.97, 19)) == "too few", "to tell chance from skill"
    assert (str(at_least(0.94)), str(at_most(5.0))) == ("≥ 0.94", "≤ 5")


def test_a_quantile_is_a_value_that_was_seen() -> None:
    values = told(4, 1, 3, 2)
    assert [probabilities.quantile(ONE, values=values, share=share)[0] for share in (0.5, 0.75, 0.95)] == [2, 3, 4]


def test_an_interval_holds_its_figure_and_comes_again_with_its_seed() -> None:
    values = np.random.default_rng(1).random(200)
    make = partial(Bootstrap(7).figure, partial(probabilities.mean, values=values), (200,))
    figure = make()
    assert figure.low < figure.value < figure.high
    assert figure.value == pytest.approx(values.mean())
    assert figure.high - figure.low == pytest.approx(4 * values.std() / math.sqrt(200), rel=0.15)
    assert make() == figure
    assert Bootstrap(8).figure(partial(probabilities.mean, values=values), (200,)) != figure


def test_resampling_keeps_the_classes_in_proportion() -> None:
    labels = np.repeat([1.0, 0.0], [3, 5])
    figure = Bootstrap().figure(partial(probabilities.mean, values=labels), (3, 5))
    assert figure.low == figure.value == figure.high == 3 / 8


def test_a_figure_over_nothing_is_unknown() -> None:
    figure = Bootstrap().figure(partial(probabilities.mean, values=told()), (0,))
    assert str(figure) == "–"
    assert str(Figure(0.5, 0.25, 0.75, 4)) == "0.500 0.250–0.750"


def test_an_answer_is_contained_in_whole_words_without_case_and_articles() -> None:
    text = "It carries forty cars, and “the Duke” waits."
    assert contained(["Forty Cars", "duke waits", "car", "?"], text) == [True, True, False, False]


def test_a_hit_holds_a_span_it_overlaps() -> None:
    question = Question(id="q", question="?", relevant=("d",), spans=(("d", 10, 20), ("d", 40, 50)))
    assert holds(question, "d", 19, 41, by_span=True) == {("d", 10, 20), ("d", 40, 50)}
    assert holds(question, "d", 20, 40, by_span=True) == frozenset()
    assert holds(question, "e", 10, 20, by_span=True) == frozenset()
    assert holds(question, "d", 20, 40, by_span=False) == {"d"}


def test_a_citation_is_precise_if_its_quote_alone_supports_the_sentence_before_it() -> None:
    answer = "Tea is hot. [1] The ferry leaves at noon [2]. It costs 3 marks. [2]"
    markers = [answer.index("[1]"), answer.index("[2]"), answer.rindex("[2]")]
    cited = [CitationAttached.model_construct(start=at, quote="The ferry leaves at noon.") for at in markers]
    final = FinalAnswer.model_construct(answer=answer, citations=cited, outcome="answered")
    reply = Reply(Question(id="q", question="?"), final, None)
    judge = lexical_judge(lambda wanted: dict.fromkeys(wanted, 1.0))
    assert replies.citations_precise(reply, judge) == [False, True, False]
    assert replies.citations_precise(Reply(reply.question, None, None), judge) == []


def test_any_policy_can_be_asked_for_two_passages_at_060() -> None:
    for policy in BUILT_IN.values():
        asked = lenient(policy)
        assert (asked.min_chunks, asked.min_score, asked.precheck) == (2, 0.60, "none")
        assert Policy.model_validate(asked.model_dump()) == asked


CORPUS = [
    {"id": "ferry", "title": "Ferry", "group": "sea", "text": "The ferry to Brack leaves at noon from the old pier."},
    {"id": "light", "title": "Light", "group": "sea", "text": "The lighthouse of Brack was built in 1870 by Ada Moor."},
    {"id": "tea", "title": "Who bakes the scones of Orrin?", "group": "land", "text": "Hilda bakes the Orrin scones."},
]
QUESTIONS: list[dict[str, Any]] = [
    {"id": "1", "question": "When does the ferry to Brack leave?", "answers": ["noon"], "relevant": ["ferry"]},
    {"id": "2", "question": "Who built the lighthouse of Brack?", "answers": ["Ada Moor"], "relevant": ["light"]},
    {"id": "3", "question": "Who bakes the scones of Orrin?", "answers": ["Hilda"], "relevant": ["tea"]},
    {"id": "4", "question": "What does the ferry to Brack cost?", "relevant": ["ferry"], "answerable": False},
]
GROUPS = {entry["id"]: entry["group"] for entry in CORPUS}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with `tiny.queries.jsonl` and its corpus."""
    monkeypatch.chdir(tmp_path)
    questions = [{**question, "group": GROUPS[question["relevant"][0]]} for question in QUESTIONS]
    put(tmp_path / "tiny.queries.jsonl", *questions)
    with gzip.open(tmp_path / "tiny.corpus.jsonl.gz", "wt", encoding="utf-8") as corpus:
        corpus.writelines(json.dumps(entry) + "\n" for entry in CORPUS)
    return tmp_path


def put(path: Path, *lines: object) -> None:
    path.write_text("".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["eval", *arguments], env={"COLUMNS": "120"})


def refusal(*arguments: str) -> str:
    refused = run(*arguments)
    assert refused.exit_code == 1, refused.output
    assert isinstance(refused.exception, SystemExit)
    return refused.output


def test_one_command_measures_a_set_and_writes_a_page(folder: Path) -> None:
    done = run("tiny.queries.jsonl", "--report", "report.html")
    assert done.exit_code == 0, done.output
    for expected in ("4 questions, 3 documents", "hit@1", "1.000 1.000–1.000", "near miss", "passage absent"):
        assert expected in done.output
    for expected in ("3 + 3", "3 + 2", "3 + 1"):  # tea is all of its topic: it is taken away once
        assert expected in done.output
    assert "all-MiniLM-L6-v2" in done.output
    for expected in (
        "excess AURC",
        "refused in the end, 2 passages at 0.60",
        "opened by the gate",
        "gate decision p95",
    ):
        assert expected in done.output
    assert re.search(r"citation precision +1.000 1.000–1.000 +\d +≥ 1 too few", done.output)
    assert re.search(r"tiny +gate, topic absent: AUROC +1.000 +≥ 0.99 +too few", done.output)
    assert not (folder / "data").exists(), "the user's data is not touched"
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 4
    assert page.count('class="ring') == 3, "the policy's threshold, for each difficulty"
    assert "<h2>Targets</h2>" in page
    assert "http" not in page, "nothing is loaded from elsewhere"
    assert "<script" not in page
    assert [path.name for path in folder.iterdir() if "report" in path.name] == ["report.html"]


@pytest.mark.slow
def test_a_set_without_a_corpus_is_asked_of_the_collection(folder: Path) -> None:
    (folder / "ferry.md").write_text(CORPUS[0]["text"])
    assert CliRunner().invoke(main, ["ingest", "ferry.md", "--collection", "boats"]).exit_code == 0
    put(folder / "boats.jsonl", {**QUESTIONS[0], "relevant": ["ferry.md"]}, "\n")
    done = run("boats.jsonl", "--collection", "boats")
    assert done.exit_code == 0, done.output
    assert "1 question, collection “boats”" in done.output
    assert "there is no collection nope; these are: boats, default, docs" in refusal(
        "boats.jsonl", "--collection", "nope"
    )


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ('{"id": "2", "question"\n', "Invalid JSON"),
        ({"id": "2"}, "question: Field required"),
        ({"id": "2", "question": " "}, "question: "),
        ({"id": "2", "question": "Why?", "spans": [["ferry", 1]]}, "spans.0.2"),
    ],
)
def test_a_bad_line_is_named_with_its_file(folder: Path, line: object, named: str) -> None:
    put(folder / "bad.jsonl", QUESTIONS[0], line)
    told = refusal("tiny.queries.jsonl", "bad.jsonl")
    assert "bad.jsonl:2: " in told
    assert named in told


def test_what_is_no_question_set_is_named(folder: Path) -> None:
    put(folder / "empty.jsonl", "\n")
    (folder / "torn.jsonl.gz").write_bytes(gzip.compress(b"{}" * 500)[:20])
    for name, reason in (
        ("tiny.corpus.jsonl.gz", "is a corpus"),
        ("empty.jsonl", "no questions"),
        ("torn.jsonl.gz", "torn.jsonl.gz:1: "),
    ):
        told = refusal(name)
        assert name in told
        assert reason in told
    assert "no such folder" in refusal("tiny.queries.jsonl", "--report", "nowhere/report.html")


def test_a_question_about_a_document_the_corpus_lacks_is_named(folder: Path) -> None:
    put(folder / "tiny.queries.jsonl", {**QUESTIONS[0], "relevant": ["harbour"]})
    assert "question '1' names 'harbour'" in refusal("tiny.queries.jsonl")


def test_only_in_long_documents_a_hit_must_overlap_a_span(folder: Path) -> None:
    spanned = [{**QUESTIONS[0], "spans": [["ferry", 0, 5]]}, {**QUESTIONS[1], "spans": [["light", 0, 5]]}]
    put(folder / "tiny.queries.jsonl", *spanned)
    entries = [{**CORPUS[0], "text": "A line. " * LONG}, *CORPUS[1:]]
    (folder / "tiny.corpus.jsonl.gz").unlink()
    put(folder / "tiny.corpus.jsonl", *entries)
    questions = read_set(folder / "tiny.queries.jsonl")
    assert [questions.by_span(question) for question in questions.questions] == [True, False]
