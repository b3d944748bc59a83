"""What the embedded chat model says of its evidence, and what it leaves out."""

import re

from langchain_core.messages import HumanMessage

from chains.embedded import SCORES_KEY, ExtractiveChatModel

MARKER = re.compile(r"\[(\d+\.\d+)\]")

Scored = dict[str, float]
"""The rows of a passage, and how well each matches the question."""

BREEZE = "sku: TC-205; name: Breeze Folder; price_eur: 1150; electric: no"
TANDEM = "sku: TC-207; name: Breeze Tandem; price_eur: 2390; electric: no"
CARGO = "sku: TC-311; name: Longshore Cargo; price_eur: 4200; electric: yes"


def said(question: str, *passages: Scored, most: int = 4) -> list[str]:
    """The numbers of the rows said."""
    lines, scores = [], {}
    for rank, passage in enumerate(passages, 1):
        for at, (row, score) in enumerate(passage.items(), 1):
            lines.append(f"[{rank}.{at}] {row}")
            scores[f"{rank}.{at}"] = score
    prompt = "\n".join(["Evidence:", *lines, f"\nQuestion: {question}"])
    message = HumanMessage(prompt, additional_kwargs={SCORES_KEY: scores})
    return MARKER.findall(ExtractiveChatModel(max_sentences=most).invoke([message]).text)


def test_the_row_of_the_year_asked_for_is_said_and_no_other_years() -> None:
    prices = {
        "In 2019 a Country Loaf cost 4.80 euros.": 0.6,
        "In 2022 a Country Loaf cost 5.60 euros.": 0.65,
        "In 2024 a Country Loaf cost 6.20 euros.": 0.7,
    }
    assert said("What did a Country Loaf cost in 2019?", prices) == ["1.1"]
    assert said("What did a Country Loaf cost in 2022?", prices) == ["1.2"]


def test_a_year_holds_for_the_sentences_behind_it_until_another_one() -> None:
    prices = {
        "2021: A service cost 79 euros.": 0.5,
        "A tyre cost 14 euros.": 0.6,
        "2023: A service cost 89 euros.": 0.4,
        "A tyre cost 17 euros.": 0.61,
    }
    assert said("What did a tyre cost in 2021?", prices) == ["1.2"]


def test_a_year_that_no_likely_row_has_bars_nothing() -> None:
    passage = {"The bakery employed 42 people in 2023.": 0.7, "In 2022 the roof was mended.": 0.3}
    assert said("How many people did the bakery employ in 2022?", passage) == ["1.1"]


def test_a_product_asked_for_by_its_id_comes_without_its_neighbours() -> None:
    assert said("How much is SKU TC-205?", {BREEZE: 0.62, TANDEM: 0.58, CARGO: 0.58}) == ["1.1"]


def test_of_the_rows_of_a_table_one_with_less_of_the_name_is_not_said() -> None:
    assert said("What is the price of the Breeze Folder?", {BREEZE: 0.70, TANDEM: 0.68, CARGO: 0.3}) == ["1.1"]


def test_rows_of_a_table_that_fit_alike_are_all_said_however_many_words_they_share() -> None:
    assert said("What does a Breeze cost?", {BREEZE: 0.70, TANDEM: 0.68, CARGO: 0.3}) == ["1.1", "1.2"]


def test_a_telling_word_of_the_question_is_not_left_out() -> None:
    shop = {
        "The shop in Harbour Street is open from 6:00 to 19:00 on every day.": 0.53,
        "Telephone 040 555 1234.": 0.40,
        "Dogs are welcome.": 0.1,
    }
    assert said("What is the telephone number of the shop in Harbour Street?", shop) == ["1.1", "1.2"]


def test_a_row_that_leans_back_brings_the_sentence_before_it_and_no_telephone_number() -> None:
    shop = {
        "The Old Market shop is open daily from seven.": 0.63,
        "Telephone 040 555 9876.": 0.14,
        "It has no seats.": 0.41,
        "Dogs stay outside.": 0.1,
    }
    assert said("How many seats does the Old Market shop have?", shop) == ["1.1", "1.3"]


def test_words_left_over_are_not_fetched_from_rows_that_are_about_something_else() -> None:
    passage = {
        "Birthday cakes are ordered three days ahead.": 0.6,
        "Bread is baked in the old market hall.": 0.2,
    }
    assert said("How are birthday cakes ordered at the market?", passage) == ["1.1"]


def test_another_passage_must_come_nearer_if_it_brings_no_new_word_of_the_question() -> None:
    passages = (
        {"Greta built the lighthouse on the cliff.": 0.60},
        {"A red door leads into what Greta built, a lighthouse for ships.": 0.53},
    )
    assert said("Which lighthouse was built by Greta?", *passages) == ["1.1"]
    assert said("Which red lighthouse was built by Greta?", *passages) == ["1.1", "2.1"]


def test_a_row_without_a_number_must_come_nearer_where_a_number_is_asked_for() -> None:
    tower = {"The tower is 41 metres high and white.": 0.60, "A high tower guards our harbour.": 0.52}
    assert said("How high is the tower?", tower) == ["1.1"]
    assert said("What about the high tower?", tower) == ["1.1", "1.2"]


def test_a_time_or_a_name_goes_first_where_one_is_asked_for() -> None:
    opened = {"The lighthouse was opened by the mayor.": 0.62, "The doors were opened on a Monday.": 0.60}
    built = {"The lighthouse was built by many hands.": 0.62, "The tower was built in haste by Greta Holm.": 0.60}
    assert said("When was the lighthouse opened?", opened, most=1) == ["1.2"]
    assert said("Who built the lighthouse?", built, most=1) == ["1.2"]


def test_the_better_of_weak_rows_is_said_and_of_worthless_ones_only_those_about_the_question() -> None:
    assert said("Who built the lighthouse?", {"Cats built it.": 0.02, "Dogs built it.": 0.03}, most=1) == ["1.2"]
    assert said("Who built the lighthouse?", {"Cats sleep.": 0.0, "Dogs bark.": 0.0}) == ["1.1"]


def test_without_evidence_nothing_is_said() -> None:
    assert said("Who built the lighthouse?") == []


def test_a_line_of_contents_is_never_said() -> None:
    handbook = {
        "3.2 Safety drills for passengers ........ 14": 0.9,
        "3.3 Fares . . . . . . . iv": 0.8,
        "Annex A ………… 21": 0.7,
        "Safety drills for passengers last from 5 ... 20 minutes.": 0.5,
    }
    assert said("How long are the safety drills for passengers?", handbook) == ["1.4"]
    assert said("How long are the drills?", {"3.2 Safety drills ........ 14": 0.9}) == []


def test_a_sentence_about_somebody_comes_with_the_one_that_names_them_and_no_other() -> None:
    years = {f"In {year} she moved to another island.": 0.1 for year in range(1850, 1858)}
    life = {"Greta Holm was an engineer.": 0.2, **years, "In 1911 she died in Brack.": 0.9}
    assert said("When did she die in Brack?", life) == ["1.1", "1.10"]


def test_a_how_to_question_gets_the_steps_as_a_whole_and_no_other_does() -> None:
    descaling = {
        "Descale the kettle every three months.": 0.8,
        "Empty the tank.": 0.2,
        "Pour in 100 ml of vinegar.": 0.2,
        "Wait about ten minutes until it stops.": 0.2,
        "Rinse the tank and the lid.": 0.2,
        "The kettle weighs two kilograms.": 0.2,
    }
    assert said("How do I descale the kettle?", descaling) == ["1.1", "1.2", "1.3", "1.4", "1.5"]
    assert said("Is the kettle to be descaled?", descaling) == ["1.1"]


def test_a_measure_is_said_though_only_the_heading_names_its_thing() -> None:
    rows = {"Power | 1450 W": 0.25, "Weight | 7.4 kg": 0.31, "Descale the Brewer 300 every three months.": 0.4}
    lines = "\n".join(f"[1.{at}] {row}" for at, row in enumerate(rows, 1))
    scores = {f"1.{at}": score for at, score in enumerate(rows.values(), 1)}
    prompt = f"Evidence:\n[1] Brewer 300 > Technical data\n{lines}\n\nQuestion: How heavy is the Brewer 300?"
    message = HumanMessage(prompt, additional_kwargs={SCORES_KEY: scores})
    assert MARKER.findall(ExtractiveChatModel().invoke([message]).text) == ["1.2"]


def test_an_amount_or_a_reason_is_said_where_a_row_without_one_fits_best() -> None:
    roof = {
        "Peter reported that the roof of Block B leaks.": 0.7,
        "The board met in May.": 0.5,
        "The final bill for Block B was €51,750.": 0.4,
    }
    assert said("How much did the roof of Block B cost?", roof) == ["1.1", "1.3"]
    left = {
        "Dan Osei was a physicist.": 0.59,
        "At Velmar he was responsible for research.": 0.46,
        "He left Velmar in 1998 after a quarrel.": 0.43,
    }
    assert said("Why did Dan Osei leave Velmar?", left) == ["1.1", "1.3"]


def test_he_who_did_something_comes_with_his_name_and_not_with_all_he_did() -> None:
    life = {
        "Dan Osei was born on 17 August 1949.": 0.65,
        "He studied in Oslo until 1977.": 0.57,
        "He met Ada in 1980.": 0.6,
        "He died in 2015.": 0.53,
    }
    assert said("When did Dan Osei die?", life) == ["1.1", "1.4"]


def test_a_heading_is_said_only_where_nothing_else_answers() -> None:
    numbers = {"Internal telephone numbers": 0.8, "The kitchen has the telephone number 4711.": 0.6}
    assert said("What is the telephone number of the kitchen?", numbers) == ["1.2"]
    assert said("Which minutes are there?", {"Minutes of the meeting of 3 May 2024": 0.8, "Dogs bark.": 0.1}) == ["1.1"]


def test_a_row_of_a_price_list_names_nobody() -> None:
    chair = {
        "Ruth Hale was elected chair.": 0.66,
        "Article: Swivel chair Basic; Category: Chair; Supplier: Sitwell": 0.66,
    }
    assert said("Who is the chair?", chair) == ["1.1"]
