"""Searching while documents come and go, in every class of index."""

import random
import re
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from time import monotonic

import numpy as np
import pytest

from retrieval.dense import FaissBase, FaissLeg, SizeClasses, class_of
from retrieval.embeddings import DIMENSIONS, Vectors
from retrieval.library import Library, Submission
from tests.support.crashes import agree
from tests.support.libraries import TINY, word_library

DOCUMENTS = 12


def version(name: str, number: int, chance: random.Random) -> Submission:
    """Several passages, all of which say which version they belong to."""
    parts = [f"Topic{name} version{number} speaks. " + f"version{number} " * 130 for _ in range(chance.randint(1, 60))]
    return Submission(data="\n\n".join(parts), id=name, metadata={"version": number, "even": number % 2 == 0})


def write(library: Library, seconds: float, chance: random.Random) -> list[str]:
    """Add, replace and remove for a while; the classes of index that were seen."""
    classes: list[str] = []
    end = monotonic() + seconds
    for number in range(1_000_000):
        if monotonic() > end:
            return classes
        name = f"d{chance.randrange(DOCUMENTS)}"
        if chance.random() < 0.3:
            library.remove("default", name)
        else:
            library.add("default", version(name, number, chance))
        dense = library.snapshot("default").dense
        assert isinstance(dense, FaissLeg)
        if (kind := class_of(dense.base.index)) not in classes[-1:]:
            classes.append(kind)
    return classes


def read(library: Library, stop: threading.Event, chance: random.Random) -> int:
    """Search until told to stop; how often. Raises `AssertionError` at a result that is not whole."""
    count = 0
    while not stop.is_set():
        filters = chance.choice([None, {"even": True}, {"version": list(range(50))}])
        hits = library.search_now("default", f"Topicd{chance.randrange(DOCUMENTS)} speaks", 30, filters).hits
        seen: dict[str, set[str]] = {}
        for hit in hits:
            versions = set(re.findall(r"version\d+", hit.passage.text))
            assert versions == {f"version{hit.passage.metadata['version']}"}
            seen.setdefault(hit.passage.document_id, set()).update(versions)
            assert filters is None or "even" not in filters or hit.passage.metadata["even"]
        assert all(len(versions) == 1 for versions in seen.values()), f"a mix of versions: {seen}"
        count += 1
    return count


def together(library: Library, seconds: float, readers: int = 2) -> tuple[list[str], int]:
    """Readers beside a writer; the classes of index and the number of searches."""
    stop = threading.Event()
    failures: list[BaseException] = []
    searches: list[int] = []

    def reading(seed: int) -> None:
        try:
            searches.append(read(library, stop, random.Random(seed)))
        except BaseException as error:
            failures.append(error)
            stop.set()

    threads = [threading.Thread(target=reading, args=(seed,)) for seed in range(readers)]
    for thread in threads:
        thread.start()
    try:
        classes = write(library, seconds, random.Random(99))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures, failures
    return classes, sum(searches)


def check(folder: Path, seconds: float, sizes: SizeClasses | None) -> list[str]:
    with closing(word_library(folder, sizes=sizes, grace=1.0)) as library:
        classes, searches = together(library, seconds)
        assert searches > 10 * seconds
        agree(library)
    with closing(word_library(folder, sizes=sizes)) as library:
        agree(library)
        assert library.notes == []
    return classes


@pytest.mark.parametrize("sizes", [None, TINY], ids=["usual", "tiny"])
def test_searches_see_whole_versions_while_others_come_and_go(tmp_path: Path, sizes: SizeClasses | None) -> None:
    check(tmp_path, 3, sizes)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("sizes", [None, TINY], ids=["usual", "tiny"])
def test_searches_see_whole_versions_for_a_minute(tmp_path: Path, sizes: SizeClasses | None) -> None:
    classes = check(tmp_path, 60, sizes)
    if sizes is not None:
        assert set(classes) == {"flat", "sq8", "ivf"}


def test_a_growing_collection_goes_through_every_class_of_index(tmp_path: Path) -> None:
    with closing(word_library(tmp_path, sizes=TINY)) as library:
        for at, wanted in enumerate(["flat", "sq8", "ivf"]):
            for number in range(at * 4, at * 4 + 4):
                text = "\n\n".join(f"Topic{number} part{part}. " + "word " * 130 for part in range(20 + 25 * at))
                library.add("default", Submission(data=text, id=f"d{number}", metadata={"n": number}))
            settled(library, wanted)
            agree(library)
            for number in range(at * 4 + 4):
                assert library.search_now("default", f"Topic{number}", 1).hits[0].passage.document_id == f"d{number}"
        for number in range(4, 12):
            library.remove("default", f"d{number}")
        settled(library, "flat")
        agree(library)
    with closing(word_library(tmp_path, sizes=TINY)) as library:
        agree(library)


def settled(library: Library, kind: str) -> None:
    end = monotonic() + 20
    while True:
        dense = library.snapshot("default").dense
        assert isinstance(dense, FaissLeg)
        if class_of(dense.base.index) == kind:
            return
        assert monotonic() < end, f"the index is still {class_of(dense.base.index)}"


# --- what the classes cost in recall


def clustered(count: int, seed: int = 0) -> Vectors:
    random_ = np.random.default_rng(seed)
    centres = random_.normal(size=(60, DIMENSIONS))
    vectors = centres[random_.integers(0, 60, count)] + 0.7 * random_.normal(size=(count, DIMENSIONS))
    unit: Vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return unit


COUNT = 6_000
CLASSES = {
    "flat": SizeClasses(),
    "sq8": SizeClasses(flat_up_to=10),
    "ivf": SizeClasses(flat_up_to=10, sq8_up_to=20),
}


@pytest.fixture(scope="module")
def leg_of() -> Callable[[str], tuple[FaissLeg, Vectors]]:
    """A leg of a class over clustered vectors, whose keys are 3, 6, 9, ..."""
    made: dict[str, FaissLeg] = {}
    vectors = clustered(COUNT)
    keys = np.arange(1, COUNT + 1, dtype=np.int64) * 3

    def leg(kind: str) -> tuple[FaissLeg, Vectors]:
        assert CLASSES[kind].of(COUNT) == kind
        if kind not in made:
            base = FaissBase.build(kind, COUNT, DIMENSIONS, iter([(keys, vectors)]), vectors)
            made[kind] = FaissLeg(base)
        return made[kind], vectors

    return leg


def recall(leg: FaissLeg, vectors: Vectors, chosen: np.ndarray | None = None, k: int = 10) -> float:
    found = wanted = 0
    questions = vectors[:100] + 0.02 * np.random.default_rng(5).normal(size=(100, DIMENSIONS))
    among = None if chosen is None else leg.keys[chosen]
    for question in questions.astype(np.float32):
        scores = vectors @ question
        if chosen is not None:
            scores = np.where(chosen, scores, -np.inf)
        truth = {int(key) for key in leg.keys[np.argsort(-scores)[:k]]}
        truth &= set(leg.keys.tolist()) if among is None else set(among.tolist())
        found += len(truth & set(leg.nearest(question, k, among)))
        wanted += len(truth)
    return found / wanted


@pytest.mark.parametrize(("kind", "least"), [("flat", 0.999), ("sq8", 0.97), ("ivf", 0.9)])
def test_each_class_finds_what_an_exact_search_finds(
    leg_of: Callable[[str], tuple[FaissLeg, Vectors]], kind: str, least: float
) -> None:
    assert recall(*leg_of(kind)) >= least


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("share", [0.001, 0.02, 0.5])
def test_a_filter_leaves_only_what_it_chooses_and_loses_nothing_of_it(
    leg_of: Callable[[str], tuple[FaissLeg, Vectors]], kind: str, share: float
) -> None:
    leg, vectors = leg_of(kind)
    chosen = np.random.default_rng(3).random(COUNT) < share
    chosen[7] = True
    assert recall(leg, vectors, chosen) >= (0.85 if kind == "ivf" and share > 0.1 else 0.96)
    few = min(10, int(chosen.sum()))
    found = leg.nearest(vectors[0], 10, leg.keys[chosen])
    assert len(found) == few
    assert set(found) <= set(leg.keys[chosen].tolist())
    assert leg.nearest(vectors[0], 10, leg.keys[:0]) == []


@pytest.mark.parametrize("kind", CLASSES)
def test_what_was_removed_or_added_since_is_left_out_or_found(
    leg_of: Callable[[str], tuple[FaissLeg, Vectors]], kind: str
) -> None:
    leg, vectors = leg_of(kind)
    nearest = leg.nearest(vectors[0], 5)
    new = np.array([10**6], np.int64)
    changed = leg.changed(add=new, vectors=vectors[:1], remove=np.array(nearest, np.int64))
    assert changed.nearest(vectors[0], 5)[0] == 10**6
    assert not set(changed.nearest(vectors[0], 50)) & set(nearest)
    assert leg.nearest(vectors[0], 5) == nearest, "who had the former leg keeps it"
    gone = changed.changed(add=new[:0], vectors=vectors[:0], remove=new)
    assert 10**6 not in gone.nearest(vectors[0], 50)
