"""The dense leg: FAISS by size class, never changed while somebody searches it.

A collection's vectors are an immutable base beside a small delta; what was removed is masked. FAISS itself crashes when
one thread adds while another searches, so a change makes another `FaissLeg` and the old one stays as it is.
"""

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import faiss
import numpy as np
import numpy.typing as npt

from retrieval.embeddings import Vectors
from retrieval.records import Keys

_DELTA_SHARE = 0.05
_TRAIN_WITH = 100_000
_PROBED_SHARE = 0.20
_FEW = 0.05
"""A filter that leaves less than this share is searched in all cells."""

Batches = Iterator[tuple[Keys, Vectors]]


@dataclass(frozen=True, kw_only=True, slots=True)
class SizeClasses:
    """Which kind of index holds how many vectors, and when a delta belongs into its base."""

    flat_up_to: int = 20_000
    """Exact 32-bit vectors up to here; beyond, 8 bits per dimension."""
    sq8_up_to: int = 200_000
    """Every vector is compared up to here; beyond, those of the nearest cells (IVF)."""
    delta_at_least: int = 2_000
    """So many changes are always put up with."""

    def of(self, count: int) -> str:
        """The class of an index for so many vectors."""
        return "flat" if count <= self.flat_up_to else "sq8" if count <= self.sq8_up_to else "ivf"

    def sample(self, count: int) -> int:
        """How many vectors an index for `count` is trained on."""
        return 0 if count <= self.flat_up_to else min(count, _TRAIN_WITH)


class DenseLeg(Protocol):
    """What a store of vectors has to do. Immutable: a change gives another leg."""

    def nearest(self, query: Vectors, k: int, among: Keys | None = None) -> list[int]:
        """The keys of about the nearest `k` passages by inner product, best first; only `among` these, if given."""

    def changed(self, *, add: Keys, vectors: Vectors, remove: Keys) -> "DenseLeg":
        """The leg with other passages; vectors have shape (passages, dimensions) and unit length."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FaissBase:
    """A FAISS index whose ids are positions in `keys`."""

    index: faiss.Index
    keys: Keys

    @classmethod
    def empty(cls, dimensions: int) -> "FaissBase":
        return cls(index=faiss.IndexFlatIP(dimensions), keys=np.empty(0, np.int64))

    @classmethod
    def build(cls, kind: str, count: int, dimensions: int, batches: Batches, sample: Vectors) -> "FaissBase":
        """Of this class, for `count` vectors, which come in `batches`; trained on a `sample`."""
        index = _index_for(kind, count, dimensions)
        if not index.is_trained:
            index.train(np.ascontiguousarray(sample))
        keys = [np.empty(0, np.int64)]
        for some, vectors in batches:
            index.add(np.ascontiguousarray(vectors))
            keys.append(some)
        return cls(index=index, keys=np.concatenate(keys))

    @classmethod
    def read(cls, index: Path, keys: Path) -> "FaissBase":
        """From files whose hashes have been checked: FAISS itself notices damage rarely."""
        return cls(index=faiss.read_index(str(index)), keys=np.load(keys, allow_pickle=False))

    def write(self, index: Path, keys: Path) -> None:
        faiss.write_index(self.index, str(index))
        np.save(keys, self.keys, allow_pickle=False)

    def extended(self, add: Keys, vectors: Vectors, alive: npt.NDArray[np.bool_]) -> "FaissBase":
        """A copy of the same class with other vectors and without the dead."""
        index = faiss.clone_index(self.index)
        if not alive.all():
            if isinstance(index, faiss.IndexIVF):  # keeps its ids when others go, and ours are positions
                raise ValueError("an IVF index is built anew instead")
            index.remove_ids(np.flatnonzero(~alive).astype(np.int64))
        index.add(np.ascontiguousarray(vectors))
        return FaissBase(index=index, keys=np.concatenate([self.keys[alive], add]))

    def nearest(self, query: Vectors, k: int, chosen: npt.NDArray[np.bool_] | None) -> dict[int, float]:
        """Inner products of the nearest `k`, by key; only of the `chosen` positions, shape (keys,)."""
        if not len(self.keys) or (chosen is not None and not chosen.any()):
            return {}
        faiss.omp_set_num_threads(1)  # of this thread: for one query, waiting for others costs fifty times the search
        parameters, keep = _parameters(self.index, chosen)
        scores, positions = self.index.search(query.reshape(1, -1), min(k, len(self.keys)), params=parameters)
        del keep
        return {int(self.keys[at]): float(score) for at, score in zip(positions[0], scores[0], strict=True) if at >= 0}


class FaissLeg:
    """A base, the delta since, and what of the base is gone."""

    def __init__(self, base: FaissBase, *, removed: Keys | None = None) -> None:
        self.base = base
        self.delta_keys: Keys = np.empty(0, np.int64)
        self.delta: Vectors = np.empty((0, base.index.d), np.float32)
        self.alive = np.ones(len(base.keys), np.bool_)
        if removed is not None and len(removed):
            self.alive &= ~np.isin(base.keys, removed)

    def __len__(self) -> int:
        return int(self.alive.sum()) + len(self.delta_keys)

    @property
    def keys(self) -> Keys:
        """Of everything in it, ascending."""
        return np.sort(np.concatenate([self.base.keys[self.alive], self.delta_keys]))

    def nearest(self, query: Vectors, k: int, among: Keys | None = None) -> list[int]:
        chosen = None if self.alive.all() else self.alive
        if among is not None:
            chosen = self.alive & np.isin(self.base.keys, among)
        found = self.base.nearest(query, k, chosen)
        if len(self.delta_keys):
            scores = self.delta @ query
            if among is not None:
                scores = np.where(np.isin(self.delta_keys, among), scores, -np.inf)
            best = np.argpartition(-scores, min(k, len(scores)) - 1)[:k]
            found |= {int(self.delta_keys[at]): float(scores[at]) for at in best if np.isfinite(scores[at])}
        return sorted(found, key=lambda key: -found[key])[:k]

    def changed(self, *, add: Keys, vectors: Vectors, remove: Keys) -> "FaissLeg":
        keep = ~np.isin(self.delta_keys, remove)
        following = FaissLeg.__new__(FaissLeg)
        following.base = self.base
        following.alive = self.alive & ~np.isin(self.base.keys, remove) if len(remove) else self.alive
        following.delta_keys = np.concatenate([self.delta_keys[keep], add])
        following.delta = np.concatenate([self.delta[keep], vectors.reshape(len(add), self.base.index.d)])
        return following

    def overdue(self, sizes: SizeClasses) -> bool:
        """Whether so much has changed that the delta belongs into the base."""
        bound = max(sizes.delta_at_least, _DELTA_SHARE * len(self.base.keys))
        return len(self.delta_keys) > bound or len(self.alive) - int(self.alive.sum()) > bound

    def outgrown(self, sizes: SizeClasses) -> bool:
        """Whether the base must be of another size class, or cannot take changes: it has to be built anew."""
        kind = class_of(self.base.index)
        return sizes.of(len(self)) != kind or kind == "ivf"

    def merged(self) -> "FaissLeg":
        """The same passages with an empty delta, in an index of the same class."""
        return FaissLeg(self.base.extended(self.delta_keys, self.delta, self.alive))


def class_of(index: faiss.Index) -> str:
    """The size class of an index."""
    if isinstance(index, faiss.IndexIVF):
        return "ivf"
    return "sq8" if isinstance(index, faiss.IndexScalarQuantizer) else "flat"


def _index_for(kind: str, count: int, dimensions: int) -> faiss.Index:
    if kind == "flat":
        return faiss.IndexFlatIP(dimensions)
    if kind == "sq8":
        return faiss.IndexScalarQuantizer(dimensions, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
    cells = int(2 * math.sqrt(count))
    quantizer = faiss.IndexFlatIP(dimensions)
    index = faiss.IndexIVFScalarQuantizer(
        quantizer, dimensions, cells, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT, False
    )
    quantizer.this.disown()
    index.own_fields = True
    index.cp.niter = 8  # more iterations move the cells, hardly the recall
    index.nprobe = max(8, int(cells * _PROBED_SHARE))
    return index


def _parameters(
    index: faiss.Index, chosen: npt.NDArray[np.bool_] | None
) -> tuple[faiss.SearchParameters | None, object]:
    """How to search, and what has to stay in memory meanwhile."""
    if chosen is None:
        return None, None
    bits = np.packbits(chosen, bitorder="little")
    selector = faiss.IDSelectorBitmap(len(chosen), faiss.swig_ptr(bits))
    if isinstance(index, faiss.IndexIVF):
        everywhere = chosen.mean() < _FEW
        return faiss.SearchParametersIVF(sel=selector, nprobe=index.nlist if everywhere else index.nprobe), bits
    return faiss.SearchParameters(sel=selector), bits


def as_keys(values: Collection[int]) -> Keys:
    """Keys as an array."""
    return np.fromiter(values, np.int64, len(values))
