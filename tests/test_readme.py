"""What the documentation shows works, and what is generated is fresh."""

import json
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.conftest import REPOSITORY
from tests.support.live import Live
from tests.support.streams import envelopes, kinds

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
PYTHON_BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.mark.slow
@pytest.mark.parametrize("block", PYTHON_BLOCKS, ids=lambda block: block.split("\n")[0])
def test_a_python_block_runs_as_it_stands(block: str, docs_server: Live, tmp_path: Path) -> None:
    script = tmp_path / "block.py"
    script.write_text(block.replace("http://127.0.0.1:8000", docs_server.url))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "gate" in done.stdout or "final_answer" in done.stdout


def test_the_transcript_is_the_stream_of_that_question(docs_server: Live) -> None:
    shown = re.findall(r"^([a-z_]+) +(?:\{|\.\.\.)", _block("text"), re.MULTILINE)
    body = json.loads(re.search(r"-d '(.*?)'", README).group(1))  # type: ignore[union-attr]
    happened = kinds(envelopes(httpx.post(f"{docs_server.url}/query", json=body, trust_env=False).text))
    position = 0
    for kind in shown:
        position = happened.index(kind, position) + 1
    assert happened[-1] == shown[-1]


def test_every_folder_and_file_the_readme_names_is_there() -> None:
    for name in re.findall(r"^\| `([a-z]+/)`", README, re.MULTILINE):
        assert (REPOSITORY / name).is_dir()
    for link in re.findall(r"\]\((?!http)([^)]+)\)", README):
        assert (REPOSITORY / link).exists(), link


def test_importing_any_module_builds_no_graph_and_opens_no_database() -> None:
    probe = (
        "import sqlite3, langgraph.graph.state as state\n"
        "state.StateGraph.compile = sqlite3.connect = None\n"
        "import callbacks.handlers, chains.models, graph.hub, retrieval.retriever, server.app, server.bootstrap\n"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", probe], cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_nothing_of_a_machine_is_in_the_repository() -> None:
    folders = [path for path in REPOSITORY.iterdir() if path.is_dir()]
    ours = [path for path in folders if not path.name.startswith((".", "data", "build", "dist"))]
    files = [*REPOSITORY.glob("*.*"), *(file for folder in ours for file in folder.rglob("*.*"))]
    for path in files:
        if path.suffix in (".py", ".md", ".toml", ".txt", ".js", ".html", ".css") and path != Path(__file__):
            text = path.read_text(encoding="utf-8")
            for trace in ("/home/", "/root/", "--index-url", "--extra-index-url"):
                assert trace not in text, f"{path}: {trace}"


def _block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert found is not None
    return found.group(1)
