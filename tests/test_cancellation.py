"""Wherever a run is when it is cancelled, it ends at once, says so once, and leaves nothing running.

`block` and `conclude` wait for nothing and nobody, so no run can be held in them; what is cancelled while they tell
the final answer comes too late, and that is the last test. `gate` only waits for the check of sufficiency.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from callbacks.guard import Guarding
from callbacks.personal import Finding
from chains.answer import answer_chain
from chains.safety import SafetyVerdict
from evaluation.corrections import Sentence
from evaluation.scripted import ScriptedModel
from graph.context import Limits
from graph.hub import Hub
from graph.policy import BUILT_IN, Policies, Rule
from graph.query import Query
from graph.run import Run
from retrieval.library import Library, Submission
from server.bootstrap import library_in
from tests.support.faults import Asked, Hold, Pausing, Scoring, Searching, Weighing, says
from tests.support.streams import Envelope, check_grammar, kinds, payloads

QUESTION = "What is the speed limit in Brack harbour?"
NOWHERE = "Who won the Zanzibar regatta in 1997?"
RULES = {
    "rules": "The speed limit in Brack harbour is four knots. The harbour master sees to it.",
    "notice": "The speed limit in Brack harbour is nine knots. The notice hangs at the pier.",
}
SAFE = SafetyVerdict(True, "")
PATIENT = Limits(
    rewrite_seconds=30, classify_seconds=30, sufficiency_seconds=30, expand_seconds=30, safety_seconds=30,
    slow_path_seconds=60,
)  # fmt: skip
POLICIES: Policies = {
    **BUILT_IN,
    "underwriting": BUILT_IN["underwriting"].model_copy(update={"min_chunks": 1, "min_score": 0.5}),
    "closed": BUILT_IN["general"].model_copy(update={"rules": (Rule(name="no", pattern="speed", action="deny"),)}),
}
WRONG = (
    Sentence(text="The speed limit in Brack harbour is four knots.", cites=RULES["rules"].split(". ")[0] + "."),
    Sentence(text="Purple dolphins paid for the golden roof.", cites=RULES["rules"].split(". ")[0] + "."),
)

Parts = dict[str, Any]
Held = Callable[[Library, Hold, Any], Parts]
"""The collaborators that hold a run, made of the library, the hold, and the chain that answers otherwise."""


def _checked_late(library: Library, hold: Hold, answer: Any) -> Parts:
    return {"safety": Asked(says(SAFE), hold.wait)}


SLOW: dict[str, Held] = {
    "deepen": lambda library, hold, answer: {"library": Searching(library, hold.wait)},
    "rerank": lambda library, hold, answer: {"reranker": Scoring(lambda _: hold.block())},
    "screen": lambda library, hold, answer: {"safety": Asked(hold.wait)},
    "compare": lambda library, hold, answer: {"library": Weighing(library, hold.block)},
}
NODES: dict[str, tuple[Held, Parts]] = {
    "admit": (lambda library, hold, answer: {"classify": Asked(hold.wait), "classify_always": True}, {}),
    "retrieve": (lambda library, hold, answer: {"library": Searching(library, hold.wait, lambda *_: True)}, {}),
    "rewrite": (lambda library, hold, answer: {"rewrite": Asked(hold.wait)}, {"query": NOWHERE}),
    "gate": (lambda library, hold, answer: {"sufficient": Asked(hold.wait)}, {}),
    "generate, before a token": (lambda library, hold, answer: {"answer": Pausing(answer, 0, hold)}, {}),
    "generate, amid tokens": (lambda library, hold, answer: {"answer": Pausing(answer, 1, hold)}, {}),
    **{name: (held, {}) for name, held in SLOW.items()},
    **{f"verify_first, {name}": (held, {"domain": "underwriting"}) for name, held in SLOW.items()},
    "verify": (_checked_late, {}),
    "refine": (
        lambda library, hold, answer: {
            "answer": answer_chain(ScriptedModel(draft=WRONG)),
            "refine": Asked(hold.wait),
        },
        {},
    ),
    "expand": (lambda library, hold, answer: {"expand": Asked(hold.wait)}, {"query": NOWHERE}),
    "fallback": (
        lambda library, hold, answer: {
            "sufficient": Asked(says(False)),
            "library": Searching(library, hold.wait, lambda text, _: text.startswith("What does “")),
        },
        {"query": "What is the speed limit in Brack harbour for zeppelins?"},
    ),
    "review": (lambda library, hold, answer: {"answer": Pausing(answer, 0, hold)}, {"domain": "rate_quotes"}),
}
"""What holds a run in each node, and what is asked."""


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
    return events


async def settled() -> None:
    """Let everything that is ready go on."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.mark.parametrize("node", NODES)
async def test_a_run_cancelled_at_a_node_ends_once_and_leaves_nothing_running(
    node: str, make_hub: Callable[..., Hub], harbour: Library, hold: Hold
) -> None:
    held, query = NODES[node]
    given = {"library": harbour, "policies": POLICIES, "limits": PATIENT}
    hub = make_hub(**given | held(harbour, hold, make_hub().collaborators.answer))
    before = asyncio.all_tasks()
    run = hub.start(Query(**{"query": QUESTION, **query}))
    async with asyncio.timeout(20):
        await hold.reached.wait()
        assert run.state == "running"
        run.cancel("cancelled by request")
        await hub.finished(run)
    await settled()
    assert asyncio.all_tasks() - before == set()
    events = told_by(run)
    assert kinds(events)[-2:] == ["error", "pipeline_metric"]
    told = [(error["code"], error["fatal"], error["reason"]) for error in payloads(events, "error")]
    assert (run.state, told) == ("cancelled", [("cancelled", True, "cancelled by request")])
    hold.release()
    await settled()
    assert len(run.log) == len(events)
    assert hub.active() == []


async def test_a_cancellation_while_the_final_answer_is_told_comes_too_late(
    make_hub: Callable[..., Hub], harbour: Library
) -> None:
    runs: list[Run] = []

    def find(text: str) -> list[Finding]:
        runs[0].cancel("cancelled by request")
        return []

    hub = make_hub(library=harbour, policies=POLICIES, guarding=Guarding(personal=find))
    runs.append(hub.start(Query(query=QUESTION, domain="closed")))
    await hub.finished(runs[0])
    assert kinds(told_by(runs[0]))[-2:] == ["final_answer", "pipeline_metric"]
    assert (runs[0].state, runs[0].outcome) == ("done", "blocked")
