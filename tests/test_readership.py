"""Whether askers stayed for their answers, over real sockets, and how the last runs stand against the targets."""

import asyncio
import logging
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from chains.answer import answer_chain
from evaluation.corrections import Sentence
from evaluation.scripted import ScriptedModel
from graph.hub import Hub, HubLimits
from graph.query import Query
from graph.readership import Reading
from graph.run import Run
from server.standing import LastRuns
from tests.support.scenes import Scene
from tests.support.scripted import saying
from tests.support.surfaces import hub_of
from tests.support.upstream import Reply

QUESTION = "Who built the Aldermoor lighthouse?"
GOOD = "The lighthouse was built in 1874 by the engineer Greta Holm [1.1]."
BABBLE = f"{GOOD} Dolphins funded its purple roof [1.1]."
SHORT = HubLimits(reconnect_grace=0.05)
LONG = HubLimits(reconnect_grace=20.0)

Readings = SimpleQueue[Reading]


def readings(scene: Scene) -> Readings:
    """The readings that are decided from now on."""
    decided: Readings = SimpleQueue()
    hub_of(scene.caller.server).readership.watch(lambda run, reading: decided.put(reading))
    return decided


def leave_after(scene: Scene, mark: str, **body: Any) -> str:
    """Ask, read until a piece of the stream holds the mark, break the connection; the run's id."""
    with scene.caller.http.stream("POST", "/query", json={"query": QUESTION} | body) as response:
        got = ""
        for text in response.iter_text():
            got += text
            if mark in got:
                break
        return response.headers["x-request-id"]


def samples(scene: Scene) -> dict[str, float]:
    """What `/metrics` says of the last runs and of readings."""
    text = scene.caller.get("/metrics").text
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[f"{sample.name}{''.join(f' {value}' for value in sample.labels.values())}"] = sample.value
    return found


def test_who_reads_to_the_end_has_not_left_on_any_route(stage: Callable[..., Scene]) -> None:
    scene = stage(saying(answer=GOOD), hub_limits=SHORT)
    decided = readings(scene)
    scene.caller.post("/query", {"query": QUESTION})
    scene.caller.post("/query", {"query": QUESTION, "stream": False})
    scene.caller.post("/rag/invoke", {"input": {"query": QUESTION}})
    scene.caller.post("/rag/stream", {"input": {"query": QUESTION}})
    assert [decided.get(timeout=10) for _ in range(4)] == ["whole"] * 4


def test_who_leaves_before_the_first_token_is_told_from_who_leaves_before_the_final_answer(
    stage: Callable[..., Scene],
) -> None:
    scene = stage(saying(answer=Reply(pieces=(), hang=True)), hub_limits=SHORT)
    decided = readings(scene)
    before = samples(scene)
    leave_after(scene, '"drafting"')
    assert decided.get(timeout=10) == "left_before_first_token"
    scene.rehearse(saying(answer=Reply(GOOD, hang=True)))
    leave_after(scene, '"token"')
    assert decided.get(timeout=10) == "left_before_final_answer"
    after = samples(scene)
    for reading in ("left_before_first_token", "left_before_final_answer"):
        name = f"groundswell_readings_total {reading}"
        assert after[name] == before.get(name, 0) + 1
    assert after["groundswell_last_runs_value abandonment"] > 0


def test_who_waited_for_json_and_left_has_left(stage: Callable[..., Scene]) -> None:
    scene = stage(saying(answer=Reply(pieces=(), hang=True)), hub_limits=SHORT)
    decided = readings(scene)
    with pytest.raises(httpx.ReadTimeout):
        scene.caller.http.post("/query", json={"query": QUESTION, "stream": False}, timeout=0.5)
    assert decided.get(timeout=10) == "left_before_first_token"


def test_who_comes_back_within_the_grace_has_not_left(stage: Callable[..., Scene]) -> None:
    go_on = asyncio.Event()
    scene = stage(saying(answer=Reply(GOOD, wait_for=go_on)), hub_limits=LONG)
    decided = readings(scene)
    request_id = leave_after(scene, '"drafting"')
    scene.provider.loop.call_soon_threadsafe(go_on.set)
    scene.caller.get(f"/runs/{request_id}/events")
    assert decided.get(timeout=10) == "whole"


def test_who_comes_back_when_the_run_is_over_has_not_left_either(stage: Callable[..., Scene]) -> None:
    go_on = asyncio.Event()
    scene = stage(saying(answer=Reply(GOOD, wait_for=go_on)), hub_limits=HubLimits(reconnect_grace=21.0))
    ended: SimpleQueue[Run] = SimpleQueue()
    hub_of(scene.caller.server).watch(ended.put)
    decided = readings(scene)
    request_id = leave_after(scene, '"drafting"')
    run = hub_of(scene.caller.server).get(request_id)
    scene.caller.server.call(_left(run))
    scene.provider.loop.call_soon_threadsafe(go_on.set)
    assert ended.get(timeout=10) is run
    assert decided.empty()
    assert scene.caller.get(f"/runs/{request_id}").json()["final_answer"]["outcome"] == "answered"
    assert decided.get(timeout=10) == "whole"


def test_a_run_that_is_to_go_on_unread_and_one_that_is_stopped_are_no_abandonment(stage: Callable[..., Scene]) -> None:
    go_on = asyncio.Event()
    scene = stage(saying(answer=Reply(GOOD, wait_for=go_on)), hub_limits=SHORT)
    decided = readings(scene)
    share = "groundswell_last_runs_runs abandonment"
    before = samples(scene)[share]
    leave_after(scene, '"drafting"', on_disconnect="continue")
    scene.provider.loop.call_soon_threadsafe(go_on.set)
    assert decided.get(timeout=10) == "continued"
    scene.rehearse(saying(answer=Reply(pieces=(), hang=True)))
    with scene.caller.http.stream("POST", "/query", json={"query": QUESTION}) as response:
        request_id = response.headers["x-request-id"]
        httpx.post(f"{scene.caller.server.url}/runs/{request_id}/cancel", trust_env=False)
        response.read()
    assert decided.get(timeout=10) == "cancelled"
    assert samples(scene)[share] == before


def test_a_run_that_ended_before_anybody_returned_is_left(stage: Callable[..., Scene]) -> None:
    go_on = asyncio.Event()
    scene = stage(saying(answer=Reply(GOOD, wait_for=go_on)), hub_limits=HubLimits(reconnect_grace=0.3))
    decided = readings(scene)
    leave_after(scene, '"drafting"')
    scene.provider.loop.call_soon_threadsafe(go_on.set)
    assert decided.get(timeout=10) == "left_before_first_token"


def test_health_and_metrics_show_every_figure_beside_its_target(stage: Callable[..., Scene]) -> None:
    scene = stage(saying(answer=BABBLE, refine=GOOD), hub_limits=HubLimits(reconnect_grace=22.0))
    scene.events(query=QUESTION)
    told = scene.caller.get("/health").json()["targets"]
    shown = samples(scene)
    assert told["refinement"] == {"value": 1.0, "target": "≤ 0.4", "met": None, "runs": 1}
    assert told["retraction"]["target"] is None
    assert told["time_to_first_token_p95_seconds"]["target"] == "≤ 2"
    for name, figure in told.items():
        assert shown[f"groundswell_last_runs_runs {name}"] == figure["runs"]
        assert shown.get(f"groundswell_last_runs_value {name}", 0) == pytest.approx(figure["value"] or 0, abs=1e-3)
    assert f"groundswell_last_runs_met {name}" not in shown, "one run says nothing yet"
    assert shown["groundswell_refinement_triggers_total unsupported"] == 1


async def test_drafts_that_are_changed_too_often_are_warned_of_once(
    make_hub: Callable[..., Hub], caplog: pytest.LogCaptureFixture
) -> None:
    run = await _changed(make_hub)
    last = LastRuns(window=20)
    with caplog.at_level(logging.WARNING, "server.standing"):
        for _ in range(19):
            last.observe(run)
        assert caplog.messages == []
        assert last.standings()["refinement"].met is None
        for _ in range(5):
            last.observe(run)
    assert last.standings()["refinement"].met is False
    assert caplog.messages == ["fast retrieval is weak: 100 % of the last 20 drafts were changed by deeper evidence"]


def test_a_figure_is_over_the_last_runs_alone() -> None:
    last = LastRuns(window=20)
    for _ in range(20):
        last.read("left_before_first_token")
    for _ in range(19):
        last.read("whole")
    assert last.standings()["abandonment"].value == pytest.approx(1 / 20)
    assert last.standings()["abandonment"].met is True
    last.read("cancelled")
    last.read("continued")
    assert last.standings()["abandonment"].runs == 20
    last.read("whole")
    assert last.standings()["abandonment"].value == 0.0


async def _changed(make_hub: Callable[..., Hub]) -> Run:
    """A run whose draft was corrected: what it says second stands nowhere."""
    draft = (
        Sentence(text="The Aldermoor lighthouse was built in 1874 by the engineer Greta Holm."),
        Sentence(text="Dolphins funded its purple roof."),
    )
    hub = make_hub(answer=answer_chain(ScriptedModel(draft=draft)))
    run = hub.start(Query(query=QUESTION))
    await hub.finished(run)
    return run


async def _left(run: Run) -> None:
    while run.readers:  # noqa: ASYNC110 - nothing tells when a reader goes
        await asyncio.sleep(0)
