"""Planted errors: what counts as repaired, what as harm, and `groundswell eval` on a set of them."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from langchain_core.messages import HumanMessage

from evaluation.assertions import Heard
from evaluation.corrections import CONTROL, KINDS, PLANTED, Case, Sentence, read_corrections
from evaluation.scripted import ScriptedModel
from evaluation.sets import SetError
from server.__main__ import main

OLD = {"id": "old", "title": "Fees 2020", "content": "The fee is 20 crowns. The desk is closed on Monday."}
NEW = {"id": "new", "title": "Fees 2024", "content": "The fee is 30 crowns."}


def case(**changed: Any) -> Case:
    given: dict[str, Any] = {
        "id": "fee",
        "kind": "documents",
        "documents": [OLD, NEW],
        "question": "What is the fee?",
        "draft": [
            {"text": "The fee is 20 crowns.", "cites": "The fee is 20 crowns."},
            {"text": "The desk is closed on Monday.", "cites": "The desk is closed on Monday."},
        ],
        "expect": {"says": [["30 crowns"]], "not": ["20 crowns"]},
        "keeps": [1],
    }
    return Case.model_validate({**given, **changed})


@pytest.mark.parametrize(
    ("answer", "says", "asserts"),
    [
        ("The fee is 20 crowns [1]. The desk is closed on Monday [1].", False, True),
        ("The fee is 30 crowns [2]. The desk is closed on Monday [1].", True, False),
        ("The desk is closed on Monday [1].", False, False),
        ("The fee is 20 crowns [1]. However, “Fees 2024” says: “The fee is 30 crowns” [2].", True, True),
        ("The fee is 30 crowns [2]; “Fees 2020” says: “The fee is 20 crowns” [1].", True, False),
        ("The fee is 30 crowns [2]. An older document gives 20 crowns [1].", True, False),
        ("The fee is 30 crowns [2], “20 crowns”.", True, True),
        ("The fee is 30 crowns [2]; a source says “the fee is surely 20 crowns”.", True, True),
    ],
)
def test_what_is_wrong_may_only_stand_as_another_sources_word(answer: str, says: bool, asserts: bool) -> None:
    heard = Heard(case(), answer)
    assert heard.says_all == says
    assert bool(heard.asserts) == asserts


def test_where_nothing_tells_which_is_right_both_sides_are_told_and_one_of_them_as_a_sources_word() -> None:
    undecided = case(undecided=True, expect={"says": [["20 crowns"], ["30 crowns"]], "not": []})
    assert Heard(undecided, "The fee is 20 crowns [1]. “Fees 2024” says: “The fee is 30 crowns” [2].").says_all
    assert not Heard(undecided, "The fee is 20 crowns [1]. The fee is 30 crowns [2].").says_all
    assert not Heard(undecided, "The fee is 30 crowns, says one document [2].").says_all


def test_a_phrase_is_found_as_whole_words_only() -> None:
    assert not Heard(case(expect={"says": [["0 crowns"]]}), "The fee is 30 crowns.").says_all
    assert Heard(case(expect={"says": [["re:fee is \\d+"]]}), "The Fee is 30 crowns.").says_all


def test_a_right_sentence_is_lost_when_a_word_of_it_is() -> None:
    assert Heard(case(), "The desk is closed on Monday [1].").lost == []
    assert Heard(case(), "The desk is closed on Mondays [1].").lost == [1]
    assert Heard(case(), "On Monday the desk is closed [1].").lost == [1]


def test_a_sentence_in_the_words_of_its_source_is_lost_but_not_outright() -> None:
    said = {"text": "On Monday the desk is closed.", "cites": "The desk is closed on Monday."}
    reworded = case(draft=[case().draft[0].model_dump(), said])
    assert Heard(reworded, "The desk is closed on Monday [1].").lost == [1]
    assert Heard(reworded, "The desk is closed on Monday [1].").lost_outright == []
    assert Heard(reworded, "The fee is 30 crowns [2].").lost_outright == [1]


def test_the_scripted_model_cites_the_rows_that_hold_its_sentences_wherever_they_stand() -> None:
    draft = (
        Sentence(text="The fee is 25 crowns.", cites="The fee is 20 crowns."),
        Sentence(text="It rains.", cites="Nobody was given this sentence."),
        Sentence(text="Nobody knows"),
    )
    prompt = "<evidence k3y>\n[1] Fees\n[1.1] Something else.\n[1.2] The fee is 20 crowns.\n</evidence k3y>"
    said = ScriptedModel(draft=draft).invoke([HumanMessage(prompt)])
    assert said.text == "The fee is 25 crowns [1.2]. It rains. Nobody knows"


def test_the_planted_set_holds_what_it_claims() -> None:
    cases = read_corrections(PLANTED).cases
    kinds = Counter(each.kind for each in cases)
    assert set(kinds) == set(KINDS)
    assert min(kinds.values()) >= 12
    assert kinds[CONTROL] >= 40
    assert sum(kinds.values()) - kinds[CONTROL] >= 75
    assert {len(each.draft) for each in cases} <= set(range(1, 7))
    assert any(each.undecided for each in cases)


def test_no_case_is_repaired_by_its_draft_and_every_control_is_kept_by_it() -> None:
    for each in read_corrections(PLANTED).cases:
        heard = Heard(each, " ".join(sentence.text for sentence in each.draft))
        assert heard.lost == [], each.id
        if each.kind != CONTROL:
            assert heard.asserts or not heard.says_all, each.id


def test_what_is_expected_stands_in_a_document() -> None:
    for each in read_corrections(PLANTED).cases:
        everything = Heard(each.model_copy(update={"undecided": False}), " ".join(p.content for p in each.documents))
        assert everything.says_all, each.id


def test_a_case_that_cites_what_no_document_holds_is_refused(tmp_path: Path) -> None:
    wrong = json.loads(case().model_dump_json(by_alias=True))
    wrong["draft"][0]["cites"] = "The fee is 40 crowns."
    path = tmp_path / "fees.corrections.jsonl"
    path.write_text(json.dumps(wrong) + "\n")
    with pytest.raises(SetError, match="no document holds"):
        read_corrections(path)


@pytest.mark.slow
def test_eval_reports_repairs_and_harm_of_a_set(tmp_path: Path) -> None:
    path = tmp_path / "fees.corrections.jsonl"
    control = case(id="closed", kind="none", draft=[case().draft[1].model_dump()], keeps=[0], expect={})
    lines = [one.model_dump_json(by_alias=True) for one in (case(), control)]
    path.write_text("\n".join(lines))
    report = tmp_path / "report.html"
    done = CliRunner().invoke(main, ["eval", str(path), "--report", str(report), "--data-dir", str(tmp_path / "data")])
    assert done.exit_code == 0, done.output
    assert "1 drafts with an error, 1 without" in done.output
    assert "planted errors repaired" in done.output
    assert "controls altered" in report.read_text()


def test_the_name_planted_stands_for_the_set_of_our_own() -> None:
    given = main.commands["eval"].make_context("eval", ["planted"])
    assert given.params["sets"] == (PLANTED,)
