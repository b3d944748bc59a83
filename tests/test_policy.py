"""Domain policies: the file, its rules, and which domain a question falls under."""

import re
from pathlib import Path
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.domains import Descriptions, applied
from graph.policy import BUILT_IN, Policy, Rule, stricter, strictness
from graph.policy_file import PolicyError, line_of, load_policies
from retrieval.embeddings import MiniLM
from tests.conftest import REPOSITORY

EXAMPLE = REPOSITORY / "policy.example.toml"


def written(folder: Path, text: str) -> Path:
    path = folder / "policy.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "line", "place"),
    [
        ("clasify = true\n", 1, "clasify"),
        ("classify = 'perhaps'\n", 1, "classify"),
        ("# about\n[domains.general]\n\nmin_scor = 0.5\n", 4, "domains.general.min_scor"),
        ("[domains.tea]\nmin_chunks = 1\nmin_score = 1.5\n", 3, "domains.tea.min_score"),
        ("[domains.tea]\nmin_chunks = 0\n", 2, "domains.tea.min_chunks"),
        ("[domains.tea]\nmin_score = nan\n", 2, "domains.tea.min_score"),
        ("domains.tea.precheck = 'perhaps'\n", 1, "domains.tea.precheck"),
        ("[domains.tea]\ndescription = '''\na\nb\n'''\nfloor = 7\n", 6, "domains.tea.floor"),
        ("[domains.tea]\nmin_score = 0.5\nfloor = 0.6\n", 1, "floor 0.6 is above min_score 0.5"),
        ("[domains.tea]\nmin_score = 0.5\nexpand_min_score = 0.6\n", 1, "expand_min_score 0.6 is above"),
        ("\n[domains.tea]\nmin_chunks = 9\nexpand_k = 5\n", 2, "min_chunks 9 is above expand_k 5"),
        ("[[domains.tea.rules]]\nname='a'\npattern='(x'\naction='deny'\n", 3, "rules.0.pattern"),
        (r"[[domains.tea.rules]]" + "\nname='a'\npattern='(a)\\1'\naction='deny'\n", 3, "is no RE2 pattern"),
        ("[[domains.tea.rules]]\nname='a'\npattern='x'\naction='shout'\n", 4, "rules.0.action"),
        ("[domains.tea]\nfloor = 0.1\n[[domains.tea.rules]]\nname='a'\naction='deny'\n", 3, "rules.0.pattern"),
        ("[domains.tea]\nfloor = \n", 2, "Invalid value"),
        ("domains = 3\n", 1, "domains"),
    ],
)
def test_a_wrong_policy_file_is_told_with_its_line(tmp_path: Path, text: str, line: int, place: str) -> None:
    with pytest.raises(PolicyError, match=re.escape(place)) as caught:
        load_policies(written(tmp_path, text))
    assert f"line {line}" in str(caught.value)
    assert str(caught.value).startswith("policy.toml: ")


def test_the_example_says_what_is_built_in_and_its_comments_can_be_taken_off(tmp_path: Path) -> None:
    assert load_policies(EXAMPLE).domains == BUILT_IN
    bare = re.sub(r"^# ?(?=\[|\w+ = )", "", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    policies = load_policies(written(tmp_path, bare))
    assert {"medical", "legal"} <= set(policies.domains)
    assert policies.domains["general"].rule_for("What is the SALARY of the director?") is not None
    for domain, question, action in (
        ("medical", "I have chest pain, what now?", "redirect"),
        ("legal", "Should I sign this?", "escalate"),
    ):
        rule = policies.domains[domain].rule_for(question)
        assert rule is not None
        assert rule.action == action


def test_what_a_table_leaves_out_stays_and_one_threshold_alone_is_no_contradiction(tmp_path: Path) -> None:
    domains = load_policies(written(tmp_path, "[domains.general]\nmin_score = 0.2\n[domains.underwriting]\n")).domains
    assert (domains["general"].min_score, domains["general"].floor) == (0.2, 0.2)
    assert domains["general"].expand_min_score == 0.2
    assert domains["underwriting"] == BUILT_IN["underwriting"]


def test_every_line_of_a_file_is_found(tmp_path: Path) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"\[domains\.(\w+)\]", line)
        if header:
            assert line_of(text, ("domains", header.group(1))) == number


def test_a_pattern_that_would_backtrack_forever_does_not() -> None:
    policy = Policy(rules=(Rule(name="trap", pattern=r"(\w+\s?)+\$|(a|aa)+$|(.*.*.*)*x$", action="deny"),))
    began = perf_counter()
    for _ in range(20):
        policy.rule_for("a" * 3999 + "!")
    assert perf_counter() - began < 2.0  # a backtracking engine takes longer than the age of the universe


@pytest.mark.parametrize(
    "question",
    [
        "What is the salary?",
        "SALARY?",
        "the sa\u200blary",
        "ｓａｌａｒｙ of Ada",
        "sal\u00adary",
        "ſalary",
        "saĺary",
        "sala\u034fry",
    ],
)
def test_a_rule_sees_through_case_and_disguise(question: str) -> None:
    rule = Rule(name="pay", pattern=r"\bsalary\b", action="deny")
    assert rule.matches(question)
    assert not rule.matches("What is the celery?")


shares = st.floats(0, 1, width=16)
policies = st.builds(
    lambda floor, low, high, chunks, precheck: Policy(
        floor=min(floor, high), expand_min_score=min(low, high), min_score=high, min_chunks=chunks, precheck=precheck
    ),
    shares,
    shares,
    shares,
    st.integers(1, 20),
    st.sampled_from(["none", "classify", "full_slow_path", "human_review"]),
)


@given(policies, policies)
def test_the_stricter_of_two_policies_asks_for_whatever_either_asks_for(a: Policy, b: Policy) -> None:
    both = stricter(a, b)
    for one in (a, b):
        assert strictness(both) >= strictness(one)
        assert both.min_score >= one.min_score
        assert both.floor >= one.floor
        assert both.min_chunks >= one.min_chunks
        assert both.expand_min_score >= one.expand_min_score


def test_a_named_domain_can_only_make_the_policy_stricter() -> None:
    deny = Rule(name="never", pattern="bonus", action="deny")
    known = {**BUILT_IN, "pay": Policy(min_score=0.5, min_chunks=1, expand_min_score=0.5, rules=(deny,))}
    assert applied("general", ["rate_quotes"], known)[1].precheck == "human_review"
    assert applied("rate_quotes", ["general"], known)[0] == "rate_quotes"
    domain, policy = applied("balance_inquiries", ["general"], known)
    assert (domain, policy.min_score, policy.min_chunks) == ("general", 0.65, 2)
    domain, policy = applied("underwriting", ["pay"], known)
    assert domain == "underwriting"
    assert policy.rule_for("my bonus") == deny, "naming another domain does not get round a rule"
    assert applied(None, ["balance_inquiries"], known)[1].min_score == 0.60


QUESTIONS = {
    "rate_quotes": ["What rate would you quote me for a car loan?", "Which APR would I get on a 20-year mortgage?"],
    "loan_guidelines": ["Which papers does a loan application need?", "Is there a cap on the loan-to-value ratio?"],
    "balance_inquiries": ["How much is left on my checking account?", "What were my last three transactions?"],
    "underwriting": ["Should this applicant be approved with an income of 40k?", "May the collateral be accepted?"],
    "general": [
        "Who invented the telescope?",
        "How do I reset my password?",
        "hello",
        "What is the heart rate of a cat?",
    ],
}


def test_the_nearest_description_names_the_domain(encoder: MiniLM) -> None:
    descriptions = Descriptions(encoder.encode_query)
    for domain, questions in QUESTIONS.items():
        for question in questions:
            assert domain in descriptions.nearest(question, BUILT_IN), question


def test_a_question_hidden_behind_small_talk_is_found(encoder: MiniLM) -> None:
    question = "Hi there! I hope you had a great weekend, the weather was lovely. What mortgage rate can I get today?"
    assert "rate_quotes" in Descriptions(encoder.encode_query).nearest(question, BUILT_IN)


def test_domains_that_are_equally_near_are_all_named(encoder: MiniLM) -> None:
    known = dict(BUILT_IN, tea=Policy(description="How to brew tea."), herbs=Policy(description="How to brew a tea."))
    assert {"tea", "herbs"} <= set(Descriptions(encoder.encode_query).nearest("How is tea brewed?", known))


def test_what_is_asked_beside_it_does_not_hide_a_question(encoder: MiniLM) -> None:
    descriptions = Descriptions(encoder.encode_query)
    padding = "The cat sat on the mat and the weather was lovely. " * 12
    for question in (
        "How many days of leave do I have, and which mortgage rate would I get?",
        f"{padding} Which mortgage rate would I get?",
    ):
        assert "rate_quotes" in descriptions.nearest(question, BUILT_IN)


def test_the_rules_of_the_default_apply_to_every_classified_question() -> None:
    deny = Rule(name="pay", pattern="salary", action="deny")
    known = {**BUILT_IN, "general": BUILT_IN["general"].model_copy(update={"rules": (deny,)})}
    _, policy = applied("balance_inquiries", ["balance_inquiries"], known)
    assert policy.rule_for("my salary") == deny


def test_a_long_policy_file_is_judged_at_once(tmp_path: Path) -> None:
    filler = "\n".join(f"# line {at} of nothing" for at in range(20_000))
    began = perf_counter()
    with pytest.raises(PolicyError, match="line 20002: "):
        load_policies(written(tmp_path, f"{filler}\n[domains.tea]\nmin_score = 2.0\n"))
    assert perf_counter() - began < 5.0


@pytest.mark.parametrize("value", ["true", "'0.5'", "'x'", "[1]"])
def test_values_of_another_type_are_refused(tmp_path: Path, value: str) -> None:
    for key in ("min_score", "min_chunks"):
        with pytest.raises(PolicyError, match="line 2: "):
            load_policies(written(tmp_path, f"[domains.tea]\n{key} = {value}\n"))


def test_a_backspace_in_a_pattern_is_told_from_the_edge_of_a_word(tmp_path: Path) -> None:
    text = '[[domains.tea.rules]]\nname = "a"\naction = "deny"\npattern = "\\bsalary\\b"\n'
    with pytest.raises(PolicyError, match=r"line 4: .*control character"):
        load_policies(written(tmp_path, text))
