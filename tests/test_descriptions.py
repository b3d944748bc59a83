"""Whom a question only describes, found by name in what the passages tell."""

import pytest
from langchain_core.documents import Document

from chains.descriptions import with_name

FOUNDER = ("Ada Berg is an engineer.", "In 1982 she founded Velmar together with Dan Osei.")
NEXT = ("Elena Petrov studied in Glasgow.", "Petrov designs ships.", "In 2006 she succeeded Ada Berg as its head.")


def passage(*sentences: str) -> Document:
    spans, at = [], 0
    for sentence in sentences:
        spans.append((at, at + len(sentence)))
        at += len(sentence) + 1
    return Document(" ".join(sentences), metadata={"source": "notes", "sentences": spans})


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("Where did the founder of Velmar study?", "Where did Ada Berg study?"),
        ("Where did the one who founded Velmar study?", "Where did Ada Berg study?"),
        ("Where was the successor of Ada Berg born?", "Where was Elena Petrov born?"),
        ("Where was Ada Berg's successor born?", "Where was Elena Petrov born?"),
    ],
)
def test_the_person_is_the_one_whom_the_sentence_with_the_relation_names_or_points_back_to(
    question: str, asked: str
) -> None:
    found = with_name(question, [passage(*NEXT), passage(*FOUNDER)])
    assert found is not None
    assert found[0] == asked


def test_who_follows_by_is_the_one_and_a_plain_question_describes_nobody() -> None:
    found = with_name("When did the founder of Velmar die?", [passage("Velmar was founded by Ada Berg in Oslo.")])
    assert found is not None
    assert found[0] == "When did Ada Berg die?"
    assert with_name("Who is the founder of Velmar?", [passage(*FOUNDER)]) is None
    assert with_name("When did the founder of Velmar die?", [passage(*NEXT)]) is None
