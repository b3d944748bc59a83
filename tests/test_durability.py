"""What was acknowledged is not lost, and what is damaged is not served."""

import json
import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import httpx
import numpy as np
import pytest

from retrieval.checkpoints import Checkpoints
from retrieval.database import Database, DataFolderDamaged
from retrieval.documents import DocumentStore
from retrieval.embeddings import DIMENSIONS
from retrieval.library import Library, Submission
from retrieval.schema import MIGRATIONS
from retrieval.stores import FaissStore
from server.bootstrap import DATABASE, library_in
from tests.conftest import REPOSITORY
from tests.support.crashes import agree
from tests.support.encoder import WordVectors
from tests.support.libraries import paragraphs, word_library
from tests.support.live import Live
from tests.test_crud import in_files, vanishes

FLIPS = 200
DOCUMENTS = {f"d{number}": paragraphs(f"Mark{number}", 30) for number in range(10)}


def remove(path: Path) -> None:
    path.unlink()


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:20])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def index_files(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / "indexes").rglob("*") if path.is_file())


def flip(path: Path, chance: random.Random) -> None:
    """Turn one bit of a file."""
    data = bytearray(path.read_bytes())
    at = chance.randrange(len(data))
    data[at] ^= 1 << chance.randrange(8)
    path.write_bytes(data)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with 300 passages and their index files. Whoever damages a file mends it."""
    folder = tmp_path_factory.mktemp("filled")
    with closing(word_library(folder)) as library:
        for name, text in DOCUMENTS.items():
            library.add("default", Submission(data=text, id=name))
    with closing(word_library(folder)):  # opened and closed once more, it has written everything into its base
        pass
    return folder


@pytest.fixture
def damaged(filled: Path) -> Iterator[Callable[[Callable[[Path], None], str], None]]:
    """Damages the index files of `filled` by name; they are mended afterwards."""
    sound = {path: path.read_bytes() for path in index_files(filled)}

    def damage(how: Callable[[Path], None], name: str) -> None:
        for path in sound:
            if path.name == name:
                how(path)

    yield damage
    for path, data in sound.items():
        path.write_bytes(data)


def test_no_flipped_bit_of_an_index_file_is_served(filled: Path) -> None:
    chance = random.Random(0)
    stored = DocumentStore(Database(filled / DATABASE))
    keys, _ = stored.live_passages("default")
    truth = np.concatenate([vectors for _, vectors in stored.dense_vectors(keys)])
    questions = np.random.default_rng(0).normal(size=(3, DIMENSIONS)).astype(np.float32)
    wanted = [keys[np.argsort(-(truth @ question))[:10]].tolist() for question in questions]
    files = [path for path in index_files(filled) if path.stat().st_size]
    noticed = 0
    for _ in range(FLIPS):
        path = chance.choice(files)
        sound = path.read_bytes()
        flip(path, chance)
        store = FaissStore(stored, DIMENSIONS, Checkpoints(filled / "indexes", "words"))
        for collection in ("default", "docs"):
            leg = store.open(collection, keys if collection == "default" else keys[:0])
            if collection == "default":
                assert [leg.nearest(question, 10) for question in questions] == wanted
        assert path.name == "manifest.json" or len(store.notes) == 1
        noticed += len(store.notes)
        path.write_bytes(sound)
    assert noticed > FLIPS / 2
    stored.database.close()


@pytest.mark.parametrize("name", ["index.faiss", "keys.npy", "manifest.json"])
@pytest.mark.parametrize("how", [remove, cut_off, empty])
def test_files_that_are_missing_or_cut_off_are_built_anew(
    filled: Path, damaged: Callable[..., None], name: str, how: Callable[[Path], None]
) -> None:
    damaged(how, name)
    with closing(word_library(filled)) as library:
        agree(library)
        assert library.search_now("default", "Mark7", 3).hits[0].passage.document_id == "d7"
        assert any("default" in note for note in library.notes)


def test_a_manifest_of_other_vectors_is_not_believed(filled: Path, damaged: Callable[..., None]) -> None:
    def of_another_model(path: Path) -> None:
        path.write_text(json.dumps(json.loads(path.read_text()) | {"model": "another"}))

    damaged(of_another_model, "manifest.json")
    with closing(word_library(filled)) as library:
        agree(library)


def test_ready_says_which_index_was_damaged(serve: Callable[..., Live], tmp_path: Path) -> None:
    with closing(word_library(tmp_path)) as library:
        library.add("default", Submission(data=paragraphs("Mark", 3), id="d"))
    with closing(word_library(tmp_path)):
        pass
    chance = random.Random(1)
    for path in index_files(tmp_path):
        if path.name == "index.faiss":
            flip(path, chance)
    with closing(word_library(tmp_path)) as library:
        url = serve(library=library).url
        ready = httpx.get(f"{url}/ready", trust_env=False)
        assert ready.status_code == 200
        assert ready.json()["status"] == "ready"
        assert any("default" in note and "anew" in note for note in ready.json()["notes"])
        assert str(tmp_path) not in ready.text
    with closing(word_library(tmp_path)) as library:
        assert library.notes == [], "what was built anew was written"


def test_damage_to_the_database_itself_is_an_error_of_its_own(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 40)
    with pytest.raises(DataFolderDamaged):
        library_in(tmp_path, WordVectors())


V1_TEXTS = {
    "owl": "The owl 🦉 of Brack lives in the tower.\u2028It sleeps by day.",
    "ferry": "# Ferry\n\nThe ferry é leaves at noon.",
}


def version_1(path: Path) -> dict[str, list[tuple[int, int]]]:
    """A data folder as the first version left it; the spans of its passages."""
    spans = {"owl": [(0, 39), (40, 57)], "ferry": [(9, 37)]}
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(f"BEGIN; {MIGRATIONS[0]}; PRAGMA user_version = 1; COMMIT;")
        connection.execute("INSERT INTO settings VALUES ('dense_model', 'all-MiniLM-L6-v2')")
        connection.execute("INSERT INTO collections VALUES ('default', '2026-01-01T00:00:00+00:00')")
        for key, (name, text) in enumerate(V1_TEXTS.items(), start=1):
            about = (key, name, f"Title {name}", None, "text/plain", text, json.dumps({"n": key}), name, "2026-01-01")
            connection.execute("INSERT INTO documents VALUES (?, 'default', ?, ?, ?, ?, ?, ?, ?, ?)", about)
            for ordinal, (start, end) in enumerate(spans[name]):
                connection.execute(
                    "INSERT INTO passages VALUES (NULL, ?, ?, ?, ?, NULL, NULL, ?, ?, ?)",
                    (key, ordinal, start, end, json.dumps([[0, end - start]]), bytes(1536), bytes(1536)),
                )
    return spans


def test_a_folder_of_the_first_version_is_brought_to_today_s(tmp_path: Path) -> None:
    spans = version_1(tmp_path / DATABASE)
    for _ in range(2):
        with closing(word_library(tmp_path)) as library:
            agree(library)
            assert library.sizes()["default"] == 3
            for name, text in V1_TEXTS.items():
                hit = library.search_now("default", f"Title {name}", 1, {"n": list(V1_TEXTS).index(name) + 1}).hits[0]
                assert hit.passage.document_id == name
                document = library.stored.document("default", name)
                assert document is not None
                assert (document.passages, document.characters) == (len(spans[name]), len(text))
                assert library.stored.content(document.key) == text
                passages = library.stored.neighbours("default", name, document.key, range(5))
                assert {at: (one.start, one.end) for at, one in passages.items()} == dict(enumerate(spans[name]))
                assert all(one.text == text[one.start : one.end] for one in passages.values())


def test_what_was_migrated_and_removed_is_gone_from_the_file(tmp_path: Path) -> None:
    version_1(tmp_path / DATABASE)
    with closing(word_library(tmp_path)) as library:
        assert in_files(tmp_path, b"tower")
        library.remove("default", "owl")
        vanishes(tmp_path, b"tower")
        assert library.search_now("default", "ferry", 1).hits


def test_a_migration_that_was_interrupted_begins_again(tmp_path: Path) -> None:
    version_1(tmp_path / DATABASE)
    with closing(sqlite3.connect(tmp_path / DATABASE, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        connection.execute(
            "CREATE TABLE new_documents (key INTEGER)"
        )  # never committed, as in a process that was killed
    with closing(word_library(tmp_path)) as library:
        assert library.sizes()["default"] == 3


def test_a_document_published_late_keeps_the_passages_in_order(tmp_path: Path) -> None:
    """Jobs take turns: what was staged first may become live last."""
    from retrieval.library import new_document
    from retrieval.submissions import parse

    with closing(word_library(tmp_path)) as library:
        keys = {}
        for name in ("first", "second"):
            submission = Submission(data=paragraphs(name, 3), id=name)
            parsed = parse(submission, library.encoder.count_pieces)
            keys[name] = library.stage(new_document("default", submission, parsed), parsed.drafts)
            library.stored.embed(library.encode(library.stored.unembedded(10, [keys[name]])))
        for name in ("second", "first"):
            library.publish("default", lambda name=name: [keys[name]])
        agree(library)
        snapshot = library.snapshot("default")
        assert snapshot.owners.tolist() == [keys["first"]] * 3 + [keys["second"]] * 3


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_killed_at_any_moment_it_loses_nothing_and_shows_nothing_half(request: pytest.FixtureRequest) -> None:
    """25 times; `--crashes 300` for more. It forks, so it has a process of its own."""
    count = str(request.config.getoption("--crashes"))
    command = [sys.executable, "-m", "tests.support.crashes", count, str(random.randrange(10**6))]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    assert done.stdout == f"{count} crashes, nothing lost\n"


def test_closing_twice_is_no_error(tmp_path: Path) -> None:
    library: Library = word_library(tmp_path)
    library.add("default", Submission(data="Mark.", id="d"))
    library.remove("default", "d")
    library.close()
    library.close()
