"""The promises of the contract, read off what a client sees; written from its text and not from the grammar's code."""

from collections.abc import Sequence
from typing import Any

Envelope = dict[str, Any]

ANSWER = frozenset({"token", "partial_answer", "citation_attached", "refinement_update"})
"""What is only said of an answer."""
REFUSED = frozenset({"fallback", "review", "blocked"})
HIDDEN = frozenset({"review", "blocked", "verify_first"})


def broken_promises(events: Sequence[Envelope], *, sources_shown: bool = True) -> list[str]:
    """Which promises a stream breaks; without `sources_shown` its citations may be of sources it does not show."""
    kinds = [event["event_type"] for event in events]
    said = [event["payload"] for event in events]
    verdicts = _verdicts_before(events)
    broken = _numbering(events) + _ending(kinds, said)
    for kind, payload, verdict in zip(kinds, said, verdicts, strict=True):
        if kind in ANSWER and verdict != "open":
            broken.append(f"{kind} under {verdict}")
        if kind == "source" and verdict in HIDDEN:
            broken.append(f"a source under {verdict}")
        if kind == "thinking" and verdict in REFUSED and payload["kind"] != "derived":
            broken.append(f"a model's words under {verdict}")
        if kind == "gate_decision" and verdict in REFUSED:
            broken.append(f"a second thought after {verdict}")
    given = [payload["verdict"] for kind, payload in zip(kinds, said, strict=True) if kind == "gate_decision"]
    if REFUSED & set(given) and ANSWER & set(kinds):
        broken.append("an answer was said in a run that refuses")
    if sources_shown:
        broken += _citations(kinds, said)
    return broken + _outcome(kinds, said, given)


def _verdicts_before(events: Sequence[Envelope]) -> list[str | None]:
    """The last verdict before each event."""
    verdict: str | None = None
    before = []
    for event in events:
        before.append(verdict)
        if event["event_type"] == "gate_decision":
            verdict = event["payload"]["verdict"]
    return before


def _numbering(events: Sequence[Envelope]) -> list[str]:
    gapless = [event["seq"] for event in events] == list(range(1, len(events) + 1))
    return [] if gapless else ["seq has gaps"]


def _ending(kinds: Sequence[str], said: Sequence[Envelope]) -> list[str]:
    endings = [at for at, kind in enumerate(kinds) if kind == "final_answer" or said[at].get("fatal")]
    if not endings:
        return ["metrics without an ending"] if "pipeline_metric" in kinds else []
    broken = ["more than one ending"] if len(endings) > 1 else []
    return broken if kinds[endings[0] + 1 :] in ([], ["pipeline_metric"]) else [*broken, "something after the ending"]


def _citations(kinds: Sequence[str], said: Sequence[Envelope]) -> list[str]:
    shown: dict[str, int] = {}
    broken = []
    for kind, payload in zip(kinds, said, strict=True):
        if kind == "source" and shown.setdefault(payload["source_id"], payload["index"]) != payload["index"]:
            broken.append("a source was renumbered")
        cited = [payload] if kind == "citation_attached" else payload.get("additional_citations", [])
        cited = payload["citations"] if kind == "final_answer" else cited
        if any(shown.get(citation["source_id"]) != citation["index"] for citation in cited):
            broken.append(f"{kind} cites what was not shown")
    return broken


def _outcome(kinds: Sequence[str], said: Sequence[Envelope], verdicts: Sequence[str]) -> list[str]:
    if "final_answer" not in kinds:
        return []
    final = said[kinds.index("final_answer")]
    if final["outcome"] == "answered":
        known = {"no citations": final["citations"], "a gate that is not open": verdicts[-1:] == ["open"]}
        return [f"an answer with {what}" for what, fine in known.items() if not fine]
    broken = ["a refusal with citations"] if final["citations"] else []
    last_token = max((at for at, kind in enumerate(kinds) if kind == "token"), default=-1)
    actions = [said[at]["action"] for at, kind in enumerate(kinds) if kind == "refinement_update" and at > last_token]
    if last_token >= 0 and actions[-1:] != ["retract"]:
        broken.append("tokens before a refusal that did not withdraw them")
    return broken
