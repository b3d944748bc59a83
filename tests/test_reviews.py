"""Questions for people: drafted behind a closed gate, decided once, released for good."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

import httpx
import pytest

from graph.checkpoints import CHECKPOINTS
from graph.hub import Hub, HubLimits
from graph.policy import BUILT_IN, Rule
from graph.query import Query
from retrieval.library import Library
from retrieval.submissions import Submission
from server.routes.reviews import MAX_ANSWER, MAX_NOTE, DecisionIn
from tests.conftest import REPOSITORY
from tests.support.corpus import fill
from tests.support.live import Fails, Live
from tests.support.streams import check_final, check_grammar, envelopes, kinds, payloads
from tests.support.surfaces import hub_of
from tests.support.upstream import Reply, Upstream, is_answer

QUESTION = "Who built the Aldermoor lighthouse?"
DRAFT = "The Aldermoor lighthouse was built in 1874 by the engineer Greta Holm [1.1]."
QUOTE = "The Aldermoor lighthouse was built in 1874 by the engineer Greta Holm."
UNANSWERABLE = "Who won the Zanzibar regatta in 1997?"


class Desk:
    """A server as an asker and a reviewer see it."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def ask(self, query: str = QUESTION, domain: str = "rate_quotes", **body: Any) -> str:
        """Ask for a person; the number of the run."""
        events = envelopes(self.http.post("/query", json={"query": query, "domain": domain, **body}).text)
        check_grammar(events)
        assert set(kinds(events)) == {"status_update", "gate_decision", "final_answer", "pipeline_metric"}
        final = payloads(events, "final_answer")[0]
        request_id: str = events[0]["request_id"]
        assert final["outcome"] == "review"
        assert f"GET /runs/{request_id}" in final["answer"]
        assert self.run(request_id)["final_answer"]["answer"] == final["answer"]
        assert self.run(request_id)["state"] == "waiting_review"
        return request_id

    def run(self, request_id: str) -> dict[str, Any]:
        shown: dict[str, Any] = self.http.get(f"/runs/{request_id}").json()
        return shown

    def listed(self, request_id: str, state: str = "waiting") -> dict[str, Any]:
        """The review in the list, wherever in it."""
        reviews = self.http.get("/reviews", params={"state": state, "limit": 200}).json()["reviews"]
        found: dict[str, Any] = next(review for review in reviews if review["request_id"] == request_id)
        return found

    def decide(self, request_id: str, decision: str, **body: Any) -> httpx.Response:
        return self.http.post(f"/reviews/{request_id}", json={"decision": decision, **body})

    def released(self, request_id: str, decision: str, **body: Any) -> dict[str, Any]:
        """Decide; the answer that the asker reads then."""
        response = self.decide(request_id, decision, **body)
        assert response.status_code == 200, response.text
        run = self.run(request_id)
        assert (run["state"], run["reviewed"]["decision"]) == ("done", decision)
        assert response.json()["final_answer"] == run["final_answer"]
        assert self.listed(request_id, "decided")["final_answer"] == run["final_answer"]
        check_final(run["final_answer"], tokens=False)
        final: dict[str, Any] = run["final_answer"]
        return final


At = Callable[[Live], Desk]


@pytest.fixture(scope="module")
def at() -> Iterator[At]:
    """The desk of a server."""
    with ExitStack() as open_clients:

        def desk(server: Live) -> Desk:
            client = httpx.Client(base_url=server.url, timeout=30, trust_env=False)
            return Desk(open_clients.enter_context(client))

        yield desk


@pytest.fixture(scope="module")
def desk(at: At, server: Live) -> Desk:
    """Of the server with the embedded models."""
    return at(server)


def test_an_approved_draft_is_released_as_the_reviewer_saw_it(desk: Desk) -> None:
    request_id = desk.ask()
    waiting = desk.listed(request_id)
    assert (waiting["question"], waiting["domain"], waiting["rule"]) == (QUESTION, "rate_quotes", None)
    assert waiting["why"]["verdict"] == "open"
    assert [sentence["support"] for sentence in waiting["draft"]["sentences"]] == ["supported"]
    assert waiting["draft"]["citations"][0]["quote"] == QUOTE
    assert QUOTE in waiting["sources"][0]["text"]
    final = desk.released(request_id, "approve", note="Checked in the archive.")
    assert (final["answer"], final["citations"]) == (waiting["draft"]["answer"], waiting["draft"]["citations"])
    assert final["outcome"] == "answered"
    assert final["sources"][0]["index"] == 1
    assert desk.run(request_id)["reviewed"]["note"] == "Checked in the archive."
    assert desk.run(request_id)["metrics"]["tokens"] == 0


def test_the_markers_of_an_edited_answer_become_citations_with_exact_quotes(desk: Desk) -> None:
    request_id = desk.ask()
    edited = "Greta Holm, an engineer, built the lighthouse in 1874 [1]. The bakery is closed on Sunday. It hums."
    final = desk.released(request_id, "edit", answer=edited)
    first, second = final["citations"]
    assert (first["quote"], first["index"]) == (QUOTE, 1)
    assert second["quote"] == "The bakery is closed on Sunday and Monday."
    assert final["unknown_citations"] == 0
    assert 0 < final["citation_coverage"] < 1


def test_an_edited_answer_that_nothing_supports_cites_nothing_and_counts_as_no_answer(desk: Desk) -> None:
    final = desk.released(desk.ask(), "edit", answer="Ask the harbour master on the telephone.")
    assert (final["outcome"], final["answer"]) == ("review", "Ask the harbour master on the telephone.")


@pytest.mark.parametrize(("note", "told"), [(None, "rejected it"), ("It is secret", "Their note: It is secret.")])
def test_a_rejection_says_that_a_person_made_it(desk: Desk, note: str | None, told: str) -> None:
    final = desk.released(desk.ask(), "reject", **({"note": note} if note else {}))
    assert final["outcome"] == "fallback"
    assert told in final["answer"]
    assert "Greta" not in json.dumps(final)


def test_thin_evidence_is_not_written_from_and_a_person_can_write(desk: Desk) -> None:
    request_id = desk.ask(UNANSWERABLE)
    waiting = desk.listed(request_id)
    assert waiting["no_draft"] == "the evidence is too thin"
    assert waiting["why"]["verdict"] == "fallback"
    assert "Zanzibar" in waiting["why"]["missing"]
    assert "draft" not in waiting
    refused = desk.decide(request_id, "approve")
    assert (refused.status_code, refused.json()["field"]) == (422, "decision")
    desk.released(request_id, "edit", answer="Nobody here knows.")


def test_a_rule_hands_a_question_over_with_its_name(at: At, serve: Callable[..., Live]) -> None:
    rule = Rule(name="counsel", pattern="lawyer", action="escalate", message="A person answers this")
    policies = {**BUILT_IN, "general": BUILT_IN["general"].model_copy(update={"rules": (rule,)})}
    desk = at(serve(policies=policies))
    request_id = desk.ask(f"Do I need a lawyer? {QUESTION}", domain="general")
    assert (desk.listed(request_id)["rule"], desk.listed(request_id)["domain"]) == ("counsel", "general")
    desk.released(request_id, "approve")


def test_an_asker_who_wanted_no_sources_gets_none(desk: Desk) -> None:
    final = desk.released(desk.ask(include_sources=False), "approve")
    assert final["citations"]
    assert (final["sources"], final["uncited_sources"]) == ([], [])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "decision"),
        ({"decision": "maybe"}, "decision"),
        ({"decision": "edit"}, "answer"),
        ({"decision": "edit", "answer": " \n"}, "answer"),
        ({"decision": "edit", "answer": 5}, "answer"),
        ({"decision": "edit", "answer": "x" * (MAX_ANSWER + 1)}, "answer"),
        ({"decision": "edit", "answer": "nul\0"}, "answer"),
        ({"decision": "approve", "answer": "My own words."}, "answer"),
        ({"decision": "edit", "answer": "It was Greta Holm [1], or Ada Lund [41]."}, "answer"),
        ({"decision": "reject", "note": "x" * (MAX_NOTE + 1)}, "note"),
        ({"decision": "reject", "reason": "none"}, "reason"),
        ([], "body"),
    ],
)
def test_a_bad_decision_is_refused_by_the_name_of_its_field(desk: Desk, body: Any, field: str) -> None:
    request_id = desk.ask()
    response = desk.http.post(f"/reviews/{request_id}", json=body)
    assert (response.status_code, response.json()["field"]) == (422, field)
    assert desk.listed(request_id)["state"] == "waiting"


def test_what_is_not_there_cannot_be_decided(desk: Desk) -> None:
    assert desk.decide("nobody", "approve").status_code == 404
    assert desk.http.post("/reviews/nobody", content="{}", headers={"content-type": "text/plain"}).status_code == 415
    assert desk.http.get("/reviews", params={"state": "lost"}).json()["field"] == "state"


def test_a_decision_stands(desk: Desk) -> None:
    request_id = desk.ask()
    final = desk.released(request_id, "reject", note="First.")
    for second in ("approve", "reject"):
        response = desk.decide(request_id, second)
        assert (response.status_code, response.json()["code"]) == (409, "already_decided")
    assert desk.run(request_id)["final_answer"] == final


async def test_of_many_reviewers_at_once_one_wins(desk: Desk) -> None:
    request_id = await asyncio.to_thread(desk.ask)
    bodies = [{"decision": "edit", "answer": f"Greta Holm built it in 1874, says {at} [1]."} for at in range(8)]
    async with httpx.AsyncClient(base_url=desk.http.base_url, timeout=30, trust_env=False) as http:
        responses = await asyncio.gather(*(http.post(f"/reviews/{request_id}", json=body) for body in bodies))
    statuses = [response.status_code for response in responses]
    assert sorted(statuses) == [200, *[409] * 7]
    winner = statuses.index(200)
    assert f"says {winner}" in desk.run(request_id)["final_answer"]["answer"]


def test_what_a_newer_document_says_is_in_the_draft_before_a_person_sees_it(
    at: At, serve: Callable[..., Live], own_library: Library
) -> None:
    for year, fee in ((2023, 25), (2025, 32)):
        text = f"Employees may claim up to {fee} crowns for dinner."
        own_library.add("default", Submission(data=text, id=str(year), title=f"Expense policy {year}"))
    desk = at(serve(library=own_library))
    waiting = desk.listed(desk.ask("How much may employees claim for dinner?"))
    assert "32 crowns" in waiting["draft"]["answer"]
    assert "25 crowns" not in waiting["draft"]["answer"]
    assert {source["source"] for source in waiting["sources"]} == {"Expense policy 2023", "Expense policy 2025"}


def test_the_queue_comes_in_pages(at: At, serve: Callable[..., Live], own_library: Library) -> None:
    desk = at(serve(library=own_library))
    asked = [desk.ask(f"What is question {at}?") for at in range(5)]

    def pages(state: str) -> list[str]:
        found, after = [], ""
        while True:
            page = desk.http.get("/reviews", params={"limit": 2, "after": after, "state": state}).json()
            found += [review["request_id"] for review in page["reviews"]]
            if page["next"] is None:
                return found
            after = page["next"]

    assert pages("waiting") == asked
    assert desk.http.get("/reviews").json()["waiting"] == 5
    for request_id in asked[:4]:
        desk.released(request_id, "reject")
    assert (pages("waiting"), pages("decided")) == (asked[4:], asked[3::-1])


def test_a_review_survives_a_restart(at: At, serve: Callable[..., Live], own_library: Library) -> None:
    fill(own_library)
    first = serve(library=own_library)
    request_id = at(first).ask()
    first.stop()
    second = at(serve(library=own_library))
    assert second.run(request_id)["state"] == "waiting_review"
    final = second.released(request_id, "approve")
    assert final["citations"][0]["quote"] == QUOTE


def test_a_review_outlives_its_run_in_memory(at: At, serve: Callable[..., Live]) -> None:
    server = serve(hub_limits=HubLimits(keep_seconds=0.01))
    desk = at(server)
    request_id = desk.ask()
    hub = hub_of(server)
    while request_id in hub._runs:
        server.call(asyncio.sleep(0.01))
    assert desk.http.get(f"/runs/{request_id}/events").status_code == 404
    assert "metrics" not in desk.run(request_id)
    assert desk.released(request_id, "approve")["outcome"] == "answered"
    assert desk.http.get("/runs/nobody").status_code == 404


def test_an_answer_can_be_edited_after_its_collection_is_gone(
    at: At, serve: Callable[..., Live], own_library: Library
) -> None:
    fill(own_library)
    desk = at(serve(library=own_library))
    request_id = desk.ask(collection="odd", query="What survives in Odd notes?")
    assert desk.http.delete("/collections/odd").status_code == 204
    final = desk.released(request_id, "edit", answer="Line separators survive in Odd notes [1].")
    assert final["citations"][0]["source"] == "Odd notes"


def test_a_model_that_fails_costs_the_queue_its_draft_alone(
    at: At, serve: Callable[..., Live], provider: Callable[..., tuple[Upstream, Live]], with_model: Callable[..., Any]
) -> None:
    replies = [
        (Reply(status=401), "the model failed: The model's provider refused the server's key."),
        (Reply(pieces=[], hang=True), "the model failed: The model did not answer in time."),
        (Reply(pieces=[]), "the model wrote nothing"),
    ]
    upstream, model = provider(lambda body: Reply())
    desk = at(serve(**with_model(model.url, first_token_seconds=0.2)))
    for reply, told in replies:
        upstream.script = partial(_always, reply)
        request_id = desk.ask()
        waiting = desk.listed(request_id)
        assert (waiting["no_draft"], waiting.get("draft")) == (told, None)
        assert waiting["sources"]
        assert desk.run(request_id)["metrics"]["model_calls"] >= 1
        assert desk.released(request_id, "edit", answer=f"{QUOTE} [1]")["outcome"] == "answered"


def _always(reply: Reply, _: Any) -> Reply:
    return reply


def test_a_draft_that_breaks_off_is_listed_as_cut(
    at: At, serve: Callable[..., Live], provider: Callable[..., tuple[Upstream, Live]], with_model: Callable[..., Any]
) -> None:
    _, model = provider(lambda body: Reply(f"{DRAFT} It was", cut=True))
    desk = at(serve(**with_model(model.url)))
    request_id = desk.ask()
    assert desk.listed(request_id)["draft"]["truncated"] is True
    assert desk.released(request_id, "approve")["truncated"] is True


def test_a_search_that_fails_leaves_a_question_without_sources(
    at: At, serve: Callable[..., Live], library: Library
) -> None:
    desk = at(serve(library=Fails(library)))
    request_id = desk.ask()
    waiting = desk.listed(request_id)
    assert (waiting["no_draft"], waiting["why"], waiting["sources"]) == ("the search failed", None, [])
    assert "/dev/secret" not in json.dumps(waiting)
    desk.released(request_id, "reject")


async def test_cancelled_while_drafting_it_leaves_no_review(
    make_hub: Callable[..., Hub], provider: Callable[..., tuple[Upstream, Live]], with_model: Callable[..., Any]
) -> None:
    upstream, model = provider(lambda body: Reply(DRAFT, hang=True) if is_answer(body) else Reply("x"))
    hub = make_hub(**with_model(model.url))
    run = hub.start(Query(query=QUESTION, domain="rate_quotes", on_disconnect="continue"))
    await asyncio.to_thread(model.call, upstream.until_streaming(1))
    run.cancel("cancelled by request")
    assert run.task is not None
    await asyncio.wait({run.task})
    assert run.state == "cancelled"
    assert await hub.reviews.find(run.request_id) is None
    await asyncio.to_thread(model.call, upstream.until_streaming(0))
    assert await hub.summary(run.request_id) == run.summary()
    await hub.drain(0)


def test_cancelling_a_run_whose_question_is_in_the_queue_changes_nothing(desk: Desk) -> None:
    request_id = desk.ask()
    assert desk.http.post(f"/runs/{request_id}/cancel").status_code == 202
    assert desk.released(request_id, "approve")["outcome"] == "answered"


def test_a_server_starts_with_checkpoints_that_cannot_be_read(
    at: At, serve: Callable[..., Live], own_library: Library
) -> None:
    fill(own_library)
    (own_library.stored.database.path.parent / CHECKPOINTS).write_bytes(b"no database" * 1000)
    desk = at(serve(library=own_library))
    assert desk.http.get("/reviews").json()["reviews"] == []
    assert desk.http.post("/query", json={"query": QUESTION, "stream": False}).json()["outcome"] == "answered"


async def test_nothing_is_left_of_a_question_in_the_checkpoints(own_library: Library, make_hub: Any) -> None:
    fill(own_library)
    folder = own_library.stored.database.path.parent
    hub = make_hub(library=own_library)
    events = [event async for event in hub.ask(Query(query=QUESTION, domain="rate_quotes"))]
    request_id = events[0].request_id
    assert b"Aldermoor" in (folder / CHECKPOINTS).read_bytes()
    await hub.reviews.decide(request_id, DecisionIn(decision="reject").decided())
    assert b"Aldermoor" not in (folder / CHECKPOINTS).read_bytes()


@pytest.mark.slow
def test_killed_between_any_two_steps_a_review_is_waiting_or_released() -> None:
    command = [sys.executable, "-m", "tests.support.review_crashes"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100, cwd=REPOSITORY)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout == "6 crashes, nothing lost\n"
