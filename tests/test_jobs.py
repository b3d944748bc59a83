"""Ingestion jobs: durable over restarts, stopped and tried again, fair to each other and to every document."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding

from retrieval.library import DenseModel, Library
from server.bootstrap import library_in
from tests.support.encoder import Counting, WordVectors
from tests.support.libraries import paragraphs
from tests.support.live import Live
from tests.support.streams import Envelope, end_of, envelopes, payloads

Open = Callable[..., Library]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def opened(folder: Path) -> Iterator[Open]:
    """Opens the data folder; what is still open at the end is closed."""
    with ExitStack() as stack:

        def open_folder(encoder: WordVectors | None = None, dense: DenseModel | None = None) -> Library:
            return stack.enter_context(closing(library_in(folder, encoder or WordVectors(), dense)))

        yield open_folder


@contextmanager
def client_of(server: Live) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=30, trust_env=False) as client:
        yield client


def texts(**documents: str) -> dict[str, Any]:
    return {"documents": [{"id": name, "content": content} for name, content in documents.items()]}


def start(client: httpx.Client, body: dict[str, Any], **headers: str) -> str:
    response = client.post("/documents", json=body, headers=headers)
    assert response.status_code == 202, response.text
    return str(response.json()["job_id"])


def follow(client: httpx.Client, job_id: str, until: Callable[[Envelope], bool], last: str = "") -> list[str]:
    """The frames of a job's stream, up to the first event `until` approves of."""
    headers = {"Last-Event-ID": last} if last else {}
    frames: list[str] = []
    with client.stream("GET", f"/jobs/{job_id}/events", headers=headers) as response:
        buffer = ""
        for text in response.iter_text():
            *whole, buffer = (buffer + text).split("\n\n")
            for frame in whole:
                frames.append(frame)
                if any(until(event) for event in envelopes(frame)):
                    return frames
    return frames


def stage_is(stage: str, document_id: str) -> Callable[[Envelope], bool]:
    def approves(event: Envelope) -> bool:
        payload = event["payload"]
        return (payload.get("stage"), payload.get("document_id")) == (stage, document_id)

    return approves


def stages_of(events: list[Envelope], document_id: str) -> list[str]:
    return [one["stage"] for one in payloads(events, "document_stage") if one["document_id"] == document_id]


def test_a_job_survives_a_restart_and_nothing_is_embedded_again(serve: Callable[..., Live], opened: Open) -> None:
    before = Counting(most=64)
    library = opened(before)
    server = serve(library=library, settings={"shutdown_grace": 0})
    with client_of(server) as client:
        job_id = start(client, texts(small="Smallmark stands here.", large=paragraphs("Largemark", 150)))
        told = follow(client, job_id, lambda event: event["payload"]["stage"] == "embedded" and before.passages >= 64)
        assert before.reached.wait(20)
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        while client.get("/ready").status_code == 200:
            pass
        before.go_on.set()
        stopping.join()
    library.close()

    after = Counting()
    library = opened(after)
    with client_of(serve(library=library)) as client:
        last = told[-1].split("\n")[0].removeprefix("id: ")
        rest = client.get(f"/jobs/{job_id}/events", headers={"Last-Event-ID": last})
        whole = client.get(f"/jobs/{job_id}/events").text
        events = envelopes(whole)
        assert whole == "\n\n".join(told) + "\n\n" + rest.text
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        assert end_of(whole)["outcome"] == "done"
        assert stages_of(events, "large")[-1] == stages_of(events, "small")[-1] == "ready"
        counts = [one["done"] for one in payloads(events, "document_stage") if one["stage"] == "embedded"]
        assert counts == sorted(counts)
        assert counts[-1] == 150
        assert client.get("/documents").json()["counts"] == {"ready": 2, "processing": 0, "failed": 0}
    assert before.passages + after.passages == 151
    assert 0 < after.passages < 100


def test_a_finished_job_is_told_in_the_same_bytes_after_a_restart(serve: Callable[..., Live], opened: Open) -> None:
    library = opened()
    server = serve(library=library)
    with client_of(server) as client:
        body = texts(good="Goodmark stands here.", bad="")
        job_id = start(client, body)
        told = client.get(f"/jobs/{job_id}/events").text
        summary = client.get(f"/jobs/{job_id}").json()
    server.stop()
    library.close()
    with client_of(serve(library=opened())) as client:
        assert client.get(f"/jobs/{job_id}/events").text == told
        assert client.get(f"/jobs/{job_id}").json() == summary
        assert (summary["indexed"], summary["failed"][0]["error"]["code"]) == (1, "empty")


def test_the_same_key_joins_the_same_job_after_a_restart(serve: Callable[..., Live], opened: Open) -> None:
    body, key = texts(one="Onemark stands here."), {"Idempotency-Key": "same"}
    library = opened()
    server = serve(library=library)
    with client_of(server) as client:
        job_id = start(client, body, **key)
    server.stop()
    library.close()
    with client_of(serve(library=opened())) as client:
        assert start(client, body, **key) == job_id
        other = client.post("/documents", json=texts(one="Other."), headers=key)
        assert (other.status_code, other.json()["field"]) == (422, "Idempotency-Key")


def test_the_same_key_twice_at_once_starts_one_job(serve: Callable[..., Live], opened: Open) -> None:
    body, key = texts(one="Onemark stands here. " * 20_000), {"Idempotency-Key": "same"}
    found: list[str] = []
    with client_of(serve(library=opened())) as client:
        threads = [threading.Thread(target=lambda: found.append(start(client, body, **key))) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(found) == 6
    assert len(set(found)) == 1


def test_cancelling_keeps_what_is_ready_and_makes_nothing_else_searchable(
    serve: Callable[..., Live], opened: Open
) -> None:
    encoder = Counting(most=32)
    library = opened(encoder)
    with client_of(serve(library=library)) as client:
        job_id = start(client, texts(first="Firstmark stands here.", second=paragraphs("Secondmark", 100)))
        assert encoder.reached.wait(20)
        response = client.post(f"/jobs/{job_id}/cancel")
        assert (response.status_code, response.json()) == (202, {"job_id": job_id})
        encoder.go_on.set()
        whole = client.get(f"/jobs/{job_id}/events").text
        assert end_of(whole)["outcome"] == "cancelled"
        assert stages_of(envelopes(whole), "first")[-1] == "ready"
        summary = client.get(f"/jobs/{job_id}").json()
        assert (summary["state"], summary["indexed"]) == ("cancelled", 1)
        listed = client.get("/documents").json()
        assert [one["id"] for one in listed["documents"]] == ["first"]
        assert {hit.passage.document_id for hit in library.search_now("default", "Secondmark", 9).hits} == {"first"}
        assert client.post("/jobs/nope/cancel").status_code == 404


def test_a_cancelled_document_can_be_tried_again(serve: Callable[..., Live], opened: Open) -> None:
    encoder = Counting(most=32)
    with client_of(serve(library=opened(encoder))) as client:
        job_id = start(client, texts(first="Firstmark stands here.", second=paragraphs("Secondmark", 100)))
        assert encoder.reached.wait(20)
        refused = client.post(f"/jobs/{job_id}/retry")
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid")
        client.post(f"/jobs/{job_id}/cancel")
        encoder.go_on.set()
        client.get(f"/jobs/{job_id}/events")
        again = client.post(f"/jobs/{job_id}/retry")
        assert again.status_code == 202
        stages = envelopes(client.get(f"/jobs/{again.json()['job_id']}/events").text)
        assert stages_of(stages, "second")[-1] == "ready"
        assert stages_of(stages, "first") == []
        assert client.post(f"/jobs/{job_id}/retry").status_code == 422, "there is nothing left to try again"


def test_cancelling_during_a_long_parse_returns_promptly(serve: Callable[..., Live], opened: Open) -> None:
    small = [("files", (f"small{at}.txt", f"Smallmark number {at}.".encode())) for at in range(33)]
    long = ("files", ("long.txt", ("A sentence of number one. " * 40 + "\n\n").encode() * 20_000))
    with client_of(serve(library=opened())) as client:
        job_id = client.post("/documents", files=[*small, long]).json()["job_id"]
        follow(client, job_id, lambda event: event["payload"].get("stage") == "ready")  # the next to be read is long
        response = client.post(f"/jobs/{job_id}/cancel")
        assert response.status_code == 202
        assert response.elapsed.total_seconds() < 2
        ended = client.get(f"/jobs/{job_id}/events", timeout=5)
        assert end_of(ended.text)["outcome"] == "cancelled"
        after = client.post("/documents", params={"wait": True}, json=texts(after="Aftermark stands here."))
        assert after.json()["indexed"] == 1


class Picky(DeterministicFakeEmbedding):
    """Fails for texts with a certain word, as long as it is told to."""

    failing: bool = True

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        if self.failing and any("poison" in text for text in texts):
            raise RuntimeError("the provider does not like this text")
        return super().embed_documents(texts)


def test_a_text_that_cannot_be_embedded_fails_alone_and_can_be_tried_again(
    serve: Callable[..., Live], opened: Open
) -> None:
    model = Picky(size=24)
    library = opened(dense=DenseModel(name="fake:picky", model=model))
    with client_of(serve(library=library)) as client:
        job_id = start(client, texts(a="Amark stands here.", b="The poison stands here.", c="Cmark stands here."))
        events = envelopes(client.get(f"/jobs/{job_id}/events").text)
        assert {name: stages_of(events, name)[-1] for name in "abc"} == {"a": "ready", "b": "failed", "c": "ready"}
        failed = client.get(f"/jobs/{job_id}").json()["failed"]
        assert [(one["document_id"], one["error"]["code"]) for one in failed] == [("b", "embedding_failed")]
        shown = client.get("/documents", params={"status": "failed"}).json()["documents"]
        assert [(one["id"], one["error"]["code"]) for one in shown] == [("b", "embedding_failed")]
        model.failing = False
        again = client.post(f"/jobs/{job_id}/retry").json()["job_id"]
        assert stages_of(envelopes(client.get(f"/jobs/{again}/events").text), "b")[-1] == "ready"
        assert client.get("/documents").json()["counts"] == {"ready": 3, "processing": 0, "failed": 0}


def test_a_failed_version_is_not_tried_again_over_a_newer_one(serve: Callable[..., Live], opened: Open) -> None:
    with client_of(serve(library=opened())) as client:
        body = {"files": ("a.pdf", b"%PDF-1.7")}, {"id": "a"}
        job_id = client.post("/documents", files=body[0], data=body[1]).json()["job_id"]
        client.get(f"/jobs/{job_id}/events")
        client.post("/documents", params={"wait": True}, json=texts(a="Amark stands here."))
        assert client.post(f"/jobs/{job_id}/retry").status_code == 422


def test_a_small_job_does_not_wait_for_a_large_one(serve: Callable[..., Live], opened: Open) -> None:
    encoder = Counting(most=200)
    with client_of(serve(library=opened(encoder))) as client:
        large = start(client, texts(large=paragraphs("Largemark", 400)))
        follow(client, large, stage_is("embedded", "large"))
        small = start(client, texts(small="Smallmark stands here."))
        encoder.most = encoder.passages + 97  # the large job waits here, three turns later
        ended = client.get(f"/jobs/{small}/events").text
        assert end_of(ended)["outcome"] == "done"
        assert client.get(f"/jobs/{large}").json()["state"] == "running"
        encoder.go_on.set()
        assert end_of(client.get(f"/jobs/{large}/events").text)["outcome"] == "done"


def test_too_many_jobs_are_refused_with_a_time_to_come_back(serve: Callable[..., Live], opened: Open) -> None:
    encoder = Counting(most=0)
    with client_of(serve(library=opened(encoder), settings={"max_jobs": 1})) as client:
        job_id = start(client, texts(one="Onemark stands here."))
        refused = client.post("/documents", json=texts(two="Twomark."))
        assert (refused.status_code, refused.headers["content-type"]) == (503, "application/problem+json")
        assert int(refused.headers["Retry-After"]) > 0
        encoder.go_on.set()
        client.get(f"/jobs/{job_id}/events")
        assert client.post("/documents", json=texts(two="Twomark.")).status_code == 202
