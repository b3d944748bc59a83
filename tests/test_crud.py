"""What there is, what is seen of it, and that what is removed is gone."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from retrieval.embeddings import MiniLM
from retrieval.jobs import JobStore
from retrieval.library import Library
from retrieval.submissions import Submission
from server.bootstrap import library_in
from tests.support.encoder import Counting, WordVectors
from tests.support.files import report_pdf
from tests.support.libraries import paragraphs, word_library
from tests.support.live import Live
from tests.support.streams import envelopes, payloads

Connect = Callable[..., httpx.Client]
AWKWARD = ["with space", "a/b/c", "ünï 🦉", "50%", "a?b#c", "a:b:0", "notes/file", "a+b&c=d", "semi;colon"]


@pytest.fixture
def connect(serve: Callable[..., Live]) -> Iterator[Connect]:
    """Serves a library; a client of that server."""
    with ExitStack() as stack:

        def connected(library: Library, **settings: Any) -> httpx.Client:
            url = serve(library=library, settings=settings).url
            return stack.enter_context(httpx.Client(base_url=url, timeout=30, trust_env=False))

        yield connected


@pytest.fixture
def cheap(tmp_path: Path) -> Iterator[Library]:
    """An empty library that costs nothing to fill."""
    with closing(word_library(tmp_path / "data")) as library:
        yield library


def add(client: httpx.Client, collection: str = "default", **documents: str) -> dict[str, Any]:
    body = [{"id": name, "content": content} for name, content in documents.items()]
    answer = client.post("/documents", params={"wait": True}, json={"documents": body, "collection": collection})
    assert answer.status_code == 200, answer.text
    summary: dict[str, Any] = answer.json()
    return summary


def path_of(document_id: str) -> str:
    return "/documents/" + quote(document_id, safe="")


def problem(response: httpx.Response) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/problem+json"
    return response.status_code, response.json()["code"]


def test_pages_of_the_list_hold_every_document_once_in_order(connect: Connect, cheap: Library) -> None:
    client = connect(cheap)
    names = [*(f"d{number}" for number in range(7)), "ä", "🦉"]
    add(client, **{name: f"Text of {name}." for name in reversed(names)})
    seen, after = [], ""
    for _ in range(10):
        page = client.get("/documents", params={"limit": 4, "after": after}).json()
        seen += [one["id"] for one in page["documents"]]
        assert page["counts"] == {"ready": 9, "processing": 0, "failed": 0}
        if page["next"] is None:
            break
        after = page["next"]
    assert seen == names


def test_the_list_says_how_each_document_stands(connect: Connect, tmp_path: Path) -> None:
    encoder = Counting(most=1)
    with closing(word_library(tmp_path / "data", encoder=encoder)) as library:
        client = connect(library)
        add(client, good="Goodmark stands here.")
        client.post("/documents", params={"wait": True}, files={"files": ("bad.pdf", b"%PDF-1.7")}, data={"id": "bad"})
        job_id = client.post("/documents", json={"documents": [{"id": "slow", "content": "Slow."}]}).json()["job_id"]
        assert encoder.reached.wait(20)
        listed = client.get("/documents").json()
        assert [(one["id"], one["status"]) for one in listed["documents"]] == [
            ("bad", "failed"),
            ("good", "ready"),
            ("slow", "processing"),
        ]
        assert listed["counts"] == {"ready": 1, "processing": 1, "failed": 1}
        assert listed["documents"][0]["error"]["code"] == "damaged"
        for status, name in (("ready", "good"), ("processing", "slow"), ("failed", "bad")):
            only = client.get("/documents", params={"status": status}).json()["documents"]
            assert [one["id"] for one in only] == [name]
            assert client.get(f"/documents/{name}").json()["status"] == status
        assert client.get("/documents/slow").json()["job_id"] == job_id
        encoder.go_on.set()
        client.get(f"/jobs/{job_id}/events")
        assert client.get("/documents/slow").json()["status"] == "ready"


def test_a_document_is_described_with_its_counts(connect: Connect, cheap: Library) -> None:
    client = connect(cheap)
    content = "The ferry leaves at noon. 🦉"
    body = {"documents": [{"id": "f", "content": content, "metadata": {"title": "Ferry", "year": 1874}}]}
    client.post("/documents", params={"wait": True}, json=body)
    shown = client.get("/documents/f").json()
    assert (shown["title"], shown["passages"], shown["characters"]) == ("Ferry", 1, len(content))
    assert shown["metadata"] == {"title": "Ferry", "year": 1874}
    assert client.get("/files/f").text == content


@pytest.mark.parametrize("document_id", AWKWARD)
def test_any_id_can_be_asked_for_and_removed(connect: Connect, cheap: Library, document_id: str) -> None:
    client = connect(cheap)
    add(client, **{document_id: "Awkwardmark stands here."})
    path = path_of(document_id)
    assert client.get(path).json()["id"] == document_id
    assert client.get(f"/files/{quote(document_id, safe='')}").text == "Awkwardmark stands here."
    hit = cheap.search_now("default", "Awkwardmark", 1).hits[0]
    source = client.get(f"/sources/{quote(hit.passage.source_id, safe='')}").json()
    assert (source["document_id"], source["text"]) == (document_id, "Awkwardmark stands here.")
    assert client.delete(path).status_code == 204
    assert problem(client.get(path)) == problem(client.delete(path)) == (404, "unknown_document")
    assert cheap.search_now("default", "Awkwardmark", 1).hits == []


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/documents/nope", "unknown_document"),
        ("GET", "/files/nope", "unknown_document"),
        ("DELETE", "/documents/nope", "unknown_document"),
        ("GET", "/documents?collection=nope", "unknown_collection"),
        ("DELETE", "/documents?collection=nope", "unknown_collection"),
        ("GET", "/documents/x?collection=nope", "unknown_collection"),
        ("DELETE", "/documents/x?collection=nope", "unknown_collection"),
        ("GET", "/collections/nope", "unknown_collection"),
        ("DELETE", "/collections/nope", "unknown_collection"),
        ("DELETE", "/collections?name=nope", "unknown_collection"),
        ("GET", "/sources/default:nope:0", "unknown_source"),
        ("GET", "/sources/default:harbour:99.0", "unknown_source"),
        ("GET", "/sources/nope", "unknown_source"),
        ("GET", "/sources/nope:x:99999999999999999999", "unknown_source"),
        ("GET", "/jobs/nope", "not_found"),
    ],
)
def test_what_is_not_there_is_a_404_with_a_code(client: httpx.Client, method: str, path: str, code: str) -> None:
    assert problem(client.request(method, path)) == (404, code)


def test_a_document_deleted_while_it_is_indexed_never_appears(connect: Connect, tmp_path: Path) -> None:
    encoder = Counting(most=32)
    with closing(word_library(tmp_path / "data", encoder=encoder)) as library:
        client = connect(library)
        body = {
            "documents": [{"id": "gone", "content": paragraphs("Gonemark", 50)}, {"id": "kept", "content": "Kept."}]
        }
        job_id = client.post("/documents", json=body).json()["job_id"]
        assert encoder.reached.wait(20)
        assert client.delete("/documents/gone").status_code == 204
        assert problem(client.get("/documents/gone")) == (404, "unknown_document")
        encoder.go_on.set()
        events = envelopes(client.get(f"/jobs/{job_id}/events").text)
        stages = [(one["document_id"], one["stage"]) for one in payloads(events, "document_stage")]
        assert ("gone", "ready") not in stages
        assert ("gone", "failed") not in stages
        assert stages[-1] == ("kept", "ready")
        assert client.get(f"/jobs/{job_id}").json()["state"] == "done"
        assert [one["id"] for one in client.get("/documents").json()["documents"]] == ["kept"]
        vanishes(tmp_path / "data", b"Gonemark")


def test_everything_deleted_while_it_is_indexed_ends_the_job_without_an_error(connect: Connect, tmp_path: Path) -> None:
    encoder = Counting(most=32)
    with closing(word_library(tmp_path / "data", encoder=encoder)) as library:
        client = connect(library)
        body = {"documents": [{"id": "gone", "content": paragraphs("Gonemark", 50)}]}
        job_id = client.post("/documents", json=body).json()["job_id"]
        assert encoder.reached.wait(20)
        assert client.delete("/documents", params={"collection": "default"}).status_code == 204
        encoder.go_on.set()
        client.get(f"/jobs/{job_id}/events")
        assert client.get(f"/jobs/{job_id}").json()["failed"] == []
        assert client.get("/documents").json()["counts"] == {"ready": 0, "processing": 0, "failed": 0}


def test_a_newer_version_that_fails_leaves_the_old_one_and_is_told(connect: Connect, cheap: Library) -> None:
    client = connect(cheap)
    add(client, ferry="The ferry leaves at noon.")
    bad = {"files": ("ferry.pdf", b"%PDF-1.7")}
    client.post("/documents", params={"wait": True}, files=bad, data={"id": "ferry"})
    shown = client.get("/documents/ferry").json()
    assert (shown["status"], shown["newer"]["status"]) == ("ready", "failed")
    assert shown["newer"]["error"]["code"] == "damaged"
    assert [hit.passage.text for hit in cheap.search_now("default", "ferry", 3).hits] == ["The ferry leaves at noon."]
    assert client.get("/documents").json()["counts"] == {"ready": 1, "processing": 0, "failed": 1}
    add(client, ferry="The ferry leaves at dusk.")
    assert "newer" not in client.get("/documents/ferry").json()


def test_a_collection_is_emptied_without_the_others(connect: Connect, cheap: Library) -> None:
    client = connect(cheap)
    add(client, a="Amark.", b="Bmark.")
    add(client, "other", a="Othermark.")
    assert client.delete("/documents", params={"collection": "default"}).status_code == 204
    assert client.get("/documents").json()["documents"] == []
    assert client.get("/documents", params={"collection": "other"}).json()["counts"]["ready"] == 1
    assert problem(client.delete("/documents")) == (422, "invalid"), "nothing is emptied by mistake"


def test_collections_are_made_listed_and_removed(connect: Connect, cheap: Library) -> None:
    client = connect(cheap)
    assert client.post("/collections", json={"name": "größe"}).status_code == 201
    assert client.post("/collections", json={"name": "größe"}).status_code == 200
    add(client, "größe", a="Amark.")
    listed = {one["name"]: one for one in client.get("/collections").json()["collections"]}
    assert list(listed) == ["default", "docs", "größe"]
    assert (listed["größe"]["documents"], listed["größe"]["passages"]) == (1, 1)
    assert (listed["docs"]["built_in"], listed["größe"]["built_in"]) == (True, False)
    assert client.delete("/collections/größe").status_code == 204
    assert problem(client.get("/collections/größe")) == (404, "unknown_collection")
    assert client.post("/query", json={"query": "Amark?", "collection": "größe"}).status_code == 404


def test_default_is_emptied_and_stays_and_the_docs_cannot_be_removed(connect: Connect, cheap: Library) -> None:
    client = connect(cheap)
    add(client, a="Amark.")
    assert client.delete("/collections", params={"name": "default"}).status_code == 204
    assert client.get("/collections/default").json()["documents"] == 0
    for path in (
        "/collections/docs",
        "/collections?name=docs",
        "/documents?collection=docs",
        "/documents/x?collection=docs",
    ):
        assert problem(client.delete(path)) == (422, "invalid")


@pytest.mark.parametrize("name", ["", "..", "a/b", "a:b", "a b", "x" * 201, 5, None])
def test_a_collection_has_a_plain_name(client: httpx.Client, name: Any) -> None:
    response = client.post("/collections", json={"name": name})
    assert problem(response) == (422, "invalid")
    assert response.json()["field"] == "name"


def test_the_source_of_an_answer_leads_to_its_page_its_neighbours_and_the_file(
    connect: Connect, own_library: Library
) -> None:
    client = connect(own_library)
    data = report_pdf(bookmarks=True)
    client.post("/documents", params={"wait": True}, files={"files": ("Bericht ü.pdf", data)})
    run = envelopes(client.post("/query", json={"query": "On which page is the tide high? On page 3?"}).text)
    shown = next(source for source in payloads(run, "source") if source["page"] == 3)
    source = client.get(f"/sources/{quote(shown['source_id'], safe='')}").json()
    for key in ("source_id", "document_id", "page", "section", "start", "end", "source"):
        assert source[key] == shown[key]
    assert (source["section"], source["page"]) == ("Chapter 3", 3)
    before, after = source["before"], source["after"]
    assert before["end"] <= source["start"] < source["end"] <= after["start"]
    assert client.get(f"/sources/{before['source_id']}").json()["after"]["source_id"] == source["source_id"]
    first = shown["source_id"].rpartition(".")[0] + ".0"
    assert client.get(f"/sources/{first}").json()["before"] is None
    link, _, fragment = source["original"].partition("#")
    assert fragment == "page=3"
    original = client.get(link)
    assert original.content == data
    assert original.headers["content-type"] == "application/pdf"
    assert original.headers["x-content-type-options"] == "nosniff"
    assert original.headers["content-disposition"] == "inline; filename*=UTF-8''Bericht%20%C3%BC.pdf"


def test_an_uploaded_page_does_not_run_as_a_page_of_ours(connect: Connect, cheap: Library) -> None:
    client = connect(cheap)
    data = b"<html><body><p>The ferry leaves at noon.</p><script>alert(1)</script></body></html>"
    client.post("/documents", params={"wait": True}, files={"files": ("x.html", data)}, data={"id": "page"})
    original = client.get("/files/page")
    assert original.content == data
    assert original.headers["content-disposition"].startswith("attachment")
    assert original.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in original.headers["content-security-policy"]


def in_files(folder: Path, mark: bytes) -> list[str]:
    """The files that hold a mark, whatever its case."""
    found = []
    for place, _, names in os.walk(folder):  # which goes on when a folder is replaced meanwhile
        for name in names:
            try:
                if mark.lower() in (Path(place) / name).read_bytes().lower():
                    found.append(name)
            except FileNotFoundError:  # an index file that was just replaced
                continue
    return found


def vanishes(folder: Path, mark: bytes) -> None:
    end = monotonic() + 20
    while found := in_files(folder, mark):
        assert monotonic() < end, f"{mark!r} is still in {found}"


def test_nothing_of_a_removed_document_is_left_in_any_file(connect: Connect, tmp_path: Path, cheap: Library) -> None:
    folder, client = tmp_path / "data", connect(cheap)
    document = {
        "id": "secret",
        "content": "Zanzibarmark " * 3000,
        "metadata": {"title": "Zanzibarmark", "z": "Zanzibarmark"},
    }
    client.post("/documents", params={"wait": True}, json={"documents": [document]})
    html = b"<p>The Zanzibarmark speaks.</p>" * 100
    client.post("/documents", params={"wait": True}, files={"files": ("a.html", html)}, data={"id": "page"})
    add(client, kept="Keptmark stands here.")
    add(client, "other", secret="Zanzibarmark too.")
    assert in_files(folder, b"Zanzibarmark")
    client.delete("/documents/secret")
    client.delete("/documents/page")
    client.delete("/collections/other")
    vanishes(folder, b"Zanzibarmark")
    assert in_files(folder, b"Keptmark")
    assert [hit.passage.document_id for hit in cheap.search_now("default", "Keptmark", 3).hits] == ["kept"]


def test_nothing_is_left_of_what_failed_or_was_cancelled_once_it_is_removed(connect: Connect, tmp_path: Path) -> None:
    encoder, folder = Counting(most=0), tmp_path / "data"
    with closing(word_library(folder, encoder=encoder)) as library:
        client = connect(library)
        bad = {"files": ("bad.docx", b"PK\x03\x04 Failedmark")}
        client.post("/documents", params={"wait": True}, files=bad, data={"id": "bad"})
        body = {"documents": [{"id": "stopped", "content": "Cancelledmark. " * 3000}]}
        job_id = client.post("/documents", json=body).json()["job_id"]
        assert encoder.reached.wait(20)
        client.post(f"/jobs/{job_id}/cancel")
        encoder.go_on.set()
        client.get(f"/jobs/{job_id}/events")
        assert in_files(folder, b"Failedmark")
        assert in_files(folder, b"Cancelledmark")
        client.delete("/documents", params={"collection": "default"})
        vanishes(folder, b"Failedmark")
        vanishes(folder, b"Cancelledmark")
        assert client.post(f"/jobs/{job_id}/retry").status_code == 422


def test_a_full_disk_refuses_documents_and_goes_on_answering(connect: Connect, tmp_path: Path) -> None:
    with closing(library_in(tmp_path / "data", WordVectors(), max_bytes=600_000)) as library:
        client = connect(library)
        add(client, ferry="The ferry leaves at noon.")
        large = {"documents": [{"id": "large", "content": paragraphs("Largemark", 800)}], "collection": "new"}
        assert problem(client.post("/documents", json=large)) == (507, "disk_full")
        assert "new" not in client.get("/health").json()["collections"]
        assert client.get("/documents").json()["counts"] == {"ready": 1, "processing": 0, "failed": 0}
        assert [hit.passage.document_id for hit in library.search_now("default", "ferry", 3).hits] == ["ferry"]
        assert client.post("/query", json={"query": "When does the ferry leave?"}).status_code == 200
        assert client.delete("/documents/ferry").status_code == 204


def test_a_disk_that_fills_up_while_indexing_fails_the_documents_and_shows_nothing_half(
    connect: Connect, tmp_path: Path
) -> None:
    with closing(library_in(tmp_path / "data", WordVectors(), max_bytes=1_000_000)) as library:
        client = connect(library)
        summary = add(client, small="Smallmark stands here.", large=paragraphs("Largemark", 200))
        assert (summary["state"], summary["indexed"]) == ("done", 1)
        assert [(one["document_id"], one["error"]["code"]) for one in summary["failed"]] == [("large", "disk_full")]
        assert {hit.passage.document_id for hit in library.search_now("default", "Largemark", 9).hits} <= {"small"}
        assert add(client, after="Aftermark stands here.")["indexed"] == 1, "there is room for a small one"


def test_uploads_leave_the_disk_space_that_was_asked_for(connect: Connect, cheap: Library) -> None:
    client = connect(cheap, min_free_bytes=10**18)
    assert problem(client.post("/documents", json={"documents": [{"content": "x"}]})) == (507, "disk_full")
    assert client.get("/ready").status_code == 200
    assert client.get("/documents").json()["counts"] == {"ready": 0, "processing": 0, "failed": 0}


def test_deleting_needs_no_model(connect: Connect, own_library: Library, encoder: MiniLM) -> None:
    """Only what is added is embedded."""
    client = connect(own_library)
    add(client, a="Amark stands here.")
    assert client.delete("/documents/a").status_code == 204
    assert own_library.sizes()["default"] == 0


def test_an_older_upload_never_overwrites_a_newer_one(connect: Connect, cheap: Library) -> None:
    """The older one is longer, so it would be ready last."""
    client = connect(cheap)
    older = {
        "documents": [{"id": "x", "content": "\n\n".join(f"Old paragraph {n}. " + "word " * 120 for n in range(300))}]
    }
    job_id = client.post("/documents", json=older).json()["job_id"]
    newer = {"documents": [{"id": "x", "content": "The newer one."}]}
    assert client.post("/documents", params={"wait": True}, json=newer).json()["indexed"] == 1
    events = envelopes(client.get(f"/jobs/{job_id}/events").text)
    assert payloads(events, "document_stage")[-1]["error"]["code"] == "superseded"
    assert client.get("/files/x").text == "The newer one."
    assert cheap.sizes()["default"] == 1


def test_an_acknowledged_cancel_survives_the_end_of_the_process(cheap: Library) -> None:
    jobs = JobStore(cheap.stored.database)
    jobs.create("j", "default", [Submission(data="The ferry leaves at noon.")])
    jobs.wish_cancelled("j")
    record = jobs.record_of("j")
    assert record is not None
    assert record.cancelled


def test_what_was_given_up_is_told_document_by_document(connect: Connect, cheap: Library) -> None:
    client = connect(cheap)
    many = {"documents": [{"id": f"d{n}", "content": "word " * 3000} for n in range(60)]}
    job_id = client.post("/documents", json=many).json()["job_id"]
    client.post(f"/jobs/{job_id}/cancel")
    body = client.get(f"/jobs/{job_id}/events").text
    summary = client.get(f"/jobs/{job_id}").json()
    ends = [stage for stage in payloads(envelopes(body), "document_stage") if stage["stage"] in ("ready", "failed")]
    assert len(ends) == 60
    assert summary["cancelled"] == sum(end["stage"] == "failed" for end in ends) > 0
    assert summary["cancelled"] + summary["indexed"] == summary["total"] == 60


def test_an_empty_publication_brings_no_dropped_collection_back(cheap: Library) -> None:
    cheap.create("gone")
    cheap.drop("gone")
    cheap.publish("gone", list)
    assert "gone" not in cheap.sizes()


# Starlette leaves the file of the part that breaks off to the garbage collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_body_that_breaks_off_is_refused_whole(connect: Connect, cheap: Library) -> None:
    client = connect(cheap)
    part = b'--b\r\nContent-Disposition: form-data; name="files"; filename="%s.txt"\r\n\r\nThe ferry leaves at noon.'
    body = part % b"one" + b"\r\n" + part % b"two"
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    assert problem(client.post("/documents", content=body, headers=headers)) == (400, "invalid_multipart")
    whole = client.post("/documents", params={"wait": True}, content=body + b"\r\n--b--\r\n", headers=headers)
    assert whole.json()["total"] == 2
