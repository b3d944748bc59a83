"""Documents in, passages out: exact spans, whole versions, filters before ranking."""

import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.chunking import MAX_PIECES, cut_passages
from retrieval.database import Database, DataFolderTooNew
from retrieval.embeddings import MiniLM
from retrieval.library import Library, Submission, UnknownCollection
from retrieval.loaders import LoadError, load, load_markdown, load_text
from retrieval.retriever import HybridRetriever
from server.bootstrap import library_in
from tests.support.corpus import BAKERY, HARBOUR

MARKDOWN = st.lists(
    st.sampled_from(
        [
            "# Title",
            "## Part é",
            "A sentence. Another one, e.g. this.",
            "- item one\n- item two",
            "```\ncode = 1\n```",
            "| a | b |\n|---|---|\n| 1 | 2 |",
            "> quoted",
            "",
            "x" * 50,
            "Wide 🦉 text\u2028here.",
            "word " * 300,
        ]
    ),
    max_size=12,
).map("\n\n".join)


@settings(max_examples=120, deadline=None)
@given(text=st.one_of(MARKDOWN, st.text(max_size=400)))
def test_a_passage_is_its_span_of_the_document(encoder: MiniLM, text: str) -> None:
    for loaded in (load_text(text), load_markdown(text)):
        assert loaded.text == text
        for draft in cut_passages(text, loaded.blocks, encoder.count_pieces):
            passage = text[draft.start : draft.end]
            assert passage == passage.strip()
            assert encoder.count_pieces([passage])[0] <= MAX_PIECES + 4 * len(draft.sentences)
            for start, end in draft.sentences:
                assert passage[start:end].strip() == passage[start:end] != ""
            assert draft.sentences[-1][1] == len(passage)


def test_sections_follow_the_headings_and_no_passage_crosses_one(encoder: MiniLM) -> None:
    loaded = load_markdown(HARBOUR)
    drafts = cut_passages(HARBOUR, loaded.blocks, encoder.count_pieces)
    assert loaded.title == "Aldermoor harbour rules"
    assert [draft.section for draft in drafts] == ["Mooring", "Lighthouse", "Speed"]


def test_late_vectors_say_what_each_sentence_is_about(encoder: MiniLM) -> None:
    text = "The lighthouse was built in 1874. Sourdough bread needs rye flour."
    encoded = encoder.encode([(text, [(0, 33), (34, len(text))])])[0]
    light, bread = (
        encoder.encode_query("When was the lighthouse built?"),
        encoder.encode_query("Which flour for bread?"),
    )
    assert encoded.sentences[0] @ light > encoded.sentences[1] @ light
    assert encoded.sentences[1] @ bread > encoded.sentences[0] @ bread
    assert np.allclose(np.linalg.norm(encoded.sentences, axis=1), 1, atol=1e-5)


def test_the_encoder_truncates_at_256_pieces_not_at_128(encoder: MiniLM) -> None:
    common = "the harbour office opens in the morning and closes at night " * 15
    one, other = encoder.encode([(common + "zebra", []), (common + "piano", [])])
    assert not np.allclose(one.passage, other.passage)


async def test_the_retriever_finds_and_scores(library: Library) -> None:
    retriever = HybridRetriever(library=library, collection="default", k=3)
    found = await retriever.ainvoke("Who built the Aldermoor lighthouse?")
    assert found == retriever.invoke("Who built the Aldermoor lighthouse?")
    assert "Greta Holm" in found[0].page_content
    assert found[0].metadata["score"] > 0.9
    unrelated = await retriever.ainvoke("Who won the Zanzibar regatta in 1997?")
    assert unrelated[0].metadata["score"] < 0.1


async def test_an_unknown_collection_is_an_error_of_its_own(library: Library) -> None:
    with pytest.raises(UnknownCollection):
        await library.search("nope", "x", 3)


async def test_an_empty_collection_finds_nothing(library: Library) -> None:
    assert (await library.search("empty", "anything", 3)).hits == []


async def test_filters_apply_before_ranking(own_library: Library) -> None:
    for number in range(30):
        own_library.add("c", Submission(data=f"Blue note {number}.", id=str(number), metadata={"n": number % 3}))
    own_library.add("c", Submission(data="A note of another colour.", id="odd", metadata={"n": 7, "kind": None}))
    assert [h.passage.document_id for h in (await own_library.search("c", "blue note", 5, {"n": 7})).hits] == ["odd"]
    assert {h.passage.metadata["n"] for h in (await own_library.search("c", "note", 31, {"n": [0, 7]})).hits} == {0, 7}
    assert (await own_library.search("c", "note", 5, {"missing": None})).hits == []
    assert own_library.count("c", {"n": 1}) == 10


async def test_a_new_version_replaces_the_old_and_a_removed_document_is_gone(own_library: Library) -> None:
    own_library.add("c", Submission(data="The ferry leaves at noon.", id="ferry"))
    own_library.add("c", Submission(data="The ferry leaves at dusk.", id="ferry"))
    texts = [hit.passage.text for hit in (await own_library.search("c", "When does the ferry leave?", 5)).hits]
    assert texts == ["The ferry leaves at dusk."]
    assert own_library.remove("c", "ferry")
    assert not own_library.remove("c", "ferry")
    assert (await own_library.search("c", "ferry", 5)).hits == []


async def test_readers_never_see_a_mix_of_versions(own_library: Library) -> None:
    versions = [[f"Version {n} speaks of ferries, part {part}." for part in range(3)] for n in range(12)]
    own_library.add("c", Submission(data="\n\n".join(versions[0]), id="d"))

    def write() -> None:
        for version in versions:
            own_library.add("c", Submission(data="\n\n".join(version), id="d"))

    writer = threading.Thread(target=write)
    writer.start()
    while writer.is_alive():
        hits = own_library.search_now("c", "Which version speaks of ferries?", 5).hits
        assert len({hit.passage.text.split()[1] for hit in hits}) == 1
    writer.join()


def test_what_was_added_survives_a_restart_without_being_embedded_again(
    encoder: MiniLM, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = library_in(tmp_path, encoder)
    library.add("default", Submission(data=BAKERY.encode(), name="bakery.md", id="bakery"))
    before = library.search_now("default", "When is the bakery closed?", 3)
    library.close()
    library = library_in(tmp_path, encoder)
    monkeypatch.setattr(library, "encode", lambda *_: pytest.fail("embedded again"))
    library.add("default", Submission(data=BAKERY.encode(), name="bakery.md", id="bakery"))
    after = library.search_now("default", "When is the bakery closed?", 3)
    assert [hit.passage.source_id for hit in after.hits] == [hit.passage.source_id for hit in before.hits]
    assert after.probability == pytest.approx(before.probability)
    library.close()


def test_a_data_folder_of_a_later_version_is_refused(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "groundswell.sqlite3"
    Database(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(DataFolderTooNew):
        Database(path)


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.pdf", b"%PDF", "mislabelled"),
        ("a.odt", b"text", "unsupported_type"),
        ("a", b"text", "unsupported_type"),
        ("a.txt", b"\xff\xfe\xff", "undecodable"),
        ("a.txt", b"caf\xe9", "undecodable"),
        ("a.txt", b"a\0b", "undecodable"),
        ("a.md", b"", "empty"),
        ("a.md", b" \n\n ", "empty"),
        ("a.md", b"# Only a heading", "empty"),
    ],
)
def test_an_unreadable_document_has_a_code_of_its_own(own_library: Library, name: str, data: bytes, code: str) -> None:
    with pytest.raises(LoadError) as caught:
        own_library.add("c", Submission(data=data, name=name))
    assert caught.value.code == code


def test_byte_order_marks_are_no_text() -> None:
    assert load("a.txt", b"\xef\xbb\xbfhello").text == "hello"
    assert load("a.txt", "hello".encode("utf-16")).text == "hello"
