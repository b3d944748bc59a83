"""Tier 1 of verification: a sentence stands if its words, numbers, names and denials stand together in the evidence."""

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chains.disagreement import opposes
from chains.prompts import readable
from chains.statement import Difference, Statement
from chains.verify import Judgement, lexical_judge
from language.entities import names_in
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


REPORT = "In 2024 revenue rose to 1.2 million euros, and profit fell to 150,000 euros."
SHOP = "The shop is open Monday to Saturday from 7:00 to 18:00 and closed on Sundays."
STAFF = "The bakery had 42 people in 2023 and 47 in 2024."
CROISSANT = "name: Butter Croissant; vegan: no; contains_nuts: no"
PROBATION = ["During probation the notice period is two weeks.", "After probation the notice period is two months."]
TRADE = "Imports fell in May, while exports rose by 3 percent."
TURNOVER = "Turnover was 4 million euros in 2021, 5 million euros in 2022 and 6 million euros in 2023."


@pytest.mark.parametrize(
    ("sentence", "evidence"),
    [
        ("Profit rose in 2024.", [REPORT]),
        ("Revenue fell in 2024.", [REPORT]),
        ("Revenue rose to 150,000 euros.", [REPORT]),
        ("Exports fell in May.", [TRADE]),
        ("The shop is open on Sundays.", [SHOP]),
        ("The shop is closed Monday to Saturday.", [SHOP]),
        ("Cats are allowed in the garden.", ["Dogs are allowed in the garden, but cats are forbidden."]),
        ("Shipping is included in the price.", ["The price includes tax and excludes shipping."]),
        ("The bakery had 47 people in 2023.", [STAFF]),
        ("The bakery had 42 people in 2024.", [STAFF]),
        ("In 2023 the bakery had 47 people.", ["In 2023 and 2024 the bakery had 42 and 47 people."]),
        ("Turnover was 5 million euros in 2021.", [TURNOVER]),
        (
            "The library opens at 9:00 on Saturday.",
            ["The library opens at 9:00 on Monday and at 10:00 on Saturday."],
        ),
        ("Anna is 47 years old.", ["Anna is 42 years old and Ben is 47 years old."]),
        ("Adults pay 6 euros.", ["Adults pay 12 euros; children pay 6 euros."]),
    ],
)
def test_what_a_clause_says_is_not_said_of_another_one(sentence: str, evidence: list[str]) -> None:
    assert judge(sentence, evidence).support == "contradicted"


@pytest.mark.parametrize(
    ("sentence", "evidence"),
    [
        ("Profit fell to 150,000 euros in 2024.", [REPORT]),
        ("Revenue rose in 2024.", [REPORT]),
        ("In May exports rose by 3 percent.", [TRADE]),
        ("On Sundays the shop is closed.", [SHOP]),
        ("The shop opens at 7:00.", [SHOP]),
        ("The museum is closed in summer.", ["The museum is open in winter and closed in summer."]),
        (
            "The first phase ended in 2021.",
            ["The first phase began in 2019 and ended in 2021, and the second did not."],
        ),
        ("In 2024 the bakery had 47 people.", [STAFF]),
        ("In 2024 the bakery had 47 people.", ["In 2023 and 2024 the bakery had 42 and 47 people."]),
        ("Turnover was 5 million euros in 2022.", [TURNOVER]),
        ("On Saturday the library opens at 10:00.", ["The library opens at 9:00 on Monday and at 10:00 on Saturday."]),
        ("Children pay 6 euros.", ["Adults pay 12 euros; children pay 6 euros."]),
        ("The firm employed 300 people.", ["The firm, founded in 1950, earned 5 million and employed 300 people."]),
    ],
)
def test_what_its_own_clause_says_is_supported(sentence: str, evidence: list[str]) -> None:
    assert judge(sentence, evidence).support == "supported"


@pytest.mark.parametrize(
    ("sentence", "row", "supported"),
    [
        ("The Butter Croissant is vegan.", CROISSANT, False),
        ("The Butter Croissant contains nuts.", CROISSANT, False),
        ("The Butter Croissant is not vegan.", CROISSANT, True),
        ("The Butter Croissant contains no nuts.", CROISSANT, True),
        ("The Butter Croissant is vegan.", "name: Butter Croissant; vegan: false; price: 2", False),
        ("The Butter Croissant is vegan.", "name: Butter Croissant; vegan: -", False),
        ("The Butter Croissant is vegan.", "name: Butter Croissant; vegan: yes", True),
        ("The Butter Croissant is not vegan.", "name: Butter Croissant; vegan: yes", False),
        ("The Blue room has wifi.", "Blue room | wifi: no | projector: yes", False),
        ("The Blue room has a projector.", "Blue room | wifi: no | projector: yes", True),
    ],
)
def test_a_row_that_answers_no_denies_its_key(sentence: str, row: str, *, supported: bool) -> None:
    judgement = judge(sentence, ["name: Apple Tart; vegan: yes; contains_nuts: yes", row])
    assert judgement.support == ("supported" if supported else "contradicted")


@pytest.mark.parametrize(
    ("sentence", "evidence"),
    [
        ("The notice period after probation is two weeks.", PROBATION),
        ("During probation the notice period is two months.", PROBATION),
        ("Bikes may be parked inside the gate.", ["Bikes may be parked outside the gate."]),
        ("The price with tax is 40 euros.", ["The price without tax is 40 euros."]),
        ("Smoking is allowed in the hall.", ["Smoking is forbidden in the hall."]),
        ("At least 48 hours may be worked.", ["At most 48 hours may be worked."]),
        ("More than 5 guests are allowed.", ["No more than 5 guests are allowed."]),
        ("Delivery takes at most 5 days.", ["Delivery takes a minimum of 5 days."]),
    ],
)
def test_the_opposite_condition_or_limit_is_a_contradiction(sentence: str, evidence: list[str]) -> None:
    assert judge(sentence, evidence).support == "contradicted"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("It takes 42 days.", "It takes six weeks."),
        ("The refund is paid within 72 hours.", "The refund is paid within three days."),
        ("Night work is paid at 150 % of the wage.", "Night work is paid at one and a half times the wage."),
        ("The doors close at 8 p.m.", "The doors close at 20:00."),
        ("The trip takes 90 minutes.", "The trip takes one and a half hours."),
        ("At most 10 people may enter.", "No more than 10 people may enter."),
    ],
)
def test_a_measure_in_another_unit_is_the_same(one: str, other: str) -> None:
    assert judge(one, [other]).support == judge(other, [one]).support == "supported"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Nobody may work more than 48 hours.", "At most 48 hours may be worked."),
        ("Smoking is forbidden in the hall.", "Smoking is not allowed in the hall."),
    ],
)
def test_a_denial_in_other_words_is_none_the_less_the_same(one: str, other: str) -> None:
    assert "contradicted" not in {judge(one, [other]).support, judge(other, [one]).support}


@pytest.mark.parametrize(
    "sentence",
    [
        "- Run `groundswell ingest --all` to **add** files.",
        "See [the guide](docs/guide.md) for *more* details.",
        "| Plan | **Price** | Users |",
        "## Notice __periods__ apply",
        "> Refunds take `14` days",
        "* **Note:** the `max_tokens` value is 5 * 3",
        "The ***best*** **plan**s use snake_case_names",
    ],
)
def test_a_quotation_without_the_marks_of_markdown_is_word_for_word(sentence: str) -> None:
    assert judge(readable(sentence), ["Other.", sentence]) == Judgement("supported", 1.0, "lexical", 1)


MAIN, SPARE = "The main pump delivers 40 litres a minute.", "The spare pump delivers 35 litres a minute."


@pytest.mark.parametrize(
    ("sentence", "evidence", "support"),
    [
        ("The main pump delivers 35 litres a minute.", [SPARE], "partial"),
        ("The main pump delivers 35 litres a minute.", [MAIN, SPARE], "contradicted"),
        ("The main pump delivers 40 litres a minute.", [SPARE, MAIN], "supported"),
        ("The probation period is four weeks.", ["During probation the notice period is four weeks."], "partial"),
        ("The fee for adults is 8 euros.", ["The fee for children is 8 euros."], "partial"),
        ("The pump delivers 35 litres a minute.", [SPARE], "supported"),
        ("The large spare pump delivers 35 litres a minute.", [SPARE], "supported"),
        ("In spring, the spare pump delivers 35 litres a minute.", [SPARE], "supported"),
    ],
)
def test_the_number_of_one_thing_is_not_that_of_another_under_the_same_noun(
    sentence: str, evidence: list[str], support: str
) -> None:
    assert judge(sentence, evidence).support == support


@pytest.mark.parametrize(
    ("one", "other", "part"),
    [
        ("Tickets cost 5 euros.", "Tickets cost 7 euros.", "numbers"),
        ("The hall opens at 10:00 and closes at 18:00.", "The hall opens at 11:00 and closes at 19:00.", "numbers"),
        ("The fair is on 4 May 2024.", "The fair is on 11 June 2024.", "numbers"),
        ("It is in the town hall. Tickets cost 5 euros.", "It is in the hotel. Tickets cost 7 euros.", "numbers"),
        ("The canteen closes at 11:30", "The canteen closes at 12:00", "numbers"),
        ("The fee is 40 euros.", "The **fee** is 45 euros.", "numbers"),
        ("Refunds are paid within 14 days.", "Refunds are paid within three weeks.", "numbers"),
        ("Ada Moor was born in 1870.", "Ada Moor was born in 1871.", "numbers"),
        ("At most 48 hours may be worked.", "At most 50 hours may be worked.", "numbers"),
        ("Plan A | 40 euros | 5 users", "Plan A | 45 euros | 5 users", "numbers"),
        ("Dogs are allowed.", "Dogs are not allowed.", "negation"),
        ("name: Croissant; vegan: no; price: 2", "name: Croissant; vegan: yes; price: 2", "negation"),
        ("The shop is open on Sundays.", "The shop is closed on Sundays.", "direction"),
        ("Smoking is allowed in the hall.", "Smoking is forbidden in the hall.", "direction"),
        ("At least 48 hours may be worked.", "At most 48 hours may be worked.", "direction"),
    ],
)
def test_sources_disagree_that_say_the_same_but_for_one_particular(one: str, other: str, part: str) -> None:
    assert {opposes(one, other, idf) for idf in (None, flat)} == {Difference(part, opposed=True)}  # type: ignore[arg-type]
    assert opposes(other, one) == opposes(one, other)
    assert opposes(one, one) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The fee was 40 euros in 2023.", "The fee was 45 euros in 2024."),
        ("The fee was 40 euros in May.", "The fee was 45 euros in June."),
        ("The fee is 40 euros.", "In 2024 the fee was 45 euros."),
        ("The fee is 40 euros.", "The fee is 45 dollars."),
        ("The fee is 40 euros.", "The fee is at most 45 euros."),
        ("The fee for adults is 40 euros.", "The fee for children is 20 euros."),
        ("It costs 40 euros.", "It costs 45 euros."),
        ("name: Croissant; price: 2", "name: Tart; price: 3"),
        ("name: Croissant; price: 2; fat: 4", "name: Croissant; price: 3; fat: 7"),
        ("Croissant | 2.40", "Tart | 2.60"),
        ("Croissant | 2.40", "The croissant costs 2.60."),
        (PROBATION[0], PROBATION[1]),
        (PROBATION[0], "After probation the notice period is two weeks."),
        ("The Hill Street shop opens at 7:00.", "The Quay Street shop opens at 8:00."),
        ("The hill shop closes at 18:00.", "The harbour shop closes at 19:00."),
        ("The shop opens at 7:00 on Monday.", "The shop opens at 8:00 on Saturday."),
        ("The shop opens at 7:00.", "The shop closes at 18:00."),
        ("Step 3 is to press start.", "Step 4 is to press start."),
        ("Windows 10 is supported.", "Windows 11 is supported."),
        ("The first ferry is full.", "The second ferry is full."),
        ("The trip takes two weeks.", "The trip takes 14 days."),
        ("Smoking is forbidden.", "Smoking is not allowed."),
        ("Revenue rose to 4 million euros.", "Profit rose to 3 million euros."),
        ("In 2023, 20 suppliers delivered.", "In 2022, 20 suppliers delivered."),
        ("The 2028 notes rank equally.", "The 2030 notes rank equally."),
        ("Although unincorporated, it has the code 96726.", "Although unincorporated, it has the code 96780."),
        ("Total 1,450 67 1,450 67", "Total 1,450 67 1,452 67"),
        ("", ""),
    ],
)
def test_sources_that_speak_of_different_things_do_not_disagree(one: str, other: str) -> None:
    assert opposes(one, other) is None
    assert opposes(other, one) is None


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
        ("six weeks", "42 days"),
        ("1.5 hours", "90 minutes"),
        ("two years", "24 months"),
        ("8 p.m.", "20:00"),
        ("8:30 pm", "8:30"),
        ("noon", "12:00"),
        ("one and a half times", "150%"),
        ("2 and a half years", "two and a half years"),
        ("at most 48", "not more than 48"),
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
        ("six weeks", "43 days"),
        ("one month", "30 days"),
        ("8 a.m.", "20:00"),
        ("8 p.m.", "8"),
        ("at most 48", "at least 48"),
        ("more than 5", "no more than 5"),
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
        ("Nobody may work more than 48 hours.", []),
        ("Nobody over 18 may enter.", ["18", "enter"]),
        ("name: Tart; vegan: no; nuts: -", ["vegan", "nuts"]),
    ],
)
def test_a_negation_denies_the_telling_words_it_reaches(text: str, denied: list[str]) -> None:
    found = tokens(text)
    assert [found[at].text for negation in Statement.of(text).negations for at in negation.scope] == denied


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


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("The pump is safe.", "There is no evidence that the pump is safe."),
        ("The limit is 5.", "The limit is 5 million euros."),
        ("The dose is 5 mg.", "The dose is 5 mg per kg of body weight."),
        ("Managers receive a bonus.", "All employees except managers receive a bonus."),
        ("The warranty is void.", "If the seal is broken, the warranty is void."),
    ],
)
def test_words_cut_out_of_what_qualifies_them_are_not_supported(claim: str, evidence: str) -> None:
    assert judge(claim, [evidence]).support != "supported"


def test_the_number_of_a_list_item_is_no_claim() -> None:
    assert judge("1. Employees receive 28 days of leave.", ["Employees receive 28 days of leave."]).score == 1.0


def test_money_is_the_same_with_its_scale_written_out() -> None:
    assert judge("Revenue was $3.2M.", ["Revenue was $3.2 million."]).support == "supported"
    assert judge("Revenue was $3.2M.", ["Revenue was $3.2 billion."]).support != "supported"


@pytest.mark.parametrize("sentence", ["Berg " * 3000, "not " * 3000, " ".join(f"word{at}" for at in range(3000))])
def test_a_sentence_without_an_end_costs_no_more_than_others(sentence: str) -> None:
    pieces = ["The harbour is open on Sundays, and the bell rings at noon. " * 30] * 60
    began = process_time()
    judge(sentence, pieces)
    assert process_time() - began < 1.0  # compared word by word it takes half a minute
