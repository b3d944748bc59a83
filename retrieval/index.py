"""Immutable snapshots of a collection: a reader keeps the one it has, a writer swaps in the next."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from retrieval.calibration import EVIDENCE, Platt
from retrieval.dense import DenseLeg
from retrieval.embeddings import Vectors
from retrieval.lexical import LexicalIndex, LexicalSnapshot
from retrieval.records import Keys, Member, Published

Filters = Mapping[str, Any]
"""Metadata key -> the value it must equal, or a list of values it must be among."""

_ABSENT = object()


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """A collection at one moment; nothing here ever changes. Texts and vectors are read from SQLite by key."""

    members: Mapping[int, Member]
    """Its documents by key."""
    keys: Keys
    """Of its passages, ascending."""
    owners: Keys
    """The document of each passage."""
    dense: DenseLeg
    lexical: LexicalSnapshot
    calibration: Platt = EVIDENCE

    def __len__(self) -> int:
        return len(self.keys)

    def matching(self, filters: Filters) -> Keys:
        """The passages whose document's metadata passes every filter."""
        documents = [key for key, member in self.members.items() if _passes(member.metadata, filters)]
        chosen: Keys = self.keys[np.isin(self.owners, documents)]
        return chosen

    def without(self, document: int) -> Keys:
        """The passages of all other documents."""
        chosen: Keys = self.keys[self.owners != document]
        return chosen


class CollectionIndex:
    """The current snapshot of one collection and the way to the next. One writer at a time."""

    def __init__(self, dense: DenseLeg, calibration: Platt = EVIDENCE) -> None:
        nothing = np.empty(0, np.int64)
        self._lexical = LexicalIndex()
        self.snapshot = Snapshot(
            members=MappingProxyType({}),
            keys=nothing,
            owners=nothing,
            dense=dense,
            lexical=self._lexical.update(),
            calibration=calibration,
        )

    def load(self, members: Mapping[int, Member], keys: Keys, owners: Keys, stems: Iterable[tuple[int, str]]) -> None:
        """Begin with what is stored; the dense leg holds these passages already."""
        self.snapshot = replace(
            self.snapshot,
            members=MappingProxyType(dict(members)),
            keys=keys,
            owners=owners,
            lexical=self._lexical.update(add=stems),
        )

    def update(self, published: Published, vectors: Vectors, stems: Sequence[tuple[int, str]]) -> None:
        """Swap in a snapshot after a publication; vectors have shape (passages, dimensions)."""
        before = self.snapshot
        dead = set(published.dead)
        gone = before.keys[np.isin(before.owners, published.dead)] if published.dead else before.keys[:0]
        members = {key: member for key, member in before.members.items() if key not in dead}
        stay = ~np.isin(before.keys, gone)
        keys = np.concatenate([before.keys[stay], published.passages])
        order = np.argsort(keys, kind="stable")  # jobs take turns: what was staged first may be published last
        self.snapshot = replace(
            before,
            members=MappingProxyType(members | published.live),
            keys=keys[order],
            owners=np.concatenate([before.owners[stay], published.owners])[order],
            dense=before.dense.changed(add=published.passages, vectors=vectors, remove=gone),
            lexical=self._lexical.update(add=stems, remove=gone.tolist()),
        )

    def swap(self, *, dense: DenseLeg | None = None, calibration: Platt | None = None) -> None:
        """Swap in a snapshot of the same passages with another dense leg or another calibration."""
        before = self.snapshot
        self.snapshot = replace(before, dense=dense or before.dense, calibration=calibration or before.calibration)


def _passes(metadata: Mapping[str, Any], filters: Filters) -> bool:
    return all(
        metadata.get(key, _ABSENT) in wanted if isinstance(wanted, list) else metadata.get(key, _ABSENT) == wanted
        for key, wanted in filters.items()
    )
