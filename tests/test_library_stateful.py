"""After any sequence of operations the stores agree, and what is found is what was put in."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from retrieval.library import Library, Submission
from tests.support.crashes import agree
from tests.support.libraries import TINY, word_library

COLLECTIONS = st.sampled_from(["default", "one", "two"])
NAMES = st.sampled_from(["a", "b/c", "ü", "d"])
SIZES = st.sampled_from([1, 2, 7, 40])
NEVER = 3600.0


class Living(RuleBasedStateMachine):
    """A library beside a dictionary of what should be in it: collection -> id -> (mark, passages)."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.model: dict[str, dict[str, tuple[str, int]]] = {"default": {}, "docs": {}}
        self.version = 0
        self.library = self.opened()

    def opened(self) -> Library:
        return word_library(self.folder, sizes=TINY, grace=NEVER)

    @rule(collection=COLLECTIONS, name=NAMES, size=SIZES)
    def add(self, collection: str, name: str, size: int) -> None:
        self.version += 1
        mark = f"mark{self.version}x"
        text = "\n\n".join([f"{mark} speaks. " + "word " * 130] * size)
        self.library.add(collection, Submission(data=text, id=name, metadata={"mark": mark}))
        self.model.setdefault(collection, {})[name] = (mark, size)

    @rule(collection=COLLECTIONS, name=NAMES)
    def add_the_same_again(self, collection: str, name: str) -> None:
        known = self.model.get(collection, {}).get(name)
        if known is not None:
            mark, size = known
            text = "\n\n".join([f"{mark} speaks. " + "word " * 130] * size)
            self.library.add(collection, Submission(data=text, id=name, metadata={"mark": mark}))

    @rule(collection=COLLECTIONS, name=NAMES)
    def remove(self, collection: str, name: str) -> None:
        if collection in self.model:
            assert self.library.remove(collection, name) == (name in self.model[collection])
            self.model[collection].pop(name, None)

    @rule(collection=COLLECTIONS)
    def clear(self, collection: str) -> None:
        if collection in self.model:
            assert self.library.clear(collection) == len(self.model[collection])
            self.model[collection] = {}

    @rule(collection=COLLECTIONS)
    def create(self, collection: str) -> None:
        self.library.create(collection)
        self.model.setdefault(collection, {})

    @rule(collection=st.sampled_from(["one", "two"]))
    def drop(self, collection: str) -> None:
        assert self.library.drop(collection) == (collection in self.model)
        self.model.pop(collection, None)

    @rule()
    def close_and_open(self) -> None:
        self.library.close()
        self.library = self.opened()

    @rule()
    def purge(self) -> None:
        self.library._purge(self.library.stored.dead())
        rows = self.library.stored.database.rows
        assert rows("SELECT count(*) FROM documents WHERE state != 'live'") == [(0,)]
        assert rows("SELECT count(*) FROM passages")[0][0] == sum(self.library.sizes().values())

    @invariant()
    def the_stores_agree(self) -> None:
        agree(self.library)

    @invariant()
    def what_is_stored_is_what_was_put_in(self) -> None:
        assert set(self.library.sizes()) == set(self.library.stored.collections()) == set(self.model)
        for collection, documents in self.model.items():
            stored = {one.id: one for one in self.library.stored.documents(collection)}
            assert {name: one.metadata["mark"] for name, one in stored.items()} == {
                name: mark for name, (mark, _) in documents.items()
            }
            assert self.library.sizes()[collection] == sum(one.passages for one in stored.values())

    @invariant()
    def what_is_found_is_what_was_put_in(self) -> None:
        for collection, documents in self.model.items():
            for name, (mark, _) in documents.items():
                for filters in (None, {"mark": mark}):
                    found = [hit.passage for hit in self.library.search_now(collection, mark, 200, filters).hits]
                    assert {one.document_id for one in found if mark in one.text} == {name}
            gone = self.library.search_now(collection, "mark0x", 5).hits
            assert {hit.passage.metadata["mark"] for hit in gone} <= {mark for mark, _ in documents.values()}

    def teardown(self) -> None:
        if hasattr(self, "library"):
            self.library.close()
            shutil.rmtree(self.folder)


Living.TestCase.settings = settings(max_examples=35, stateful_step_count=18, deadline=None)
TestLiving: Any = Living.TestCase
