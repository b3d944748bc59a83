"""The second stage of the gate: whether the passages suffice, by a word of the model, beside the draft."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.runnables import RunnableLambda

from callbacks.answer import AnswerStream
from callbacks.events import Token, as_dict
from callbacks.handlers import ANSWER_TAG, AnswerHandler
from callbacks.metrics import Meter
from callbacks.sources import SourceBook
from chains.expand import Expansion
from chains.verify import lexical_judge
from graph.hub import Hub
from graph.policy import BUILT_IN
from graph.query import Query
from tests.support.live import Lent
from tests.support.scenes import Scene
from tests.support.scripted import MARK, saying, task_of
from tests.support.streams import Envelope, check_grammar, envelopes, kinds, payloads, said
from tests.support.upstream import Reply

QUESTION = "Who built the Aldermoor lighthouse?"
DRAFT = f"The Aldermoor lighthouse was built in 1874 by the engineer Greta Holm [1.1], says {MARK}."
ASKED = {"sufficient": True, "sufficiency_seconds": 20.0}


def verdicts(events: list[Envelope]) -> list[str]:
    return [decision["verdict"] for decision in payloads(events, "gate_decision")]


def reasons(events: list[Envelope]) -> list[str]:
    return payloads(events, "gate_decision")[-1]["reasons"]


def test_insufficient_passages_close_the_gate_and_not_a_word_of_the_draft_leaves(stage: Callable[..., Scene]) -> None:
    drafting = asyncio.Event()

    def script(body: dict[str, Any]) -> Reply:
        if task_of(body) == "answer":
            asyncio.get_running_loop().call_soon(drafting.set)
            return Reply(DRAFT, hang=True)
        return Reply("INSUFFICIENT", wait_for=drafting)  # the draft is under way before this is said

    scene = stage(script, ASKED)
    events = scene.events(query=QUESTION)
    assert verdicts(events) == ["expand", "fallback"]
    assert reasons(events)[-1].startswith("the model finds no answer in the passages")
    assert "token" not in kinds(events)
    assert MARK not in str(events).lower()
    assert [task_of(body) for body in scene.upstream.calls].count("answer") == 1
    scene.provider.call(scene.upstream.left.wait(), timeout=5)
    scene.provider.call(scene.upstream.until_streaming(0), timeout=5)


def test_the_provider_is_rid_of_a_refused_draft_before_the_search_goes_on(stage: Callable[..., Scene]) -> None:
    drafting = asyncio.Event()
    rid: list[str] = []

    def script(body: dict[str, Any]) -> Reply:
        if task_of(body) == "answer":
            asyncio.get_running_loop().call_soon(drafting.set)
            return Reply(DRAFT, hang=True)
        return Reply("INSUFFICIENT", wait_for=drafting)

    async def expansion(question: str) -> Expansion:
        await asyncio.to_thread(scene.provider.call, scene.upstream.left.wait(), 5)
        rid.append(question)
        return Expansion([], None)

    scene = stage(script, {"sufficient": True, "sufficiency_seconds": 2.0}, expand=RunnableLambda(expansion))
    assert verdicts(scene.events(query=QUESTION)) == ["expand", "fallback"]
    assert rid == [QUESTION]


def test_the_words_of_a_closed_draft_are_never_heard_even_if_it_was_all_written(stage: Callable[..., Scene]) -> None:
    written = asyncio.Event()

    def script(body: dict[str, Any]) -> Reply:
        if task_of(body) == "answer":
            asyncio.get_running_loop().call_later(0.1, written.set)
            return Reply(DRAFT)
        return Reply("INSUFFICIENT", wait_for=written)

    scene = stage(script, ASKED)
    events = scene.events(query=QUESTION)
    assert verdicts(events) == ["expand", "fallback"]
    assert MARK not in str(events).lower()


def test_sufficient_passages_open_the_gate_and_the_draft_was_begun_beside_the_check(
    stage: Callable[..., Scene],
) -> None:
    drafting = asyncio.Event()

    def script(body: dict[str, Any]) -> Reply:
        if task_of(body) == "answer":
            asyncio.get_running_loop().call_soon(drafting.set)
            return Reply(DRAFT)
        return Reply("SUFFICIENT", wait_for=drafting)

    scene = stage(script, ASKED)
    events = scene.events(query=QUESTION)
    assert verdicts(events) == ["open"]
    assert reasons(events)[-1] == "the model finds them sufficient"
    assert "Greta Holm" in said(events)
    assert [task_of(body) for body in scene.upstream.calls].count("answer") == 1


def test_what_was_written_before_the_gate_opened_is_heard_after_it(stage: Callable[..., Scene]) -> None:
    written = asyncio.Event()

    def script(body: dict[str, Any]) -> Reply:
        if task_of(body) == "answer":
            asyncio.get_running_loop().call_later(0.1, written.set)
            return Reply(DRAFT)
        return Reply("SUFFICIENT", wait_for=written)

    scene = stage(script, ASKED)
    events = scene.events(query=QUESTION)
    assert verdicts(events) == ["open"]
    assert said(events) == DRAFT.replace("[1.1]", "[1]")
    assert payloads(events, "final_answer")[0]["outcome"] == "answered"


def test_passages_that_were_insufficient_are_not_asked_about_twice(stage: Callable[..., Scene]) -> None:
    said_so = iter(["INSUFFICIENT"])
    scene = stage(lambda body: Reply(DRAFT if task_of(body) == "answer" else next(said_so)), ASKED)
    events = scene.events(query=QUESTION)
    assert verdicts(events) == ["expand", "fallback"]
    assert said(events) == ""


def test_a_stalled_check_delays_the_first_token_by_no_more_than_its_deadline(stage: Callable[..., Scene]) -> None:
    replies = {"answer": Reply(DRAFT), "sufficient": Reply(pieces=[], hang=True)}
    scene = stage(lambda body: replies[task_of(body)], {"sufficient": True, "sufficiency_seconds": 0.2})
    events = scene.events(query=QUESTION)
    assert verdicts(events) == ["open"]
    assert reasons(events)[-1] == "the model did not say within 0.2 s whether they suffice"
    gate = next(event for event in events if event["event_type"] == "gate_decision")
    first = payloads(scene.events(query=QUESTION), "pipeline_metric")[0]["time_to_first_token_ms"]
    assert gate["seq"] < next(event["seq"] for event in events if event["event_type"] == "token")
    assert 200 <= first < 200 + 1500  # the rest of it is a busy machine's


def test_the_first_word_of_the_check_is_what_counts(stage: Callable[..., Scene]) -> None:
    replies = {
        "answer": Reply(DRAFT),
        "sufficient": Reply("**Sufficient**, because the rows say so, NOT insufficient"),
    }
    scene = stage(lambda body: replies[task_of(body)], ASKED)
    assert verdicts(scene.events(query=QUESTION)) == ["open"]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply("Perhaps, who knows?"), "the model did not say whether they suffice"),
        (Reply(pieces=[]), "the model did not say whether they suffice"),
        (Reply(status=500), "the model could not be asked whether they suffice"),
        (Reply(status=503), "the model could not be asked whether they suffice"),
    ],
)
def test_nonsense_and_failure_leave_the_gate_to_the_scores(
    reply: Reply,
    reason: str,
    stage: Callable[..., Scene],
) -> None:
    scene = stage(saying(answer=DRAFT, sufficient=reply), ASKED)
    events = scene.events(query=QUESTION)
    assert verdicts(events) == ["open"]
    assert reasons(events)[-1] == reason
    assert "Greta Holm" in said(events)


def test_the_model_is_not_asked_where_the_scores_close_the_gate(stage: Callable[..., Scene]) -> None:
    scene = stage(saying(answer=MARK, sufficient="SUFFICIENT"), {"sufficient": True})
    events = scene.events(query="Who won the Zanzibar regatta in 1997?")
    assert verdicts(events) == ["expand", "fallback"]
    assert scene.upstream.calls == []


def test_under_verify_first_nothing_is_drafted_before_the_model_finds_the_passages_sufficient(
    stage: Callable[..., Scene],
) -> None:
    policies = {**BUILT_IN, "underwriting": BUILT_IN["underwriting"].model_copy(update={"min_chunks": 1})}
    scene = stage(saying(answer=DRAFT, sufficient="INSUFFICIENT"), ASKED, policies=policies)
    events = scene.events(query=QUESTION, domain="underwriting")
    assert verdicts(events) == ["verify_first", "fallback"]
    assert "source" not in kinds(events)
    assert [task_of(body) for body in scene.upstream.calls] == ["sufficient"]


def test_a_run_cancelled_while_the_check_is_asked_lets_go_of_both_calls(stage: Callable[..., Scene]) -> None:
    replies = {"answer": Reply(DRAFT, hang=True), "sufficient": Reply(pieces=[], hang=True)}
    scene = stage(lambda body: replies[task_of(body)], ASKED)
    http = scene.caller.http
    with http.stream("POST", "/query", json={"query": QUESTION}) as response:
        scene.provider.call(scene.upstream.until_streaming(2), timeout=5)
        cancelled = http.post(f"/runs/{response.headers['x-request-id']}/cancel")
        body = "".join(response.iter_text())
    assert cancelled.status_code == 202
    events = envelopes(body)
    check_grammar(events)
    assert payloads(events, "error")[0]["code"] == "cancelled"
    assert MARK not in body.lower()
    scene.provider.call(scene.upstream.until_streaming(0), timeout=5)


class _Broken(Lent):
    """A library whose passages came to harm."""

    harm: Mapping[str, Any] = {}

    async def search(self, *given: Any, **named: Any) -> Any:
        found = await super().search(*given, **named)
        hits = [replace(hit, passage=replace(hit.passage, **self.harm)) for hit in found.hits]
        return replace(found, hits=hits)


class Blank(_Broken):
    """There is nothing to write from."""

    harm: Mapping[str, Any] = {"text": " \n", "sentences": ()}


class Misplaced(_Broken):
    """No prompt can be made of them: what should be the spans of sentences are none."""

    harm: Mapping[str, Any] = {"sentences": (None,)}


@pytest.mark.parametrize("harmed", [Blank, Misplaced])
async def test_the_gate_stays_closed_where_no_prompt_can_be_made(
    harmed: type[Lent], make_hub: Callable[..., Hub]
) -> None:
    asked: list[Any] = []
    hub = make_hub(library=harmed(make_hub().collaborators.library), answer=RunnableLambda(asked.append))
    events = [as_dict(event) async for event in hub.ask(Query(query=QUESTION))]
    check_grammar(events)
    assert verdicts(events) == ["expand", "fallback"]
    assert reasons(events)[-1] == "no prompt could be made of the passages"
    assert "token" not in kinds(events)
    assert payloads(events, "final_answer")[0]["outcome"] == "fallback"
    assert asked == []


async def test_only_calls_with_the_tag_of_the_answer_are_heard() -> None:
    opened, heard = asyncio.Event(), list[Any]()
    opened.set()
    judge = lexical_judge(lambda wanted: dict.fromkeys(wanted, 1.0))
    handler = AnswerHandler(AnswerStream(SourceBook(), judge), heard.append, Meter(), opened)
    for tags, metadata in ((None, None), (["draft"], {"rows": []}), ([], {})):
        call = uuid4()
        await handler.on_chat_model_start({}, [[]], run_id=call, tags=tags, metadata=metadata)
        await handler.on_llm_new_token("Nobody may hear this.", run_id=call)
        await handler.on_llm_error(RuntimeError(), run_id=call)
    assert heard == []
    call = uuid4()
    await handler.on_chat_model_start({}, [[]], run_id=call, tags=[ANSWER_TAG], metadata={"rows": []})
    await handler.on_llm_new_token("Hear!", run_id=call)
    assert [payload.token for payload in heard if isinstance(payload, Token)] == ["Hear!"]


async def test_an_answer_chain_that_is_never_asked_writes_nothing(make_hub: Callable[..., Hub]) -> None:
    asked: list[Any] = []
    hub = make_hub(answer=RunnableLambda(asked.append), sufficient=RunnableLambda(lambda _: False))
    events = [event async for event in hub.ask(Query(query=QUESTION))]
    assert not [event for event in events if isinstance(event.payload, Token)]
    assert events[-2].payload.outcome == "fallback"
