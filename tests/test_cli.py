"""The command line, with and without a server."""

import asyncio
import io
import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from graph.hub import Hub
from retrieval.library import Library
from retrieval.submissions import Submission
from server.__main__ import main
from server.commands.asked import AskedThere
from server.commands.reading import LiveView
from server.edge import is_loopback
from server.lock import DataLock
from tests.support.live import Live
from tests.support.streams import check_grammar


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    papers = tmp_path / "papers"
    (papers / "deeper").mkdir(parents=True)
    (papers / "ferry.md").write_text("# Ferry\n\nThe ferry to Brack leaves at noon. It carries forty cars.")
    (papers / "deeper" / "tea.txt").write_text("The tea room in Brack opens at ten.")
    (papers / "picture.png").write_bytes(b"\x89PNG")
    return papers


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def test_ingest_then_ask(folder: Path) -> None:
    done = run("ingest", str(folder))
    assert done.exit_code == 0, done.output
    assert "Indexed 2 documents" in done.output
    assert "Left out 1 files" in done.output
    answer = run("ask", "When does the ferry to Brack leave?")
    assert answer.exit_code == 0, answer.output
    assert "at noon [1]" in answer.output
    assert "[1] Ferry: “The ferry to Brack leaves at noon.”" in answer.output


def test_ask_prints_envelopes_as_json(folder: Path) -> None:
    run("ingest", str(folder))
    printed = run("ask", "When does the ferry to Brack leave?", "--json").output
    check_grammar([json.loads(line) for line in printed.strip().split("\n")])


@pytest.mark.slow
def test_one_bad_file_never_stops_the_rest_and_is_listed(folder: Path) -> None:
    (folder / "broken.txt").write_bytes(b"caf\xe9")
    done = run("ingest", str(folder), str(folder / "picture.png"))
    assert done.exit_code == 1
    assert "Indexed 2 documents" in done.output
    assert "broken.txt: " in done.output
    assert "picture.png" in done.output


@pytest.mark.slow
def test_a_file_indexed_again_replaces_its_former_version(folder: Path) -> None:
    run("ingest", str(folder))
    (folder / "ferry.md").write_text("# Ferry\n\nThe ferry to Brack leaves at dusk.")
    run("ingest", str(folder))
    answer = run("ask", "When does the ferry to Brack leave?").output
    assert "dusk" in answer
    assert "noon" not in answer


def test_a_damaged_database_is_told_in_a_line(folder: Path) -> None:
    Path("data").mkdir()
    Path("data/groundswell.sqlite3").write_bytes(b"no database" * 500)
    for refused in (run("ask", "x"), run("ingest", str(folder)), run("doctor")):
        assert refused.exit_code == 1
        assert "cannot be read" in refused.output
        assert refused.exception is None or isinstance(refused.exception, SystemExit)


def test_a_file_the_server_refuses_stops_no_other(
    folder: Path, serve: Callable[..., Live], own_library: Library
) -> None:
    server = serve({"max_upload_bytes": 2000}, library=own_library)
    (folder / "large.txt").write_text("Large. " * 1000)
    done = run("ingest", str(folder), "--server", server.url)
    assert done.exit_code == 1
    assert "Indexed 2 documents" in done.output
    assert "large.txt: The body is larger than 2000 bytes." in done.output


def test_the_built_in_collection_cannot_be_written_to(folder: Path) -> None:
    assert run("ingest", str(folder), "--collection", "docs").exit_code == 1


def test_ask_and_ingest_go_through_the_server_that_holds_the_data_folder(
    folder: Path, serve: Callable[..., Live], own_library: Library
) -> None:
    server = serve(library=own_library)
    lock = DataLock(Path("data"))
    lock.acquire()
    lock.announce(server.url)
    try:
        assert run("ingest", str(folder)).exit_code == 0
        assert own_library.sizes()["default"] == 2
        assert "at noon" in run("ask", "When does the ferry to Brack leave?").output
    finally:
        lock.release()


def test_ask_says_what_is_wrong(folder: Path) -> None:
    assert "collection" in run("ask", "x", "--collection", "nope").output
    for refused in (run("ask", ""), run("ask", "x", "--collection", "nope")):
        assert refused.exit_code == 1
        assert "Traceback" not in refused.output
    assert "cannot be reached" in run("ask", "x", "--server", "http://127.0.0.1:9").output


def test_doctor_finds_what_is_wrong(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    well = run("doctor")
    assert well.exit_code == 0, well.output
    assert "all-MiniLM-L6-v2, whole" in well.output
    monkeypatch.setenv("GROUNDSWELL_CHAT_MODEL", "groq:llama")
    monkeypatch.setenv("GROUNDSWELL_POLICY", "missing.toml")
    monkeypatch.setenv("GROUNDSWELL_HOST", "0.0.0.0")  # noqa: S104
    ill = run("doctor")
    assert ill.exit_code == 1
    for expected in ("groundswell[groq]", "missing.toml", "Use 127.0.0.1"):
        assert expected in ill.output


def test_wrong_settings_are_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDSWELL_PORT", "many")
    wrong = run("doctor")
    assert wrong.exit_code == 1
    assert "GROUNDSWELL_PORT" in wrong.output


def test_without_keys_only_this_machine_may_ask(folder: Path) -> None:
    assert is_loopback("127.0.0.1")
    assert is_loopback("::1")
    assert not is_loopback("0.0.0.0")  # noqa: S104
    assert not is_loopback("example.org")
    refused = run("serve", "--host", "0.0.0.0")  # noqa: S104
    assert refused.exit_code == 1
    assert "API keys" in refused.output


def test_a_policy_file_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    from graph.policy_file import PolicyError, load_policies

    path = tmp_path / "policy.toml"
    path.write_text("[domains.underwriting]\nmin_chunks = 4\n[domains.tea]\nmin_score = 0.9\n")
    policies = load_policies(path).domains
    assert (policies["underwriting"].min_chunks, policies["underwriting"].precheck) == (4, "full_slow_path")
    assert policies["tea"].min_score == 0.9
    path.write_text("classify = false\n[domains.general]\nmin_score = 0.7\n")
    assert load_policies(path).domains["general"].min_score == 0.7
    for wrong in ("[domains.x]\nmin_scor = 1", "[domains.x]\nmin_score = 2", "clasify = true", "[[["):
        path.write_text(wrong)
        with pytest.raises(PolicyError, match=r"policy\.toml"):
            load_policies(path)


@pytest.mark.slow
def test_files_of_the_same_name_are_all_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for folder, hour in (("one", "noon"), ("two", "dusk")):
        (tmp_path / folder / "docs").mkdir(parents=True)
        (tmp_path / folder / "docs" / "r.md").write_text(f"# Ferry {folder}\n\nThe {folder} ferry leaves at {hour}.")
    assert run("ingest", "one/docs", "two/docs").exit_code == 0
    for folder, hour in (("one", "noon"), ("two", "dusk")):
        assert hour in run("ask", f"When does the {folder} ferry leave?").output


def test_a_collection_that_could_not_be_asked_for_is_refused(folder: Path) -> None:
    refused = run("ingest", str(folder), "--collection", "bad/na me")
    assert refused.exit_code == 1
    assert "slash" in refused.output


@pytest.mark.slow
def test_a_path_that_is_not_there_stops_no_other(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "tea.md").write_text("# Tea\n\nGreen tea is brewed at 70 degrees.")
    told = run("ingest", str(tmp_path / "tea.md"), str(tmp_path / "gone.md"), "--data-dir", str(folder))
    assert told.exit_code == 1
    assert "Indexed 1 document" in told.output
    assert "gone.md: there is no such file" in told.output


# Deep research

BOTH = "When does the ferry to Brack leave, and when does the tea room in Brack open?"


class Pondering:
    """A model that is asked for further searches, has Ctrl-C pressed, and says nothing for a long time."""

    def __init__(self, presses: int) -> None:
        self.presses = presses

    async def ainvoke(self, given: Any, config: Any = None) -> list[str]:
        presses, self.presses = self.presses, 0  # of branches side by side, one: two signals at once are one
        for _ in range(presses):
            threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
            await asyncio.sleep(0.6)
        await asyncio.sleep(60)
        return []


@pytest.fixture
def island(own_library: Library) -> Library:
    own_library.add("default", Submission(data="The ferry to Brack leaves at noon.", id="ferry", title="Ferry"))
    own_library.add("default", Submission(data="The tea room in Brack opens at ten.", id="tea", title="Tea"))
    return own_library


@pytest.fixture(params=["through a server", "in this process"])
def ask_deep(
    request: pytest.FixtureRequest,
    folder: Path,
    island: Library,
    serve: Callable[..., Live],
    make_hub: Callable[..., Hub],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Result]:
    """Asks for deep research whose follow-up searches come from `follow_up`."""

    def ask(*arguments: str, **parts: Any) -> Result:
        if request.param == "through a server":
            return run("ask", BOTH, "--deep", "--server", serve(library=island, **parts).url, *arguments)
        monkeypatch.setattr("server.bootstrap.open_library", lambda settings: island)
        monkeypatch.setattr("server.bootstrap.build_hub", lambda settings, library: make_hub(library=library, **parts))
        monkeypatch.setattr(island, "close", lambda: None)
        return run("ask", BOTH, "--deep", *arguments)

    return ask


def test_ask_researches_deeply(ask_deep: Callable[..., Result]) -> None:
    done = ask_deep()
    assert done.exit_code == 0, done.output
    for told in ("## When does the ferry to Brack leave?", "at noon [", "at ten [", "“The tea room in Brack opens"):
        assert told in done.output


def test_deep_research_as_json_is_its_envelopes(ask_deep: Callable[..., Result]) -> None:
    events = [json.loads(line) for line in ask_deep("--json").stdout.strip().split("\n")]
    check_grammar(events)
    assert {event["payload"].get("branch") for event in events} >= {"1", "2"}


def test_the_first_interrupt_has_the_report_written_now(ask_deep: Callable[..., Result]) -> None:
    done = ask_deep(follow_up=Pondering(presses=1))
    assert done.exit_code == 0, done.output
    assert "Ctrl-C again cancels" in done.stderr
    assert "*Written early, as you asked.*" in done.stdout
    assert "at noon [" in done.stdout


def test_the_second_interrupt_cancels(ask_deep: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graph.hub.Hub.finish", lambda self, request_id: self.get(request_id))  # it takes its time
    before = signal.getsignal(signal.SIGINT)
    done = ask_deep(follow_up=Pondering(presses=2))
    assert done.exit_code == 1
    assert "Cancelling." in done.stderr
    assert "error: " in done.stderr
    assert signal.getsignal(signal.SIGINT) is before


def test_a_terminal_shows_parts_sources_thoughts_and_what_is_spent(serve: Callable[..., Live], island: Library) -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=160, highlight=False, color_system=None)
    lines: list[str] = []
    view = LiveView(console)
    asked = AskedThere(serve(library=island).url, {"query": BOTH, "mode": "deep"})

    def spied() -> Iterator[dict[str, Any]]:
        for envelope in asked.envelopes():
            if envelope["event_type"] == "status_update":
                lines.append(str(view.status_line(envelope["payload"])))
            yield envelope

    assert not view.show(spied())
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert any("part 1: searching | part 2: searching" in line for line in lines)
    assert any("0/30 model calls" in line and "10%" in line for line in lines)
    assert "Part 1: When does the ferry to Brack leave?" in shown
    assert "## When does the tea room in Brack open?" in shown
    assert "] Ferry  " in shown
