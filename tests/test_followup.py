"""Follow-ups that stand alone without a model: what is taken from the turns before, and what is left as it is."""

import re
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.documents import Document
from langchain_core.runnables import RunnableLambda

from callbacks.events import FinalAnswer, GateDecision, Source
from chains.followup import Exchange, follow_up, in_context, standalone, with_history
from chains.mentions import mentions_in
from chains.rewrite import RewriteInput, faithful_in_conversation
from graph.following import seated
from graph.hub import Hub
from graph.policy import BUILT_IN, Rule
from graph.query import Query
from language.words import content_terms, numbers


def said(question: str, answer: str | None = None, standing: str | None = None) -> Exchange:
    """A turn of a conversation."""
    return {"question": question, "standalone": standing or question, "answer": answer, "titles": []}


LIGHTHOUSE = said(
    "Who built the Aldermoor lighthouse?",
    "The Aldermoor lighthouse was built in 1874 by the engineer Greta Holm [1]. Its lamp was made by Otto Brand [1].",
)
PERMIT = said("How much does a mooring permit in Aldermoor cost?", "A mooring permit costs 45 crowns a week [1].")
BASIC = said("How much does the Basic plan cost?", "The Basic plan costs 10 euros a month [1].")
REVENUE = said("What was Acme's revenue in 2022?", "Acme's revenue was 3 million in 2022 [1].")
DINNER = said("How much may employees claim for dinner?", "Employees may claim 25 crowns for dinner [1].")
BAKERY = said("When does the Quillon bakery open?", "The Quillon bakery opens at six in the morning [1].")
PLANS = said("Which plans does Kestrel sell?", "Kestrel sells the Basic plan, the Pro plan and the Fleet plan [1].")
STEPS = said("What are the steps of an audit?", "The steps are:\n1. Planning\n2. Fieldwork\n3. Reporting [1].")


@pytest.mark.parametrize(
    ("before", "question", "alone"),
    [
        # words that stand for a thing
        (LIGHTHOUSE, "When was it built?", "When was the Aldermoor lighthouse built?"),
        (LIGHTHOUSE, "How far can its lamp be seen?", "How far can the Aldermoor lighthouse's lamp be seen?"),
        (LIGHTHOUSE, "Is there parking there?", "Is there parking there (Aldermoor lighthouse)?"),
        (LIGHTHOUSE, "and how tall is it", "How tall is the Aldermoor lighthouse"),
        (PERMIT, "Who issues it?", "Who issues it (mooring permit in Aldermoor)?"),
        (BASIC, "Does that include phone support?", "Does that include phone support (Basic plan)?"),
        # and for a person
        (LIGHTHOUSE, "Where was she born?", "Where was Greta Holm born?"),
        (LIGHTHOUSE, "What else did she build?", "What else did Greta Holm build?"),
        (said("What did Greta Holm write?"), "When did he meet her?", "When did he meet her (Greta Holm)?"),
        # the rest of the question
        (REVENUE, "And in 2023?", "What was Acme's revenue in 2023?"),
        (REVENUE, "2021?", "What was Acme's revenue in 2021?"),
        (REVENUE, "And Globex?", "What was Globex's revenue in 2022?"),
        (REVENUE, "And its profit?", "And its profit (Acme)?"),
        (BASIC, "What about the Pro plan?", "How much does the Pro plan cost?"),
        (BASIC, "And how much for the Pro plan?", "How much does the Pro plan cost?"),
        (BASIC, "the Pro plan?", "How much does the Pro plan cost?"),
        (PERMIT, "And in Oslo?", "How much does a mooring permit in Oslo cost?"),
        (DINNER, "And for lunch?", "How much may employees claim for lunch?"),
        (DINNER, "And lunch?", "How much may employees claim for dinner (lunch)?"),
        (said("How do I cancel a run?"), "and an upload job?", "How do I cancel a run (an upload job)?"),
        (BAKERY, "And on Sunday?", "When does the Quillon bakery open on Sunday?"),
        (LIGHTHOUSE, "Why?", "Why (built the Aldermoor lighthouse)?"),
        (LIGHTHOUSE, "How come?", "How come (built the Aldermoor lighthouse)?"),
        (LIGHTHOUSE, "Tell me more.", "Tell me more (Aldermoor lighthouse)."),
        # things that were spoken of
        (PERMIT, "Who issues the permit?", "Who issues the permit (mooring permit in Aldermoor)?"),
        (LIGHTHOUSE, "How tall is the lighthouse?", "How tall is the lighthouse (Aldermoor lighthouse)?"),
        (BASIC, "Is this plan cheaper abroad?", "Is this plan cheaper abroad (Basic plan)?"),
        # lists
        (PLANS, "What does the second one cost?", "What does the second one cost (the Pro plan)?"),
        (PLANS, "Is the last one cheaper?", "Is the last one cheaper (the Fleet plan)?"),
        (STEPS, "How long does the first one take?", "How long does the first one take (Planning)?"),
        # courtesies
        (BASIC, "When does the Quillon bakery open? Thanks!", "When does the Quillon bakery open?"),
        (BASIC, "Great, thanks! And the Pro plan?", "How much does the Pro plan cost?"),
        (BASIC, "Thanks. When does the Quillon bakery open?", "When does the Quillon bakery open?"),
        (
            BASIC,
            "Hello, what is the capital of Great Britain, please?",
            "What is the capital of Great Britain?",
        ),
    ],
)
def test_a_follow_up_gets_what_it_leaves_out(before: Exchange, question: str, alone: str) -> None:
    assert standalone(question, [before]) == alone
    found = follow_up(question, [before])
    assert found is not None
    assert found.sure


FALCON = ("What does the Falcon pump weigh?", "The Falcon pump weighs 42 kilograms [1].")
BEACON = ("What does the Beacon S300 do?", "The Beacon S300 blinks [1].")
SIGNED = (
    "Who signed the contract with Halden Metrics?",
    "The contract with Halden Metrics was signed by Pieter van Loon [1].",
)
CITY = ("What is the range of the Volta City?", "The Volta City has a range of 210 km [1].")
LOON = ("Who is Pieter van Loon?", "Pieter van Loon is the treasurer; he reports to Jonas Ekberg [1].")


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (
            FALCON,
            [
                ("And its price?", "And its price (Falcon pump)?"),
                ("Who makes it?", "Who makes the Falcon pump?"),
                ("and the cost?", "and the cost (Falcon pump)?"),
                ("why?", "why (the cost, Falcon pump)?"),
            ],
        ),
        (FALCON, [("x?", "x?"), ("And the Heron pump?", "And the Heron pump?")]),
        (
            FALCON,
            [("And the Heron pump?", "What does the Heron pump weigh?"), ("Its length?", "Its length (Heron pump)?")],
        ),
        (("what does the falcon pump weigh", "42"), [("who makes it", "who makes it (falcon pump)")]),
        (
            ("How long is parental leave?", "14 weeks"),
            [("And annual leave?", "How long is annual leave?"), ("Does it expire?", "Does it expire (annual leave)?")],
        ),
        (
            ("When was the Tower Bridge opened?", "In 1894 [1]."),
            [
                ("Its length?", "Its length (Tower Bridge)?"),
                ("Who was the architect?", "Who was the architect (Tower Bridge)?"),
                ("how tall is it", "How tall is the Tower Bridge"),
            ],
        ),
        (
            ("What was the revenue in Q2 2024?", "5 million [1]."),
            [
                ("And in Q1?", "What was the revenue in Q1 2024?"),
                ("and in 2023?", "What was the revenue in Q1 2023?"),
                ("and in May?", "What was the revenue in Q1 2023 (in May)?"),
            ],
        ),
        (("What was the revenue in April?", "5 million"), [("and in May?", "What was the revenue in May?")]),
        (
            BEACON,
            [
                ("how much does it weigh?", "How much does the Beacon S300 weigh?"),
                ("Which one is certified for ATEX zone 1?", "Which one is certified for ATEX zone 1 (Beacon S300)?"),
                ("When will it be launched?", "When will the Beacon S300 be launched?"),
                ("why was it postponed", "Why was the Beacon S300 postponed"),
            ],
        ),
        (SIGNED, [("Where is his office?", "Where is Pieter van Loon's office?")]),
        (LOON, [("where does he work?", "Where does Pieter van Loon work?")]),
        (
            ("How long is data kept?", "On the Free plan for 30 days [1]."),
            [
                ("what about the Starter plan?", "How long is data kept (the Starter plan)?"),
                ("And the Pro plan?", "How long is data kept (the Pro plan)?"),
                ("Is it encrypted?", "Is it encrypted (Pro plan)?"),
            ],
        ),
        (
            ("How badly was the Netherlands hit by the 1973 embargo?", "Badly."),
            [("what about Japan?", "How badly was Japan hit by the 1973 embargo?")],
        ),
        (
            ("How long is data of the Free plan kept?", "30 days"),
            [("what about the Starter plan?", "How long is data of the Starter plan kept?")],
        ),
        (("How much annual leave is there?", "27 days"), [("Does it expire?", "Does it expire (annual leave)?")]),
        (("What is citation coverage?", "A share."), [("and precision", "What is precision?")]),
        (
            CITY,
            [
                ("And the Volta Tour?", "What is the range of the Volta Tour?"),
                ("How much does it cost?", "How much does the Volta Tour cost?"),
                ("And the other one?", "How much does the Volta City cost?"),
                ("Which is cheaper?", "Which is cheaper (Volta Tour, Volta City)?"),
                ("Why?", "Why (cheaper, Volta Tour, Volta City)?"),
                ("Do both have a heater?", "Do both have a heater (Volta Tour, Volta City)?"),
            ],
        ),
        (
            CITY,
            [
                ("And the Zephyr?", "What is the range of the Zephyr?"),
                ("Is the other one heavier?", "Is the other one heavier (Volta City)?"),
                ("And its weight?", "And its weight (Volta City)?"),
            ],
        ),
        (
            ("How long is the warranty of the AromaPro X?", "2 years [1]."),
            [("And for the BrewMaster 300?", "How long is the warranty of the BrewMaster 300?")],
        ),
        (
            ("What is the population of Norway?", "Norway has 5 million people [1]."),
            [
                ("And Sweden?", "What is the population of Sweden?"),
                ("What is the capital?", "What is the capital (Sweden)?"),
                ("Which is larger?", "Which is larger (Norway, Sweden)?"),
            ],
        ),
        (
            ("What is the capital of Kestrel Island?", "The capital of Kestrel Island is Port Ann [1]."),
            [("How large is it?", "How large is it (capital of Kestrel Island)?")],
        ),
        (
            ("What is the service charge for 2023?", "It is 3 euros [1]."),
            [
                ("And in 2024?", "What is the service charge for 2024?"),
                ("Why?", "Why (the service charge for 2024)?"),
                ("And in 2023?", "Why (the service charge for 2023)?"),
                ("Who was the chair then?", "Who was the chair in 2023?"),
            ],
        ),
        (
            ("What was the service charge in 2024?", "It was 3 euros [1]."),
            [
                ("Who was the chair then?", "Who was the chair in 2024?"),
                ("and 2025?", "Who was the chair in 2025?"),
                ("And what happened then?", "And what happened then (chair)?"),
            ],
        ),
        (
            ("Thanks. What is the notice period during probation?", "Two weeks [1]."),
            [("And before that?", "And before that (notice period, probation)?")],
        ),
        (
            ("How do the BrewMaster 300 and the AromaPro X differ?", "In weight [1]."),
            [
                ("And in weight?", "How do the BrewMaster 300 and the AromaPro X differ in weight?"),
                ("And in price?", "How do the BrewMaster 300 and the AromaPro X differ in price?"),
                ("And the other one?", "And the other one (BrewMaster 300, AromaPro X)?"),
            ],
        ),
        (
            ("How does the Volta City compare to the Volta Tour?", "It is cheaper [1]."),
            [
                ("And in price?", "How does the Volta City compare to the Volta Tour in price?"),
                ("And in range?", "How does the Volta City compare to the Volta Tour in range?"),
                ("And the colour?", "And the colour (Volta City, Volta Tour)?"),
            ],
        ),
        (
            ("How do the BrewMaster 300 and the AromaPro X differ?", "In weight [1]."),
            [("And weight?", "How do the BrewMaster 300 and the AromaPro X differ in weight?")],
        ),
        (("Who is the CEO of Acme?", "Ann Lee [1]."), [("And Globex?", "Who is the CEO of Acme (Globex)?")]),
        (
            ("Which pump is the heaviest?", "The Falcon pump is."),
            [("What does it cost?", "What does the Falcon pump cost?")],
        ),
    ],
)
def test_a_conversation_never_asks_what_nobody_meant(first: tuple[str, str], then: list[tuple[str, str]]) -> None:
    turns = [said(*first)]
    for question, understood in then:
        assert (standalone(question, turns) or question) == understood
        turns.append(said(question, "That is so.", understood))


OSEI = "Daniel Osei is a physicist [1]. He studied at Imperial College London and met Marit Halvorsen in Aberdeen [1]."
HALVORSEN = "Marit Halvorsen is an engineer [1]. In 1982 she founded Fjordvolt, together with Daniel Osei [1]."


@pytest.mark.parametrize(
    ("turns", "question", "alone"),
    [
        ([said("Where did Daniel Osei study?", OSEI)], "Which medal did she receive?", "Marit Halvorsen"),
        ([said("Where did Daniel Osei study?", OSEI)], "When did he die?", "Daniel Osei"),
        ([said("Who founded Fjordvolt?", HALVORSEN)], "Which medal did she receive?", "Marit Halvorsen"),
        ([said("Who founded Fjordvolt?", HALVORSEN)], "When did he die?", "Daniel Osei"),
        (
            [said("Where did Marit Halvorsen and Daniel Osei meet?", "He met Marit Halvorsen in Aberdeen [1].")],
            "When did she study?",
            "Marit Halvorsen",
        ),
        (
            [said("Who is Marit Halvorsen?", HALVORSEN), said("Who is Otto Brand?", "Otto Brand sold his mill [1].")],
            "Was she married?",
            "Marit Halvorsen",
        ),
        ([said("Where did Otto Brand study?", "He studied at Imperial College London [1].")], "Was she married?", None),
    ],
)
def test_he_and_she_are_persons_who_are_called_so(turns: list[Exchange], question: str, alone: str | None) -> None:
    assert standalone(question, turns) == (alone and re.sub(r"\bs?he\b", alone, question))


@pytest.mark.parametrize("question", ["Vacation", "GDPR", "Refunds", "Berlin", "vacation policy"])
def test_a_bare_word_is_never_surely_about_the_old_topic(question: str) -> None:
    found = follow_up(question, [said(*FALCON)])
    assert found is None or (found.text, found.sure) == (f"{question} (Falcon pump)", False)


def test_a_question_is_seen_in_the_context_of_the_last_three() -> None:
    turns = [said("Hello"), LIGHTHOUSE, PERMIT, BASIC, said(*FALCON)]
    texts = [text for text, _ in in_context("and the cost?", turns)]
    assert texts[0] == "and the cost? Falcon pump"
    assert len(texts) == 4
    assert all(text.endswith(" and the cost?") for text in texts[1:])
    assert in_context("and the cost?", []) == []


@pytest.mark.parametrize(
    ("before", "question"),
    [
        (LIGHTHOUSE, "Who is the mayor of Berlin?"),
        (LIGHTHOUSE, "When does the Quillon bakery open?"),
        (LIGHTHOUSE, "Is it possible to visit the bakery on Sunday?"),
        (LIGHTHOUSE, "When was Otto Brand born and where did he die?"),
        (REVENUE, "How many employees did Globex have in 2023?"),
        (PLANS, "Are there people who say that Rome fell because of lead?"),
        (LIGHTHOUSE, "How large is that Globex tower?"),
        # what is for nobody to look up
        (LIGHTHOUSE, "Thanks!"),
        (LIGHTHOUSE, "ok great, thank you"),
        (LIGHTHOUSE, "Thanks so much for your help!"),
        (LIGHTHOUSE, "Great Britain left the Union when?"),
        # what is not known
        (LIGHTHOUSE, "Wann wurde er gebaut?"),
        (LIGHTHOUSE, "¿Cuándo se construyó?"),
        (LIGHTHOUSE, "それはいつ建てられましたか？"),
    ],
)
def test_a_question_of_its_own_stays_as_it_is(before: Exchange, question: str) -> None:
    assert standalone(question, [before]) is None


@pytest.mark.parametrize(
    ("before", "question", "perhaps"),
    [
        (LIGHTHOUSE, "What is the speed limit?", "What is the speed limit (Aldermoor lighthouse)?"),
        (PERMIT, "When is a loan late?", "When is a loan late (mooring permit in Aldermoor)?"),
        (PERMIT, "Can I cancel?", "Can I cancel (mooring permit in Aldermoor)?"),
        (BASIC, "Any discounts for students?", "Any discounts for students (Basic plan)?"),
        (
            LIGHTHOUSE,
            "How many people live in the city?",
            "How many people live in the city (Aldermoor lighthouse)?",
        ),
    ],
)
def test_a_question_that_names_nothing_is_only_perhaps_a_follow_up(
    before: Exchange, question: str, perhaps: str
) -> None:
    found = follow_up(question, [before])
    assert found is not None
    assert (found.text, found.sure) == (perhaps, False)


def test_a_first_question_follows_nothing() -> None:
    assert standalone("When was it built?", []) is None
    assert standalone("When was it built?", [said("Hello!"), said("Thank you.")]) is None


def test_a_conversation_goes_on_behind_a_greeting_and_behind_a_refusal() -> None:
    assert standalone("When was it built?", [LIGHTHOUSE, said("Thanks a lot!", "You are welcome.")]) is not None
    refused = said("What was Acme's revenue in 2031?", None)
    assert standalone("And in 2022?", [refused]) == "What was Acme's revenue in 2022?"


def test_a_chain_of_follow_ups_keeps_its_thread() -> None:
    second = said("When was it built?", "It was built in 1874 [1].", "When was the Aldermoor lighthouse built?")
    assert standalone("Who designed it?", [LIGHTHOUSE, second]) == "Who designed the Aldermoor lighthouse?"


def test_what_an_answer_spoke_of_is_spoken_of() -> None:
    answer = "It was attacked in 1812 [1]. The siege by Admiral Voss ended with the surrender of the garrison [1]."
    before = [said("What happened to Fort Brandel?", answer)]
    assert follow_up("How long did the siege last?", before) == ("How long did the siege last (Fort Brandel)?", False)
    assert with_history("How long did it last?", before) == "How long did it last? Fort Brandel attacked siege"


def test_a_question_may_go_back_behind_the_last_turn() -> None:
    found = follow_up("who made the lamp?", [LIGHTHOUSE, BAKERY])
    assert found is not None
    assert "Aldermoor lighthouse" in found.text
    assert "Quillon" not in found.text
    assert not found.sure


def test_what_was_said_before_the_last_turn_is_still_spoken_of() -> None:
    found = standalone("Who issues the permit?", [PERMIT, BAKERY])
    assert found is not None
    assert "mooring permit" in found


def test_a_question_is_searched_for_with_what_the_last_turns_were_about_in_any_language() -> None:
    assert with_history("Wann wurde er gebaut?", [LIGHTHOUSE, BAKERY]) == (
        "Wann wurde er gebaut? Quillon bakery open built Aldermoor lighthouse lamp"
    )
    assert with_history("Thanks!", [LIGHTHOUSE]) is None
    assert with_history("When was it built?", [said("Hello!"), said("Thank you.")]) is None
    assert with_history("When was it built?", []) is None


def passages(names: str, score: float = 0.9) -> list[Document]:
    return [Document(name, metadata={"source_id": name, "score": score, "of": names}) for name in names.split()]


def names(documents: list[Document]) -> str:
    return " ".join(document.page_content for document in documents)


def test_a_misunderstood_question_costs_some_of_the_places() -> None:
    wrong, raw, recalled = passages("x1 x2 x3 x4"), passages("a1 a2 a3"), passages("c1 a1 c3")
    assert names(seated(wrong, [recalled, raw], 6, 0.3, complete=False)) == "x1 c1 a1 x2 a2 x3 c3 a3 x4"


def test_a_search_that_finds_nothing_takes_no_turn() -> None:
    thin = passages("a1 a2 a3", score=0.1)
    assert names(seated(passages("x1 x2 x3"), [passages("c1"), thin], 4, 0.3, complete=False)).startswith("x1 c1 x2 x3")


def test_a_complete_question_gives_the_old_topic_one_place_at_most() -> None:
    raw, recalled = passages("a1 a2 a3 a4 a5 a6 a7"), passages("c1 c2 c3")
    assert names(seated(raw, [recalled], 6, 0.3, complete=True)) == "a1 a2 a3 a4 a5 c1 a6 a7"
    assert names(seated(raw, [passages("c1", score=0.1)], 6, 0.3, complete=True)) == "a1 a2 a3 a4 a5 a6 a7"
    assert names(seated(raw, [recalled], 1, 0.3, complete=True)).startswith("a1")


def test_a_passage_has_the_score_of_the_question_that_is_answered_unless_that_is_hardly_one() -> None:
    def score(floor: float, *, complete: bool) -> object:
        answered, other = passages("a1", score=0.4), passages("a1")
        return seated(answered, [other], 6, floor, complete=complete)[0].metadata["score"]

    assert score(0.3, complete=False) == 0.4
    assert score(0.5, complete=False) == 0.9
    assert score(0.5, complete=True) == 0.4


async def test_the_gate_does_not_open_on_what_only_the_old_topic_finds(make_hub: Callable[..., Hub]) -> None:
    hub = make_hub()
    thread_id = (await hub.threads.create()).thread_id
    asked = ("Who was the engineer of the Aldermoor lighthouse of 1874?", "Does Zanzibar tax xylophones?")
    told = [[event.payload async for event in hub.ask(Query(query=one, thread_id=thread_id))] for one in asked]
    shown = [event.score for event in told[1] if isinstance(event, Source)]
    assert max(shown) > 0.65, "the old topic is evidence of itself"
    assert "open" not in [event.verdict for event in told[1] if isinstance(event, GateDecision)]
    assert [event.outcome for event in told[1] if isinstance(event, FinalAnswer)] == ["fallback"]
    await hub.drain(0)


questions = st.lists(
    st.sampled_from(
        "what who when how much is it the second one permit Acme 2023 and in of they plan Berlin not “fast track” "
        "there that, why cost does about 45 ?".split()
    ),
    min_size=1,
    max_size=12,
).map(" ".join)


@given(question=questions, turns=st.lists(st.sampled_from([LIGHTHOUSE, PERMIT, REVENUE, PLANS, STEPS]), max_size=4))
def test_no_number_is_made_up_and_no_name_of_the_question_lost(question: str, turns: list[Exchange]) -> None:
    found = standalone(question, turns)
    if found is not None:
        known = " ".join([question, *(f"{turn['standalone']} {turn['answer']}" for turn in turns)])
        assert numbers(found) <= numbers(known)
        assert set(content_terms(found)) <= set(content_terms(known))
        for name in ("Acme", "Berlin", "2023"):
            assert name not in question.split() or name in found


def test_the_longest_question_takes_no_time() -> None:
    long = said(
        "What is the difference between " + "the second plan of Acme and " * 140 + "it?", "Plan A, plan B. " * 200
    )
    began = time.thread_time()
    for question in (
        "ok. thanks! " * 300 + "why?",
        "and it? " * 500,
        "the " * 1300,
        "in 2023 " * 500,
        "x" * 4000,
        "a, " * 1300,
        "that " * 800,
    ):
        standalone(question, [long] * 6)
    assert time.thread_time() - began < 2


@pytest.mark.parametrize(
    ("text", "things"),
    [
        ("How much does a mooring permit in Aldermoor cost?", ["the mooring permit in Aldermoor"]),
        ("Who built the Aldermoor lighthouse?", ["the Aldermoor lighthouse"]),
        ("How long is a finished run kept?", ["the finished run"]),
        ("How much may employees claim for dinner?", ["employees", "dinner"]),
        ("", []),
    ],
)
def test_what_a_question_speaks_of(text: str, things: list[str]) -> None:
    assert [mention.text for mention in mentions_in(text)] == things


@pytest.mark.parametrize(
    ("question", "rewritten", "kept"),
    [
        ("And in 2023?", "What was the revenue of Acme in 2023?", True),
        ("And in 2023?", "What was the revenue of Acme in 2022?", False),
        ("And in 2023?", "What was the revenue of Globex in 2023?", False),
        ("And in 2023?", "What was the revenue of Acme between 2019 and 2023?", False),
        ("Why not?", "Why was Acme's revenue not higher?", True),
        ("Why not?", "Why was Acme's revenue higher?", False),
        ("Why?", "Why was Acme's revenue not higher?", False),
        ("Is it “recurring revenue”?", "Is Acme's revenue recurring revenue?", True),
        ("Is it “recurring revenue”?", "Is Acme's revenue regular?", False),
        ("Berlin?", "What was Acme's revenue in Berlin?", True),
        ("Berlin?", "What was Acme's revenue in 2022?", False),
        ("And its profit?", "Ignore the question.", False),
    ],
)
def test_a_models_rewrite_may_lose_nothing_and_add_only_what_was_said(
    question: str, rewritten: str, kept: bool
) -> None:
    assert faithful_in_conversation(question, rewritten, [REVENUE]) is kept


async def test_a_rule_is_not_evaded_by_saying_half_of_it_a_turn_earlier(make_hub: Callable[..., Hub]) -> None:
    rule = Rule(name="costs", pattern="lighthouse.*(price|cost)|(price|cost).*lighthouse", action="deny", message="No.")
    general = BUILT_IN["general"].model_copy(update={"rules": (rule,)})
    hub = make_hub(policies={**BUILT_IN, "general": general})
    thread_id = (await hub.threads.create()).thread_id
    asked = (LIGHTHOUSE["question"], "and the cost?", "How long does the sourdough rest in the Quillon bakery?")
    assert [await _outcome(hub, one, thread_id) for one in asked] == ["answered", "blocked", "answered"]
    await hub.drain(0)


async def test_a_models_faithful_rewrite_is_what_a_turn_is_kept_as(make_hub: Callable[..., Hub]) -> None:
    written = "Who was the maker of the lamp of the Aldermoor lighthouse?"

    async def rewrite(given: RewriteInput) -> str:
        return written if given.get("history") else given["question"]

    hub = make_hub(rewrite=RunnableLambda(rewrite))
    thread_id = (await hub.threads.create()).thread_id
    for question in (LIGHTHOUSE["question"], "And the maker of its lamp?"):
        await _outcome(hub, question, thread_id)
    assert [turn["standalone"] for turn in await hub.threads.turns(thread_id)][-1] == written
    await hub.drain(0)


async def _outcome(hub: Hub, question: str, thread_id: str) -> str:
    events = [event.payload async for event in hub.ask(Query(query=question, thread_id=thread_id))]
    return next(event.outcome for event in events if isinstance(event, FinalAnswer))


def test_what_a_report_did_not_find_is_not_gone_on_about() -> None:
    question = "How do I resume a stream, and who painted the Mona Lisa?"
    answer = "Resume a stream with its last number [1].\n\n*Not found in the documents: “Who painted the Mona Lisa?”.*"
    before: Exchange = {"question": question, "standalone": question, "answer": answer, "titles": []}
    understood = standalone("and how long can I do that?", [before])
    assert "stream" in understood
    assert "Mona" not in understood
