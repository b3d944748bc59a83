"""Drafts that a scripted model writes over a small library, and what holds of every revision of one."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from callbacks.events import PartialAnswer
from chains.answer import answer_chain
from evaluation.corrections import Sentence
from evaluation.scripted import ScriptedModel
from graph.build import build_graph
from graph.context import Collaborators
from graph.hub import Hub
from graph.lines import without_markers
from graph.policy import BUILT_IN
from graph.query import Query
from retrieval.library import Library, Submission
from retrieval.passages import place_of
from tests.support.streams import Envelope, check_grammar, payloads, said

OPEN = {
    **BUILT_IN,
    "general": BUILT_IN["general"].model_copy(
        update={"min_score": 0.0, "min_chunks": 1, "floor": 0.0, "expand_min_score": 0.0}
    ),
}
"""Policies under which every draft is written."""
_WORTH = {"supported": 1.0, "partial": 0.5}

Draft = Sequence[tuple[str, str | None]]
"""Sentences, each with the sentence of a document that it cites."""
Paper = str | tuple[str, Mapping[str, Any]]
"""A text, with what is stored beside it: `title` is its title."""


class Watched:
    """The graph, and what the last run knew at its end."""

    def __init__(self) -> None:
        self._graph = build_graph()
        self.state: dict[str, Any] = {}

    async def ainvoke(self, *given: Any, **options: Any) -> dict[str, Any]:
        self.state = await self._graph.ainvoke(*given, **options)
        return self.state


@dataclass(frozen=True)
class Refined:
    """A draft, and what became of it."""

    events: list[Envelope]
    state: dict[str, Any]
    draft: list[PartialAnswer]
    """Its sentences, each with the last verdict on it."""

    @property
    def said(self) -> str:
        return said(self.events)

    @property
    def update(self) -> Envelope:
        (update,) = payloads(self.events, "refinement_update")
        return update

    @property
    def final(self) -> Envelope:
        return payloads(self.events, "final_answer")[0]

    @property
    def text(self) -> str:
        """The final answer without its markers."""
        return without_markers(self.final["answer"])


def shelve(library: Library, collection: str, papers: Mapping[str, Paper]) -> None:
    """Make a collection of some papers."""
    for name, paper in papers.items():
        text, stored = (paper, {}) if isinstance(paper, str) else paper
        title = str(stored.get("title", name))
        library.add(collection, Submission(data=text, id=name, title=title, metadata=stored))


class Refining:
    """Runs drafts over the collections of a library."""

    def __init__(self, collaborators: Collaborators, replaced: Callable[..., Collaborators]) -> None:
        self.library = collaborators.library
        self._collaborators = collaborators
        self._replaced = replaced
        self._graph = Watched()

    async def run(self, collection: str, question: str, draft: Draft, **parts: Any) -> Refined:
        """Have a draft written in answer to a question, and refined. What holds of every revision is checked."""
        sentences = tuple(Sentence(text=text, cites=cites) for text, cites in draft)
        answer = answer_chain(ScriptedModel(draft=sentences))
        hub = Hub(
            self._graph,  # type: ignore[arg-type]
            self._replaced(self._collaborators, answer=answer, policies=OPEN, **parts),
        )
        run = hub.start(Query(query=question, collection=collection))
        await hub.finished(run)
        events = [json.loads(entry.encoded) for entry in run.log.entries]
        check_grammar(events)
        refined = Refined(events, self._graph.state, list(run.sentences))
        check(refined, self.library, collection)
        return refined


def check(refined: Refined, library: Library, collection: str) -> None:
    """What holds of the last revision of every draft."""
    update, state = refined.update, refined.state
    answer, citations = update["refined_answer"], update["additional_citations"]
    assert (refined.final["answer"], refined.final["citations"]) == (answer, citations)
    assert (update["revision"] == 0) == (update["action"] == "confirm") == (not update["changes"])
    if update["action"] == "retract":
        assert (citations, [change["after"] for change in update["changes"]]) == ([], [""] * len(refined.draft))
        return
    for sentence in state["sentences"]:
        assert answer[sentence.start : sentence.end] == sentence.text
        assert sentence.support in _WORTH
        assert sentence.revision == update["revision"]
    for citation in citations:
        assert answer[citation["start"] : citation["end"]] == f"[{citation['index']}]"
        assert _of_the_document(citation, library, collection) == citation["quote"]
        around = state["sentences"][citation["sentence"]]
        assert around.start <= citation["start"] < citation["end"] <= around.end
    drafted = {c["sentence"] for c in payloads(refined.events, "citation_attached")}
    cited = {citation["sentence"] for citation in citations}
    assert _mean([_WORTH.get(s.support, 0.0) for s in state["sentences"]]) >= _mean(
        [_WORTH.get(s.support, 0.0) for s in refined.draft]
    )
    assert len(cited) * len(refined.draft) >= len(drafted) * len(state["sentences"])
    assert " ".join(_as_changed(refined).split()) == " ".join(answer.split())


def _of_the_document(citation: Envelope, library: Library, collection: str) -> str:
    place = place_of(citation["source_id"])
    assert place is not None
    stored = library.stored.document(collection, place[1])
    assert stored is not None
    return library.stored.content(stored.key)[citation["source_start"] : citation["source_end"]]


def _as_changed(refined: Refined) -> str:
    """The draft with the changes that were told made to it."""
    changes = {change["sentence"]: change for change in refined.update["changes"] if change["before"]}
    for at, change in changes.items():
        assert change["before"] == refined.draft[at].text != change["after"]
    kept = [changes[at]["after"] if at in changes else s.text for at, s in enumerate(refined.draft)]
    added = [change["after"] for change in refined.update["changes"] if not change["before"]]
    return " ".join([*kept, *added])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
