"""Runs belong to the hub: they outlive connections, end when nobody waits, and end exactly once."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from langchain_core.cross_encoders import BaseCrossEncoder

from callbacks.events import FinalAnswer, StatusUpdate, Token
from chains.foreign import Foreign
from graph.hub import Hub, HubLimits, Refusal
from graph.query import Query
from graph.slow_path import reranked
from retrieval.retriever import HybridRetriever
from tests.support.live import Fails, FailsDeeper, Live
from tests.support.streams import check_grammar, envelopes, kinds, payloads, said
from tests.support.upstream import Reply, is_answer

QUESTION = "Who built the Aldermoor lighthouse?"
DRAFT = "The lighthouse was built in 1874 by the engineer Greta Holm."


async def test_ask_is_a_python_api(make_hub: Callable[..., Hub]) -> None:
    hub = make_hub()
    events = [event async for event in hub.ask(Query(query=QUESTION))]
    assert isinstance(events[0].payload, StatusUpdate)
    final = events[-2].payload
    assert isinstance(final, FinalAnswer)
    assert "Greta Holm" in final.answer


async def test_the_draft_is_readable_while_the_slow_path_still_thinks(make_hub: Callable[..., Hub]) -> None:
    thinking = asyncio.Event()
    hub = make_hub(rewrite=_Waiting(thinking))
    seen: list[str] = []
    async for event in hub.ask(Query(query=QUESTION)):
        seen.append(event.event_type)
        if event.event_type == "partial_answer":
            assert "refinement_update" not in seen
            thinking.set()
    assert seen[-2:] == ["final_answer", "pipeline_metric"]
    assert thinking.is_set()


async def test_a_failing_slow_path_costs_the_reader_nothing(make_hub: Callable[..., Hub]) -> None:
    hub = make_hub(library=FailsDeeper(make_hub().collaborators.library))
    events = [event async for event in hub.ask(Query(query=QUESTION))]
    errors = [event.payload for event in events if event.event_type == "error"]
    assert [(error.code, error.fatal) for error in errors] == [("slow_path_failed", False)]
    assert events[-2].payload.outcome == "answered"


async def test_verify_first_stays_closed_when_the_slow_path_fails(make_hub: Callable[..., Hub]) -> None:
    from graph.policy import BUILT_IN

    policies = {**BUILT_IN, "underwriting": BUILT_IN["underwriting"].model_copy(update={"min_chunks": 1})}
    hub = make_hub(library=FailsDeeper(make_hub().collaborators.library), policies=policies)
    events = [event async for event in hub.ask(Query(query=QUESTION, domain="underwriting"))]
    assert not [event for event in events if isinstance(event.payload, Token)]
    assert events[-2].payload.outcome == "fallback"


async def test_an_internal_failure_is_one_safe_error_then_metrics(make_hub: Callable[..., Hub]) -> None:
    hub = make_hub(library=Fails(make_hub().collaborators.library))
    events = [event async for event in hub.ask(Query(query=QUESTION))]
    assert [event.event_type for event in events][-2:] == ["error", "pipeline_metric"]
    assert events[-2].payload.code == "internal"
    assert "the disk is at" not in str(events)


async def test_silence_is_broken_every_two_seconds(
    make_hub: Callable[..., Hub], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graph.run.SILENCE_SECONDS", 0.05)
    thinking = asyncio.Event()
    hub = make_hub(rewrite=_Waiting(thinking))
    run = hub.start(Query(query=QUESTION))
    again = 0
    async for batch in hub.follow(run):
        again += sum(event.event.event_type == "status_update" for event in batch)
        if again >= 8:
            thinking.set()
    assert again >= 8


async def test_a_run_whose_last_reader_left_is_cancelled_after_the_grace(make_hub: Callable[..., Hub]) -> None:
    hub = make_hub(rewrite=_Waiting(asyncio.Event()), hub_limits=HubLimits(reconnect_grace=0.01))
    async for _ in hub.ask(Query(query=QUESTION)):
        break
    run = next(iter(hub.active()))
    assert run.task is not None
    await asyncio.wait({run.task}, timeout=5)
    assert run.state == "cancelled"
    assert run.error is not None
    assert (run.error.code, run.error.reason) == ("cancelled", "the client left")


async def test_a_run_that_shall_continue_does(make_hub: Callable[..., Hub]) -> None:
    hub = make_hub(hub_limits=HubLimits(reconnect_grace=0.0))
    run = hub.start(Query(query=QUESTION, on_disconnect="continue"))
    assert run.task is not None
    await asyncio.wait({run.task}, timeout=10)
    assert run.state == "done"


async def test_a_reader_who_comes_back_in_time_keeps_the_run(make_hub: Callable[..., Hub]) -> None:
    thinking = asyncio.Event()
    hub = make_hub(rewrite=_Waiting(thinking), hub_limits=HubLimits(reconnect_grace=5.0))
    run = hub.start(Query(query=QUESTION))
    seen = 0
    async for batch in hub.follow(run):
        seen += len(batch)
        break
    thinking.set()
    async for batch in hub.follow(run, seen):
        seen += len(batch)
    assert (seen, run.state) == (len(run.log), "done")


async def test_finished_runs_are_forgotten(make_hub: Callable[..., Hub]) -> None:
    hub = make_hub(hub_limits=HubLimits(keep_seconds=0.01))
    run = hub.start(Query(query=QUESTION))
    await hub.finished(run)
    await asyncio.sleep(0.05)
    with pytest.raises(Refusal):
        hub.get(run.request_id)


async def test_draining_ends_what_does_not_finish_and_takes_nothing_new(make_hub: Callable[..., Hub]) -> None:
    hub = make_hub(rewrite=_Waiting(asyncio.Event()))
    run = hub.start(Query(query=QUESTION))
    await hub.drain(grace=0.05)
    assert run.error is not None
    assert (run.error.code, run.error.retryable) == ("server_shutdown", True)
    with pytest.raises(Refusal):
        hub.start(Query(query=QUESTION))


def test_a_client_that_leaves_cancels_the_run_and_closes_the_upstream(
    provider: Callable[..., Any], serve: Callable[..., Live], with_model: Callable[..., Any]
) -> None:
    upstream, at = provider(lambda _: Reply("The lighthouse was built [1.1].", hang=True))
    server = serve(hub_limits=HubLimits(reconnect_grace=0.0), **with_model(at.url))
    with (
        httpx.Client(timeout=30, trust_env=False) as client,
        client.stream("POST", f"{server.url}/query", json={"query": QUESTION}) as response,
    ):
        request_id = response.headers["x-request-id"]
        body = ""
        for piece in response.iter_text():
            body += piece
            if '"event_type":"token"' in body:
                break
        assert upstream.streaming == 1
    at.call(upstream.left.wait(), timeout=5)
    assert upstream.streaming == 0
    events = envelopes(httpx.get(f"{server.url}/runs/{request_id}/events", trust_env=False).text)
    check_grammar(events)
    assert payloads(events, "error")[0]["code"] == "cancelled"


def test_cancel_ends_the_stream_with_an_error_that_says_so(
    provider: Callable[..., Any], serve: Callable[..., Live], with_model: Callable[..., Any]
) -> None:
    upstream, at = provider(lambda _: Reply("The lighthouse was built [1.1].", hang=True))
    server = serve(**with_model(at.url))
    with (
        httpx.Client(base_url=server.url, timeout=30, trust_env=False) as client,
        client.stream("POST", "/query", json={"query": QUESTION}) as response,
    ):
        body = ""
        cancelled = False
        for piece in response.iter_text():
            body += piece
            if '"event_type":"token"' in body and not cancelled:
                answer = httpx.post(f"{server.url}/runs/{response.headers['x-request-id']}/cancel", trust_env=False)
                cancelled = answer.status_code == 202
    events = envelopes(body)
    check_grammar(events)
    assert cancelled
    assert payloads(events, "error")[0]["reason"] == "cancelled by request"
    at.call(upstream.left.wait(), timeout=5)


def test_two_event_loops_in_one_process_each_have_their_hub(make_hub: Callable[..., Hub]) -> None:
    texts: list[str] = []

    async def ask() -> None:
        hub = make_hub()
        for _ in range(3):
            async for event in hub.ask(Query(query=QUESTION)):
                if isinstance(event.payload, FinalAnswer):
                    texts.append(event.payload.answer)

    threads = [threading.Thread(target=lambda: asyncio.run(ask())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(texts) == 6
    assert len(set(texts)) == 1


def test_a_shutdown_lets_a_run_finish(
    provider: Callable[..., Any], serve: Callable[..., Live], with_model: Callable[..., Any]
) -> None:
    begin = asyncio.Event()
    _, at = provider(lambda body: Reply(DRAFT, wait_for=begin) if is_answer(body) else Reply(QUESTION))
    server = serve(**with_model(at.url))
    with (
        httpx.Client(timeout=30, trust_env=False) as client,
        client.stream("POST", f"{server.url}/query", json={"query": QUESTION}) as response,
    ):
        body = ""
        for piece in response.iter_text():
            body += piece
            if '"stage":"drafting"' in body and not server.server.should_exit:
                server.server.should_exit = True
                at.loop.call_soon_threadsafe(begin.set)
    events = envelopes(body)
    check_grammar(events)
    assert payloads(events, "final_answer")[0]["outcome"] == "answered"


ROUTES = ["sse", "ndjson", "json", "get", "replay", "invoke", "batch", "stream", "stream_log", "chat", "chat_stream"]


@pytest.mark.parametrize("route", ROUTES)
def test_no_token_leaves_on_any_route_under_a_fallback(server: Live, route: str) -> None:
    question = {"query": "Who won the Zanzibar regatta in 1997?"}
    chat = {"input": {"messages": [{"type": "human", "content": question["query"]}]}}
    with httpx.Client(base_url=server.url, timeout=30, trust_env=False) as client:
        match route:
            case "sse":
                body = client.post("/query", json=question).text
            case "ndjson":
                body = client.post("/query", json=question, headers={"Accept": "application/x-ndjson"}).text
            case "json":
                body = client.post("/query", json={**question, "stream": False}).text
            case "get":
                body = client.get("/query", params=question).text
            case "replay":
                request_id = client.post("/query", json={**question, "stream": False}).json()["request_id"]
                body = client.get(f"/runs/{request_id}/events").text
            case "batch":
                body = client.post("/rag/batch", json={"inputs": [question]}).text
            case "chat":
                body = client.post("/rag-chat/invoke", json=chat).text
            case "chat_stream":
                body = client.post("/rag-chat/stream", json=chat).text
            case _:
                body = client.post(f"/rag/{route}", json={"input": question}).text
    assert "I searched" in body
    assert '"event_type":"token"' not in body.replace(" ", "")
    assert "citation_attached" not in body


def test_the_first_articles_client_works_unchanged(server: Live) -> None:
    """POST `{query}`, split on blank lines, keep what starts with `data: `, slice six characters, parse."""
    for query, expected in ((QUESTION, "Greta Holm"), ("Who won the Zanzibar regatta?", "I searched")):
        answer: dict[str, Any] = {"text": "", "citations": [], "complete": False}
        body = httpx.post(f"{server.url}/query", json={"query": query}, trust_env=False).text
        import json

        for frame in body.split("\n\n"):
            if not frame.startswith("data: "):
                continue
            event = json.loads(frame[6:])
            payload = event["payload"]
            match event["event_type"]:
                case "token":
                    answer["text"] += payload["token"]
                case "citation_attached":
                    answer["citations"].append(payload)
                case "refinement_update":
                    answer["text"] = payload["refined_answer"]
                    answer["citations"] = payload["additional_citations"]
                case "final_answer":
                    answer["complete"] = payload["complete"]
                    answer["text"] = answer["text"] or payload["answer"]
        assert answer["complete"]
        assert expected in answer["text"]


def test_line_separators_and_emoji_survive_every_framing(server: Live) -> None:
    from tests.support.corpus import ODD

    question = {"query": "What survives in Odd notes?", "collection": "odd"}
    with httpx.Client(base_url=server.url, timeout=30, trust_env=False) as client:
        for body in (client.post("/query", json=question).text, client.get("/query", params=question).text):
            assert ODD in [source["snippet"] for source in payloads(envelopes(body), "source")]
            assert len(body.splitlines()) == body.count("\n")
            assert "token" in kinds(envelopes(body))
            assert said(envelopes(body))


class _Waiting:
    """A rewrite that comes when it is let."""

    def __init__(self, event: asyncio.Event) -> None:
        self._event = event

    async def ainvoke(self, given: Any, config: Any = None) -> str:
        await self._event.wait()
        return str(given["question"])


async def test_a_run_cancelled_before_its_first_step_ends_properly(make_hub: Callable[..., Hub]) -> None:
    hub = make_hub()
    run = hub.start(Query(query=QUESTION))
    run.cancel("at once")
    events = [entry.event async for batch in hub.follow(run) for entry in batch]
    assert [event.event_type for event in events] == ["status_update", "error", "pipeline_metric"]
    assert run.state == "cancelled"


async def test_reading_a_finished_run_does_not_keep_it(make_hub: Callable[..., Hub]) -> None:
    hub = make_hub(hub_limits=HubLimits(keep_seconds=0.1))
    run = hub.start(Query(query=QUESTION))
    await hub.finished(run)
    async for _ in hub.follow(run):
        pass
    await asyncio.sleep(0.2)
    with pytest.raises(Refusal):
        hub.get(run.request_id)


async def test_an_answer_longer_than_the_log_ends_with_an_error_of_its_own(make_hub: Callable[..., Hub]) -> None:
    hub = make_hub(hub_limits=HubLimits(log_bytes=259 * 1024))
    events = [event async for event in hub.ask(Query(query=QUESTION, top_k=50))]
    assert [event.event_type for event in events][-2:] == ["error", "pipeline_metric"]
    assert events[-2].payload.code == "answer_too_long"


def test_leaving_a_langserve_invocation_cancels_it(
    provider: Callable[..., Any], serve: Callable[..., Live], with_model: Callable[..., Any]
) -> None:
    upstream, at = provider(lambda _: Reply("The lighthouse was built [1.1].", hang=True))
    server = serve(hub_limits=HubLimits(reconnect_grace=0.0), **with_model(at.url))
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{server.url}/rag/invoke", json={"input": {"query": QUESTION}}, timeout=2, trust_env=False)
    at.call(upstream.left.wait(), timeout=5)


class _ByLength(BaseCrossEncoder):
    """Prefers long passages."""

    def score(self, text_pairs: list[tuple[str, str]]) -> list[float]:
        return [float(len(passage)) for _, passage in text_pairs]


class _Fails(BaseCrossEncoder):
    """A cross-encoder without its weights."""

    def score(self, text_pairs: list[tuple[str, str]]) -> list[float]:
        raise RuntimeError("no weights at /dev/secret")


async def test_a_cross_encoder_orders_what_the_slow_path_found(make_hub: Callable[..., Hub]) -> None:
    hub = make_hub(reranker=_ByLength())
    found = await HybridRetriever(library=hub.collaborators.library, collection="default").ainvoke("tea")
    ranked = await reranked(_ByLength(), "tea", found, Foreign())
    texts = [document.page_content for document in found]
    assert [document.page_content for document in ranked] == sorted(texts, key=len, reverse=True)
    events = [event async for event in hub.ask(Query(query=QUESTION))]
    assert events[-2].payload.outcome == "answered"


async def test_a_failing_cross_encoder_is_told_and_costs_nothing(make_hub: Callable[..., Hub]) -> None:
    hub = make_hub(reranker=_Fails())
    events = [event async for event in hub.ask(Query(query=QUESTION))]
    errors = [event.payload for event in events if event.event_type == "error"]
    assert [(error.code, error.fatal) for error in errors] == [("reranker_failed", False)]
    assert "secret" not in errors[0].message
    assert events[-2].payload.outcome == "answered"
