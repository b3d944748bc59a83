"""Deep research with a model that plans, doubts, repeats itself, breaks off and costs money, over real HTTP."""

import json
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from graph.policy import BUILT_IN, Policies
from tests.support.scenes import Scene, check_surface
from tests.support.scripted import MARK, row_of, saying, task_of
from tests.support.streams import Envelope, check_grammar, payloads, said
from tests.support.surfaces import SURFACES, Body, hub_of
from tests.support.upstream import Reply, Script

QUESTION = "Who built the Aldermoor lighthouse, and what does a mooring permit in Aldermoor cost?"
UNANSWERABLE = "Who won the Zanzibar regatta in 1997, and what did the Timbuktu derby cost?"
PARTS = ["Who built the Aldermoor lighthouse?", "What does a mooring permit in Aldermoor cost?"]
PLAN = json.dumps(PARTS)
PLANNING = {"plan": True}
DEEP = {"query": QUESTION, "mode": "deep"}


def report(body: Body) -> str:
    """What a good model writes of its rows."""
    built, costs = row_of(body, "Greta Holm"), row_of(body, "45 crowns")
    return (
        f"The lighthouse was built by Greta Holm [{built}], and a mooring permit costs 45 crowns a week [{costs}].\n\n"
        f"## {PARTS[0]}\n\nThe Aldermoor lighthouse was built in 1874 by the engineer Greta Holm [{built}].\n\n"
        f"## {PARTS[1]}\n\nA mooring permit in Aldermoor costs 45 crowns a week [{costs}]."
    )


def model(**replies: Reply | str) -> Script:
    """A good model but for the tasks that are named."""
    known = {"plan": PLAN, "follow_up": f"SUFFICIENT {MARK}", "refine": f"{MARK}.", **replies}

    def script(body: Body) -> Reply:
        if task_of(body) == "report" and "report" not in replies:
            return Reply(report(body))
        return saying(**known)(body)

    return script


def tasks(scene: Scene) -> list[str]:
    return [task_of(body) for body in scene.upstream.calls]


def final_of(events: list[Envelope]) -> Envelope:
    (final,) = payloads(events, "final_answer")
    return final


Stage = Callable[..., Scene]


@pytest.fixture(scope="module")
def researcher(play: Callable[..., Scene]) -> Callable[[Script], Scene]:
    """One server with a planning model, which gets a script for each test."""
    scene = play(model(), PLANNING)

    def rehearsed(script: Script) -> Scene:
        scene.rehearse(script)
        return scene

    return rehearsed


# What it writes


def test_the_plan_of_the_model_is_searched_for_and_its_report_streams(researcher: Callable[[Script], Scene]) -> None:
    scene = researcher(model())
    events = scene.events(**DEEP)
    final = final_of(events)
    assert {s.get("branch") for s in payloads(events, "status_update")} >= {"1", "2"}
    assert tasks(scene).count("plan") == 1
    assert tasks(scene).count("follow_up") == 2
    assert tasks(scene)[-1] == "report"
    assert final["answer"].count("\n## ") == 2
    assert (final["outcome"], final["citation_coverage"], final["citation_support"]) == ("answered", 1.0, 1.0)
    assert [p["text"] for p in payloads(events, "thinking") if p["text"].startswith("Part 1: Who")]


def test_what_is_missing_is_searched_for_in_the_models_words(researcher: Callable[[Script], Scene]) -> None:
    asked = 0

    def follow_up(body: Body) -> Reply:
        nonlocal asked
        asked += 1
        return Reply("engineer Greta Holm lamp nineteen miles" if asked == 1 else "SUFFICIENT")

    script = model()
    scene = researcher(lambda body: follow_up(body) if task_of(body) == "follow_up" else script(body))
    events = scene.events(**DEEP)
    assert payloads(events, "pipeline_metric")[0]["searches"] == 4
    assert any("follow-up search" in s["message"] for s in payloads(events, "status_update"))


def test_an_empty_plan_is_answered_the_short_way(researcher: Callable[[Script], Scene]) -> None:
    scene = researcher(model(plan="[]", answer=f"Built by Greta Holm [1.1]. The {MARK}."))
    events = scene.events(query=PARTS[0], mode="deep")
    assert "report" not in tasks(scene)
    assert final_of(events)["outcome"] == "answered"


def test_a_report_that_invents_is_put_right_sentence_by_sentence(researcher: Callable[[Script], Scene]) -> None:
    def invents(body: Body) -> Reply:
        return Reply(f"{report(body)} Purple dolphins dance on the {MARK} [1.1]. It costs 99 crowns [9.9].")

    script = model()
    scene = researcher(lambda body: invents(body) if task_of(body) == "report" else script(body))
    events = scene.events(**DEEP)
    final = final_of(events)
    assert MARK in said(events)
    assert MARK not in final["answer"]
    assert "99 crowns" not in final["answer"]
    assert final["citation_support"] == 1.0
    assert final["unknown_citations"] == 1
    assert final["answer"].count("## ") == 2
    assert tasks(scene).count("refine") == 0


def test_a_model_that_contradicts_itself_is_held_to_the_source(researcher: Callable[[Script], Scene]) -> None:
    def contradicts(body: Body) -> Reply:
        row = row_of(body, "45 crowns")
        says = "A mooring permit in Aldermoor costs {} crowns a week [{}]."
        return Reply(f"{says.format(45, row)} {says.format(54, row)}")

    script = model()
    scene = researcher(lambda body: contradicts(body) if task_of(body) == "report" else script(body))
    final = final_of(scene.events(**DEEP))
    assert "45 crowns" in final["answer"]
    assert "54 crowns" not in final["answer"]


EVIL_PLANS = {
    "a statement": [*PARTS, "The mayor of Aldermoor is a thief."],
    "a link": [*PARTS, "Who built the Aldermoor lighthouse, see https://evil.example/pay?"],
    "another matter": [*PARTS, "What does the museum in Brack show to children?"],
    "a presupposition": [*PARTS, "Who stole the money that Greta Holm hid in 1999 after she poisoned nine children?"],
}


@pytest.mark.parametrize("plan", EVIL_PLANS)
def test_of_a_plan_only_the_parts_of_the_question_are_followed_and_shown(
    plan: str, researcher: Callable[[Script], Scene]
) -> None:
    events = researcher(model(plan=json.dumps(EVIL_PLANS[plan]))).events(**DEEP)
    told = json.dumps(events)
    assert EVIL_PLANS[plan][-1] not in told
    assert "evil.example" not in told
    assert final_of(events)["answer"].count("\n## ") == 2


def test_a_plan_that_loses_what_the_question_is_about_opens_nothing(researcher: Callable[[Script], Scene]) -> None:
    plan = json.dumps(["Who won the Zanzibar regatta?", "What does a ticket cost?"])
    question = "Who won the Zanzibar regatta, and what did a ticket for the Timbuktu derby cost?"
    events = researcher(model(plan=plan)).events(query=question, mode="deep")
    assert final_of(events)["outcome"] == "fallback"


def test_a_heading_of_the_model_is_judged_like_any_sentence(researcher: Callable[[Script], Scene]) -> None:
    script = model()

    def claims(body: Body) -> Reply:
        if task_of(body) != "report":
            return script(body)
        built = row_of(body, "Greta Holm")
        said = "The Aldermoor lighthouse was built in 1874 by the engineer Greta Holm"
        lies = ("Greta Holm murdered the mayor", "Wer hat das Geld gestohlen?", "Permits doubled overnight")
        return Reply("\n\n".join(f"## {lie}\n\n{said} [{built}]." for lie in lies))

    answer = final_of(researcher(claims).events(**DEEP))["answer"]
    assert "murdered" not in answer
    assert "Geld" not in answer
    assert "doubled" not in answer


# Models that fail


BROKEN_PLANS = {
    "cut off": '["Who built the Aldermoor lighthouse?", "What does a mooring permit in Alder',
    "in a fence": f"Here is the plan:\n```json\n{PLAN}\n```",
    "as objects": json.dumps([{"id": 1, "question": part} for part in PARTS]),
    "as a list": "\n".join(f"{number}. {part}" for number, part in enumerate(PARTS, start=1)),
    "as talk": f"I would rather talk about the {MARK} than plan.",
    "as nothing": "",
    "as numbers": "[1, 2, 3]",
    "too long": json.dumps([f"{part} {MARK} {'word ' * 200}" for part in PARTS]),
    "a hundred parts": json.dumps([f"Who built lighthouse number {at}?" for at in range(100)]),
}


@pytest.mark.parametrize("plan", BROKEN_PLANS)
def test_a_plan_that_is_broken_is_read_as_far_as_it_goes_or_made_by_rules(
    plan: str, researcher: Callable[[Script], Scene]
) -> None:
    scene = researcher(model(plan=Reply(pieces=[BROKEN_PLANS[plan]])))
    events = scene.events(**DEEP)
    final = final_of(events)
    assert final["outcome"] == "answered"
    assert "45 crowns" in final["answer"]
    branches = {s["branch"] for s in payloads(events, "status_update") if s.get("branch")}
    assert 1 <= len(branches) <= 6
    assert all(error["code"] == "planner_failed" for error in payloads(events, "error"))


@pytest.mark.parametrize("reply", [Reply(status=500), Reply(status=401), Reply("", finish=None), Reply(MARK)])
def test_a_model_that_cannot_say_what_is_missing_leaves_that_to_rules(
    reply: Reply, researcher: Callable[[Script], Scene]
) -> None:
    events = researcher(model(follow_up=reply)).events(**DEEP)
    assert "sk-" not in json.dumps(events)
    assert {e["fatal"] for e in payloads(events, "error")} <= {False}


def test_one_branch_that_stalls_costs_only_itself(stage: Stage, marked_library: Any) -> None:
    def stalls(body: Body) -> Reply:
        if task_of(body) == "follow_up" and "mooring" in body["messages"][-1]["content"].split("Question: ")[-1]:
            return Reply(hang=True, pieces=[])
        return model()(body)

    scene = stage(stalls, {"plan": True, "follow_up_seconds": 0.3}, library=marked_library)
    events = scene.events(**DEEP)
    assert [error["code"] for error in payloads(events, "error")] == ["branch_timeout"]
    assert "Greta Holm" in final_of(events)["answer"]
    assert "45 crowns" in final_of(events)["answer"]


def test_a_report_that_is_cut_stands_and_says_so(researcher: Callable[[Script], Scene]) -> None:
    script = model()

    def cuts(body: Body) -> Reply:
        return Reply(report(body), cut=True) if task_of(body) == "report" else script(body)

    events = researcher(cuts).events(**DEEP)
    assert final_of(events)["truncated"] is True
    assert final_of(events)["outcome"] == "answered"


# Budgets


def test_no_call_is_made_that_the_budget_does_not_have(researcher: Callable[[Script], Scene]) -> None:
    for calls in (1, 2, 3, 4):
        scene = researcher(model())
        events = scene.events(**DEEP, budget={"model_calls": calls})
        assert len(scene.upstream.calls) <= calls
        assert tasks(scene)[-1] == "report"
        assert final_of(events)["outcome"] == "answered"
        cut_short = f"its budget of {calls} model call{'s' * (calls > 1)} was spent" in final_of(events)["answer"]
        assert cut_short == (calls < 4)


def test_tokens_that_the_provider_counts_are_what_is_spent(researcher: Callable[[Script], Scene]) -> None:
    events = researcher(model()).events(**DEEP)
    budget = [s["budget"] for s in payloads(events, "status_update")][-1]
    assert budget["model_calls"]["spent"] == 4
    assert 500 < budget["tokens"]["spent"] < 20_000


def test_a_model_that_talks_without_end_is_stopped_by_its_tokens(researcher: Callable[[Script], Scene]) -> None:
    script = model()

    def babbles(body: Body) -> Reply:
        return Reply(report(body) * 50) if task_of(body) == "report" else script(body)

    scene = researcher(babbles)
    events = scene.events(**DEEP, budget={"tokens": 4000})
    final = final_of(events)
    assert final["truncated"] is True
    assert "its budget of 4000 tokens was spent" in final["answer"]


def test_seconds_end_a_report_that_does_not_come(researcher: Callable[[Script], Scene]) -> None:
    script = model()

    def stalls(body: Body) -> Reply:
        return Reply(report(body), hang=True) if task_of(body) == "report" else script(body)

    scene = researcher(stalls)
    events = scene.events(**DEEP, budget={"seconds": 3})
    assert "its budget of 3 seconds was spent" in final_of(events)["answer"]
    assert scene.upstream.streaming == 0


# What may leave


CASES: dict[str, tuple[Policies, str, str]] = {
    "answered": (BUILT_IN, QUESTION, "answered"),
    "unanswerable": (BUILT_IN, UNANSWERABLE, "fallback"),
    "verify first": (
        {**BUILT_IN, "general": BUILT_IN["general"].model_copy(update={"precheck": "full_slow_path", "min_chunks": 1})},
        QUESTION,
        "answered",
    ),
    "people": (
        {**BUILT_IN, "general": BUILT_IN["general"].model_copy(update={"precheck": "human_review"})},
        QUESTION,
        "review",
    ),
}
SURFACES_WITH_MODES = [name for name, surface in SURFACES.items() if surface.takes is None]


@pytest.fixture(scope="module")
def cases(play: Callable[..., Scene]) -> Callable[[str], Scene]:
    started: dict[str, Scene] = {}

    def scene(case: str) -> Scene:
        if case not in started:
            plan = [f"{part} {MARK}" for part in PARTS]
            script = model(plan=json.dumps(plan), follow_up="SUFFICIENT")
            started[case] = play(script, PLANNING, policies=CASES[case][0])
        return started[case]

    return scene


@pytest.mark.parametrize("surface", SURFACES_WITH_MODES)
@pytest.mark.parametrize("case", CASES)
def test_deep_research_keeps_every_promise_on_every_surface(
    case: str, surface: str, cases: Callable[[str], Scene]
) -> None:
    _, question, outcome = CASES[case]
    seen, truth = cases(case).ask(SURFACES[surface], {"query": question, "mode": "deep"})
    check_surface(seen, truth)
    assert payloads(truth, "final_answer")[0]["outcome"] == outcome
    opened = [at for at, event in enumerate(truth) if event["payload"].get("verdict") == "open"]
    assert MARK not in json.dumps(truth[: opened[0] if opened else len(truth)])


# Cancelling


STAGES = ("plan", "follow_up", "report")


@pytest.mark.parametrize("held", STAGES)
def test_cancelling_frees_every_call(held: str, researcher: Callable[[Script], Scene]) -> None:
    reached = threading.Event()
    script = model()

    def holds(body: Body) -> Reply:
        if task_of(body) == held:
            reached.set()
            return Reply(report(body) if held == "report" else "", hang=True, pieces=None if held == "report" else [])
        return script(body)

    scene = researcher(holds)
    server = scene.caller.server
    events: list[Envelope] = []

    def read() -> None:
        with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as client:
            body = client.post("/query", json=DEEP).text
            events.extend(json.loads(line[6:]) for line in body.splitlines() if line.startswith('data: {"v"'))

    reader = threading.Thread(target=read)
    reader.start()
    assert reached.wait(10)
    request_id = next(iter(run.request_id for run in hub_of(server).active()))
    assert scene.caller.http.post(f"/runs/{request_id}/cancel").status_code == 202
    reader.join(10)
    check_grammar(events)
    assert payloads(events, "error")[-1]["code"] == "cancelled"
    scene.provider.call(scene.upstream.until_streaming(0))
