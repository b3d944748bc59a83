"""LangServe's clients: the same events, and nothing that is not an event."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from langchain_core.messages import HumanMessage
from langserve import RemoteRunnable

from tests.support.corpus import ODD
from tests.support.live import Live
from tests.support.streams import check_final, check_grammar, said
from tests.support.upstream import Reply

ANSWERABLE = {"query": "Who built the Aldermoor lighthouse?"}
UNANSWERABLE = {"query": "Who won the Zanzibar regatta in 1997?"}


@pytest.fixture
def remote(server: Live) -> RemoteRunnable[Any, Any]:
    return RemoteRunnable(f"{server.url}/rag", client_kwargs={"trust_env": False})


def test_stream_yields_the_envelopes(remote: RemoteRunnable[Any, Any]) -> None:
    events = list(remote.stream(ANSWERABLE))
    check_grammar(events)
    assert "Greta Holm" in said(events)


def test_invoke_returns_the_final_answer(remote: RemoteRunnable[Any, Any]) -> None:
    final = remote.invoke(ANSWERABLE)
    check_final(final, tokens=False)
    assert "Greta Holm" in final["answer"]


def test_batch_answers_each(remote: RemoteRunnable[Any, Any]) -> None:
    outcomes = [final["outcome"] for final in remote.batch([ANSWERABLE, UNANSWERABLE])]
    assert outcomes == ["answered", "fallback"]


async def test_the_asynchronous_client_sees_the_same(remote: RemoteRunnable[Any, Any]) -> None:
    events = [event async for event in remote.astream(ANSWERABLE)]
    check_grammar(events)
    assert (await remote.ainvoke(UNANSWERABLE))["outcome"] == "fallback"
    await remote.async_client.aclose()  # its finalizer would want this event loop after its end


def test_line_separators_and_emoji_survive(remote: RemoteRunnable[Any, Any]) -> None:
    events = list(remote.stream({"query": "What survives in Odd notes?", "collection": "odd"}))
    assert ODD in [event["payload"]["snippet"] for event in events if event["event_type"] == "source"]
    assert "🦉" in json.dumps(events, ensure_ascii=False)


def test_a_batch_over_the_limit_is_refused(server: Live) -> None:
    body = {"inputs": [ANSWERABLE] * 33}
    response = httpx.post(f"{server.url}/rag/batch", json=body, trust_env=False)
    assert (response.status_code, response.json()["field"]) == (422, "inputs")


@pytest.mark.parametrize("endpoint", ["invoke", "stream", "stream_log"])
@pytest.mark.parametrize(
    ("given", "status", "field"),
    [
        ({"query": ""}, 422, "query"),
        ({"query": "x", "surprise": 1}, 422, "surprise"),
        ({"query": "x", "collection": "nope"}, 404, "collection"),
        ({"query": "x", "mode": "deeper"}, 422, "mode"),
    ],
)
def test_bad_input_is_a_problem_before_anything_streams(
    server: Live, endpoint: str, given: dict[str, Any], status: int, field: str
) -> None:
    response = httpx.post(f"{server.url}/rag/{endpoint}", json={"input": given}, trust_env=False)
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.status_code, response.json()["field"]) == (status, field)


@pytest.mark.parametrize("path", ["/rag/stream_events", "/rag/astream_events", "/rag-chat/stream_events"])
def test_endpoints_that_show_the_inside_are_not_there(server: Live, path: str) -> None:
    assert httpx.post(f"{server.url}{path}", json={"input": ANSWERABLE}, trust_env=False).status_code == 404


def test_stream_log_shows_events_and_no_prompt_draft_or_hidden_passage(
    provider: Callable[..., Any], serve: Callable[..., Live], with_model: Callable[..., Any]
) -> None:
    _, at = provider(lambda _: Reply("secret reformulation of the model"))
    server = serve(**with_model(at.url, rewrite=True))
    for given in (UNANSWERABLE, {**ANSWERABLE, "domain": "rate_quotes"}):
        body = httpx.post(f"{server.url}/rag/stream_log", json={"input": given}, timeout=30, trust_env=False).text
        assert "secret reformulation" not in body
        assert "You answer questions from numbered evidence" not in body
        assert '"event_type":"token"' not in body.replace(" ", "")
        if "domain" in given:
            assert "Greta" not in body


def test_the_chat_facade_says_the_same_as_plain_text(server: Live) -> None:
    chat: RemoteRunnable[Any, Any] = RemoteRunnable(f"{server.url}/rag-chat", client_kwargs={"trust_env": False})
    messages = {"messages": [HumanMessage(content=ANSWERABLE["query"])]}
    assert "Greta Holm" in "".join(chat.stream(messages))
    assert "Greta Holm" in chat.invoke(messages)
    assert "Zanzibar" in chat.invoke({"messages": [HumanMessage(content=UNANSWERABLE["query"])]})


def test_the_chat_facade_withdraws_what_a_model_made_up(
    provider: Callable[..., Any], serve: Callable[..., Live], with_model: Callable[..., Any]
) -> None:
    _, at = provider(lambda _: Reply("Martians founded a colony of purple cheese [1.1]."))
    server = serve(**with_model(at.url))
    chat: RemoteRunnable[Any, Any] = RemoteRunnable(f"{server.url}/rag-chat", client_kwargs={"trust_env": False})
    pieces = list(chat.stream({"messages": [HumanMessage(content=ANSWERABLE["query"])]}))
    assert "Withdrawn" in pieces[-1]


@pytest.mark.parametrize("path", ["/rag", "/rag-chat"])
def test_the_playgrounds_and_schemas_are_served(server: Live, path: str) -> None:
    for page in ("/playground/", "/input_schema", "/output_schema"):
        assert httpx.get(f"{server.url}{path}{page}", trust_env=False).status_code == 200


def test_metadata_that_looks_like_a_message_reaches_no_remote_client_as_one(
    serve: Callable[..., Live], own_library: Any
) -> None:
    from retrieval.library import Submission

    shaped = {"type": "human", "content": "boo"}
    own_library.add("default", Submission(data="The ferry leaves at noon.", id="f", metadata=shaped))
    server = serve(library=own_library)
    client: RemoteRunnable[Any, Any] = RemoteRunnable(f"{server.url}/rag", client_kwargs={"trust_env": False})
    events = list(client.stream({"query": "When does the ferry leave?"}))
    sources = [event["payload"] for event in events if event["event_type"] == "source"]
    assert sources
    assert all("metadata" not in source for source in sources)
    plain = httpx.post(f"{server.url}/query", json={"query": "When does the ferry leave?"}, trust_env=False).text
    assert '"metadata":{"type":"human","content":"boo"}' in plain


def test_a_failing_model_is_a_problem_and_not_a_fault_of_the_server(
    provider: Callable[..., Any], serve: Callable[..., Live], with_model: Callable[..., Any]
) -> None:
    _, at = provider(lambda _: Reply(status=401))
    url = serve(**with_model(at.url, attempts=1)).url
    for path, body in (("invoke", {"input": ANSWERABLE}), ("batch", {"inputs": [ANSWERABLE]})):
        response = httpx.post(f"{url}/rag/{path}", json=body, timeout=30, trust_env=False)
        assert response.status_code == 502
        assert response.json()["code"].startswith("model_")
    chat = RemoteRunnable(f"{url}/rag-chat", client_kwargs={"trust_env": False})
    told = "".join(chat.stream({"messages": [HumanMessage(ANSWERABLE["query"])]}))
    assert told
    assert "sk-" not in told
