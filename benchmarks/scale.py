"""Search latency, memory and start as curves over the size of a collection: `python -m benchmarks.scale [SIZES]`.

The passages are synthetic (words by Zipf's law, vectors in clusters), written straight into the store, because
embedding 300,000 real ones takes hours; searching them goes the whole way, the encoder of the
question included. One thread.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

SIZES = [1_000, 10_000, 20_000, 50_000, 100_000, 200_000, 300_000]
RESULT = Path(__file__).parent / "scale.md"
_WORDS = 60_000
_SENTENCES = 6
_WORDS_PER_SENTENCE = 18
_PER_DOCUMENT = 50
_QUESTIONS = 200


def main() -> None:
    if sys.argv[1:2] == ["--one"]:
        measure(Path(sys.argv[2]), int(sys.argv[3]))
        return
    sizes = [int(value) for value in sys.argv[1:]] or SIZES
    rows = [one_size(size) for size in sizes]
    RESULT.write_text(report(rows), encoding="utf-8")
    print(report(rows))


def one_size(size: int) -> dict[str, float]:
    """Fill a folder, then measure in a process of its own, so that memory is that of a server that just started."""
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder), size)
        for _ in range(2):  # the first start writes the index files
            command = [sys.executable, "-m", "benchmarks.scale", "--one", folder, str(size)]
            done = subprocess.run(command, check=True, capture_output=True, text=True, env=_one_thread())
        row: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        print(row, file=sys.stderr)
        return row


def _one_thread() -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class Generator:
    """Texts and vectors that behave like a corpus: few words are frequent, vectors lie in clusters."""

    def __init__(self) -> None:
        self.random = np.random.default_rng(7)
        letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
        self.words = ["".join(self.random.choice(letters, self.random.integers(3, 10))) for _ in range(_WORDS)]
        weights = 1 / np.arange(10, _WORDS + 10)
        self.weights = np.cumsum(weights / weights.sum())
        self.centres = self.random.normal(size=(3_000, 384)).astype(np.float32)

    def text(self) -> str:
        chosen = np.searchsorted(self.weights, self.random.random(_SENTENCES * _WORDS_PER_SENTENCE))
        words = [self.words[min(at, _WORDS - 1)] for at in chosen]
        sentences = [words[at : at + _WORDS_PER_SENTENCE] for at in range(0, len(words), _WORDS_PER_SENTENCE)]
        return " ".join(" ".join(sentence).capitalize() + "." for sentence in sentences)

    def vectors(self, count: int) -> np.ndarray:
        near = self.centres[self.random.integers(0, len(self.centres), count)]
        vectors = near + 0.7 * self.random.normal(size=near.shape).astype(np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def fill(folder: Path, size: int) -> None:
    from language.words import terms
    from retrieval.coverage import pack
    from retrieval.database import Database
    from retrieval.documents import DocumentStore
    from retrieval.embeddings import MODEL_NAME
    from retrieval.passages import Draft
    from retrieval.records import Embedded, NewDocument
    from server.bootstrap import DATABASE

    made = Generator()
    database = Database(folder / DATABASE)
    store = DocumentStore(database)
    store.set_setting("dense_model", MODEL_NAME)

    def drafts(texts: list[str]) -> Iterator[Draft]:
        at = 0
        for text in texts:
            yield Draft(start=at, end=at + len(text), section=None, page=None, sentences=tuple(_spans(text)))
            at += len(text) + 2

    for number in range(size // _PER_DOCUMENT):
        texts = [made.text() for _ in range(_PER_DOCUMENT)]
        document = NewDocument(
            collection="default", id=f"d{number}", title=f"Document {number}", content="\n\n".join(texts), digest=""
        )
        key = store.stage(document, list(drafts(texts)))
        passages = store.unembedded(_PER_DOCUMENT, [key])
        dense, late = made.vectors(len(passages)), made.vectors(len(passages) * _SENTENCES * 2)
        embedded, at = [], 0
        for passage, vector in zip(passages, dense, strict=True):
            count = len(passage.sentences)
            sentences = late[at : at + count]
            at += count
            stems = " ".join(terms(passage.indexed_text))
            embedded.append(
                Embedded(key=passage.key, dense=vector, sentences=sentences, words=pack(passage), stems=stems)
            )
        store.embed(embedded)
        store.publish([key])
    database.close()


def _spans(text: str) -> Iterator[tuple[int, int]]:
    at = 0
    for sentence in text.split(". "):
        yield at, min(at + len(sentence) + 1, len(text))
        at += len(sentence) + 2


def measure(folder: Path, size: int) -> None:
    import faiss
    import psutil

    from retrieval.embeddings import MiniLM
    from server.bootstrap import library_in

    faiss.omp_set_num_threads(1)
    encoder = MiniLM(threads=1)
    started = time.perf_counter()
    library = library_in(folder, encoder)
    opened = time.perf_counter() - started
    made = Generator()
    questions = [" ".join(made.text().split()[:8]) for _ in range(_QUESTIONS)]
    for question in questions[:20]:
        library.search_now("default", question, 6)
    taken = sorted(_timed(lambda q=question: library.search_now("default", q, 6)) for question in questions)  # type: ignore[misc]
    asked = library.question(questions[0])
    leg = sorted(_timed(lambda: library.snapshot("default").dense.nearest(asked.dense, 50)) for _ in range(50))
    words = sorted(_timed(lambda: library.snapshot("default").lexical.search(asked.terms, 50)) for _ in range(50))
    encode = sorted(_timed(lambda: encoder.encode_query(questions[0])) for _ in range(50))
    row = {
        "passages": size,
        "p50_ms": taken[len(taken) // 2] * 1e3,
        "p95_ms": taken[int(len(taken) * 0.95)] * 1e3,
        "encode_ms": encode[25] * 1e3,
        "dense_ms": leg[25] * 1e3,
        "lexical_ms": words[25] * 1e3,
        "rss_mb": psutil.Process().memory_info().rss / 1e6,
        "open_s": opened,
        "disk_mb": sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6,
    }
    library.close()
    print(json.dumps({name: round(value, 2) for name, value in row.items()}))


def _timed(work: object) -> float:
    started = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - started


def report(rows: list[dict[str, float]]) -> str:
    head = (
        f"# Search over the size of a collection\n\n{datetime.now(UTC):%Y-%m-%d}, {platform.machine()},"
        f" {os.cpu_count()} cores, Python {platform.python_version()}; one thread; synthetic passages of"
        f" {_SENTENCES * _WORDS_PER_SENTENCE} words; {_QUESTIONS} questions of 8 words."
        " `python -m benchmarks.scale`\n\n"
    )
    columns = [
        ("passages", "passages", "{:,.0f}"),
        ("p50_ms", "search p50, ms", "{:.1f}"),
        ("p95_ms", "p95, ms", "{:.1f}"),
        ("encode_ms", "of it encoder", "{:.1f}"),
        ("dense_ms", "dense leg", "{:.1f}"),
        ("lexical_ms", "lexical leg", "{:.1f}"),
        ("rss_mb", "memory of the process, MB", "{:.0f}"),
        ("open_s", "opening, s", "{:.1f}"),
        ("disk_mb", "on disk, MB", "{:,.0f}"),
    ]
    table = ["| " + " | ".join(title for _, title, _ in columns) + " |", "|" + "---:|" * len(columns)]
    table += ["| " + " | ".join(form.format(row[name]) for name, _, form in columns) + " |" for row in rows]
    return head + "\n".join(table) + "\n"


if __name__ == "__main__":
    main()
