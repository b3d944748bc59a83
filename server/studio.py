"""Both graphs for LangGraph's development server, `langgraph dev`: `langgraph.json` names `fast` and `deep`.

That server calls a graph with a dict and knows nothing of what a run uses. The graphs here bring it along.
"""

import asyncio
from collections.abc import AsyncIterator
from functools import cache
from threading import Lock
from typing import Any

from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import merge_configs
from langgraph.channels.named_barrier_value import NamedBarrierValue
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph.state import CompiledStateGraph

from graph.build import RagGraph, build_graph
from graph.context import RagContext
from graph.query import Query
from graph.research import build_research
from graph.state import RagInput, RagState
from server.__main__ import read_settings
from server.bootstrap import allowance, build_collaborators, open_library
from server.lock import DataFolderHeld, DataLock
from server.sittings import INPUT, Sittings, checkpoint_of

_opening = Lock()


class BoundGraph(CompiledStateGraph[RagState, RagContext, RagInput, RagState]):
    """A graph that brings what its runs use. Copies of it, such as those with a checkpointer, share that."""

    def __init__(self, *, sittings: Sittings, deep: bool, **parts: Any) -> None:
        super().__init__(**parts)
        self.sittings = sittings
        self.deep = deep

    def get_input_jsonschema(self, config: RunnableConfig | None = None) -> dict[str, Any]:
        """Only the question has to be given; the rest is as in `POST /query`."""
        known = Query.model_json_schema()["properties"]
        properties = {name: known[field] for name, field in INPUT.items()}
        return {"title": self.get_name("Input"), "type": "object", "properties": properties, "required": ["question"]}

    async def astream(self, input: Any, config: RunnableConfig | None = None, **more: Any) -> AsyncIterator[Any]:
        """Answer a question, or go on with the thread's where `input` is None or a command. Raises `Lost`.

        `ainvoke` and `astream_events` come here too.
        """
        thread = None if config is None else config.get("configurable", {}).get("thread_id")
        if isinstance(input, dict):
            input = self.sittings.given(input)
            sitting = await self.sittings.begin(thread, input, self, deep=self.deep)
            config = await self._afresh(config)
        elif config is None or thread is None:
            raise ValueError("there is neither a question nor a thread to go on with")
        else:
            sitting = await self.sittings.go_on(thread, await self.aget_state(config), self, deep=self.deep)
        sitting.watch.start()
        try:
            heard = merge_configs(config, {"callbacks": sitting.config["callbacks"]})
            async for chunk in super().astream(input, heard, **{**more, "context": sitting.context}):
                yield chunk
            if thread is not None and isinstance(self.checkpointer, BaseCheckpointSaver):
                latest = await self.aget_state({"configurable": {"thread_id": thread}})
                sitting.checkpoint = checkpoint_of(latest.config)
        finally:
            sitting.watch.stop()
            if sitting.checkpoint is None or sitting.run.final is not None:
                await (sitting.end() if thread is None else self.sittings.forget(thread))

    async def _afresh(self, config: RunnableConfig | None) -> RunnableConfig | None:
        """Where a thread begins that was asked something before: at its first checkpoint, when nothing was known."""
        if config is None or not isinstance(self.checkpointer, BaseCheckpointSaver):
            return config
        thread: RunnableConfig = {"configurable": {"thread_id": config["configurable"]["thread_id"]}}
        async for first in self.aget_state_history(thread, filter={"source": "input", "step": -1}, limit=1):
            return merge_configs(config, first.config)
        if (await self.aget_state(thread)).values.get("question") is not None:
            raise ValueError("the thread does not remember how it began: ask in a new one")
        return config


class Join(NamedBarrierValue[Any]):
    """A join of nodes. To show where a thread stands, the development server reads its set of names as a list."""

    __slots__ = ()

    def from_checkpoint(self, checkpoint: Any) -> "Join":
        """The join as it was."""
        return super().from_checkpoint(set(checkpoint) if isinstance(checkpoint, list) else checkpoint)


def bound(graph: RagGraph, sittings: Sittings, *, deep: bool) -> BoundGraph:
    """A graph with what its runs use, made as `Pregel.copy` makes one."""
    parts = {key: value for key, value in vars(graph).items() if key != "__orig_class__"}
    parts["channels"] = {key: _readable(key, channel) for key, channel in graph.channels.items()}
    parts["context_schema"] = None  # nobody else can give one
    return BoundGraph(**parts, sittings=sittings, deep=deep)


def graphs(sittings: Sittings) -> tuple[BoundGraph, BoundGraph]:
    """The graph of fast answers and that of deep research."""
    return bound(build_graph(), sittings, deep=False), bound(build_research(), sittings, deep=True)


async def fast() -> BoundGraph:
    """The graph of fast answers."""
    return (await asyncio.to_thread(_graphs))[0]


async def deep() -> BoundGraph:
    """The graph of deep research."""
    return (await asyncio.to_thread(_graphs))[1]


def _graphs() -> tuple[BoundGraph, BoundGraph]:
    with _opening:
        return _opened()


@cache
def _opened() -> tuple[BoundGraph, BoundGraph]:
    """Both graphs over the data folder of the settings, which this process holds from now on."""
    settings = read_settings()
    lock = DataLock(settings.data_dir)
    try:
        lock.acquire()
    except DataFolderHeld as held:
        raise RuntimeError(f"{held}: end that one, or set GROUNDSWELL_DATA_DIR to another folder") from None
    collaborators = build_collaborators(settings, open_library(settings))
    return graphs(Sittings(collaborators=collaborators, allowance=allowance(settings), lock=lock))


def _readable(key: str, channel: Any) -> Any:
    if not isinstance(channel, NamedBarrierValue):
        return channel
    join = Join(channel.typ, channel.names)
    join.key = key
    return join
