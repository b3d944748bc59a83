"""What a repair is decided by: other words for a sentence, which source is newer, what two sources are about."""

import pytest

from chains.aspects import answers, aspects, covered
from chains.correction import corrected
from chains.recency import Account, newer
from chains.rivals import bygone, closeness, same_name, says_otherwise
from chains.subjects import Context, about, designations
from chains.verify import lexical_judge


def flat(wanted: set[str]) -> dict[str, float]:
    return dict.fromkeys(wanted, 1.0)


judge = lexical_judge(flat)


@pytest.mark.parametrize(
    ("claim", "piece", "right"),
    [
        (
            "The western pier is 640 metres long.",
            "The western pier is 620 metres long.",
            "The western pier is 620 metres long.",
        ),
        (
            "The western pier cost $84 million and is 620 metres long.",
            "The western pier cost $48 million and is 620 metres long.",
            "The western pier cost $48 million and is 620 metres long.",
        ),
        (
            "Two crews of 6 sail from Brack at 7:30.",
            "Two crews of 8 sail from Brack at 9:30 each morning.",
            "Two crews of 8 sail from Brack at 9:30.",
        ),
        (
            "The harbour of Port Ellery was opened on 13 March 2018.",
            "On 12 April 2019 the harbour of Port Ellery was opened by Mayor Ines Falk.",
            "The harbour of Port Ellery was opened on 12 April 2019.",
        ),
        (
            "The harbour was opened by Mayor Jonas Brandt in 2019.",
            "The harbour was opened in 2019 by Mayor Ines Falk.",
            "The harbour was opened by Mayor Ines Falk in 2019.",
        ),
        (
            "Passenger numbers fell by 12 % in 2021.",
            "Passenger numbers rose by 12 % in 2021.",
            "Passenger numbers rose by 12 % in 2021.",
        ),
        (
            "The garden is closed on Sundays.",
            "The garden is open on Sundays.",
            "The garden is open on Sundays.",
        ),
        (
            "The ferry of Captain Petra Lund fell behind by 3 hours.",
            "The ferry of Captain Jonas Brandt fell behind by 5 hours.",
            "The ferry of Captain Jonas Brandt fell behind by 5 hours.",
        ),
    ],
)
def test_particulars_of_the_source_take_the_place_of_wrong_ones_and_no_other_word_moves(
    claim: str, piece: str, right: str
) -> None:
    assert judge(claim, [piece]).support != "supported"
    assert corrected(claim, piece, judge) == right
    assert judge(right, [piece]).support == "supported"


@pytest.mark.parametrize(
    ("claim", "piece"),
    [
        ("The western pier is 640 metres long.", "The old town wall is 620 metres high and 4 wide."),
        ("Refunds are paid within 14 days.", "The office has 30 rooms."),
        ("Mayor Ines Falk opened the harbour.", "Captain Jonas Brandt sold his boat."),
        ("The museum has 40 clocks.", "The ferry leaves at 9:30."),
        ("Dogs are allowed in the hall.", "No dogs are allowed in the hall."),
        ("Dolphins painted purple cathedrals in 1921.", "The lighthouse was built in 1874."),
        ("It costs 5 crowns.", "It costs."),
        ("In 1921 Jonas Brandt painted boats.", "In 1874 Greta Holm sold boats."),
        ("", "The lighthouse was built in 1874."),
        ("The pier is 640 metres long.", ""),
        ("The pier is ６４０ metres long.", "The pier is 620 metres long."),
    ],
)
def test_a_claim_is_never_turned_into_another_one(claim: str, piece: str) -> None:
    assert corrected(claim, piece, judge) is None


def account(
    title: str = "Fees", sentence: str = "The fee is 20 crowns.", text: str = "", **metadata: object
) -> Account:
    return Account(title=title, sentence=sentence, text=f"{text} {sentence}", metadata=metadata)


NEWER = {
    "dates that were stored": (account(date="2024-02-01"), account(date="2023-12-31")),
    "another key of a date": (account(last_updated="2024-02"), account(published="2023-12-31")),
    "a year against a day": (account(year=2024), account(date="2023-12-31")),
    "a date that was stored against a title": (account(date="2024-01-01"), account("Fees 2023")),
    "titles with years": (account("Fees 2024"), account("Fees 2020")),
    "titles with months": (account("Fees, March 2024"), account("Fees, January 2024")),
    "titles with days": (account("Minutes of 2 March 2024"), account("Minutes of 1 March 2024")),
    "days in figures": (account("Minutes 2.3.2024"), account("Minutes 1.3.2024")),
    "in force": (account(text="In force since 1 May 2024."), account(text="In force since 1 May 2023.")),
    "versions": (account("Manual version 10"), account("Manual version 9")),
    "versions with points": (account("Manual v2.10"), account("Manual v2.9")),
    "versions that were stored": (account(version="3"), account(version="2.7")),
    "editions": (account("Manual, 3rd edition"), account("Manual, 2nd edition")),
    "one replaces another": (account(text="This notice replaces all former ones."), account()),
    "one was superseded": (account(), account(text="Superseded by the notice of the council.")),
    "one was withdrawn": (account(), account(sentence="The fee was formerly 20 crowns.")),
    "one is called new": (account("New fees"), account("Fees")),
    "one is called a draft": (account("Fees"), account("Fees (draft)")),
    "one is archived": (account("Fees"), account("Fees, archived")),
    "one says that it changed": (account(sentence="The fee has been raised to 20 crowns."), account()),
}
UNDECIDED = {
    "nothing is known": (account(), account()),
    "the same date": (account(date="2024-02-01"), account(date="2024-02-01")),
    "the same year, and no more of one": (account(year=2024), account(date="2024-02-01")),
    "the same version": (account("Manual version 2"), account("Guide version 2")),
    "both replace another": (account(text="It replaces the list."), account(text="It supersedes the list.")),
    "only one has a date": (account(date="2024-02-01"), account()),
    "years of history": (account(text="The house was built in 1874."), account(text="The house was built in 1901.")),
}


@pytest.mark.parametrize("name", NEWER)
def test_the_newer_of_two_sources_is_known_by(name: str) -> None:
    one, other = NEWER[name]
    assert (newer(one, other), newer(other, one)) == (1, -1)


@pytest.mark.parametrize("name", UNDECIDED)
def test_neither_is_newer_where(name: str) -> None:
    one, other = UNDECIDED[name]
    assert (newer(one, other), newer(other, one)) == (0, 0)


def test_two_dates_that_are_what_the_sources_disagree_in_tell_nothing_of_their_age() -> None:
    one = account(sentence="The fee is valid from 1 May 2024.")
    other = account(sentence="The fee is valid from 1 May 2025.")
    assert newer(one, other) == 0


@pytest.mark.parametrize(
    ("question", "one", "other", "fits"),
    [
        ("How fast is the E5?", "E5 data sheet", "E7 data sheet", (True, False)),
        ("How fast is the Halcyon 2?", "Halcyon 2", "Halcyon 3", (True, False)),
        ("What did Brack earn in 2023?", "Brack annual report 2023", "Brack annual report 2024", (True, False)),
        ("What does a ticket to Lindholm cost?", "Lindholm ferry", "Sandholm ferry", (True, False)),
        ("What is the fee?", "Fees", "Notice of the council", (True, True)),
        ("What is the speed limit?", "Rules 2020", "Rules 2024", (True, True)),
    ],
)
def test_what_two_sources_are_about_is_told_by_their_titles(
    question: str, one: str, other: str, fits: tuple[bool, bool]
) -> None:
    first, second = Context(one, "A fee is due."), Context(other, "The fee is old.")
    assert about(question, first, second) == fits
    assert about(question, second, first) == fits[::-1]


def test_a_designation_stands_behind_a_name_and_not_behind_a_word_for_a_text() -> None:
    assert designations("How fast is the Halcyon 2 beside line 7?") == {"2", "7"}
    assert designations("Manual version 2, chapter 4, Report 2023/24") == set()


PERMIT = "A mooring permit costs 45 crowns a week."


@pytest.mark.parametrize(
    ("claim", "piece", "otherwise"),
    [
        (PERMIT, "A mooring permit costs 60 crowns a week.", True),
        (PERMIT, "The price of a mooring permit is 60 crowns a week.", True),
        ("A mooring permit costs 45 euros a week.", "Mooring permits are free of charge.", True),
        (PERMIT, PERMIT, False),
        (PERMIT, "The mooring permit is issued at the office.", False),
        (PERMIT, "A fishing licence costs 60 crowns a week.", False),
        (PERMIT, "A fishing permit costs 60 crowns a week.", False),
        ("The main pump delivers 40 litres a minute.", "The spare pump delivers 35 litres a minute.", False),
        ("The main pump delivers 40 litres a minute.", "The main pump delivers 35 litres a minute.", True),
        ("The pump delivers 40 litres a minute.", "The spare pump delivers 35 litres a minute.", False),
        ("The museum opens at ten.", "The museum shop opens at eleven.", False),
        ("The fee is 60 euros.", "The new fee is 70 euros.", True),
        ("Up to 3 kg of copper per hectare may be used.", "Copper is limited to 2 kg of the metal per hectare.", True),
        ("The probation period is six months.", "During probation the notice period is four weeks.", False),
        ("The entry fee for adults is 8 euros.", "The entry fee for children is 5 euros.", False),
        (PERMIT, "A mooring permit costs about 45 crowns a week.", False),
        ("The pier is 620 metres long.", "The pier is about 600 metres long.", False),
        ("The pier is 1 mile long.", "The pier is 1.6 km long.", False),
        ("The bus runs every hour.", "The bus runs every second hour.", True),
        ("Dogs are allowed in the hall.", "Dogs are not allowed in the hall.", True),
        ("The reading hall is open on Sundays.", "The reading hall is closed on Sundays.", True),
        ("The hall is open on Sundays.", "The hall there was closed on Sundays.", False),
    ],
)
def test_another_source_says_otherwise_only_of_the_same_matter(claim: str, piece: str, *, otherwise: bool) -> None:
    assert says_otherwise(claim, piece, judge, set()) is otherwise


@pytest.mark.parametrize(
    ("sentence", "past"),
    [
        ("Revenue rose by 4 % in 2021.", True),
        ("The fee was 20 crowns.", True),
        ("The fee is 20 crowns.", False),
        ("Visitors must pay what was agreed.", False),
    ],
)
def test_what_is_over_stays_true_whatever_a_later_report_says(sentence: str, *, past: bool) -> None:
    assert bygone(sentence) is past


def test_names_and_words_in_common_tell_how_close_two_sentences_are() -> None:
    assert same_name("The lighthouse of Captain Holm is old.", "Captain Holm left.")
    assert not same_name("The lighthouse of Captain Holm is old.", "Captain Lund left.")
    near, far = closeness(PERMIT, ["A mooring permit costs 60 crowns.", "The ferry leaves at noon."])
    assert near > 0.5 > far == 0.0


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        (
            "What does a permit cost and where is it issued?",
            ["What does a permit cost", "where is it issued?"],
        ),
        (
            "Who built the lighthouse? And when does the bakery open?",
            ["Who built the lighthouse", "when does the bakery open?"],
        ),
        ("What does a permit cost?", []),
        ("What do salt and pepper cost?", []),
        ("What is it and what is it?", []),
    ],
)
def test_the_parts_of_a_question_are_told_by_their_words(question: str, parts: list[str]) -> None:
    found = aspects(question, flat)
    assert [aspect.text for aspect in found] == parts
    assert [aspect.first for aspect in found] == [True, False][: len(parts)]


def test_a_part_is_open_while_nothing_speaks_of_it_and_answered_by_what_has_all_its_words() -> None:
    question = "What does a mooring permit cost and where is it issued?"
    _, where = aspects(question, flat)
    assert not covered(where, [PERMIT])
    assert covered(where, [PERMIT, "It is issued somewhere."])
    issued = "Mooring permits are issued by the harbour office."
    assert answers(where, question, issued, "Mooring", flat)
    assert not answers(where, question, "Permits cost money.", "Mooring", flat)
    assert not answers(where, question, "Passports are issued in Brack.", "Passports", flat)
