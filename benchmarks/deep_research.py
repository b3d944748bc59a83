"""What hops are worth: one search against deep research by the rules alone, over question sets.

    python -m benchmarks.deep_research FOLDER [--sets hotpot squad] [--questions 150]

FOLDER holds `NAME.queries.jsonl.gz` and `NAME.corpus.jsonl.gz`. Of a larger set, as many questions as asked for are
taken at even distances.
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

from evaluation.corpus import index
from evaluation.hops import Figures, compare, figures
from evaluation.sets import QuestionSet, read_set
from retrieval.embeddings import MiniLM
from server.bootstrap import library_in

_HEAD = (
    "| set | questions | way | all evidence in ten sources | some in five | searches | at most | ms | slowest |\n"
    "|---|---:|---|---:|---:|---:|---:|---:|---:|"
)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", nargs="+", default=["hotpot", "squad"])
    parser.add_argument("--questions", type=int, default=150)
    given = parser.parse_args()
    print(_HEAD)
    for name in given.sets:
        for line in measured(read_set(given.folder / f"{name}.queries.jsonl.gz"), given.questions):
            print(line)


def measured(questions: QuestionSet, most: int) -> list[str]:
    """Two rows of the table: once, and deep."""
    asked = [q for q in questions.questions if q.answerable is not False and q.documents]
    step = max(1, len(asked) // most)
    chosen = replace(questions, questions=tuple(asked[::step][:most]))
    with tempfile.TemporaryDirectory() as folder:
        library = library_in(Path(folder), MiniLM(threads=1))
        library.create(questions.name)
        index(library, questions.name, questions)
        found = compare(library, questions.name, chosen)
        library.close()
    ways = {"once": [one.once for one in found], "deep": [one.deep for one in found]}
    asked = [one.question for one in found]
    return [_row(questions.name, len(asked), way, figures(asked, looked)) for way, looked in ways.items()]


def _row(name: str, count: int, way: str, found: Figures) -> str:
    shares = f"{found.all_evidence:.3f} | {found.some_evidence:.3f}"
    costs = f"{found.searches:.1f} | {found.most_searches} | {found.ms:.0f} | {found.slowest_ms:.0f}"
    return f"| {name} | {count} | {way} | {shares} | {costs} |"


if __name__ == "__main__":
    main()
