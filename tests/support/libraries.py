"""Libraries that cost little, with the parts a test wants to choose."""

from pathlib import Path

from retrieval.checkpoints import Checkpoints
from retrieval.database import Database
from retrieval.dense import SizeClasses
from retrieval.documents import DocumentStore
from retrieval.library import Library
from retrieval.stores import FaissStore
from server.bootstrap import DATABASE
from tests.support.encoder import WordVectors

TINY = SizeClasses(flat_up_to=100, sq8_up_to=300, delta_at_least=20)
"""So that a few hundred passages go through every class of index."""


def word_library(
    folder: Path, *, encoder: WordVectors | None = None, sizes: SizeClasses | None = None, grace: float = 0.05
) -> Library:
    """A library whose vectors are cheap and whose removals are erased almost at once."""
    stored = DocumentStore(Database(folder / DATABASE))
    return Library(
        stored,
        encoder or WordVectors(),
        lambda stored, dimensions: FaissStore(stored, dimensions, Checkpoints(folder / "indexes", "words"), sizes),
        grace=grace,
    )


def paragraphs(mark: str, count: int) -> str:
    """A text of `count` passages, each of which holds the mark."""
    return "\n\n".join(f"{mark} paragraph {at} speaks of part{at}. " + "word " * 130 for at in range(count))
