"""Edits and rewordings by example, and `groundswell eval` on a set of claims."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from evaluation import rewordings
from evaluation.edits import EDITS, HARD_EDITS, Material
from evaluation.entities import entities
from evaluation.negations import deny
from server.__main__ import main

PAGE = (
    "The ferry Saint Olga sank near Port Brack on 12 March 1921 with forty passengers.",
    "Captain Ada Moor left the ship in the second of three boats.",
    "Her brother Ivo Moor had built the lighthouse of Orrin in 1870.",
)
CLAIM = "The second boat left Saint Olga near Port Brack on 12 March 1921."
OTHERS = "In Lower Hamm the Red Countess met Hilda Brunn. It was Sunday in West Orrin, and Greta Vale sang."


def material(text: str = CLAIM) -> Material:
    return Material(text, PAGE, entities(OTHERS))


def edit(kind: str, text: str = CLAIM, seed: int = 0) -> str | None:
    return {**EDITS, **HARD_EDITS}[kind](material(text), np.random.default_rng(seed))


@pytest.mark.parametrize("kind", [*EDITS, *HARD_EDITS])
def test_an_edit_changes_one_thing_and_comes_again_with_its_seed(kind: str) -> None:
    text = "The Saint Olga was lost." if kind == "negation" else CLAIM
    edited = edit(kind, text)
    assert edited is not None
    assert edited != text
    assert edited == edit(kind, text)


def test_a_number_becomes_one_that_the_evidence_does_not_have() -> None:
    for seed in range(20):
        edited = edit("number", seed=seed)
        assert edited is not None
        changed = set(re.findall(r"\d+", edited)) - {"12", "1921"}
        assert len(changed) == 1
        assert not changed & set(re.findall(r"\d+", " ".join(PAGE)))
    assert edit("number", "She had five boats.") is not None
    assert edit("number", "There were over 30 boats.") is None, "that there were over 20 would be true as well"


def test_a_name_becomes_one_of_the_same_shape_without_a_word_of_the_evidence() -> None:
    names = {edited for seed in range(20) if (edited := edit("entity", seed=seed))}
    assert "The second boat left Red Countess near Port Brack on 12 March 1921." in names
    assert "The second boat left Saint Olga near Lower Hamm on 12 March 1921." in names
    assert not any("West Orrin" in name for name in names), "Orrin is in the evidence"


def test_what_comes_from_the_evidence_stands_there() -> None:
    for seed in range(10):
        edited = edit("number from the evidence", seed=seed)
        assert edited is not None
        assert edited.endswith("on 12 March 1870.")
        swapped = edit("entity from the evidence", "The ship belonged to Ada Moor.", seed=seed)
        assert swapped is None or not re.search("Ivo|Captain", swapped), "they bear the same name"


@pytest.mark.parametrize("kind", [*EDITS, *HARD_EDITS])
def test_where_there_is_nothing_to_change_nothing_is(kind: str) -> None:
    assert edit(kind, "nothing whatsoever") is None


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("The pier was built in 1870.", {"was not", "wasn't", "was never"}),
        ("She can swim.", {"cannot", "can't", "can never"}),
        ("She has two boats.", {"does not have"}),
        ("She had sold the boat.", {"had not", "hadn't", "had never"}),
        ("In 1870 she moved to Orrin.", {"never moved"}),
    ],
)
def test_a_sentence_is_denied_by_its_first_verb(text: str, denied: set[str]) -> None:
    found = {deny(text, np.random.default_rng(seed)) for seed in range(30)}
    assert {next(part for part in denied if part in str(one)) for one in found} == denied


@pytest.mark.parametrize(
    ("text", "affirmed"),
    [
        ("The pier was not built.", "The pier was built."),
        ("She didn't swim.", "She did swim."),
        ("She never moved.", "She moved."),
        ("There was no pier.", None),
        ("It was not only a pier, and it never sank.", None),
        ("It was only a pier.", None),
        ("The man who was lost smiled.", None),
    ],
)
def test_a_negation_is_taken_out_or_left_where_that_is_not_safe(text: str, affirmed: str | None) -> None:
    assert deny(text, np.random.default_rng(0)) == affirmed


@pytest.mark.parametrize(
    ("reword", "text", "same"),
    [
        (rewordings.numbers, "It cost 1,250 marks.", "It cost 1250 marks."),
        (rewordings.numbers, "It cost 12500 marks.", "It cost 12,500 marks."),
        (rewordings.numbers, "Of two boats 13% sank.", "Of 2 boats 13 percent sank."),
        (rewordings.numbers, "It sank in 1921.", "It sank in 1921."),
        (rewordings.dates, "It sank on March 1, 1921.", "It sank on 1 March 1921."),
        (rewordings.dates, "It sank on 1 March 1921.", "It sank on March 1, 1921."),
        (rewordings.contractions, "It did not sink.", "It didn't sink."),
        (rewordings.contractions, "It can’t sink.", "It cannot sink."),
        (rewordings.lower_case, "Ada Moor", "ada moor"),
        (rewordings.punctuation, "“Olga” – a ferry.", '"Olga" - a ferry'),
        (rewordings.without_aside, "Olga (a ferry) sank.", "Olga sank."),
        (rewordings.without_aside, "The captain left the ship, which sank at noon.", "The captain left the ship."),
        (rewordings.without_aside, "The ship, which sank, was old.", "The ship, which sank, was old."),
    ],
)
def test_a_rewording_keeps_what_is_said(reword: rewordings.Rewording, text: str, same: str) -> None:
    assert reword(text) == same


def test_a_name_is_a_run_of_capitalised_words() -> None:
    found = [
        entity.text for entity in entities("The Duke of Orrin met Ada Moor's aunt in May. Soon after, Brack fell.")
    ]
    assert found == ["Duke of Orrin", "Ada Moor", "Brack"]


CLAIMS: list[dict[str, Any]] = [
    {"id": "1", "claim": "The ferry Saint Olga sank near Port Brack.", "label": "supported", "supporting": [[0]]},
    {"id": "2", "claim": "Captain Ada Moor left the ship.", "label": "supported", "supporting": [[1], [0, 1]]},
    {"id": "3", "claim": "The ferry Saint Olga sank with all its gold.", "label": "partially_supported"},
    {"id": "4", "claim": "Greta Vale sings in an opera house.", "label": "not_supported"},
    {"id": "5", "claim": "A zeppelin crashed into the museum.", "label": "refuted"},
]


def put(path: Path, *lines: object) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["eval", *arguments], env={"COLUMNS": "140"})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with `tiny.claims.jsonl`."""
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "tiny.claims.jsonl", *({**claim, "evidence": PAGE} for claim in CLAIMS))
    return tmp_path


@pytest.mark.slow
def test_claims_are_measured_and_stand_on_one_page_with_questions(folder: Path) -> None:
    put(
        folder / "q.jsonl",
        {"id": "1", "question": "When does the ferry leave?", "relevant": ["a"], "answers": ["noon"]},
    )
    put(folder / "q.corpus.jsonl", {"id": "a", "text": "The ferry leaves at noon."}, {"id": "b", "text": "Tea is hot."})
    done = run("tiny.claims.jsonl", "q.jsonl", "--report", "report.html")
    assert done.exit_code == 0, done.output
    for expected in (
        r"5 claims, 3 pieces of evidence",
        r"AUROC, supported against not supported +1.000 1.000–1.000 +3 +≥ 0.94 too few",
        r"AUROC, supported against refuted +1.000",
        r"AUROC, supported against the rest +1.000",
        r"best piece is one that people marked +1.000",
        r"claims usable: called supported unedited +1.000 1.000–1.000 +2",
        r"verbatim sentences +0.000 0.000–0.000 +3 +≤ 0.05 too few",
        r"p95 .*≤ 5 too few",
        r"refuted +0.000 +0.000 +1.000 +0.000 +1",
        r"tier 1, lexical, chat embedded",
    ):
        assert re.search(expected, done.output), expected
    narrow = CliRunner().invoke(main, ["eval", "tiny.claims.jsonl"], env={"COLUMNS": "80"}).output
    assert re.search(r"supported +partial +unsupported +contradicted +n", narrow), "nothing is cut"
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert re.search(r">tiny: \d too few to tell<", page)
    assert page.index("tiny.claims.jsonl") < page.index("q.jsonl")
    assert "http" not in page, "nothing is loaded from elsewhere"
    assert not (folder / "data").exists(), "the user's data is not touched"


def test_right_and_wrong_citations_of_a_page_are_told_apart(folder: Path) -> None:
    put(folder / "cited.claims.jsonl", {**CLAIMS[0], "evidence": PAGE[:1], "supporting": [], "retrieved": PAGE})
    done = run("cited.claims.jsonl")
    assert done.exit_code == 0, done.output
    assert re.search(r"right citation called supported +1.000 1.000–1.000 +1", done.output)
    assert re.search(r"wrong citation of the page called supported +0.000", done.output)
    assert re.search(r"right citation scored above a wrong one +1.000", done.output)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ({"id": "2"}, "claim: Field required"),
        ({**CLAIMS[0], "evidence": PAGE, "label": "maybe"}, "label: Input should be"),
        ({**CLAIMS[0], "evidence": [], "supporting": [[0]]}, "supporting: there is no evidence 0"),
    ],
)
def test_a_bad_claim_is_named_with_its_line(folder: Path, line: object, named: str) -> None:
    put(folder / "bad.claims.jsonl", {**CLAIMS[0], "evidence": PAGE}, line)
    refused = run("tiny.claims.jsonl", "bad.claims.jsonl")
    assert refused.exit_code == 1
    assert "bad.claims.jsonl:2: " in refused.output
    assert named in refused.output


def test_an_empty_set_and_one_of_one_label_are_told_apart(folder: Path) -> None:
    put(folder / "empty.claims.jsonl")
    assert "there are no claims in it" in run("empty.claims.jsonl").output
    put(folder / "one.claims.jsonl", {**CLAIMS[4], "evidence": []})
    done = run("one.claims.jsonl", "--report", "report.html")
    assert done.exit_code == 0, done.output
    assert "AUROC" not in done.output
