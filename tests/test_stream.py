"""What a client sees over HTTP."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.support.live import Live
from tests.support.streams import check_final, check_grammar, end_of, envelopes, kinds, payloads, said

ANSWERABLE = "Who built the Aldermoor lighthouse?"
UNANSWERABLE = "Who won the Zanzibar regatta in 1997?"


def test_an_answerable_question_is_answered_from_the_passage_that_holds_it(client: httpx.Client) -> None:
    response = client.post("/query", json={"query": ANSWERABLE})
    events = envelopes(response.text)
    check_grammar(events)
    final = payloads(events, "final_answer")[0]
    assert final["outcome"] == "answered"
    assert "Greta Holm" in final["answer"]
    assert final["citations"][0]["source"] == "Aldermoor harbour rules"
    assert final["citation_coverage"] == 1.0
    assert final["groundedness_score"] >= 0.95
    assert final["answer"] == said(events)


def test_sources_come_before_the_gate_and_the_gate_before_the_first_token(client: httpx.Client) -> None:
    order = kinds(envelopes(client.post("/query", json={"query": ANSWERABLE}).text))
    assert order.index("source") < order.index("gate_decision") < order.index("token")


def test_a_quote_is_cut_from_the_document_at_its_span(client: httpx.Client) -> None:
    from tests.support.corpus import HARBOUR

    events = envelopes(client.post("/query", json={"query": ANSWERABLE}).text)
    citations = payloads(events, "citation_attached")
    assert citations
    for citation in citations:
        if citation["source"] == "Aldermoor harbour rules":
            assert HARBOUR[citation["source_start"] : citation["source_end"]] == citation["quote"]


def test_a_question_the_corpus_cannot_answer_gets_an_honest_fallback(client: httpx.Client) -> None:
    events = envelopes(client.post("/query", json={"query": UNANSWERABLE}).text)
    check_grammar(events)
    assert "token" not in kinds(events)
    assert [decision["verdict"] for decision in payloads(events, "gate_decision")] == ["expand", "fallback"]
    final = payloads(events, "final_answer")[0]
    assert final["outcome"] == "fallback"
    assert "Zanzibar" in final["answer"]
    assert "Zanzibar" in payloads(events, "gate_decision")[0]["missing"]


def test_a_refusal_lists_the_nearest_sources(client: httpx.Client) -> None:
    events = envelopes(client.post("/query", json={"query": "Who won the Zanzibar regatta in 1997?"}).text)
    final = payloads(events, "final_answer")[0]
    assert final["outcome"] == "fallback"
    shown = {source["source_id"] for source in payloads(events, "source")}
    assert final["sources"]
    assert {source["source_id"] for source in final["sources"]} <= shown


def test_the_end_frame_names_the_last_event_and_the_outcome(client: httpx.Client) -> None:
    body = client.post("/query", json={"query": ANSWERABLE}).text
    events = envelopes(body)
    expected = {"request_id": events[0]["request_id"], "last_seq": len(events), "outcome": "answered"}
    assert end_of(body) == expected


def test_a_post_is_answered_with_frames_of_one_data_line(client: httpx.Client) -> None:
    response = client.post("/query", json={"query": ANSWERABLE})
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["x-accel-buffering"] == "no"
    frames = response.text.strip().split("\n\n")
    assert all(frame.startswith("data: ") and "\n" not in frame for frame in frames[:-1])
    assert response.headers["x-request-id"] == envelopes(response.text)[0]["request_id"]


def test_a_get_is_answered_with_ids_for_an_eventsource(client: httpx.Client) -> None:
    body = client.get("/query", params={"query": ANSWERABLE}).text
    events = envelopes(body)
    first = body.split("\n\n")[0].split("\n")
    assert first[0] == f"id: {events[0]['request_id']}:1"
    check_grammar(events)


def test_ndjson_carries_the_same_envelopes_and_no_end_frame(client: httpx.Client) -> None:
    response = client.post("/query", json={"query": ANSWERABLE}, headers={"Accept": "application/x-ndjson"})
    events = [json.loads(line) for line in response.text.strip().split("\n")]
    check_grammar(events)
    assert response.headers["content-type"] == "application/x-ndjson"


def test_without_a_stream_the_final_answer_comes_as_json(client: httpx.Client) -> None:
    response = client.post("/query", json={"query": ANSWERABLE, "stream": False})
    final = response.json()
    assert final["request_id"] == response.headers["x-request-id"]
    check_final(final, tokens=False)


def test_top_k_bounds_the_first_wave_and_the_final_sources(client: httpx.Client) -> None:
    events = envelopes(client.post("/query", json={"query": "When is the bakery closed?", "top_k": 1}).text)
    assert len([source for source in payloads(events, "source") if source["wave"] == 1]) == 1
    assert len(payloads(events, "final_answer")[0]["sources"]) <= 1


def test_without_sources_none_is_told_and_citations_still_are(client: httpx.Client) -> None:
    events = envelopes(client.post("/query", json={"query": ANSWERABLE, "include_sources": False}).text)
    assert "source" not in kinds(events)
    final = payloads(events, "final_answer")[0]
    assert final["sources"] == []
    assert final["citations"]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))


def test_a_domain_that_people_answer_shows_nothing_but_that(client: httpx.Client) -> None:
    events = envelopes(client.post("/query", json={"query": ANSWERABLE, "domain": "rate_quotes"}).text)
    check_grammar(events)
    assert set(kinds(events)) == {"status_update", "gate_decision", "final_answer", "pipeline_metric"}
    final = payloads(events, "final_answer")[0]
    assert final["outcome"] == "review"
    assert "Greta" not in json.dumps(events)
    assert client.get(f"/runs/{events[0]['request_id']}").json()["state"] == "waiting_review"


def test_full_slow_path_shows_status_only_until_it_has_passed(serve: Callable[..., Live]) -> None:
    from graph.policy import BUILT_IN

    policy = BUILT_IN["underwriting"].model_copy(update={"min_chunks": 1})
    server = serve(policies={**BUILT_IN, "underwriting": policy})
    response = httpx.post(f"{server.url}/query", json={"query": ANSWERABLE, "domain": "underwriting"}, trust_env=False)
    events = envelopes(response.text)
    check_grammar(events)
    decisions = [at for at, kind in enumerate(kinds(events)) if kind == "gate_decision"]
    assert [events[at]["payload"]["verdict"] for at in decisions] == ["verify_first", "open"]
    assert set(kinds(events)[: decisions[1]]) == {"status_update", "gate_decision"}
    assert payloads(events, "final_answer")[0]["outcome"] == "answered"


def test_a_finished_run_replays_byte_for_byte_from_any_point(client: httpx.Client) -> None:
    body = client.get("/query", params={"query": ANSWERABLE}).text
    request_id = envelopes(body)[0]["request_id"]
    whole = client.get(f"/runs/{request_id}/events").text
    assert whole == body
    frames = body.split("\n\n")
    for cut in (1, 5, len(frames) - 3):
        headers = {"Last-Event-ID": f"{request_id}:{cut}"}
        assert client.get(f"/runs/{request_id}/events", headers=headers).text == "\n\n".join(frames[cut:])
        assert client.get("/query", params={"query": "x"}, headers=headers).text == "\n\n".join(frames[cut:])


def test_a_drained_run_answers_204_and_an_unknown_one_404(client: httpx.Client) -> None:
    events = envelopes(client.post("/query", json={"query": ANSWERABLE}).text)
    request_id, last = events[0]["request_id"], len(events)
    assert client.get(f"/runs/{request_id}/events", params={"after": last}).status_code == 204
    assert client.get("/query", headers={"Last-Event-ID": f"{request_id}:{last}"}).status_code == 204
    assert client.get("/runs/nope/events").status_code == 404
    assert client.get("/query", params={"query": "x"}, headers={"Last-Event-ID": "nope:1"}).status_code == 404


def test_the_same_idempotency_key_joins_the_run_and_another_body_is_refused(client: httpx.Client) -> None:
    headers = {"Idempotency-Key": "one"}
    first = client.post("/query", json={"query": ANSWERABLE}, headers=headers)
    second = client.post("/query", json={"query": ANSWERABLE}, headers=headers)
    assert first.text == second.text
    other = client.post("/query", json={"query": UNANSWERABLE}, headers=headers)
    assert (other.status_code, other.json()["field"]) == (422, "Idempotency-Key")


def test_every_event_matches_the_published_schema(client: httpx.Client) -> None:
    from pydantic import TypeAdapter

    from callbacks.events import StreamEvent

    schema = client.get("/schema/stream-event.json").json()
    assert schema["discriminator"]["propertyName"] == "event_type"
    assert len(schema["oneOf"]) == 13
    adapter: TypeAdapter[Any] = TypeAdapter(StreamEvent)
    for query in (ANSWERABLE, UNANSWERABLE):
        for event in envelopes(client.post("/query", json={"query": query}).text):
            adapter.validate_python(event)


def test_health_names_collections_and_models(client: httpx.Client) -> None:
    health = client.get("/health").json()
    assert health["collections"]["default"] > 0
    assert health["models"]["chat"] == "embedded"
    assert client.get("/ready").status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"query": ""}, 422, "query"),
        ({"query": "  "}, 422, "query"),
        ({"query": "x" * 4001}, 422, "query"),
        ({}, 422, "query"),
        ({"query": 5}, 422, "query"),
        ({"query": "x", "mode": "turbo"}, 422, "mode"),
        ({"query": "x", "top_k": 0}, 422, "top_k"),
        ({"query": "x", "top_k": 51}, 422, "top_k"),
        ({"query": "x", "top_k": True}, 422, "top_k"),
        ({"query": "x", "collection": "nope"}, 404, "collection"),
        ({"query": "x", "domain": "nope"}, 422, "domain"),
        ({"query": "x", "thread_id": "nope"}, 404, "thread_id"),
        ({"query": "x", "surprise": 1}, 422, "surprise"),
        ({"query": "a\0b"}, 422, "query"),
        ({"query": "x", "filters": "no"}, 422, "filters"),
    ],
)
def test_bad_input_is_a_problem_that_names_the_field(
    client: httpx.Client, body: dict[str, Any], status: int, field: str
) -> None:
    response = client.post("/query", json=body)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["field"] == field
    assert response.headers["x-request-id"]


@pytest.mark.parametrize("path", ["/query", "/rag/invoke", "/rag/stream", "/rag/batch", "/documents"])
@pytest.mark.parametrize(
    "body", [b"{bad", b'{"query":"\\ud800"}', b'{"input":{"query":"\\ud800"}}', b"[]", b"\xff", b""]
)
def test_no_body_makes_the_server_fail(client: httpx.Client, path: str, body: bytes) -> None:
    response = client.post(path, content=body, headers={"content-type": "application/json"})
    assert 400 <= response.status_code < 500
    assert response.headers["content-type"] == "application/problem+json"


def test_a_body_that_is_not_json_is_415_and_one_that_is_too_large_413(client: httpx.Client) -> None:
    assert client.post("/query", content=b"hello", headers={"content-type": "text/plain"}).status_code == 415
    large = b'{"query":"' + b"x" * 1_100_000 + b'"}'
    assert client.post("/query", content=large, headers={"content-type": "application/json"}).status_code == 413
    unsized = client.post("/query", content=iter([large]), headers={"content-type": "application/json"})
    sized = client.post("/query", content=large, headers={"content-type": "application/json"})
    for refused in (sized, unsized):
        assert (refused.status_code, refused.json()["code"]) == (413, "too_large")
        assert refused.headers["content-type"] == "application/problem+json"


def test_more_runs_than_allowed_are_asked_to_come_back(serve: Callable[..., Live]) -> None:
    from graph.hub import HubLimits

    server = serve(hub_limits=HubLimits(runs_at_once=0))
    response = httpx.post(f"{server.url}/query", json={"query": "x"}, trust_env=False)
    assert (response.status_code, response.json()["code"]) == (503, "too_many_runs")
    assert response.headers["retry-after"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://localhost:3000"}, 200),
        ({"Origin": "null"}, 200),
        ({"Host": "0.0.0.0:8000"}, 200),
    ],
)
def test_only_this_machine_may_ask(client: httpx.Client, headers: dict[str, str], status: int) -> None:
    response = client.post("/query", json={"query": ANSWERABLE, "stream": False}, headers=headers)
    assert response.status_code == status
    if status == 403:
        assert response.headers["content-type"] == "application/problem+json"


def test_the_openapi_page_needs_nothing_from_elsewhere(client: httpx.Client) -> None:
    page = client.get("/docs").text
    assert "//cdn" not in page
    assert client.get("/static-offline-docs/swagger-ui-bundle.js").status_code == 200


@pytest.mark.parametrize("question", ["the the the", "a", "who are you?"])
def test_a_question_about_nothing_is_not_answered(client: httpx.Client, question: str) -> None:
    assert client.post("/query", json={"query": question, "stream": False}).json()["outcome"] == "fallback"


def test_a_question_in_another_language_hears_that_english_is_known(client: httpx.Client) -> None:
    final = client.post("/query", json={"query": "Wie viele Kronen kostet ein Liegeplatz?", "stream": False}).json()
    assert "know English" in final["answer"]
