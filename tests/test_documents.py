"""`POST /documents`: every stage live, one bad document never stops the others, ready means findable."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from retrieval.library import Library
from tests.support.live import Live
from tests.support.streams import end_of, envelopes, kinds, payloads


@pytest.fixture
def writable(serve: Callable[..., Live], own_library: Library, collaborators: Any) -> httpx.Client:
    server = serve(library=own_library)
    with httpx.Client(base_url=server.url, timeout=30, trust_env=False) as client:
        yield client


FERRY = {
    "documents": [{"id": "ferry", "content": "The ferry to Brack leaves at noon.", "metadata": {"title": "Ferry"}}]
}


def test_the_stages_stream_and_ready_means_findable(writable: httpx.Client) -> None:
    body = writable.post("/documents", json=FERRY, headers={"Accept": "text/event-stream"}).text
    events = envelopes(body)
    stages = [stage["stage"] for stage in payloads(events, "document_stage")]
    assert stages == ["received", "parsed", "chunked", "embedded", "indexed", "ready"]
    assert kinds(events)[-1] == "pipeline_metric"
    assert events[-1]["payload"]["indexed"] == 1
    assert end_of(body)["outcome"] == "done"
    final = writable.post("/query", json={"query": "When does the ferry to Brack leave?", "stream": False}).json()
    assert final["outcome"] == "answered"
    assert final["citations"][0]["source"] == "Ferry"
    assert final["sources"][0]["document_id"] == "ferry"
    assert final["sources"][0]["source_id"].startswith("default:ferry:")


def test_a_job_is_acknowledged_at_once_and_can_be_followed_and_replayed(writable: httpx.Client) -> None:
    response = writable.post("/documents", json=FERRY)
    assert response.status_code == 202
    job_id = response.json()["job_id"]
    followed = writable.get(f"/jobs/{job_id}/events").text
    assert writable.get(f"/jobs/{job_id}/events").text == followed
    assert writable.get(f"/jobs/{job_id}").json()["state"] == "done"
    last = envelopes(followed)[-1]["seq"]
    assert writable.get(f"/jobs/{job_id}/events", params={"after": last}).status_code == 204
    assert writable.get("/jobs/nope").status_code == 404


def test_waiting_gives_the_summary_and_one_bad_document_stops_no_other(writable: httpx.Client) -> None:
    files = [
        ("files", ("good.md", b"# Ferry\n\nThe ferry leaves at noon.")),
        ("files", ("bad.pdf", b"%PDF-1.7")),
        ("files", ("broken.txt", b"caf\xe9")),
        ("files", ("also.txt", "The café opens at six. 🦉".encode())),
    ]
    summary = writable.post("/documents", params={"wait": True}, files=files, data={"collection": "mixed"}).json()
    assert (summary["state"], summary["indexed"], summary["total"]) == ("done", 2, 4)
    assert sorted(f["error"]["code"] for f in summary["failed"]) == ["damaged", "undecodable"]
    assert writable.get("/health").json()["collections"]["mixed"] == 2


def test_questions_without_a_collection_leave_the_docs_once_there_are_documents(writable: httpx.Client) -> None:
    def searched() -> str:
        events = envelopes(writable.post("/query", json={"query": "When does the ferry to Brack leave?"}).text)
        return str(payloads(events, "final_answer")[0]["answer"])

    assert "the documentation" in searched()
    writable.post("/documents", params={"wait": True}, json=FERRY)
    assert "noon" in searched()


def test_text_is_kept_verbatim_with_offsets_as_sent(writable: httpx.Client) -> None:
    content = "  \n\nThe  ferry\u2028to Brack 🦉 leaves at noon.\r\n\r\nNothing else.\n"
    writable.post("/documents", params={"wait": True}, json={"documents": [{"content": content}]})
    events = envelopes(writable.post("/query", json={"query": "When does the ferry to Brack leave?"}).text)
    source = payloads(events, "source")[0]
    assert content[source["start"] : source["end"]] == source["snippet"]
    citation = payloads(events, "final_answer")[0]["citations"][0]
    assert content[citation["source_start"] : citation["source_end"]] == citation["quote"]


def test_the_same_key_joins_the_job_and_another_body_is_refused(writable: httpx.Client) -> None:
    headers = {"Idempotency-Key": "k"}
    first, second = (writable.post("/documents", json=FERRY, headers=headers).json() for _ in range(2))
    assert first == second
    other = writable.post("/documents", json={"documents": [{"content": "Else."}]}, headers=headers)
    assert (other.status_code, other.json()["field"]) == (422, "Idempotency-Key")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"documents": []}, "documents"),
        ({}, "documents"),
        ({"documents": [{"content": 5}]}, "documents.0.content"),
        ({"documents": [{"content": "x", "surprise": 1}]}, "documents.0.surprise"),
        ({"documents": [{"content": "a\0b"}]}, "documents.0.content"),
        ({"documents": [{"content": "x", "metadata": {"title": 5}}]}, "documents.0.metadata.title"),
        ({"documents": [{"content": "x"}], "collection": "docs"}, "collection"),
        ({"documents": [{"content": "x"}], "collection": "a/b"}, "collection"),
        ({"documents": [{"content": "x", "metadata": {"a": [[[[[[[1]]]]]]]}}]}, "documents.0.metadata"),
        ({"documents": [{"content": "x", "metadata": {"a": "y" * 20_000}}]}, "documents.0.metadata"),
    ],
)
def test_bad_documents_are_a_problem_that_names_the_field(
    writable: httpx.Client, body: dict[str, Any], field: str
) -> None:
    response = writable.post("/documents", json=body)
    assert (response.status_code, response.json()["field"]) == (422, field)
    assert response.headers["content-type"] == "application/problem+json"


def test_an_upload_without_files_or_of_another_type_is_refused(writable: httpx.Client) -> None:
    assert writable.post("/documents", content=b"x", headers={"content-type": "text/plain"}).status_code == 415
    empty = writable.post("/documents", files={"collection": (None, "default")})
    assert (empty.status_code, empty.json()["field"]) == (422, "files")


def test_the_collection_may_stand_in_the_address_as_everywhere_else(writable: httpx.Client) -> None:
    where = {"collection": "harbour", "wait": True}
    assert writable.post("/documents", params=where, json=FERRY).status_code == 200
    files = [("files", ("times.txt", b"The ferry to Holm leaves at one."))]
    assert writable.post("/documents", params=where, files=files).status_code == 200
    assert writable.post("/documents", params=where, json=FERRY | {"collection": "harbour"}).status_code == 200
    assert writable.get("/documents", params={"collection": "harbour"}).json()["counts"]["ready"] == 2
    problem = writable.post("/documents", params=where, json=FERRY | {"collection": "other"})
    assert (problem.status_code, problem.json()["field"]) == (422, "collection")
    assert "other" not in writable.get("/collections").text
