"""Deep research without its graph: plans, hops, and the order of what was found."""

import math
import time
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from langchain_core.documents import Document
from langchain_core.language_models.fake_chat_models import FakeListChatModel

from chains.hops import (
    Hop,
    brings_news,
    follow_up_chain,
    follow_ups,
    next_queries,
    queries_allowed,
    queries_in,
    sufficient_without_model,
)
from chains.ledger import arranged
from chains.parts import LONGEST, MOST_PARTS
from chains.plan import decompose, plan_chain
from chains.planned import planned
from language.sentences import sentence_spans
from language.words import numbers, terms

SIMPLE = [
    "Who designed the Lindholm lighthouse?",
    "What is the capital of Norrland?",
    "Who founded Varde Works and when?",
    "What is the research and development budget of Varde Works?",
    "When was the bridge built by Varde Works opened?",
    "Hi, could you tell me how to reset my password?",
    "what does error E-4410 mean",
    "Wer hat den Leuchtturm gebaut und wann wurde er eröffnet?",
    "def f(x): return x; print(f(1)); print(f(2))",
    "",
    "?!",
]

DIVIDED = {
    "What does a return ticket to Lindholm cost and where can I buy it?": [
        "What does a return ticket to Lindholm cost?",
        "Where can I buy a return ticket to Lindholm?",
    ],
    "How do I back up Cellar 14? And how do I restore it?": [
        "How do I back up Cellar 14?",
        "How do I restore Cellar 14?",
    ],
    "In 2023, what was the revenue and what was the profit?": [
        "In 2023, what was the revenue?",
        "In 2023, what was the profit?",
    ],
    "What was the revenue and what was the profit of Varde Works in 2023?": [
        "What was the revenue of Varde Works in 2023?",
        "What was the profit of Varde Works in 2023?",
    ],
    "What are the price and the weight of the Norden X2?": [
        "What is the price of the Norden X2?",
        "What is the weight of the Norden X2?",
    ],
    "Explain the Pro plan, its limits, and how refunds work.": [
        "Explain the Pro plan",
        "Explain the Pro plan's limits",
        "Explain how refunds work.",
    ],
    "I need to know:\n- the price of the ferry\n- when it leaves\n- whether dogs are allowed": [
        "The price of the ferry",
        "When the ferry leaves",
        "Whether dogs are allowed",
    ],
    "We run Cellar 14 at sea. How do we back it up? Which port must not be open?": [
        "We run Cellar 14 at sea. How do we back it up?",
        "Which port must not be open?",
    ],
    "Who does not need a permit; what does it cost?": ["Who does not need a permit?", "What does a permit cost?"],
    'Tell me about "Salt and Stone" and who wrote it': ['"Salt and Stone"', 'Who wrote "Salt and Stone"'],
}

COMPARED = {
    "What is the difference between the Basic plan and the Pro plan in storage?": [
        "What about the Basic plan in storage?",
        "What about the Pro plan in storage?",
    ],
    "Compare Varde, Norrby and Lindholm": ["What is Varde?", "What is Norrby?", "What is Lindholm?"],
    "Is Mount Sorte higher than Mount Hvit?": ["How high is Mount Sorte?", "How high is Mount Hvit?"],
    "Does the Pro plan cost more than the Basic plan?": [
        "How much does the Pro plan cost?",
        "How much does the Basic plan cost?",
    ],
    "Which of Anna Lind and Per Holm was born first?": ["When was Anna Lind born?", "When was Per Holm born?"],
    "Who is older, Anna Lind or Per Holm?": ["How old is Anna Lind?", "How old is Per Holm?"],
    "Are both Lindholm and Norrby in the same county?": ["Which county is Lindholm in?", "Which county is Norrby in?"],
    "Were Anna Lind and Per Holm both painters?": ["Was Anna Lind a painter?", "Was Per Holm a painter?"],
    'Is "Salt and Stone" longer than "Tide"?': ['How long is "Salt and Stone"?', 'How long is "Tide"?'],
}

NESTED = {
    "What stadium does the team that Kim Berg coaches play in?": "The team that Kim Berg coaches",
    'In what year was the singer who recorded "Low Tide" born?': 'The singer who recorded "Low Tide"',
    "In which village was the engineer born who built the Lind tower?": "The engineer who built the Lind tower",
    "Where was the engineer who built the Norrby lighthouse born?": "The engineer who built the Norrby lighthouse",
    "What is the population of the town in which the Lind Museum stands?": "The town in which the Lind Museum stands",
    "Who is the wife of the man who built the Lind tower?": "The man who built the Lind tower",
    "Which team does the player who scored the winning goal in 1998 play for?": (
        "The player who scored the winning goal in 1998"
    ),
    "Ada Berg sang in a band that split up in what year?": "Ada Berg sang in a band",
    "Kim Berg is the chief pilot of an airline with its head office in what town?": (
        "Kim Berg is the chief pilot of an airline"
    ),
    "The company founded by Ada Berg is based in which city?": "The company founded by Ada Berg",
    "Who is the wife of the director of Harbour Lights?": "The director of Harbour Lights",
    "Who is Anna Lind's brother's wife?": "Anna Lind's brother",
}

VERBATIM = {
    "How do I install it? what does it cost?": ["How do I install it?", "What does it cost?"],
    "Is a refund possible after 30 days and who approves it?": [
        "Is a refund possible after 30 days?",
        "Who approves a refund?",
    ],
    "What does a berth in Aldermoor cost, and when does the ferry leave?": [
        "What does a berth in Aldermoor cost?",
        "When does the ferry leave?",
    ],
    "When is the office open and who is the head of it?": [
        "When is the office open?",
        "Who is the head of the office?",
    ],
    "Why was the bridge closed and when will it open again?": [
        "Why was the bridge closed?",
        "When will the bridge open again?",
    ],
    "What does the harbour master do and what are his office hours?": [
        "What does the harbour master do?",
        "What are the harbour master's office hours?",
    ],
    "Does the Pro plan include backups or do I have to pay for them?": [
        "Does the Pro plan include backups?",
        "Does the Pro plan include backups? Do I have to pay for them?",
    ],
    "Do I need a permit, and if so, what does it cost?": ["Do I need a permit?", "What does a permit cost?"],
    "Where was the Lind tower built and who owns it?": ["Where was the Lind tower built?", "Who owns the Lind tower?"],
    "Where is the harbour office and when does it open?": [
        "Where is the harbour office?",
        "When does the harbour office open?",
    ],
    "Can the Norden X2 be repaired and what does it cost?": [
        "Can the Norden X2 be repaired?",
        "What does the Norden X2 cost?",
    ],
    "What are the opening hours of the bakery and the kiosk?": [],
    "Who owns the ferry, the bakery and the kiosk?": [],
}

OF_EACH = {
    "Compare the Basic and the Pro plan on price and storage": [
        "What about the Basic plan on price and storage?",
        "What about the Pro plan on price and storage?",
    ],
    "Compare the Basic and Pro plans": ["What is the Basic plan?", "What is the Pro plan?"],
    "What is the difference between the Basic and the Pro plan?": ["What is the Basic plan?", "What is the Pro plan?"],
    "Compare the price of a permit in Aldermoor and a ticket for the Zorvane ferry": [
        "What is the price of a permit in Aldermoor?",
        "What is the price of a ticket for the Zorvane ferry?",
    ],
    "What is the difference between a permit in Aldermoor and a day pass for the Zorvane ferry?": [
        "What is a permit in Aldermoor?",
        "What is a day pass for the Zorvane ferry?",
    ],
    "Compare Varde and the Lind tower": ["What is Varde?", "What is the Lind tower?"],
    "Does the Lind tower have more floors than the Holm tower?": [
        "How many floors does the Lind tower have?",
        "How many floors does the Holm tower have?",
    ],
    "Is the Pro plan cheaper than the Basic plan?": [
        "How expensive is the Pro plan?",
        "How expensive is the Basic plan?",
    ],
    "Are Anna Lind and Per Holm both American painters?": [
        "Is Anna Lind an American painter?",
        "Is Per Holm an American painter?",
    ],
    "Were Anna Lind and Per Holm both born in the United States?": [
        "Was Anna Lind born in the United States?",
        "Was Per Holm born in the United States?",
    ],
}


@pytest.mark.parametrize("question", SIMPLE)
def test_a_simple_question_has_no_plan(question: str) -> None:
    assert decompose(question) == []


@pytest.mark.parametrize(("question", "parts"), [*DIVIDED.items(), *COMPARED.items(), *OF_EACH.items()])
def test_each_thing_a_question_asks_for_becomes_a_question_of_its_own(question: str, parts: list[str]) -> None:
    assert decompose(question) == parts


@pytest.mark.parametrize(("question", "parts"), VERBATIM.items())
def test_a_part_is_the_askers_own_clause_unless_it_points_at_something_that_is_known(
    question: str, parts: list[str]
) -> None:
    assert decompose(question) == parts


@pytest.mark.parametrize(("question", "inner"), NESTED.items())
def test_what_has_to_be_known_first_is_asked_first_and_the_whole_question_after_it(question: str, inner: str) -> None:
    assert decompose(question) == [inner, question]


def test_ten_wishes_make_six_parts_that_still_have_all_of_them() -> None:
    question = " ".join(f"What is the price of part N{number}?" for number in range(10))
    parts = decompose(question)
    assert len(parts) == MOST_PARTS
    assert all(f"N{number}" in " ".join(parts) for number in range(10))


def test_an_invisible_character_takes_no_part_in_a_plan() -> None:
    assert decompose("Who built Varde\u200b Works and when was it sold?") == [
        "Who built Varde Works?",
        "When was Varde Works sold?",
    ]


WORDS = st.sampled_from(
    "what who is was the a and or of which than that Lindholm Anna Berg it its older both not 2019 4,500 3.5 plan "
    'price ; , ? . " “ ( ) between compare difference in \n- 1) born first how does'.split(" ")
)
TEXTS = st.one_of(st.text(max_size=400), st.lists(WORDS, max_size=120).map(" ".join))


@settings(max_examples=300, deadline=None)
@given(TEXTS)
@example("\ud800 and what is \ud800?")
@example("1. a 1. a 1. a")
def test_a_plan_never_fails_and_never_loses_a_number(question: str) -> None:
    parts = decompose(question)
    assert len(parts) == 0 or 2 <= len(parts) <= MOST_PARTS
    assert all(0 < len(part) <= LONGEST for part in parts)
    if parts:
        assert numbers(question) <= set().union(*(numbers(part) for part in parts))


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "and what is ",
            "a?",
            "Alpha Beta and ",
            "the x of the ",
            "the a who ",
            "x",
            "1. a ",
            "\n- b",
            "「何」",
            "( ",
        ),
        *("is it; ", ", and ", "what, ", "What is Aa bb's cc's ", "Is the A more x than ", "The ", "Who? ", '" and "'),
        *("In a, what is b ", "Is A as B as C and D the same? ", "What are the a, "),
    ],
)
def test_four_thousand_characters_of_anything_are_read_in_milliseconds(piece: str) -> None:
    question = (piece * 4000)[:4000]
    decompose(question)
    assert min(_seconds(question) for _ in range(5)) < 0.02  # some five times what it takes on an idle machine


def _seconds(question: str) -> float:
    began = time.thread_time()
    decompose(question)
    return time.thread_time() - began


PARTS = ["What does the Norden X2 weigh?", "What does the Norden X2 cost?"]
WRITTEN = {
    "an array": '["What does the Norden X2 weigh?", "What does the Norden X2 cost?"]',
    "a fence": '```json\n["What does the Norden X2 weigh?",\n "What does the Norden X2 cost?"]\n```',
    "prose around": 'Sure [1]: here is it.\n["What does the Norden X2 weigh?", "What does the Norden X2 cost?"]\nDone.',
    "objects": '[{"question": "What does the Norden X2 weigh?"}, {"query": "What does the Norden X2 cost?"}]',
    "a key": '{"id": 7, "sub_questions": ["What does the Norden X2 weigh?", "What does the Norden X2 cost?"]}',
    "cut off": '["What does the Norden X2 weigh?", "What does the Norden X2 cost?", "What col',
    "a missing comma": '["What does the Norden X2 weigh?" "What does the Norden X2 cost?"]',
    "cut objects": '[{"question": "What does the Norden X2 weigh?"}, {"query": "What does the Norden X2 cost?"}, {"qu',
    "numbered": "1. What does the Norden X2 weigh?\n2) What does the Norden X2 cost?",
    "bullets": "Here they are:\n- **What does the Norden X2 weigh?**\n* What does the Norden X2 cost?",
    "lines": "What does the Norden X2 weigh?\nWhat does the Norden X2 cost?",
    "said again": '["What does the Norden X2 weigh?", "what does the norden x2 weigh", "what does the Norden X2 cost"]',
}


@pytest.mark.parametrize("written", WRITTEN.values(), ids=list(WRITTEN))
async def test_a_plan_is_read_however_the_model_wrote_it(written: str) -> None:
    chain = plan_chain(FakeListChatModel(responses=[written]))
    found = await chain.ainvoke({"question": "What does the Norden X2 weigh and cost?"})
    assert [part.lower().rstrip("?") for part in found] == [part.lower().rstrip("?") for part in PARTS]


@pytest.mark.parametrize("written", ["", "I cannot help with that.", "{}", "[1, 2]", "[" * 30_000, '["', "\ud800"])
async def test_a_plan_that_cannot_be_read_is_an_error_and_the_rules_take_over(written: str) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        await plan_chain(FakeListChatModel(responses=[written])).ainvoke({"question": "What?"})


@pytest.mark.parametrize(
    "written", ["[]", "```\n[]\n```", '{"sub_questions": []}', '["What does the Norden X2 weigh?"]']
)
async def test_a_model_may_say_that_one_search_is_enough(written: str) -> None:
    assert await plan_chain(FakeListChatModel(responses=[written])).ainvoke({"question": "Weight of the X2?"}) == []


def test_a_planner_may_bring_a_name_but_no_number() -> None:
    written = '["Who directed Harbour Lights?", "When was Kim Berg born?", "What did Kim Berg earn in 2019?"]'
    assert planned("When was the director of Harbour Lights born?", written) == [
        "Who directed Harbour Lights?",
        "When was Kim Berg born?",
    ]


def test_a_planner_that_writes_on_and_on_is_cut_to_six_parts_of_at_most_300_characters() -> None:
    written = "[" + ", ".join(f'"What is {chr(97 + at) * 4}?"' for at in range(20)) + f', "{"long " * 100}"]'
    parts = planned("What is all this?", written)
    assert len(parts) == MOST_PARTS
    assert all(len(part) <= LONGEST for part in parts)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet='[]{}",:\\\n 1.-ab?', max_size=200))
def test_whatever_a_planner_writes_is_read_or_refused(written: str) -> None:
    try:
        parts = planned("a?", written)
    except ValueError:
        return
    assert parts == [] or 2 <= len(parts) <= MOST_PARTS


def passage(
    text: str, title: str, score: float = 0.9, *, feature: float = 0.6, document: str | None = None
) -> Document:
    spans = sentence_spans(text)
    known: dict[str, Any] = {"source": title, "section": "", "document_id": document or title, "score": score}
    known |= {"sentences": spans, "sentence_scores": (feature,) * len(spans), "source_id": f"c:{title}:{text[:9]}"}
    return Document(id=f"{title}:{text[:9]}", page_content=text, metadata=known)


def idf(wanted: set[str]) -> dict[str, float]:
    """Words of everyday's texts are frequent, all others rare."""
    frequent = set(terms("what stadium does the team play in coaches is of a home games year born who city"))
    return {word: 0.5 if word in frequent else math.log(200) for word in wanted}


QUESTION = "What stadium does the team that Kim Berg coaches play its home games in?"
COACH = passage("Kim Berg is a football coach. Since 2010 he coaches the Norrby Rovers in Sweden.", "Kim Berg")
TEAM = passage("The Norrby Rovers play their home games at Lind Park.", "Norrby Rovers")


def test_the_next_query_is_the_name_that_was_found_with_what_the_question_still_asks() -> None:
    queries = follow_ups(QUESTION, QUESTION, [COACH], [QUESTION], idf)
    assert queries[0] == "Norrby Rovers stadium team play home games"


def test_no_query_is_searched_for_twice_however_its_words_are_ordered() -> None:
    asked = [QUESTION, "stadium of the Norrby Rovers team: play home games"]
    assert "Norrby Rovers stadium team play home games" not in follow_ups(QUESTION, QUESTION, [COACH], asked, idf)


def test_the_second_hop_asks_for_what_the_first_one_left_open() -> None:
    first = Hop(QUESTION, [COACH])
    second = Hop("Norrby Rovers stadium team play home games", [TEAM])
    queries = next_queries(QUESTION, [first, second], [first.query, second.query], idf, 5)
    assert "Lind Park stadium team" in queries
    assert all("Kim Berg" not in query for query in queries)


def test_a_round_has_no_more_queries_than_it_may() -> None:
    names = " ".join(f"Then Kim met Ann{chr(97 + at) * 3} Lund." for at in range(12))
    found = [passage(names, "Meetings")]
    assert len(next_queries(QUESTION, [Hop(QUESTION, found)], [], idf, 3)) == 3
    assert len(follow_ups(QUESTION, QUESTION, found, [], idf)) == queries_allowed(1)


def test_searches_stay_within_twenty_five_whatever_the_number_of_branches() -> None:
    for branches in range(1, 7):
        each = 1 + sum(queries_allowed(rounds, branches) for rounds in range(1, 5))
        assert 1 + branches * each <= 25
    assert queries_allowed(4) == 0


def test_nothing_found_leads_nowhere() -> None:
    assert follow_ups(QUESTION, QUESTION, [], [], idf) == []
    assert not sufficient_without_model(QUESTION, [], idf)


def test_a_two_hop_question_is_not_answered_by_the_passage_of_its_first_hop() -> None:
    assert not sufficient_without_model(QUESTION, [COACH, passage("Lind Park is a stadium.", "Lind Park")], idf)


def test_a_passage_with_all_of_a_question_is_enough_unless_it_scores_low() -> None:
    text = "The stadium where the team of Kim Berg, which he coaches, plays its home games is Lind Park."
    assert sufficient_without_model(QUESTION, [passage(text, "Lind Park")], idf)
    assert not sufficient_without_model(QUESTION, [passage(text, "Lind Park", 0.3)], idf)


def test_a_round_is_news_only_if_it_finds_a_new_passage_that_counts() -> None:
    assert brings_news(QUESTION, set(), [TEAM], 0.2)
    assert not brings_news(QUESTION, {str(TEAM.id)}, [TEAM], 0.2)
    assert not brings_news(QUESTION, set(), [passage(TEAM.page_content, "Norrby Rovers", 0.1)], 0.2)
    assert not brings_news(QUESTION, set(), [passage("Bread rises at night.", "Bread")], 0.2)


@pytest.mark.parametrize(
    ("written", "queries"),
    [
        ("SUFFICIENT", []),
        ("**Sufficient.**", []),
        ("Norrby Rovers stadium", ["Norrby Rovers stadium"]),
        ("INSUFFICIENT\n1. Norrby Rovers stadium\n2. Lind Park", ["Norrby Rovers stadium", "Lind Park"]),
        ('Queries:\n- "Norrby Rovers stadium"\n- Lind Park\n- one too many', ["Norrby Rovers stadium", "Lind Park"]),
        ("Query 1: Norrby Rovers stadium\nQuery 2: Norrby Rovers stadium", ["Norrby Rovers stadium"]),
    ],
)
def test_what_a_model_misses_is_searched_for(written: str, queries: list[str]) -> None:
    assert queries_in(written) == queries


@pytest.mark.parametrize("written", ["", "\n\n", "INSUFFICIENT", "not sufficient.", "?", "word " * 100])
def test_a_model_that_names_no_query_is_an_error(written: str) -> None:
    with pytest.raises(ValueError, match="no query"):
        queries_in(written)


async def test_the_rows_a_model_looks_at_stand_between_marks_and_the_asked_queries_beside_them() -> None:
    seen: list[str] = []

    class Listening(FakeListChatModel):
        def _call(self, messages: Sequence[Any], *rest: Any, **options: Any) -> str:
            seen.append(messages[-1].text)
            return super()._call(list(messages), *rest, **options)

    chain = follow_up_chain(Listening(responses=["SUFFICIENT"]))
    assert await chain.ainvoke({"question": QUESTION, "passages": [COACH], "asked": ["Kim\nBerg"]}) == []
    assert "<material " in seen[0]
    assert "[1.2] Since 2010" in seen[0].partition("</material ")[0]
    assert "- Kim Berg\n" in seen[0]


def scored(name: str, score: float, document: str = "") -> Document:
    return Document(id=name, page_content=name, metadata={"score": score, "document_id": document or name})


def test_the_question_leads_then_each_search_has_its_best_passage_then_the_score_decides() -> None:
    whole = [scored("q1", 0.9), scored("q2", 0.8), scored("q3", 0.7), scored("q4", 0.6)]
    first, second = [scored("a1", 0.5), scored("a2", 0.95)], [scored("q1", 0.9), scored("b2", 0.3)]
    order = [document.id for document in arranged([whole, first, second], 10)]
    assert order == ["q1", "q2", "q3", "a1", "a2", "q4", "b2"]
    assert order[:4] == [document.id for document in arranged([whole, first, second], 4)]


def test_one_document_has_more_than_half_of_the_places_only_if_nothing_else_was_found() -> None:
    many = [scored(f"m{at}", 0.9 - at / 100, "m") for at in range(8)]
    others = [scored("x", 0.3), scored("y", 0.2)]
    owners = [document.metadata["document_id"] for document in arranged([many, others], 6)]
    assert owners == ["m", "m", "m", "x", "y", "m"]
    assert len(arranged([many], 6)) == 6


@given(st.lists(st.lists(st.integers(0, 30), max_size=8), max_size=6), st.integers(0, 12))
def test_no_passage_is_there_twice_and_places_are_left_empty_only_if_nothing_is_left(
    searches: list[list[int]], k: int
) -> None:
    found = arranged([[scored(str(at), at / 30, str(at % 7)) for at in one] for one in searches], k)
    every = {at for one in searches for at in one}
    assert len({document.id for document in found}) == len(found) == min(k, len(every))


@pytest.mark.parametrize(
    ("question", "plan"),
    [
        (
            "Who founded Velmar and where did they study?",
            ["Who founded Velmar?", "Where did the one who founded Velmar study?"],
        ),
        (
            "What is the power of the Brewer 300 and of the Aroma X?",
            ["What is the power of the Brewer 300?", "What is the power of the Aroma X?"],
        ),
        (
            "Which has the larger boot, the Volta City or the Volta Grand?",
            ["How large is the boot of the Volta City?", "How large is the boot of the Volta Grand?"],
        ),
        (
            "What is the difference between the fares of Carrow and Glenby?",
            ["What are the fares of Carrow?", "What are the fares of Glenby?"],
        ),
        (
            "What is the difference between a ground-source and an air-source heat pump?",
            ["What is a ground-source heat pump?", "What is an air-source heat pump?"],
        ),
    ],
)
def test_parts_read_as_somebody_would_ask_them(question: str, plan: list[str]) -> None:
    assert decompose(question) == plan
