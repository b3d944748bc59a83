"""The graphs as LangGraph's development server calls them: with a dict, a thread and a checkpointer of its own."""

import asyncio
import importlib
import inspect
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from pydantic import ValidationError

from graph.context import Collaborators
from server import studio
from server.lock import DataLock
from server.sittings import Lost, Sittings, Stopwatch
from server.studio import BoundGraph, Join, graphs
from tests.conftest import REPOSITORY

COST = "What does a mooring permit in Aldermoor cost?"
OVEN = "How hot is the oven for sourdough?"
UNKNOWN = "Who is the emperor of Velm?"
BOTH = "What does a mooring permit in Aldermoor cost and how hot is the oven for sourdough?"


@pytest.fixture
def sittings(collaborators: Collaborators) -> Sittings:
    return Sittings(collaborators=collaborators)


@pytest.fixture
def fast(sittings: Sittings) -> BoundGraph:
    return graphs(sittings)[0].copy(update={"checkpointer": InMemorySaver()})


@pytest.fixture
def deep(sittings: Sittings) -> BoundGraph:
    return graphs(sittings)[1].copy(update={"checkpointer": InMemorySaver()})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The data folder of the settings, which nobody holds before and after."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GROUNDSWELL_DATA_DIR", str(tmp_path / "data"))
    studio._opened.cache_clear()
    yield tmp_path / "data"
    if studio._opened.cache_info().currsize:
        opened = studio._opened()[0].sittings
        opened.collaborators.library.close()
        assert opened.lock is not None
        opened.lock.release()
    studio._opened.cache_clear()


def on(thread: str) -> RunnableConfig:
    return {"configurable": {"thread_id": thread}}


async def follow(graph: BoundGraph, given: Any, thread: str, before: Sequence[str] = ()) -> list[Any]:
    """One call, as the server makes it; the events of the run."""
    return [
        event
        async for mode, event in graph.astream(
            given, on(thread), stream_mode=["debug", "updates", "custom"], interrupt_before=before, context={}
        )
        if mode == "custom"
    ]


async def step(graph: BoundGraph, question: str, thread: str) -> tuple[list[tuple[str, ...]], list[Any]]:
    """Ask, stopping before every node: where it stood, and the events."""
    events, stops = await follow(graph, {"question": question}, thread, "*"), []
    while at := (await graph.aget_state(on(thread))).next:
        stops.append(at)
        events += await follow(graph, None, thread, "*")
    return stops, events


async def said(graph: BoundGraph, thread: str) -> str:
    """The answer of a thread. Branches race for the numbers of their sources."""
    return re.sub(r"\[\d+\]", "[]", (await graph.aget_state(on(thread))).values["answer"])


def kinds(events: Sequence[Any]) -> list[str]:
    return [event["event_type"] for event in events]


def test_the_configuration_names_factories_that_need_nothing() -> None:
    named = json.loads((REPOSITORY / "langgraph.json").read_text(encoding="utf-8"))["graphs"]
    assert set(named) == {"fast", "deep"}
    for path in named.values():
        module, name = path.split(":")
        factory = getattr(importlib.import_module(module), name)
        assert inspect.iscoroutinefunction(factory)
        assert not inspect.signature(factory).parameters


@pytest.mark.slow
async def test_the_factories_open_the_data_folder_once_and_both_graphs_answer_from_it(folder: Path) -> None:
    opened = await asyncio.gather(studio.fast(), studio.deep(), studio.fast())
    assert opened[0] is opened[2]
    assert opened[0].sittings is opened[1].sittings
    for number, graph in enumerate(opened):
        copied = graph.copy(update={"checkpointer": InMemorySaver(), "store": None})
        events = [
            event
            async for _, event in copied.astream(
                {"question": "What opens the gate?"}, on(str(number)), stream_mode="custom", subgraphs=True
            )
        ]
        assert events[-1]["payload"]["outcome"] == "answered"
        assert "good evidence" in events[-1]["payload"]["answer"]


async def test_a_data_folder_that_is_held_is_said_to_be(folder: Path) -> None:
    lock = DataLock(folder)
    lock.acquire()
    with pytest.raises(RuntimeError, match="GROUNDSWELL_DATA_DIR"):
        await studio.fast()
    lock.release()


@pytest.mark.parametrize(
    ("name", "question"), [("fast", COST), ("fast", "Who is the emperor of Velm?"), ("deep", BOTH)]
)
async def test_an_answer_is_the_same_however_often_it_was_stopped(
    name: str, question: str, request: pytest.FixtureRequest
) -> None:
    graph: BoundGraph = request.getfixturevalue(name)
    events = await follow(graph, {"question": question}, "straight")
    stops, stepped = await step(graph, question, "stepped")
    assert len(stops) >= 5
    assert await said(graph, "stepped") == await said(graph, "straight")
    assert sorted(kinds(stepped)) == sorted(kinds(events))
    assert kinds(events)[-1] == "final_answer"


async def test_a_thread_stands_before_the_gate_and_goes_on_by_itself(fast: BoundGraph) -> None:
    before = await follow(fast, {"question": COST}, "a", ["gate"])
    assert (await fast.aget_state(on("a"))).next == ("gate",)
    assert "gate_decision" not in kinds(before)
    after = await follow(fast, Command(update={"top_k": 3}), "a")
    assert kinds(after)[0] == "gate_decision"
    assert "45 crowns" in await said(fast, "a")


async def test_threads_share_nothing(fast: BoundGraph) -> None:
    for thread, question in (("a", COST), ("b", OVEN)):
        await follow(fast, {"question": question}, thread, ["refine"])
    ends = {thread: (await follow(fast, None, thread))[-1]["payload"] for thread in ("b", "a")}
    assert "45 crowns" in ends["a"]["answer"]
    assert "245" not in ends["a"]["answer"]
    assert ends["b"]["answer"] == "The oven for sourdough is heated to 245 degrees [1]."


async def test_a_thread_can_be_asked_again(fast: BoundGraph, sittings: Sittings) -> None:
    for question, before in ((COST, ["verify"]), (COST, ()), (UNKNOWN, ())):
        await follow(fast, {"question": question}, "a", before)
    await follow(fast, {"question": OVEN}, "a")
    assert await said(fast, "a") == "The oven for sourdough is heated to 245 degrees []."
    assert not sittings._kept, "what has its answer is let go"


async def test_what_another_process_began_goes_on_until_there_is_a_draft(
    fast: BoundGraph, collaborators: Collaborators
) -> None:
    restarted = graphs(Sittings(collaborators=collaborators))[0].copy(update={"checkpointer": fast.checkpointer})
    for node in ("gate", "generate"):
        await follow(fast, {"question": COST}, node, [node])
        events = await follow(restarted, None, node)
        assert "45 crowns" in events[-1]["payload"]["answer"]
    await follow(fast, {"question": COST}, "late", ["verify"])
    with pytest.raises(Lost):
        await follow(restarted, None, "late")


async def test_research_that_another_process_began_is_written_from_what_it_had_found(
    deep: BoundGraph, collaborators: Collaborators
) -> None:
    await follow(deep, {"question": BOTH}, "a", ["write"])
    restarted = graphs(Sittings(collaborators=collaborators))[1].copy(update={"checkpointer": deep.checkpointer})
    answer = (await follow(restarted, None, "a"))[-1]["payload"]["answer"]
    assert "45 crowns" in answer
    assert "245" in answer


async def test_a_thread_can_be_forked_where_it_stood_before(fast: BoundGraph) -> None:
    await follow(fast, {"question": COST}, "a")
    first = await said(fast, "a")
    earlier = [state async for state in fast.aget_state_history(on("a")) if state.next == ("gate",)]
    await fast.ainvoke(None, earlier[0].config)
    assert await said(fast, "a") == first


async def test_what_is_changed_at_a_breakpoint_counts(fast: BoundGraph) -> None:
    await follow(fast, {"question": COST}, "a", ["retrieve"])
    await fast.aupdate_state(on("a"), {"top_k": 1})
    assert kinds(await follow(fast, None, "a")).count("source") == 1


async def test_without_a_thread_a_question_is_answered_and_nothing_can_go_on(sittings: Sittings) -> None:
    graph = graphs(sittings)[0]
    assert "45 crowns" in (await graph.ainvoke({"question": COST}))["answer"]
    with pytest.raises(ValueError, match="question"):
        await graph.ainvoke(None)


@pytest.mark.parametrize("given", [{}, {"question": ""}, {"question": COST, "top_k": 0}])
async def test_what_is_no_question_is_refused(fast: BoundGraph, given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        await fast.ainvoke(given, on("a"))


def test_only_the_question_has_to_be_given(fast: BoundGraph) -> None:
    schema = fast.get_input_jsonschema()
    assert schema["required"] == ["question"]
    assert {"collection", "named_domain", "top_k", "filters"} < set(schema["properties"])


def test_a_copy_with_a_checkpointer_is_as_bound_as_the_graph(sittings: Sittings) -> None:
    for graph in graphs(sittings):
        copied = graph.copy(update={"checkpointer": InMemorySaver(), "store": None})
        assert isinstance(copied, BoundGraph)
        assert copied.sittings is sittings
        assert copied.deep == graph.deep
        assert set(copied.get_graph(xray=True).nodes) == set(graph.get_graph(xray=True).nodes)


def test_a_join_is_read_from_a_list_of_names(sittings: Sittings) -> None:
    for graph in graphs(sittings):
        joins = [channel for channel in graph.channels.values() if isinstance(channel, Join)]
        assert joins
        for join in joins:
            assert join.from_checkpoint(sorted(join.names)).is_available()


def test_no_time_passes_at_a_breakpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.sittings.monotonic", iter([1.0, 3.0, 100.0, 101.0]).__next__)
    watch = Stopwatch()
    for _ in range(2):
        watch.start()
        watch.stop()
    assert watch() == 3
