"""Write what the documentation takes from the code: `.env.example`, the diagram, tables and command help.

python -m scripts.generate           write
python -m scripts.generate --check   fail if anything is stale
"""

import re
import sys
from pathlib import Path

import click

from callbacks.events import Payload, StreamEvent
from graph.build import RagGraph, build_graph
from graph.research import build_research
from server.__main__ import main
from server.settings import Settings, env_example, shown_default

ROOT = Path(__file__).parent.parent


def diagram(graph: RagGraph, *, xray: bool) -> str:
    """A compiled graph as Mermaid, without colours; `xray` draws what is inside its nodes."""
    drawn = graph.get_graph(xray=xray).draw_mermaid(with_styles=False)
    return f"```mermaid\n{drawn.strip()}\n```"


def event_table() -> str:
    """A row per event: its name, what it says, its keys."""
    lines = ["| event_type | what it says | always | sometimes |", "|---|---|---|---|"]
    for payload in _payloads():
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", payload.__name__).lower()
        always = ", ".join(f"`{key}`" for key, field in payload.model_fields.items() if field.is_required())
        sometimes = ", ".join(f"`{key}`" for key, field in payload.model_fields.items() if not field.is_required())
        meaning = " ".join((payload.__doc__ or "").split())
        lines.append(f"| `{name}` | {meaning} | {always} | {sometimes} |")
    return "\n".join(lines)


def settings_table() -> str:
    """A row per setting."""
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = f"`{shown}`" if (shown := shown_default(field)) else ""
        lines.append(f"| `GROUNDSWELL_{name.upper()}` | {default} | {field.description} |")
    return "\n".join(lines)


def command_help() -> str:
    """The help of every command."""
    texts = []
    for name, command in main.commands.items():
        context = click.Context(command, info_name=f"groundswell {name}", terminal_width=100)
        texts.append(f"```text\n{command.get_help(context)}\n```")
    return "\n\n".join(texts)


def outputs() -> dict[Path, str]:
    """Every generated file with its text."""
    head = "Generated from the code by `make fix`; do not edit.\n\n"
    architecture = ROOT / "ARCHITECTURE.md"
    return {
        ROOT / ".env.example": env_example(),
        architecture: _between(
            _between(architecture.read_text(encoding="utf-8"), "diagram", diagram(build_graph(), xray=True)),
            "research",
            diagram(build_research(), xray=False),
        ),
        ROOT / "docs/reference/events.md": f"# Events\n\n{head}{event_table()}\n",
        ROOT / "docs/reference/settings.md": f"# Settings\n\n{head}{settings_table()}\n",
        ROOT / "docs/reference/commands.md": f"# Commands\n\n{head}{command_help()}\n",
    }


def _payloads() -> list[type[Payload]]:
    events = StreamEvent.__origin__.__args__  # type: ignore[attr-defined]
    return [event.model_fields["payload"].annotation for event in events]


def _between(text: str, name: str, body: str) -> str:
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    return re.sub(f"{begin}.*?{end}", lambda _: f"{begin}\n{body}\n{end}", text, flags=re.DOTALL)


if __name__ == "__main__":
    stale = [path for path, text in outputs().items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if "--check" in sys.argv:
        for path in stale:
            print(f"stale: {path.relative_to(ROOT)}; run `make fix`")
        sys.exit(bool(stale))
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(outputs()[path], encoding="utf-8")
