"""Any LangChain vector store can be the dense leg, by one setting."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import InMemoryVectorStore, VectorStore

from retrieval.embeddings import MiniLM
from retrieval.library import Library, Submission
from retrieval.stores import StoreUnavailable, store_maker
from server.bootstrap import library_in
from tests.support.corpus import fill
from tests.support.crashes import agree
from tests.support.encoder import WordVectors
from tests.support.libraries import paragraphs

IN_MEMORY = f"{__name__}:in_memory"
QUESTIONS = [
    "What does a mooring permit cost?",
    "Who built the Aldermoor lighthouse?",
    "How often is the sourdough starter fed?",
    "When is the bakery closed?",
    "What is the speed limit in the harbour?",
]
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*:DeprecationWarning:chromadb.*"),
    pytest.mark.filterwarnings("ignore:.*:DeprecationWarning:langchain_chroma.*"),
]


def in_memory(collection: str, embeddings: Embeddings, folder: Path) -> VectorStore:
    """A maker as somebody outside would write it."""
    return InMemoryVectorStore(Turned(embeddings))


class Turned(Embeddings):
    """What `InMemoryVectorStore` wants of embeddings, nothing more."""

    def __init__(self, embeddings: Embeddings) -> None:
        self._embeddings = embeddings

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return self._embeddings.embed_documents(texts)

    def embed_query(self, text: str) -> list[float]:
        raise AssertionError("questions come as vectors")


@pytest.fixture(params=["chroma", IN_MEMORY])
def store(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def elsewhere(tmp_path: Path, store: str) -> Iterator[Library]:
    with closing(library_in(tmp_path, WordVectors(), vector_store=store)) as library:
        yield library


def ids(library: Library, question: str, k: int = 5, **filters: object) -> list[str]:
    return [hit.passage.document_id for hit in library.search_now("default", question, k, filters or None).hits]


def test_the_same_is_found_as_with_our_own_index(encoder: MiniLM, library: Library, tmp_path: Path, store: str) -> None:
    with closing(library_in(tmp_path, encoder, vector_store=store)) as other:
        fill(other)
        for question in QUESTIONS:
            assert ids(other, question) == ids(library, question)
            ours, theirs = (one.search_now("default", question, 3).probability for one in (library, other))
            assert theirs == pytest.approx(ours)


def test_documents_are_added_filtered_replaced_and_removed(elsewhere: Library) -> None:
    for number in range(12):
        elsewhere.add("default", Submission(data=f"Blue note{number}.", id=str(number), metadata={"n": number % 3}))
    assert ids(elsewhere, "note7", 1) == ["7"]
    assert set(ids(elsewhere, "blue", 12, n=1)) == {str(number) for number in (1, 4, 7, 10)}
    elsewhere.add("default", Submission(data="Red note7.", id="7", metadata={"n": 1}))
    assert elsewhere.search_now("default", "note7", 1).hits[0].passage.text == "Red note7."
    assert elsewhere.remove("default", "7")
    assert "7" not in ids(elsewhere, "note7", 12)
    agree(elsewhere)
    assert elsewhere.clear("default") == 11
    assert ids(elsewhere, "blue") == []


def test_a_large_version_just_replaced_does_not_crowd_out_the_others(elsewhere: Library) -> None:
    """The former version stays in the store until no search can be reading it."""
    elsewhere.add("default", Submission(data="Topic of quite another kind.", id="other"))
    for _ in range(2):
        elsewhere.add("default", Submission(data=paragraphs("Topic", 150), id="large", metadata={"v": _}))
    elsewhere.remove("default", "large")
    dense = elsewhere.snapshot("default").dense
    key = elsewhere.snapshot("default").keys.tolist()
    assert dense.nearest(elsewhere.question("Topic").dense, 50) == key


def test_what_was_put_in_is_there_after_a_restart(tmp_path: Path, store: str) -> None:
    for number in range(3):
        with closing(library_in(tmp_path, WordVectors(), vector_store=store)) as library:
            agree(library)
            library.add("default", Submission(data=f"Note mark{number}.", id=str(number)))
            for earlier in range(number + 1):
                assert ids(library, f"mark{earlier}", 1) == [str(earlier)]


def test_a_dropped_collection_leaves_nothing_in_chroma(tmp_path: Path) -> None:
    import chromadb

    with closing(library_in(tmp_path, WordVectors(), vector_store="chroma")) as library:
        library.add("one", Submission(data="Secretmark one.", id="a"))
        library.add("two", Submission(data="Keptmark two.", id="b"))
        library.drop("one")
        client = chromadb.PersistentClient(str(tmp_path / "chroma"), chromadb.Settings(anonymized_telemetry=False, is_persistent=True))  # fmt: skip  # noqa: E501
        texts = [text for one in client.list_collections() for text in one.get()["documents"] or []]
        assert texts == ["Keptmark two."]


def test_the_store_can_be_changed(tmp_path: Path) -> None:
    for store in ("faiss", "chroma", "faiss", IN_MEMORY, "chroma"):
        with closing(library_in(tmp_path, WordVectors(), vector_store=store)) as library:
            agree(library)
            library.add("default", Submission(data=f"Note of {store}.", id=store.replace(":", "-")))
            assert len(ids(library, "note", 9)) == library.sizes()["default"]


@pytest.mark.parametrize("name", ["nope", "no.such.module:make", f"{__name__}:nope", ""])
def test_an_unknown_store_is_an_error_that_says_what_there_is(tmp_path: Path, name: str) -> None:
    with pytest.raises(StoreUnavailable):
        store_maker(name)
    with pytest.raises(StoreUnavailable):
        library_in(tmp_path, WordVectors(), vector_store=name)
    with closing(library_in(tmp_path, WordVectors())):  # the folder is not held any more
        pass
