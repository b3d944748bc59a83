"""What deep research is worth and costs: questions asked at once and in depth, embedded models.

    python -m benchmarks.deep_research FOLDER [--sets hotpot squad] [--questions 150]

FOLDER holds `NAME.queries.jsonl.gz` and `NAME.corpus.jsonl.gz`. Prints the table of deep_research.md.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

from evaluation.corpus import index
from evaluation.researching import Figures, figures, research
from evaluation.sets import QuestionSet, read_set
from server.bootstrap import build_hub, open_library
from server.settings import Settings

_HEAD = (
    "| set | questions | mode | all evidence in ten sources | answered | searches | ms | slowest | citation coverage "
    "| precision |\n"
    "|---|---:|---|---:|---:|---:|---:|---:|---:|---:|"
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


def measured(questions: QuestionSet, most: int) -> Iterator[str]:
    """Two rows of the table: at once, and in depth."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(_env_file=None, data_dir=Path(folder))
        library = open_library(settings)
        library.create(questions.name)
        index(library, questions.name, questions)

        async def ask() -> list[tuple[str, Figures]]:
            hub = build_hub(settings, library)
            asked = await research(hub, questions.name, questions, most)
            await hub.drain(0)
            return [(mode, figures(of_mode)) for mode, of_mode in asked.items()]

        for mode, found in asyncio.run(ask()):
            yield _row(questions.name, mode, found)
        library.close()


def _row(name: str, mode: str, found: Figures) -> str:
    shares = f"{found.all_evidence:.3f} | {found.answered:.3f}"
    costs = f"{found.searches:.1f} | {found.ms:.0f} | {found.slowest_ms}"
    cited = f"{found.coverage:.3f} | {found.precision:.3f}"
    return f"| {name} | {found.questions} | {mode} | {shares} | {costs} | {cited} |"


if __name__ == "__main__":
    main()
