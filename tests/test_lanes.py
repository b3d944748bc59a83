"""The two lanes: what a reader waits for goes first, and every run makes way when nobody waits for it any more."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import pytest

from graph.context import Limits
from graph.hub import Hub
from graph.lanes import Lanes
from graph.policy import BUILT_IN, Rule
from graph.query import Query
from graph.run import Run
from tests.support.faults import Asked, Hold, Pausing, Searching, fails

QUESTION = "Who built the Aldermoor lighthouse?"
NEVER = 3600.0
"""A patience that outlasts every test."""


@pytest.fixture
async def hold() -> AsyncIterator[Hold]:
    """Whatever waits in it goes on when the test is over."""
    hold = Hold()
    yield hold
    hold.release()


async def settled() -> None:
    """Let everything that is ready go on."""
    for _ in range(20):
        await asyncio.sleep(0)


class Worker:
    """Somebody who works in the slow lane until told to stop."""

    def __init__(self, lanes: Lanes) -> None:
        self.works = False
        self.stop = asyncio.Event()
        self.task = asyncio.ensure_future(self._work(lanes))

    async def _work(self, lanes: Lanes) -> None:
        async with lanes.slow():
            self.works = True
            await self.stop.wait()

    async def ended(self) -> None:
        self.stop.set()
        await self.task


async def works_at_once(lanes: Lanes) -> bool:
    """Whether the slow lane waits for nothing."""
    worker = Worker(lanes)
    await settled()
    worker.task.cancel()
    with suppress(asyncio.CancelledError):
        await worker.task
    return worker.works


async def test_the_slow_lane_takes_few_at_once() -> None:
    lanes = Lanes(slow_at_once=2, patience=NEVER)
    workers = [Worker(lanes) for _ in range(4)]
    await settled()
    assert [worker.works for worker in workers] == [True, True, False, False]
    await workers[1].ended()
    await settled()
    assert [worker.works for worker in workers] == [True, True, True, False]
    for worker in workers:
        await worker.ended()


async def test_the_slow_lane_waits_until_nobody_waits_for_a_first_token() -> None:
    lanes = Lanes(patience=NEVER)
    leave_first, leave_second = lanes.enter(), lanes.enter()
    worker = Worker(lanes)
    await settled()
    assert not worker.works
    leave_first()
    await settled()
    assert not worker.works
    leave_second()
    await settled()
    assert worker.works
    await worker.ended()


async def test_who_works_already_is_not_stopped_by_who_comes() -> None:
    lanes = Lanes(patience=NEVER)
    worker = Worker(lanes)
    await settled()
    leave = lanes.enter()
    await settled()
    assert worker.works
    assert not worker.task.done()
    leave()
    await worker.ended()


async def test_traffic_that_never_ends_is_let_pass_only_for_a_while() -> None:
    lanes = Lanes(patience=0.05)
    lanes.enter()
    async with asyncio.timeout(5), lanes.slow():
        pass


async def test_leaving_twice_does_not_make_way_for_another() -> None:
    lanes = Lanes(patience=NEVER)
    leave, leave_other = lanes.enter(), lanes.enter()
    leave()
    leave()
    assert not await works_at_once(lanes)
    leave_other()
    assert await works_at_once(lanes)
    lanes.enter()
    leave()
    leave_other()
    assert not await works_at_once(lanes)


@pytest.mark.parametrize("busy", [True, False], ids=["while it waits", "while it works"])
async def test_whoever_is_cancelled_frees_the_place(busy: bool) -> None:
    lanes = Lanes(slow_at_once=1, patience=NEVER)
    leave = lanes.enter() if busy else lambda: None
    worker = Worker(lanes)
    await settled()
    assert worker.works is not busy
    worker.task.cancel()
    await asyncio.wait({worker.task})
    leave()
    assert await works_at_once(lanes)


async def test_whoever_fails_frees_the_place() -> None:
    lanes = Lanes(slow_at_once=1, patience=NEVER)
    with pytest.raises(OSError, match="disk"):
        async with lanes.slow():
            fails()
    assert await works_at_once(lanes)


class _Fails:
    """A model that is not there."""

    async def astream(self, given: Any, config: Any = None) -> AsyncIterator[str]:
        raise ConnectionRefusedError
        yield ""


CLOSED = BUILT_IN["general"].model_copy(update={"rules": (Rule(name="no", pattern="Aldermoor", action="deny"),)})
ENDINGS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "answered": ({}, {}, "answered"),
    "fallback": ({}, {"query": "Who won the Zanzibar regatta in 1997?"}, "fallback"),
    "blocked": ({"policies": {**BUILT_IN, "general": CLOSED}}, {}, "blocked"),
    "model failure": ({"answer": _Fails(), "limits": Limits(attempts=1)}, {}, "error"),
}


def started(hub: Hub, lanes: Lanes, **query: Any) -> Run:
    """A run of a hub, in lanes that the test knows."""
    hub._lanes = lanes
    return hub.start(Query(**{"query": QUESTION, **query}))


@pytest.mark.parametrize("ending", ENDINGS)
async def test_a_run_has_left_the_fast_lane_however_it_ended(ending: str, make_hub: Callable[..., Hub]) -> None:
    parts, query, outcome = ENDINGS[ending]
    lanes = Lanes(patience=NEVER)
    hub = make_hub(**parts)
    run = started(hub, lanes, **query)
    async with asyncio.timeout(20):
        await hub.finished(run)
    assert run.outcome == outcome
    assert await works_at_once(lanes)


async def test_a_run_has_left_the_fast_lane_when_a_bug_ends_it(make_hub: Callable[..., Hub]) -> None:
    lanes = Lanes(patience=NEVER)
    hub = make_hub(library=Searching(make_hub().collaborators.library, fails, lambda *_: True))
    run = started(hub, lanes)
    await hub.finished(run)
    assert (run.state, run.outcome) == ("failed", "error")
    assert await works_at_once(lanes)


@pytest.mark.parametrize("early", [True, False], ids=["before its first step", "before its first token"])
async def test_a_run_has_left_the_fast_lane_when_it_is_cancelled(
    early: bool, make_hub: Callable[..., Hub], hold: Hold
) -> None:
    lanes = Lanes(patience=NEVER)
    hub = make_hub(answer=Pausing(make_hub().collaborators.answer, 0, hold))
    run = started(hub, lanes)
    if not early:
        await hold.reached.wait()
    run.cancel("cancelled by request")
    await hub.finished(run)
    await settled()
    assert run.state == "cancelled"
    assert await works_at_once(lanes)


async def test_a_run_leaves_the_fast_lane_with_its_first_token_and_not_before(
    make_hub: Callable[..., Hub], hold: Hold
) -> None:
    lanes, answer = Lanes(patience=NEVER), make_hub().collaborators.answer
    hub = make_hub(answer=Pausing(answer, 0, hold))
    run = started(hub, lanes)
    await hold.reached.wait()
    assert not await works_at_once(lanes)
    hold.release()
    await hub.finished(run)
    amid = Hold()
    hub = make_hub(answer=Pausing(answer, 1, amid))
    run = started(hub, lanes)
    await amid.reached.wait()
    assert await works_at_once(lanes)
    amid.release()
    await hub.finished(run)
    assert run.outcome == "answered"


async def test_the_slow_path_of_one_run_waits_for_the_first_token_of_another(
    make_hub: Callable[..., Hub], hold: Hold
) -> None:
    lanes, collaborators = Lanes(patience=NEVER), make_hub().collaborators
    searched: list[str] = []

    async def deeper() -> Any:
        searched.append("wide")
        fails()

    held = make_hub(answer=Pausing(collaborators.answer, 0, hold))
    other = started(held, lanes)
    await hold.reached.wait()
    hub = make_hub(library=Searching(collaborators.library, deeper), rewrite=Asked(lambda: QUESTION))
    run = started(hub, lanes)
    async for batch in hub.follow(run):
        if any(entry.event.event_type == "partial_answer" for entry in batch):
            break
    await settled()
    assert searched == []
    hold.release()
    await asyncio.gather(held.finished(other), hub.finished(run))
    assert searched == ["wide"]


async def test_bulky_work_of_all_runs_goes_two_at_a_time_and_lets_a_question_pass_between_slices() -> None:
    lanes = Lanes(patience=5.0)
    order: list[str] = []
    under_way = most = 0

    async def work(name: str) -> None:
        nonlocal under_way, most
        async with lanes.bulky() as bulk:
            under_way += 1
            most = max(most, under_way)
            await bulk.slice(order.append, name)
            leave = lanes.enter()
            asyncio.get_running_loop().call_soon(lambda: (order.append("question"), leave()))
            await bulk.slice(order.append, name)
            under_way -= 1

    await asyncio.gather(*(work(name) for name in "abcd"))
    assert most == 2
    for name in "abcd":
        first, last = (at for at, said in enumerate(order) if said == name)
        assert "question" in order[first:last]
