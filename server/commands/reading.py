"""A run as a terminal shows it: a status line, sources and thoughts, the answer while it is written, its citations."""

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.text import Text

_UNITS = {"seconds": "s", "model_calls": "model calls", "tokens": "tokens", "sources": "sources"}
_WRITING = frozenset(["drafting", "writing", "verifying", "refining"])


class LiveView:
    """Draws the events of one run on a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = console.status("Asking")
        self._writing = False
        self._late: list[dict[str, Any]] = []
        """Sources that came while the answer was written: they are told after it."""
        self._branches: dict[str, str] = {}
        """What each part of the research is doing."""
        self._thought = Text()
        """Of a model, as far as it has come; and whose it is."""
        self._thinker: tuple[Any, ...] = ()

    def say(self, text: str) -> None:
        """A line in between; from any thread."""
        self._console.print(Text(f"\n{text}" if self._writing else text, style="yellow"))

    def show(self, envelopes: Iterator[dict[str, Any]]) -> bool:
        """Draw them all. Says whether the run failed."""
        failed = False
        self._status.start()
        try:
            for event in envelopes:
                if event["event_type"] != "thinking":
                    self._tell_thought()
                self._draw(event["event_type"], event["payload"])
                failed = failed or is_fatal(event)
        finally:
            self._status.stop()
        return failed

    def _draw(self, kind: str, payload: dict[str, Any]) -> None:
        print_ = self._console.print
        match kind:
            case "status_update" if not self._writing:
                self._status.update(self.status_line(payload))
            case "source" if self._writing:
                self._late.append(payload)
            case "source":
                print_(_source_line(payload))
            case "gate_decision":
                print_(Text(f"gate: {payload['verdict']} ({'; '.join(payload['reasons'])})", style="dim"))
            case "thinking" if not self._writing:
                self._think(payload)
            case "token":
                self._write(payload["token"])
            case "refinement_update" if payload["action"] != "confirm":
                self._status.stop()
                print_(Text(f"\n\n{payload['message']} ({'; '.join(payload['reasons'])}):\n", style="yellow"))
                print_(Text(payload["refined_answer"]))
            case "error":
                print_(Text(f"\n{payload['message']}", style="red" if payload["fatal"] else "yellow"))
            case "final_answer":
                self._status.stop()
                print_(Text("" if self._writing else f"\n{payload['answer']}"))
                print_(Text("\n".join(["", *cited(payload)]), style="dim"))
                for source in self._late:
                    print_(_source_line(source))
            case "pipeline_metric":
                print_(Text(_figures(payload), style="dim"))

    def _write(self, token: str) -> None:
        if not self._writing:
            self._status.stop()
            self._console.print()
            self._writing = True
        self._console.print(Text(token), end="", soft_wrap=True)

    def _think(self, thought: dict[str, Any]) -> None:
        """A thought of our own is a line; a model's comes in pieces, and is told when it is whole."""
        thinker = (thought["kind"], thought.get("step"), thought.get("branch"))
        if thought["kind"] == "derived" or thinker != self._thinker:
            self._tell_thought()
        self._thinker = thinker
        self._thought.append(thought["text"])
        if thought["kind"] == "derived":
            self._tell_thought()

    def _tell_thought(self) -> None:
        if self._thought:
            self._thought.stylize("dim italic")
            self._console.print(self._thought)
            self._thought = Text()

    def status_line(self, status: dict[str, Any]) -> Text:
        """What is being worked on; of deep research, part by part, how far it is and what it has spent."""
        if status["stage"] in _WRITING:
            self._branches.clear()
        line = Text(status["message"])
        if status.get("branch"):
            self._branches[status["branch"]] = status["message"].replace(f" for part {status['branch']}", "").lower()
            doing = sorted(self._branches.items(), key=lambda item: (len(item[0]), item[0]))
            line = Text(" | ".join(f"part {branch}: {what}" for branch, what in doing))
        if status.get("progress") is not None:
            line.append(f"  {status['progress']:.0%}", style="cyan")
        if status.get("budget"):
            line.append(f"  {_spent(status['budget'])}", style="dim")
        return line


def cited(final: dict[str, Any]) -> list[str]:
    """A line for each citation: the marker, where it is from, the words."""
    lines = []
    for citation in final["citations"]:
        place = " > ".join(part for part in (citation["source"], citation["section"]) if part)
        place += f", p. {citation['page']}" if citation["page"] is not None else ""
        lines.append(f"[{citation['index']}] {place}: “{' '.join(citation['quote'].split())}”")
    return list(dict.fromkeys(lines))


def is_fatal(event: dict[str, Any]) -> bool:
    """Whether a run ends with it, and without an answer."""
    return event["event_type"] == "error" and bool(event["payload"]["fatal"])


def _source_line(source: dict[str, Any]) -> Text:
    line = Text(f"[{source['index']}] {source['source']}", style="cyan")
    if source["section"]:
        line.append(f" > {source['section']}")
    if source["page"] is not None:
        line.append(f", p. {source['page']}")
    line.append(f"  {source['score']:.2f}", style="dim")
    return line.append(f"  part {source['branch']}", style="dim") if source.get("branch") else line


def _spent(budget: dict[str, dict[str, float]]) -> str:
    named = [(budget[name], unit) for name, unit in _UNITS.items() if name in budget]
    return ", ".join(f"{round(one['spent'])}/{one['limit']:g} {unit}" for one, unit in named)


def _figures(metric: dict[str, Any]) -> str:
    named = (("first source", "time_to_first_source_ms"), ("first token", "time_to_first_token_ms"))
    parts = [f"{name} {metric[key]} ms" for name, key in named if metric[key] is not None]
    return ", ".join([*parts, f"total {metric['total_pipeline_ms']} ms"])
