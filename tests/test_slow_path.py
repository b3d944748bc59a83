"""Each step of the slow path may fail, stall or talk nonsense: the reader has the answer, and is told what is missing.

Where the slow path has to pass before anything is said, the same closes the gate.
"""

import asyncio
import json
import math
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from chains.safety import SafetyVerdict
from graph.context import Limits
from graph.hub import Hub
from graph.policy import BUILT_IN, Policies
from graph.query import Query
from graph.run import Run
from retrieval.library import Library, Submission
from server.bootstrap import library_in
from tests.support.faults import Asked, Hold, Scoring, Searching, Weighing, fails, says
from tests.support.streams import Envelope, check_grammar, kinds, payloads, said

QUESTION = "What is the speed limit in Brack harbour?"
RULES = {
    "rules": "The speed limit in Brack harbour is four knots. The harbour master sees to it.",
    "notice": "The speed limit in Brack harbour is nine knots. The notice hangs at the pier.",
    "ferry": "The ferry from Brack to the islands leaves at noon. A ticket costs eight crowns.",
}
"""Two of them disagree, so that there is something to compare."""
STALLED = Limits(slow_path_seconds=2.0, safety_seconds=0.3)
"""A step of the slow path has half of its time."""
SAFE, UNSAFE = SafetyVerdict(True, ""), SafetyVerdict(False, "fraud")
STRICT: Policies = {
    **BUILT_IN,
    "underwriting": BUILT_IN["underwriting"].model_copy(update={"min_chunks": 1, "min_score": 0.5}),
}


@pytest.fixture(scope="module")
def harbour(encoder: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    library = library_in(tmp_path_factory.mktemp("brack"), encoder)
    for name, text in RULES.items():
        library.add("default", Submission(data=text, id=name, title=name))
    yield library
    library.close()


@pytest.fixture
async def hold() -> AsyncIterator[Hold]:
    """Whatever waits in it goes on when the test is over."""
    hold = Hold()
    yield hold
    hold.release()


def told_by(run: Run) -> list[Envelope]:
    """Everything a run said, checked."""
    events = [json.loads(entry.encoded) for entry in run.log.entries]
    check_grammar(events)
    assert "secret" not in json.dumps(events)
    return events


async def asked(hub: Hub, **query: Any) -> list[Envelope]:
    """What a question is answered with."""
    run = hub.start(Query(query=QUESTION, **query))
    async with asyncio.timeout(20):
        await hub.finished(run)
    return told_by(run)


def errors(events: list[Envelope]) -> list[tuple[str, bool]]:
    return [(error["code"], error["fatal"]) for error in payloads(events, "error")]


Broken = Callable[[Library, Hold], dict[str, Any]]


@dataclass(frozen=True)
class Fault:
    """What is wrong with one step of the slow path, and the code by which the reader knows it."""

    step: str
    code: str
    parts: Broken


def searching(work: Callable[[Hold], Any]) -> Broken:
    return lambda library, hold: {"library": Searching(library, lambda: work(hold))}


def reranking(score_of: Callable[[int], Any]) -> Broken:
    return lambda library, hold: {"library": library, "reranker": Scoring(score_of)}


def checking(*works: Callable[[], Any]) -> Broken:
    """The safety model; it is asked of the evidence first, then of the answer."""
    return lambda library, hold: {"library": library, "safety": Asked(*works)}


_DEEPER, _ORDER, _SAFETY, _PAIRS = "slow_path_failed", "reranker_failed", "safety_check_failed", "comparison_failed"
FAULTS = {
    "the store fails": Fault("deepen", _DEEPER, searching(lambda hold: fails())),
    "the store hangs": Fault(
        "deepen", _DEEPER, lambda library, hold: {"library": Searching(library, hold.wait), "limits": STALLED}
    ),
    "the store gives nothing": Fault("deepen", _DEEPER, searching(lambda hold: None)),
    "the reranker fails": Fault("rerank", _ORDER, reranking(lambda count: fails())),
    "the reranker hangs": Fault(
        "rerank",
        _ORDER,
        lambda library, hold: {"library": library, "reranker": Scoring(lambda _: hold.block()), "limits": STALLED},
    ),
    "the reranker scores NaN": Fault("rerank", _ORDER, reranking(lambda count: [math.nan] * count)),
    "the reranker scores one as infinite": Fault("rerank", _ORDER, reranking(lambda n: [math.inf, *[0.0] * (n - 1)])),
    "the reranker gives too few scores": Fault("rerank", _ORDER, reranking(lambda count: [1.0] * (count - 1))),
    "the reranker gives too many scores": Fault("rerank", _ORDER, reranking(lambda count: [1.0] * (count + 1))),
    "the reranker gives words": Fault("rerank", _ORDER, reranking(lambda count: ["best"] * count)),
    "the reranker gives nothing": Fault("rerank", _ORDER, reranking(lambda count: None)),
    "the safety model fails": Fault("screen", _SAFETY, checking(fails, says(SAFE))),
    "the safety model hangs": Fault(
        "screen",
        _SAFETY,
        lambda library, hold: {"library": library, "safety": Asked(hold.wait, says(SAFE)), "limits": STALLED},
    ),
    "the safety model says neither word": Fault("screen", _SAFETY, checking(says(None), says(SAFE))),
    "the safety model says something else": Fault("screen", _SAFETY, checking(says("yes"), says(SAFE))),
    "the comparison fails": Fault("compare", _PAIRS, lambda library, hold: {"library": Weighing(library, fails)}),
    "the comparison hangs": Fault(
        "compare", _PAIRS, lambda library, hold: {"library": Weighing(library, hold.block), "limits": STALLED}
    ),
}
NEEDED = [name for name, fault in FAULTS.items() if fault.step in ("deepen", "screen", "compare")]


@pytest.mark.parametrize("name", FAULTS)
async def test_the_draft_is_complete_and_one_error_names_the_step_that_failed(
    name: str, make_hub: Callable[..., Hub], harbour: Library, hold: Hold
) -> None:
    fault = FAULTS[name]
    events = await asked(make_hub(**fault.parts(harbour, hold)))
    final = payloads(events, "final_answer")[0]
    assert "knots" in said(events)
    assert (final["outcome"], final["truncated"]) == ("answered", False)
    assert errors(events) == [(fault.code, False)]
    assert final.get("safety_flags") == (["unchecked"] if fault.step == "screen" else None)
    assert final["safety_pass"] is (fault.step != "screen")


@pytest.mark.parametrize("name", NEEDED)
async def test_where_the_slow_path_has_to_pass_a_failed_step_closes_the_gate(
    name: str, make_hub: Callable[..., Hub], harbour: Library, hold: Hold
) -> None:
    fault = FAULTS[name]
    events = await asked(make_hub(policies=STRICT, **fault.parts(harbour, hold)), domain="underwriting")
    assert [decision["verdict"] for decision in payloads(events, "gate_decision")] == ["verify_first", "fallback"]
    assert not {"token", "source", "partial_answer", "citation_attached"} & set(kinds(events))
    assert payloads(events, "final_answer")[0]["outcome"] == "fallback"
    assert errors(events) == [(fault.code, False)]
    assert "answered without it" in payloads(events, "error")[0]["message"]


@pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if fault.step == "rerank"])
async def test_where_the_slow_path_has_to_pass_the_order_is_no_reason_to_be_silent(
    name: str, make_hub: Callable[..., Hub], harbour: Library, hold: Hold
) -> None:
    fault = FAULTS[name]
    events = await asked(make_hub(policies=STRICT, **fault.parts(harbour, hold)), domain="underwriting")
    assert payloads(events, "final_answer")[0]["outcome"] == "answered"
    assert errors(events) == [(fault.code, False)]


async def test_where_the_slow_path_has_to_pass_and_passes_the_question_is_answered(
    make_hub: Callable[..., Hub], harbour: Library
) -> None:
    hub = make_hub(policies=STRICT, library=harbour, safety=Asked(says(SAFE)), reranker=Scoring(lambda n: [0.0] * n))
    events = await asked(hub, domain="underwriting")
    assert [decision["verdict"] for decision in payloads(events, "gate_decision")] == ["verify_first", "open"]
    final = payloads(events, "final_answer")[0]
    assert (final["outcome"], final["safety_pass"], errors(events)) == ("answered", True, [])


async def test_unsafe_evidence_closes_the_gate_only_where_it_has_to_pass(
    make_hub: Callable[..., Hub], harbour: Library
) -> None:
    events = await asked(
        make_hub(policies=STRICT, library=harbour, safety=Asked(says(UNSAFE), says(SAFE))), domain="underwriting"
    )
    decisions = payloads(events, "gate_decision")
    assert [decision["verdict"] for decision in decisions] == ["verify_first", "fallback"]
    assert any("safety check" in reason for reason in decisions[-1]["reasons"])
    assert not {"token", "source"} & set(kinds(events))
    final = payloads(events, "final_answer")[0]
    assert (final["outcome"], final["safety_pass"]) == ("fallback", False)
    events = await asked(make_hub(library=harbour, safety=Asked(says(UNSAFE), says(SAFE))))
    final = payloads(events, "final_answer")[0]
    assert (final["outcome"], final["safety_flags"], final["safety_pass"]) == ("answered", ["unsafe_evidence"], False)
    assert errors(events) == []


ANSWERS: dict[str, tuple[Callable[[Hold], Any], str, int]] = {
    "unsafe": (lambda hold: UNSAFE, "unsafe_answer", 0),
    "failing": (lambda hold: fails(), "unchecked", 1),
    "hanging": (lambda hold: hold.wait(), "unchecked", 1),
    "saying neither word": (lambda hold: None, "unchecked", 1),
}
"""What the safety model makes of the answer, the flag that is set by it, and the errors that tell of it."""


@pytest.mark.parametrize("name", ANSWERS)
async def test_an_answer_that_does_not_pass_is_withdrawn_where_it_has_to(
    name: str, make_hub: Callable[..., Hub], harbour: Library, hold: Hold
) -> None:
    work, flag, told = ANSWERS[name]
    safety = Asked(says(SAFE), lambda: work(hold))
    events = await asked(
        make_hub(policies=STRICT, library=harbour, safety=safety, limits=STALLED), domain="underwriting"
    )
    update, final = payloads(events, "refinement_update")[0], payloads(events, "final_answer")[0]
    assert (update["action"], update["triggers"], update["additional_citations"]) == ("retract", ["safety"], [])
    assert (final["outcome"], final["safety_pass"], final["safety_flags"]) == ("fallback", False, [flag])
    assert "knots" in said(events)
    assert "knots" not in final["answer"]
    assert errors(events) == [("safety_check_failed", False)] * told


async def test_an_unsafe_answer_is_withdrawn_everywhere(make_hub: Callable[..., Hub], harbour: Library) -> None:
    events = await asked(make_hub(library=harbour, safety=Asked(says(SAFE), says(UNSAFE))))
    update, final = payloads(events, "refinement_update")[0], payloads(events, "final_answer")[0]
    assert (update["action"], final["outcome"], final["safety_flags"]) == ("retract", "fallback", ["unsafe_answer"])


@pytest.mark.parametrize("name", [name for name in ANSWERS if name != "unsafe"])
async def test_an_answer_that_could_not_be_checked_is_flagged_elsewhere(
    name: str, make_hub: Callable[..., Hub], harbour: Library, hold: Hold
) -> None:
    work, flag, _ = ANSWERS[name]
    events = await asked(
        make_hub(library=harbour, safety=Asked(says(SAFE), lambda: work(hold)), limits=STALLED),
    )
    final = payloads(events, "final_answer")[0]
    assert (final["outcome"], final["safety_pass"], final["safety_flags"]) == ("answered", False, [flag])
    assert "knots" in final["answer"]
    assert errors(events) == [("safety_check_failed", False)]


async def test_a_rewrite_that_hangs_costs_the_slow_path_a_quarter_of_its_time_and_nothing_else(
    make_hub: Callable[..., Hub], harbour: Library, hold: Hold
) -> None:
    events = await asked(make_hub(library=harbour, rewrite=Asked(hold.wait), limits=STALLED))
    assert payloads(events, "final_answer")[0]["outcome"] == "answered"
    assert errors(events) == []


async def test_when_every_step_fails_the_draft_still_stands_on_the_first_search(
    make_hub: Callable[..., Hub], harbour: Library
) -> None:
    library = Weighing(harbour, fails, deeper=fails)
    hub = make_hub(library=library, reranker=Scoring(lambda count: []), safety=Asked(fails))
    events = await asked(hub)
    final = payloads(events, "final_answer")[0]
    assert final["outcome"] == "answered"
    assert "four" in final["answer"] or "nine" in final["answer"]
    told = [_DEEPER, _ORDER, _SAFETY, _PAIRS, _SAFETY]  # the last one is of the answer
    assert errors(events) == [(code, False) for code in told]
    assert final["safety_flags"] == ["unchecked"]


async def test_what_is_answered_from_is_screened_though_it_was_neither_searched_deeper_nor_ordered(
    make_hub: Callable[..., Hub], harbour: Library
) -> None:
    safety = Asked(says(UNSAFE), says(SAFE))
    hub = make_hub(library=Searching(harbour, fails), reranker=Scoring(lambda count: fails()), safety=safety)
    final = payloads(await asked(hub), "final_answer")[0]
    assert (final["safety_flags"], final["safety_pass"]) == (["unsafe_evidence"], False)


async def test_a_reranker_that_hangs_in_run_after_run_does_not_stop_the_searches(
    make_hub: Callable[..., Hub], harbour: Library, hold: Hold
) -> None:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(3))
    limits = Limits(slow_path_seconds=0.6)
    hub = make_hub(library=harbour, reranker=Scoring(lambda _: hold.block()), limits=limits)
    for _ in range(4):
        async with asyncio.timeout(4):
            events = await asked(hub)
        assert payloads(events, "final_answer")[0]["outcome"] == "answered"
