"""The gate's decision by itself: scores, passages, years."""

import pytest
from langchain_core.documents import Document

from graph.gate import absent_years, judge, missing, telling_words
from graph.policy import Policy
from language.asking import asking_words


def passage(text: str, score: float = 0.9, section: str | None = None) -> Document:
    known = {"source_id": text[:20], "source": "Report", "section": section, "score": score, "evidence": score}
    return Document(text, metadata=known)


@pytest.mark.parametrize(
    ("question", "text", "absent"),
    [
        ("What was the profit in 2025?", "In 2024 the profit was 3 million.", ["2025"]),
        ("What was the profit in 2025?", "In FY25 the profit was 3 million.", []),
        ("What was the profit in 2025?", "In fiscal 2024/25 the profit was 3 million.", []),
        ("What was the profit in 2025?", "In ’25 the profit was 3 million.", []),
        ("What was the profit in 2018?", "We close at 18:00 and give 18 %.", ["2018"]),
        ("What was built in the 1980s?", "The mill was built in 1984.", []),
        ("What was built in the 1970s?", "The mill was built in 1984.", ["1970s"]),
        ("Which lift carries 2000 kg?", "The lift carries 2,000 kg.", []),
        ("Which licence costs 1500 euros?", "The licence costs 1,500 euros.", []),
        ("Which part weighs 1,995 grams?", "The part weighs two kilograms.", []),
        ("Who keeps the tower?", "Greta keeps the tower.", []),
    ],
)
def test_a_year_of_the_question_is_looked_for_in_the_passages(question: str, text: str, absent: list[str]) -> None:
    assert absent_years(question, [passage(text)]) == absent


def test_a_year_in_a_heading_counts_and_one_in_a_passage_below_the_floor_does_not() -> None:
    assert absent_years("Profit in 2025?", [passage("It was 3 million.", section="Profit 2025")]) == []
    candidates = [passage("The profit was 3 million."), passage("Founded in 2025.", score=0.05)]
    decision = judge("What was the profit in 2025?", candidates, Policy(), domain="general", stage="once")
    assert decision.verdict == "expand"
    assert "no passage speaks of 2025" in decision.reasons


def test_a_decision_tells_the_threshold_that_was_applied() -> None:
    candidates = [passage("The profit was 3 million.", score=0.6), passage("Profits rose.", score=0.5)]
    first = judge("What was the profit?", candidates, Policy(), domain="general", stage="once")
    wider = judge("What was the profit?", candidates, Policy(), domain="general", stage="wider")
    assert (first.verdict, first.min_score) == ("expand", 0.65)
    assert (wider.verdict, wider.min_score) == ("open", 0.50)


def test_what_is_missing_is_what_the_question_is_about() -> None:
    assert missing("I'm sick, what do I have to use?", [passage("Nothing of the kind.")]) == ["sick"]
    assert "I'm" not in telling_words("I'm sick")


@pytest.mark.parametrize(
    ("question", "asking"),
    [
        ("How do the Aero and the Terra differ?", {"differ"}),
        ("How does the Aero compare to the Terra in price?", {"compar"}),
        ("Compare the Aero with the Terra.", {"compar"}),
        ("What is the difference between films and books?", {"differ"}),
        ("Which is better, the Aero or the Terra?", set()),
        ("What did the board decide about the roof?", set()),
        ("How do they differ?", set()),
        ("How does the Aero differ?", set()),
        ("How do I compare two files?", set()),
        ("How do films that differ from books differ?", set()),
    ],
)
def test_words_that_only_say_how_something_is_asked_are_told_from_its_subject(question: str, asking: set[str]) -> None:
    assert asking_words(question) == asking


def test_what_is_missing_is_never_a_word_of_the_asking() -> None:
    found = [passage("The roof is mended in May.")]
    assert missing("How do the roof and the pool differ?", found) == ["pool"]
    assert missing("What was decided about the roof?", found) == ["decided"]
