"""Each chain works alone, by invoke, stream and batch."""

from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.documents import Document

from chains.answer import answer_chain, answer_messages
from chains.embedded import ExtractiveChatModel, Row, select
from chains.models import ModelUnavailable, chat_model
from chains.prompts import fitting, readable, rows
from chains.refine import plain_refine
from chains.rewrite import faithful, plain_rewrite, rewrite_chain, strip_courtesies
from chains.verify import Claim, lexical_judge, verify_chain
from language.sentences import sentence_spans
from tests.support.upstream import Reply

FACTS = "The tower was built in 1874 by Greta Holm. Its lamp shines nineteen miles. Cats sleep in the garden."


def passage(text: str = FACTS, **more: Any) -> Document:
    metadata = {"source": "Tower", "section": None, "sentences": sentence_spans(text), "source_id": "a"}
    return Document(text, metadata={**metadata, **more})


def flat(wanted: set[str]) -> dict[str, float]:
    return dict.fromkeys(wanted, 1.0)


def test_the_embedded_model_answers_with_a_citation_per_sentence() -> None:
    chain = answer_chain(ExtractiveChatModel())
    given: Any = {"question": "Who built the tower?", "passages": [passage()]}
    answer = chain.invoke(given)
    assert answer == "The tower was built in 1874 by Greta Holm [1.1]."
    assert "".join(chain.stream(given)) == answer
    assert chain.batch([given, given]) == [answer, answer]


async def test_the_embedded_model_streams_word_by_word() -> None:
    chain = answer_chain(ExtractiveChatModel())
    given: Any = {"question": "Who built the tower?", "passages": [passage()]}
    pieces = [piece async for piece in chain.astream(given) if piece]
    assert len(pieces) > 5
    assert "".join(pieces) == await chain.ainvoke(given)


def test_the_retrievers_scores_decide_and_no_provider_sees_them() -> None:
    scored = passage(sentence_scores=(0.1, 0.2, 0.9))
    messages = answer_messages("Who built the tower?", [scored])
    assert "Cats sleep" in ExtractiveChatModel().invoke(messages).text
    assert "row_scores" not in str(messages[-1].content)


def test_a_sentence_that_leans_back_brings_the_one_it_leans_on() -> None:
    text = "The Moorlight One is a lantern. It costs 79 euros. The office has a garden with seven trees."
    chain = answer_chain(ExtractiveChatModel())
    answer = chain.invoke({"question": "What does the Moorlight One lantern cost?", "passages": [passage(text)]})
    assert answer == "The Moorlight One is a lantern [1.1]. It costs 79 euros [1.2]."


def test_rows_are_numbered_and_hold_nothing_that_looks_like_a_citation() -> None:
    assert rows([passage("It is so [3]. **Bold** claims end.")]).split("\n") == [
        "[1] Tower",
        "[1.1] It is so (3).",
        "[1.2] Bold claims end.",
    ]
    assert readable("- a\n  list   item") == "a list item"
    assert readable("| a | b |") == "a | b"


def test_evidence_is_cut_to_the_budget_of_tokens() -> None:
    long = [passage("One sentence here. " * 40) for _ in range(5)]
    assert len(fitting(long, 10_000)) == 5
    assert len(fitting(long, 400)) == 2
    first = fitting(long, 50)
    assert len(first) == 1
    assert len(first[0].page_content) < len(long[0].page_content)


@pytest.mark.parametrize(
    ("claim", "support"),
    [
        ("The tower was built in 1874 by Greta Holm.", "supported"),
        ("Greta Holm built the tower in 1874 [1].", "supported"),
        ("The tower was built in 1901 by Greta Holm.", "contradicted"),
        ("The tower was not built in 1874 by Greta Holm.", "contradicted"),
        ("The tower was built by dolphins of the purple order.", "partial"),
        ("Dolphins painted purple cathedrals.", "unsupported"),
    ],
)
def test_tier_one_weighs_words_numbers_and_negations(claim: str, support: str) -> None:
    evidence = [FACTS[start:end] for start, end in sentence_spans(FACTS)]
    chain = verify_chain(flat)
    judgement = chain.invoke(Claim(claim, evidence))
    assert judgement.support == support
    assert 0 <= judgement.score <= 1
    assert chain.batch([Claim(claim, evidence)])[0] == judgement
    assert judgement == lexical_judge(flat)(claim, evidence)


def test_courtesies_are_taken_off_and_questions_stay() -> None:
    assert strip_courtesies("Hi, could you please tell me what a run is?") == "what a run is?"
    assert plain_rewrite().invoke({"question": "What is a run?"}) == "What is a run?"
    assert strip_courtesies("Hello!") == "Hello!"


@pytest.mark.parametrize(
    ("rewritten", "kept"),
    [
        ("Does Ada not owe 45 crowns?", True),
        ("Does Ada owe 45 crowns?", False),
        ("Does Ada not owe crowns?", False),
        ("Does somebody not owe 45 crowns?", False),
        ("I cannot help with that.", False),
    ],
)
def test_a_rewrite_that_loses_a_number_a_name_or_a_negation_is_dropped(rewritten: str, kept: bool) -> None:
    assert faithful("Why does Ada not owe 45 crowns?", rewritten) is kept


def test_the_rewrite_chain_takes_the_first_line(provider: Callable[..., Any], with_model: Callable[..., Any]) -> None:
    upstream, at = provider(lambda _: Reply('"Better question"\nand chatter'))
    with_model(at.url)
    model = chat_model("openai:scripted", temperature=0.3, max_tokens=77, timeout=5)
    assert rewrite_chain(model).invoke({"question": "q"}) == "Better question"
    assert upstream.calls[0]["temperature"] == 0.3
    assert upstream.calls[0]["max_completion_tokens"] == 77


def test_the_plain_refinement_leaves_the_problems_out() -> None:
    given: Any = {"question": "", "sentences": ["A.", "B.", "C."], "problems": [1], "passages": []}
    assert plain_refine().invoke(given) == "A. C."


@pytest.mark.parametrize("name", ["nonsense", "nobody:model", "groq:llama", "ollama:llama"])
def test_a_model_that_cannot_be_made_says_how_to_mend_it(name: str) -> None:
    with pytest.raises(ModelUnavailable, match=name.split(":")[0]):
        chat_model(name, temperature=0, max_tokens=5, timeout=5)


def test_a_row_of_a_table_that_answers_goes_before_a_sentence_that_does_not() -> None:
    row = Row(1, 1, "| Brack | noon | 12 crowns |", 0.6, frozenset({"brack", "noon", "12", "crown"}))
    other = Row(2, 1, "The change in operating liabilities leaves little.", 0.2, frozenset({"chang", "leav", "littl"}))
    assert select("When does the Brack ferry leave?", [other, row], 4) == [row]
