"""Tier 1 of verification: a sentence stands if its words, numbers, names and denials stand together in the evidence."""

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chains.statement import Statement
from chains.verify import Judgement, lexical_judge
from language.entities import names_in
from language.polarity import negations
from language.quantities import Quantity, agree, quantities
from language.tokens import tokens

SHARED = Path(__file__).parents[2] / "shared" / "data"
HARBOUR = [
    "The harbour of Port Ellery was opened on 12 March 2019 by Mayor Ines Falk.",
    "Some 3,214,000 passengers passed through it in 2021, an increase of 12.5% over the year before.",
    "The western pier cost $48 million and is 620 metres long.",
    "Cars are not allowed on the northern pier without a permit from the Harbour Office.",
    "Ferries to Sandholm leave at 6:30 and 18:15; the crossing takes two hours.",
    "Captain Jonas Brandt commanded the first ferry, the Aurora, until 2020.",
    "Total revenue | FY2019: 12.3 | FY2018: 11.1 | FY2017: (0.4)",
    "- `pier.open(force=True)` raises PermitError unless `permit is not None`",
    "The World Health Organization inspected the quarantine building in June 2020.",
    "It never failed an inspection.",
]


def flat(wanted: set[str]) -> Mapping[str, float]:
    return dict.fromkeys(wanted, 1.0)


judge = lexical_judge(flat)


def quantity(text: str) -> Quantity:
    found = quantities(text, tokens(text))
    assert found, text
    return found[0]


@pytest.mark.parametrize("sentence", HARBOUR)
def test_what_stands_in_the_evidence_word_for_word_is_supported(sentence: str) -> None:
    assert judge(sentence, HARBOUR) == Judgement("supported", 1.0, "lexical", HARBOUR.index(sentence))
    assert judge(f"{sentence} [1]", [sentence]).support == "supported"
    half = " ".join(sentence.split()[: len(sentence.split()) // 2 + 1])
    assert judge(half, HARBOUR).score == 1.0


def test_a_quotation_that_leaves_out_the_negation_before_it_is_no_quotation() -> None:
    assert judge("dogs are allowed in the hall", ["No dogs are allowed in the hall."]).support == "contradicted"


@pytest.mark.parametrize("first", HARBOUR[:6])
@pytest.mark.parametrize("second", HARBOUR[:6])
def test_two_sentences_of_the_evidence_in_one_are_supported(first: str, second: str) -> None:
    if first != second:
        assert judge(f"{first[:-1]}, and {second}", HARBOUR).support == "supported"


@pytest.mark.parametrize(
    "sentence",
    [
        "Mayor Ines Falk opened the harbour of Port Ellery on March 12, 2019.",
        "The harbour of Port Ellery was opened on 2019-03-12 by Mayor Falk.",
        "About 3.2 million passengers passed through it in 2021.",
        "Some 3214000 passengers passed through it in 2021, an increase of 12.5 percent over the year before.",
        "The western pier cost 48 million dollars and is 620 m long.",
        "Without a permit from the Harbour Office, cars aren't allowed on the northern pier.",
        "The crossing takes 2 hours.",
        "The WHO inspected the quarantine building in June 2020.",
        "Captain Brandt commanded the first ferry, Aurora, until 2020.",
    ],
)
def test_other_ways_to_say_the_same_are_supported(sentence: str) -> None:
    assert judge(sentence, HARBOUR).support == "supported"


@pytest.mark.parametrize(
    ("sentence", "part"),
    [
        ("The harbour of Port Ellery was opened on 13 March 2019 by Mayor Ines Falk.", "numbers"),
        ("The harbour of Port Ellery was opened on 12 April 2019 by Mayor Ines Falk.", "numbers"),
        ("The harbour of Port Ellery was opened on 12 March 2021 by Mayor Ines Falk.", "numbers"),
        ("Some 3,241,000 passengers passed through it in 2021.", "numbers"),
        ("Some 3,214,000 passengers passed through it in 2021, an increase of 15.2% over the year before.", "numbers"),
        ("The western pier cost $48 billion and is 620 metres long.", "numbers"),
        ("The western pier cost €48 million and is 620 metres long.", "numbers"),
        ("The western pier cost $48 million and is 620 feet long.", "numbers"),
        ("The western pier cost $620 million and is 48 metres long.", "numbers"),
        ("Ferries to Sandholm leave at 6:30 and 19:15; the crossing takes two hours.", "numbers"),
        ("Captain Jonas Brandt commanded the second ferry, the Aurora, until 2020.", "numbers"),
        ("The harbour of Port Ellery was opened on 12 March 2019 by Mayor Jonas Brandt.", "entities"),
        ("The harbour of Sandholm was opened on 12 March 2019 by Mayor Ines Falk.", "entities"),
        ("Captain Petra Lund commanded the first ferry, the Aurora, until 2020.", "entities"),
        ("The western pier did not cost $48 million and is 620 metres long.", "negation"),
        ("Cars are allowed on the northern pier without a permit from the Harbour Office.", "negation"),
        ("Cars are not allowed on the northern pier with a permit from the Harbour Office.", "negation"),
        ("Captain Jonas Brandt never commanded the first ferry, the Aurora, until 2020.", "negation"),
        ("Captain Jonas Brandt failed to command the first ferry, the Aurora, until 2020.", "negation"),
        ("Some 3,214,000 passengers passed through it in 2021, a decrease of 12.5% over the year before.", "direction"),
        ("The eastern pier cost $48 million and is 620 metres long.", "direction"),
    ],
)
def test_one_thing_changed_is_a_contradiction_that_names_the_part(sentence: str, part: str) -> None:
    judgement = judge(sentence, HARBOUR)
    assert judgement.support == "contradicted"
    assert part in judgement.parts
    assert judgement.method == "+".join(["lexical", *judgement.parts])
    assert judgement.score <= 0.5


@given(st.integers(2, 10**7), st.integers(2, 10**7))
def test_a_changed_number_is_never_supported(known: int, said: int) -> None:
    evidence = [f"The company sold {known:,} lamps to the city of Bergen.", "It has two halls."]
    support = judge(f"The company sold {said:,} lamps to the city of Bergen.", evidence).support
    assert (support == "supported") == (known == said)


@pytest.mark.parametrize(
    ("sentence", "support"),
    [
        ("The harbour of Port Ellery was opened in 1874 by Mayor Ines Falk in a storm of protest.", "unsupported"),
        ("Dolphins painted purple cathedrals.", "unsupported"),
        ("The harbour has a western pier with a lighthouse of granite.", "partial"),
    ],
)
def test_what_the_evidence_has_no_words_for_is_not_supported(sentence: str, support: str) -> None:
    judgement = judge(sentence, HARBOUR)
    assert judgement.support in {support, "contradicted"} if "1874" in sentence else judgement.support == support


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Total revenue | 12.3 | 11.1", "Total revenue | 12.3 | 11.1 | 10.0"),
        ("Total revenue | 12.3 | 11.1", "Total revenue | 14.0 | 12.3"),
        ("Net income | FY2019: 5.0 | FY2018: 4.0", "Total revenue | FY2019: 12.3 | FY2018: 11.1"),
        ("Total revenue in FY2018 was 11.1", "Total revenue | FY2019: 12.3 | FY2018: 11.1"),
        ("The pier was opened in 2019.", "The pier was widened in 2021 for larger ships."),
        ("The north pier is 620 metres long.", "The old town wall is 700 metres long."),
    ],
)
def test_different_things_do_not_disagree(one: str, other: str) -> None:
    assert "contradicted" not in {judge(one, [other]).support, judge(other, [one]).support}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The pier is 620 metres long.", "The pier is 640 metres long."),
        ("In 1950, he was born in Paris.", "He was born in Paris in 1960."),
        ("Refunds are paid within 14 days.", "Refunds are not paid within 14 days."),
        ("Prices rose by 4% in May.", "Prices fell by 4% in May."),
        ("Total revenue | FY2019: 12.3 | FY2018: 11.1", "Total revenue | FY2019: 12.9 | FY2018: 11.1"),
    ],
)
def test_the_same_thing_with_another_number_denial_or_direction_disagrees_both_ways(one: str, other: str) -> None:
    assert judge(one, [other]).support == judge(other, [one]).support == "contradicted"


def test_a_pronoun_leaves_room_for_the_name_that_another_sentence_gives() -> None:
    evidence = ["Greta Holm founded the school.", "She was born in Uppsala in 1901 and taught for forty years."]
    assert judge("Greta Holm was born in Uppsala in 1901 and taught for forty years.", evidence).support == "supported"


def test_a_source_that_agrees_outweighs_one_that_does_not() -> None:
    evidence = ["The pier is 640 metres long.", "The pier is 620 metres long."]
    assert judge("The pier is 620 metres long.", evidence).support == "supported"


def test_a_word_nobody_weighed_is_rare_not_weightless() -> None:
    judgement = lexical_judge(lambda wanted: {"pier": 0.5} if "pier" in wanted else {})(
        "A pier of jasper.", ["A pier."]
    )
    assert judgement.score == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3.2 million", "3,200,000"),
        ("$5 million", "5,000,000 dollars"),
        ("12%", "12 percent"),
        ("12 per cent", "12%"),
        ("two thirds", "66.7%"),
        ("half", "50%"),
        ("twenty-five", "25"),
        ("three hundred", "300"),
        ("2.50", "2.5"),
        ("21st", "21st"),
        ("the 1990s", "the 1990s"),
        ("about 3.2 million", "3,214,000"),
        ("over 260,000", "262,311"),
        ("5 km", "5 kilometres"),
        ("a dozen", "12"),
        ("millions", "3,400,000"),
        ("−5", "-5"),
    ],
)
def test_quantities_agree_however_they_are_written(one: str, other: str) -> None:
    assert agree(quantity(one), quantity(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3.2 million", "3.2 billion"),
        ("$5", "€5"),
        ("12%", "12"),
        ("5 km", "5 miles"),
        ("about 157", "150"),
        ("third", "3"),
        ("millions", "billions"),
        ("6:30", "6:45"),
        ("1999", "1989"),
    ],
)
def test_quantities_differ_in_value_scale_unit_or_kind(one: str, other: str) -> None:
    assert not agree(quantity(one), quantity(other))


@pytest.mark.parametrize(
    "text", ["12 March 2019", "March 12, 2019", "2019-03-12", "12th of March, 2019", "12 Mar 2019"]
)
def test_a_date_is_a_day_a_month_and_a_year(text: str) -> None:
    found = {(quantity.kind, quantity.value) for quantity in quantities(text, tokens(text))}
    assert found == {("day", 12.0), ("month", 3.0), ("year", 2019.0)}


def test_what_looks_like_a_number_or_a_month_but_is_none() -> None:
    for text in ("One may march on.", "It is one of them.", "a split second"):
        assert quantities(text, tokens(text)) == []
    text = "from 2004–05 on"
    assert [quantity.value for quantity in quantities(text, tokens(text))] == [2004.0, 2005.0]


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("He did not sign the treaty.", ["sign", "treaty"]),
        ("He hasn’t signed it, though others have.", ["signed"]),
        ("They failed to reach Oslo.", ["reach", "Oslo"]),
        ("Bread without salt", ["salt"]),
        ("Not only Oslo joined.", []),
        ("Room No. 5 is free.", []),
    ],
)
def test_a_negation_denies_the_telling_words_it_reaches(text: str, denied: list[str]) -> None:
    found = tokens(text)
    assert [found[at].text for negation in negations(text, found) for at in negation.scope] == denied


def test_a_name_is_a_run_of_capitals_and_a_headline_has_none() -> None:
    def runs(text: str) -> list[str]:
        found = tokens(text)
        return [text[found[name.first].start : found[name.last].end] for name in names_in(text, found)]

    assert runs("In Oslo, Dr. Ada Holm met the Bank of Norway.") == ["Oslo", "Dr. Ada Holm", "Bank of Norway"]
    assert runs("A Short History of the Peabody Museum in Brief") == []


@pytest.mark.parametrize(
    "sentence",
    [
        *("", " ", "[1]", "🦉🦉", "...", "’s", "\u0301", "½", "\ud800", "ﷺ", "٣٤", "²", "12", "1,2,3.4:5"),
        *("هذا نص عربي قصير", "東京は日本の首都です。", "x" * 10_000, "no not never", "the of and"),
    ],
)
def test_odd_input_is_judged_like_any_other(sentence: str) -> None:
    for evidence in ([], [""], HARBOUR, [sentence], [sentence, ""]):
        judgement = judge(sentence, evidence)
        assert 0 <= judgement.score <= 1
    if any(char.isalnum() for char in sentence.replace("[1]", "")):
        assert judge(sentence, ["", sentence]).support == "supported"


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=120), st.lists(st.text(max_size=120), max_size=4))
def test_no_text_makes_it_fail(sentence: str, evidence: list[str]) -> None:
    judgement = judge(sentence, evidence)
    assert 0 <= judgement.score <= 1
    assert judgement.best is None or judgement.best < len(evidence)
    Statement.of(sentence)


def test_a_long_sentence_costs_no_more_than_its_length() -> None:
    """Forty times the words may cost eighty times the time, not its square."""
    sentence = "On 12 March 2019 Ines Falk did not open the western pier of Port Ellery for $48 million. "

    def seconds(text: str) -> float:
        before = process_time()
        for evidence in HARBOUR:
            judge(text, [evidence, *HARBOUR[:5]])
        return process_time() - before

    seconds(sentence)
    once = max(min(seconds(f"{sentence} Yes, {turn}.") for turn in range(5)), 1e-3)
    assert seconds(sentence * 40) < 80 * once


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared/data: wice.claims.jsonl.gz")
def test_claims_that_pages_support_score_above_those_they_do_not() -> None:
    with gzip.open(SHARED / "wice.claims.jsonl.gz", "rt") as lines:
        claims = [json.loads(line) for line in lines]
    scores = {
        label: [judge(c["claim"], c["evidence"]).score for c in claims if c["label"] == label]
        for label in ("supported", "not_supported")
    }
    pairs = [(good > bad) + (good == bad) / 2 for good in scores["supported"] for bad in scores["not_supported"]]
    assert sum(pairs) / len(pairs) >= 0.93
