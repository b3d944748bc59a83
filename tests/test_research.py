"""Deep research: what its branches find, what a report may say, what it may cost, and how it ends."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest

from callbacks.spending import EXEMPT_TAG, Allowance
from chains.answer import answer_chain
from chains.embedded import ExtractiveChatModel
from evaluation.corrections import Sentence
from evaluation.scripted import ScriptedModel
from graph.context import Limits
from graph.hub import Hub, HubLimits
from graph.policy import BUILT_IN, Policies, Rule
from graph.query import Query
from graph.run import Run
from retrieval.library import Library
from retrieval.submissions import Submission
from server.bootstrap import library_in
from tests.support.faults import Asked, Hold, Pausing, Scoring, Searching, fails, says
from tests.support.live import Live
from tests.support.streams import Envelope, check_grammar, end_of, envelopes, kinds, payloads, said

ISLAND = {
    "lighthouse": (
        "The lighthouse of Aldermoor was built in 1874 by the engineer Greta Holm. "
        "The lamp of the lighthouse can be seen from nineteen miles away."
    ),
    "greta": (
        "Greta Holm was born in the village of Tarn. She studied bridges before she turned to towers. "
        "Greta Holm died in 1911."
    ),
    "ferry": "The ferry from Brack to Aldermoor leaves at noon. A ticket for the ferry costs eight crowns.",
    "bakery": "The Quillon bakery opens at six in the morning. The Quillon bakery is closed on Sunday.",
    "mooring 2021": (
        "Updated on 3 May 2021. A mooring permit in Aldermoor costs 45 crowns a week. Permits are sold at the quay."
    ),
    "mooring 2024": (
        "Updated on 9 June 2024. A mooring permit in Aldermoor costs 60 crowns a week. Permits are sold online."
    ),
}
BOTH = "What does a ticket for the ferry to Aldermoor cost, and when does the Quillon bakery open?"
TWO_HOPS = "In which village was the engineer born who built the lighthouse of Aldermoor?"
HALF = "What does a ticket for the ferry to Aldermoor cost, and who won the Zanzibar regatta in 1997?"
NOWHERE = "Who won the Zanzibar regatta in 1997, and what did the Timbuktu derby cost?"
DISPUTED = "What does a mooring permit in Aldermoor cost, and when does the ferry leave?"
POLICIES: Policies = {
    **BUILT_IN,
    "underwriting": BUILT_IN["underwriting"].model_copy(update={"min_chunks": 1, "min_score": 0.5}),
    "closed": BUILT_IN["general"].model_copy(update={"rules": (Rule(name="no", pattern="ticket", action="deny"),)}),
}
PATIENT = Limits(plan_seconds=30, branch_seconds=30, follow_up_seconds=30, slow_path_seconds=30)
MARK = "vexolith"

Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def island(encoder: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    library = library_in(tmp_path_factory.mktemp("island"), encoder)
    for name, text in ISLAND.items():
        library.add("default", Submission(data=text, id=name, title=name.title()))
    yield library
    library.close()


@pytest.fixture
async def hold() -> AsyncIterator[Hold]:
    hold = Hold()
    yield hold
    hold.release()


@pytest.fixture
def hub_of(make_hub: Callable[..., Hub], island: Library) -> Callable[..., Hub]:
    def make(**parts: Any) -> Hub:
        extract = answer_chain(ExtractiveChatModel()).with_config(tags=[EXEMPT_TAG])
        given = {"library": island, "policies": POLICIES, "limits": PATIENT, "extract": extract}
        return make_hub(**given | parts)

    return make


async def asked(hub: Hub, question: str, **query: Any) -> list[Envelope]:
    """Everything a deep run says, checked."""
    run = hub.start(Query(**{"query": question, "mode": "deep", **query}))
    async with asyncio.timeout(30):
        await hub.finished(run)
    return told_by(run)


def told_by(run: Run) -> list[Envelope]:
    events = [json.loads(entry.encoded) for entry in run.log.entries]
    check_grammar(events)
    return events


def final_of(events: list[Envelope]) -> Envelope:
    (final,) = payloads(events, "final_answer")
    return final


def named(events: list[Envelope], kind: str, key: str = "branch") -> set[Any]:
    return {payload.get(key) for payload in payloads(events, kind)} - {None}


class Planner(Asked):
    """A planner that says what it is told to."""


def writer(*sentences: tuple[str, str]) -> Any:
    """A writer of a fixed report: sentences with what each of them cites."""
    return answer_chain(ScriptedModel(draft=tuple(Sentence(text=text, cites=cites) for text, cites in sentences)))


# What it finds and says


async def test_each_part_of_a_question_gets_a_branch_a_heading_and_an_answer(hub_of: Callable[..., Hub]) -> None:
    events = await asked(hub_of(), BOTH)
    final = final_of(events)
    assert final["outcome"] == "answered"
    assert named(events, "status_update") == named(events, "source") | {"1", "2"} == {"1", "2"}
    assert final["answer"].count("## ") == 2
    assert "eight crowns" in final["answer"]
    assert "six in the morning" in final["answer"]


async def test_every_sentence_of_an_extracted_report_is_cited_and_supported(hub_of: Callable[..., Hub]) -> None:
    for question in (BOTH, TWO_HOPS, DISPUTED):
        final = final_of(await asked(hub_of(), question))
        assert (final["citation_coverage"], final["citation_precision"], final["citation_support"]) == (1.0, 1.0, 1.0)


async def test_headings_and_remarks_have_no_verdict(hub_of: Callable[..., Hub]) -> None:
    events = await asked(hub_of(), HALF)
    assert final_of(events)["answer"].count("*Not found") == 1
    assert not [p for p in payloads(events, "partial_answer") if p["text"].startswith(("#", "*"))]


async def test_what_the_first_passages_name_is_searched_for(hub_of: Callable[..., Hub]) -> None:
    events = await asked(hub_of(), TWO_HOPS)
    assert "Tarn" in final_of(events)["answer"]
    assert payloads(events, "pipeline_metric")[0]["searches"] > 1


async def test_a_part_without_evidence_is_said_not_to_be_found(hub_of: Callable[..., Hub]) -> None:
    final = final_of(await asked(hub_of(), HALF))
    assert "eight crowns" in final["answer"]
    assert "Not found in the documents" in final["answer"]
    assert "Zanzibar" in final["answer"].split("Not found in the documents")[1]


async def test_it_refuses_where_no_branch_has_evidence(hub_of: Callable[..., Hub]) -> None:
    events = await asked(hub_of(), NOWHERE)
    assert final_of(events)["outcome"] == "fallback"
    assert "token" not in kinds(events)
    assert payloads(events, "gate_decision")[-1]["verdict"] == "fallback"


async def test_both_sides_of_a_disagreement_are_told_with_their_dates(hub_of: Callable[..., Hub]) -> None:
    answer = final_of(await asked(hub_of(), DISPUTED))["answer"]
    section = answer.split("## Where the sources disagree")[1]
    for side in ("45 crowns", "60 crowns", "3 May 2021", "9 June 2024", "the newer one", "the older one"):
        assert side in section


async def test_a_question_that_one_search_answers_takes_the_short_way(hub_of: Callable[..., Hub]) -> None:
    events = await asked(hub_of(), "When does the Quillon bakery open in the morning?")
    assert "researching" not in {p["stage"] for p in payloads(events, "status_update")}
    assert final_of(events)["outcome"] == "answered"


async def test_sources_come_before_the_report_and_name_their_branch(hub_of: Callable[..., Hub]) -> None:
    events = await asked(hub_of(), BOTH)
    order = kinds(events)
    sources = payloads(events, "source")
    assert max(at for at, kind in enumerate(order) if kind == "source") < order.index("token")
    assert {s["wave"] for s in sources if s.get("branch") is None} == {1}
    assert all(s["wave"] > 1 for s in sources if s.get("branch"))


async def test_thoughts_are_told_unless_they_are_not_wanted(hub_of: Callable[..., Hub]) -> None:
    assert payloads(await asked(hub_of(), BOTH), "thinking")
    assert not payloads(await asked(hub_of(), BOTH, include_thinking=False), "thinking")


async def test_without_sources_the_report_is_the_same(hub_of: Callable[..., Hub]) -> None:
    shown, bare = await asked(hub_of(), BOTH), await asked(hub_of(), BOTH, include_sources=False)
    assert said(shown) == said(bare)
    assert not payloads(bare, "source")


# The gate


async def test_evidence_for_something_an_irrelevant_passage_names_opens_nothing(hub_of: Callable[..., Hub]) -> None:
    follow_up = Asked(says(["Greta Holm born"]), says([]))
    events = await asked(hub_of(follow_up=follow_up), "Who painted the Timbuktu ceiling?")
    assert final_of(events)["outcome"] == "fallback"


async def test_parts_the_model_finds_no_answer_for_open_nothing(hub_of: Callable[..., Hub]) -> None:
    endless = (says([f"search number {at}"]) for at in range(100))
    events = await asked(hub_of(follow_up=Asked(*endless)), BOTH)
    assert final_of(events)["outcome"] == "fallback"
    assert "the model finds no answer" in " ".join(payloads(events, "gate_decision")[-1]["reasons"])


async def test_under_full_slow_path_no_source_is_shown_before_the_gate_opens(hub_of: Callable[..., Hub]) -> None:
    events = await asked(hub_of(), BOTH, domain="underwriting")
    order = kinds(events)
    assert final_of(events)["outcome"] == "answered"
    assert order.index("gate_decision") < order.index("source") < order.index("token")
    assert "thinking" not in order[: order.index("gate_decision")] or not any(
        "“" in p["text"] for p in payloads(events[: order.index("gate_decision")], "thinking")
    )


async def test_a_check_that_fails_closes_the_gate_where_it_has_to_pass(hub_of: Callable[..., Hub]) -> None:
    strict = await asked(hub_of(safety=Asked(fails)), BOTH, domain="underwriting")
    assert final_of(strict)["outcome"] == "fallback"
    assert not {"source", "token"} & set(kinds(strict))
    usual = final_of(await asked(hub_of(safety=Asked(fails)), BOTH))
    assert (usual["outcome"], usual["safety_pass"]) == ("answered", False)


async def test_a_plan_about_something_else_opens_nothing(hub_of: Callable[..., Hub]) -> None:
    planner = Asked(says(["Who built the lighthouse of Aldermoor?", "When does the Quillon bakery open?"]))
    events = await asked(hub_of(planner=planner), NOWHERE)
    assert final_of(events)["outcome"] == "fallback"


@pytest.mark.parametrize(("domain", "outcome"), [("closed", "blocked"), ("rate_quotes", "review")])
async def test_what_a_rule_or_a_person_answers_is_not_researched(
    domain: str, outcome: str, hub_of: Callable[..., Hub]
) -> None:
    events = await asked(hub_of(planner=Asked(fails)), BOTH, domain=domain)
    assert final_of(events)["outcome"] == outcome
    assert not {"source", "token", "thinking"} & set(kinds(events))


async def test_a_plan_in_a_models_words_is_not_shown_before_the_gate_is_open(hub_of: Callable[..., Hub]) -> None:
    ferry = f"What does a ticket for the ferry to Aldermoor cost, {MARK}?"
    planner = Asked(says([ferry, f"When does the Quillon bakery open, {MARK}?"]))
    events = await asked(hub_of(planner=planner), BOTH)
    opened = kinds(events).index("gate_decision")
    assert MARK not in json.dumps(events[:opened])
    assert MARK in json.dumps(events[opened:])
    refused = await asked(hub_of(planner=Asked(says([f"{MARK} one?", f"{MARK} two?"]))), NOWHERE)
    assert final_of(refused)["outcome"] == "fallback"
    assert MARK not in json.dumps(refused)


# Models that fail


async def test_a_planner_that_fails_is_replaced_by_rules(hub_of: Callable[..., Hub]) -> None:
    events = await asked(hub_of(planner=Asked(fails)), BOTH)
    assert [p["code"] for p in payloads(events, "error")] == ["planner_failed"]
    assert final_of(events)["answer"].count("## ") == 2
    assert "secret" not in json.dumps(events)


async def test_a_planner_that_stalls_is_not_waited_for(hub_of: Callable[..., Hub], hold: Hold) -> None:
    events = await asked(hub_of(planner=Asked(hold.wait), limits=Limits(plan_seconds=0.05)), BOTH)
    assert [p["code"] for p in payloads(events, "error")] == ["planner_failed"]
    assert final_of(events)["outcome"] == "answered"


async def test_a_branch_that_stalls_leaves_the_others_their_evidence(
    hub_of: Callable[..., Hub], island: Library, hold: Hold
) -> None:
    library = Searching(island, hold.wait, lambda text, wide: "bakery" in text and "ferry" not in text)
    events = await asked(hub_of(library=library, limits=Limits(branch_seconds=0.3)), BOTH)
    assert [p["code"] for p in payloads(events, "error")] == ["branch_timeout"]
    final = final_of(events)
    assert "eight crowns" in final["answer"]
    assert final["outcome"] == "answered"


async def test_a_branch_that_fails_leaves_the_others_their_evidence(
    hub_of: Callable[..., Hub], island: Library
) -> None:
    library = Searching(island, fails, lambda text, wide: "bakery" in text and "ferry" not in text)
    events = await asked(hub_of(library=library), BOTH)
    assert [p["code"] for p in payloads(events, "error")] == ["branch_failed"]
    assert "eight crowns" in final_of(events)["answer"]
    assert "secret" not in json.dumps(events)


async def test_a_model_that_never_has_enough_is_asked_in_four_rounds_at_most(hub_of: Callable[..., Hub]) -> None:
    asked_for: list[str] = []

    class Endless:
        async def ainvoke(self, given: Any, config: Any = None) -> list[str]:
            asked_for.append(given["question"])
            return [f"ferry ticket {len(asked_for)}", "ferry ticket"]

    await asked(
        hub_of(planner=Asked(says(["What does the ferry cost?", "When does it leave?"])), follow_up=Endless()), BOTH
    )
    assert 2 <= len(asked_for) <= 2 * 4


async def test_no_branch_searches_for_what_was_searched_for(hub_of: Callable[..., Hub], island: Library) -> None:
    texts: list[str] = []
    library = Searching(island, fails, lambda text, wide: bool(texts.append(text)))  # type: ignore[func-returns-value]
    follow_up = Asked(says(["ferry prices", "ferry prices"]))
    await asked(hub_of(library=library, follow_up=follow_up), BOTH)
    assert len(texts) == len(set(texts))


async def test_a_writer_that_fails_before_its_first_word_is_replaced_by_extraction(
    hub_of: Callable[..., Hub],
) -> None:
    class Broken:
        async def astream(self, given: Any, config: Any = None) -> AsyncIterator[str]:
            raise OSError("sk-secret")
            yield ""

    hub = hub_of(writer=Broken(), limits=Limits(attempts=1))
    events = await asked(hub, BOTH)
    assert [p["code"] for p in payloads(events, "error")] == ["model_unavailable"]
    assert "eight crowns" in final_of(events)["answer"]
    assert "secret" not in json.dumps(events)


async def test_a_report_that_says_what_no_source_says_is_put_right(hub_of: Callable[..., Hub]) -> None:
    truth = "A ticket for the ferry costs eight crowns."
    false = ("Purple dolphins pay for the golden roof.", truth)
    events = await asked(hub_of(writer=writer((truth, truth), false)), BOTH)
    final = final_of(events)
    assert "dolphins" in said(events)
    assert "dolphins" not in final["answer"]
    assert truth[:-1] in final["answer"]


async def test_a_report_may_cite_nothing_that_is_not_in_the_ledger(hub_of: Callable[..., Hub]) -> None:
    class Inventive(ScriptedModel):
        pass

    truth = "A ticket for the ferry costs eight crowns."
    events = await asked(hub_of(writer=writer((truth, truth))), BOTH)
    shown = {s["source_id"] for s in payloads(events, "source")}
    assert {c["source_id"] for c in final_of(events)["citations"]} <= shown


# Budgets


def spent(events: list[Envelope], name: str) -> list[float]:
    return [p["budget"][name]["spent"] for p in payloads(events, "status_update") if "budget" in p]


async def test_what_is_spent_is_streamed_and_never_goes_back(hub_of: Callable[..., Hub]) -> None:
    events = await asked(hub_of(), BOTH)
    for name in ("seconds", "model_calls", "tokens", "sources"):
        assert spent(events, name) == sorted(spent(events, name))
    assert spent(events, "sources")[-1] == len(payloads(events, "source"))
    assert spent(events, "model_calls")[-1] == 1


async def test_no_more_sources_are_shown_than_the_budget_has(hub_of: Callable[..., Hub]) -> None:
    for most in (1, 2, 3):
        events = await asked(hub_of(), BOTH, budget={"sources": most})
        assert len(payloads(events, "source")) <= most
        text = final_of(events)["answer"]
        assert f"{most} source{'s' * (most > 1)}" in text
        assert "cut short" in text


async def test_a_spent_budget_of_model_calls_leaves_one_for_the_report(hub_of: Callable[..., Hub]) -> None:
    planner = Asked(fails)
    events = await asked(hub_of(planner=planner), BOTH, budget={"model_calls": 1})
    final = final_of(events)
    assert final["outcome"] == "answered"
    assert "its budget of 1 model call was spent" in final["answer"]
    assert not payloads(events, "error")


async def test_a_budget_of_seconds_ends_a_search_that_stalls(
    hub_of: Callable[..., Hub], island: Library, hold: Hold
) -> None:
    library = Searching(island, hold.wait, lambda text, wide: "bakery" in text and "ferry" not in text)
    events = await asked(hub_of(library=library), BOTH, budget={"seconds": 0.8})
    final = final_of(events)
    assert "eight crowns" in final["answer"]
    assert "its budget of 0.8 seconds was spent" in final["answer"]


async def test_a_report_ends_where_the_tokens_end(hub_of: Callable[..., Hub]) -> None:
    truth = "A ticket for the ferry costs eight crowns."
    endless = writer(*[(truth, truth)] * 400)
    events = await asked(hub_of(writer=endless), BOTH, budget={"tokens": 1200})
    final = final_of(events)
    assert final["truncated"] is True
    assert "its budget of 1200 tokens was spent" in final["answer"]
    assert spent(events, "tokens")[-1] < 1400


async def test_a_report_that_stalls_ends_with_the_seconds(
    hub_of: Callable[..., Hub], hold: Hold, collaborators: Any
) -> None:
    stalling = Pausing(collaborators.answer, 12, hold)
    events = await asked(hub_of(writer=stalling), BOTH, budget={"seconds": 1})
    final = final_of(events)
    assert final["truncated"] is True
    assert "its budget of 1 seconds was spent" in final["answer"].replace("1 second was", "1 seconds was")


async def test_the_servers_own_budget_holds_where_none_is_given(hub_of: Callable[..., Hub]) -> None:
    hub = hub_of(hub_limits=HubLimits(allowance=Allowance(sources=2)))
    assert len(payloads(await asked(hub, BOTH), "source")) == 2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"budget": {"seconds": 0}}, "budget.seconds"),
        ({"budget": {"seconds": -1}}, "budget.seconds"),
        ({"budget": {"seconds": 0.01}}, "budget.seconds"),
        ({"budget": {"seconds": "soon"}}, "budget.seconds"),
        ({"budget": {"model_calls": 0}}, "budget.model_calls"),
        ({"budget": {"model_calls": 1.5}}, "budget.model_calls"),
        ({"budget": {"tokens": 3}}, "budget.tokens"),
        ({"budget": {"tokens": 10**9}}, "budget.tokens"),
        ({"budget": {"seconds": 9999}}, "budget.seconds"),
        ({"budget": {"seconds": True}}, "budget.seconds"),
        ({"budget": {"sources": -2}}, "budget.sources"),
        ({"budget": {"money": 5}}, "budget.money"),
        ({"budget": [1]}, "budget"),
        ({"budget": {"seconds": 5}, "mode": "fast"}, "budget"),
        ({"mode": "deeper"}, "mode"),
    ],
)
def test_a_budget_that_makes_no_sense_is_refused_by_its_name(
    body: dict[str, Any], field: str, island_server: Live
) -> None:
    answer = httpx.post(f"{island_server.url}/query", json={"query": BOTH, "mode": "deep", **body}, trust_env=False)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_budget_is_told_with_the_answer(hub_of: Callable[..., Hub]) -> None:
    final = final_of(await asked(hub_of(), BOTH, budget={"sources": 2}))
    assert final["stopped_by"] == ["sources"]
    assert final["budget"]["sources"] == {"spent": 2, "limit": 2}
    assert "stopped_by" not in final_of(await asked(hub_of(), BOTH))


async def test_a_writer_that_says_nothing_in_time_is_replaced_by_extraction(
    hub_of: Callable[..., Hub], hold: Hold, collaborators: Any
) -> None:
    events = await asked(hub_of(writer=Pausing(collaborators.answer, 0, hold)), BOTH, budget={"seconds": 1})
    final = final_of(events)
    assert (final["outcome"], final["truncated"]) == ("answered", True)
    assert "eight crowns" in final["answer"]
    assert "its budget of 1 second was spent" in final["answer"]


# Finish now, cancel, resume


@pytest.fixture
def island_server(serve: Callable[..., Live], island: Library) -> Live:
    return serve(library=island, policies=POLICIES)


STAGES: dict[str, Callable[[Library, Hold, Any], dict[str, Any]]] = {
    "plan": lambda library, hold, answer: {"planner": Asked(hold.wait)},
    "retrieve": lambda library, hold, answer: {"library": Searching(library, hold.wait, lambda text, _: text == BOTH)},
    "investigate": lambda library, hold, answer: {
        "library": Searching(library, hold.wait, lambda text, _: text != BOTH)
    },
    "follow up": lambda library, hold, answer: {"follow_up": Asked(hold.wait)},
    "weigh": lambda library, hold, answer: {"safety": Asked(hold.wait)},
    "write, before a token": lambda library, hold, answer: {"writer": Pausing(answer, 0, hold)},
    "write, amid tokens": lambda library, hold, answer: {"writer": Pausing(answer, 3, hold)},
}


@pytest.mark.parametrize("stage", STAGES)
async def test_a_run_cancelled_anywhere_ends_once_and_leaves_nothing_running(
    stage: str, hub_of: Callable[..., Hub], island: Library, hold: Hold, collaborators: Any
) -> None:
    hub = hub_of(**STAGES[stage](island, hold, collaborators.answer))
    before = asyncio.all_tasks()
    run = hub.start(Query(query=BOTH, mode="deep"))
    async with asyncio.timeout(20):
        await hold.reached.wait()
        run.cancel("cancelled by request")
        await hub.finished(run)
    for _ in range(20):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() <= before
    events = told_by(run)
    assert [p["code"] for p in payloads(events, "error")] == ["cancelled"]


async def finished_early(hub: Hub, hold: Hold, question: str) -> dict[str, Any]:
    """What is answered by a run that is told to finish where it is held."""
    run = hub.start(Query(query=question, mode="deep"))
    async with asyncio.timeout(20):
        await hold.reached.wait()
        hub.finish(run.request_id)
        await hub.finished(run)
    return final_of(told_by(run))


@pytest.mark.parametrize("stage", ["plan", "investigate", "follow up"])
async def test_finish_now_writes_from_what_is_there(
    stage: str, hub_of: Callable[..., Hub], island: Library, hold: Hold, collaborators: Any
) -> None:
    hub = hub_of(**STAGES[stage](island, hold, collaborators.answer))
    final = await finished_early(hub, hold, BOTH)
    assert final["outcome"] == "answered"
    assert "Written early, as you asked." in final["answer"]


async def test_finish_now_with_nothing_found_is_a_refusal_that_says_so(
    hub_of: Callable[..., Hub], island: Library, hold: Hold
) -> None:
    hub = hub_of(library=Searching(island, hold.wait, lambda text, _: text != NOWHERE))
    final = await finished_early(hub, hold, NOWHERE)
    assert final["outcome"] == "fallback"
    assert "Written early" in final["answer"]


async def test_a_refusal_claims_no_search_that_was_not_made(
    hub_of: Callable[..., Hub], island: Library, hold: Hold
) -> None:
    question = "Who composed the anthem of Zanzibar, and when was the observatory of Quito opened?"
    hub = hub_of(library=Searching(island, hold.wait, lambda text, _: text != question))
    final = await finished_early(hub, hold, question)
    assert final["outcome"] == "fallback"
    assert "for a part of this only" in final["answer"]
    assert "Not looked into: “Who composed the anthem of Zanzibar?”" in final["answer"]
    assert "nothing about" not in final["answer"]


def test_only_deep_research_can_be_told_to_finish(island_server: Live) -> None:
    with httpx.Client(base_url=island_server.url, trust_env=False) as client:
        fast = client.post("/query", json={"query": BOTH, "stream": False}).json()["request_id"]
        deep = client.post("/query", json={"query": BOTH, "mode": "deep", "stream": False}).json()["request_id"]
        assert client.post(f"/runs/{fast}/finish").json()["code"] == "not_deep"
        assert client.post(f"/runs/{fast}/finish").status_code == 409
        assert client.post(f"/runs/{deep}/finish").status_code == 202
        assert client.post("/runs/nobody/finish").status_code == 404


def test_a_deep_stream_is_resumed_to_the_byte(island_server: Live) -> None:
    with httpx.Client(base_url=island_server.url, trust_env=False) as client:
        body = client.post("/query", json={"query": BOTH, "mode": "deep"}).text
        events = envelopes(body)
        check_grammar(events)
        request_id, last = events[0]["request_id"], len(events)
        assert end_of(body)["outcome"] == "answered"
        for after in (0, 1, last // 2, last - 1):
            again = client.get(f"/runs/{request_id}/events", headers={"Last-Event-ID": f"{request_id}:{after}"}).text
            assert envelopes(again) == events[after:]
        assert client.get(f"/runs/{request_id}/events?after={last}").status_code == 204


def test_a_browser_may_ask_with_a_budget(island_server: Live) -> None:
    asked = {"query": BOTH, "mode": "deep", "budget": json.dumps({"sources": 2}), "include_thinking": "false"}
    events = envelopes(httpx.get(f"{island_server.url}/query", params=asked, trust_env=False).text)
    assert len(payloads(events, "source")) == 2
    assert not payloads(events, "thinking")


async def test_something_is_said_every_two_seconds_while_a_branch_is_silent(
    hub_of: Callable[..., Hub], island: Library, hold: Hold
) -> None:
    hub = hub_of(follow_up=Asked(hold.wait))
    run = hub.start(Query(query=BOTH, mode="deep"))
    async with asyncio.timeout(20):
        await hold.reached.wait()
        said_then = len(run.log)
        async for batch in run.log.follow(said_then):
            assert all(entry.event.event_type == "status_update" for entry in batch)
            break
        hold.release()
        run.cancel("over")
        await hub.finished(run)


async def test_the_order_of_a_reranker_does_not_matter_to_the_ledger(hub_of: Callable[..., Hub]) -> None:
    hub = hub_of(reranker=Scoring(lambda count: [0.0] * count))
    assert final_of(await asked(hub, BOTH))["sources"]
