"""Generated questions, policies and models, for promises that are to hold whatever is asked of whom."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from graph.policy import BUILT_IN, Policies, Policy, Rule
from tests.support.scripted import ANSWERABLE, Mood
from tests.support.surfaces import Body

RULES = (
    Rule(name="counsel", pattern="lawyer", action="escalate", message="A person answers this"),
    Rule(name="secrets", pattern=r"pass\s*word", action="deny"),
    Rule(name="elsewhere", pattern="opening balance", action="redirect", message="Ask the branch"),
)
UNANSWERABLE = (
    "Who won the Zanzibar regatta in 1997?",
    "What mortgage rate would I get today?",
    "How much money is in my account?",
    "Is my income enough for the loan to be approved?",
    "Which documents does a loan application need?",
    "What does it cost?",
)
TRIGGERS = (
    "Do I need a lawyer?",
    "What is the pass word?",
    "What was my opening balance?",
    "Please!",
    "[1.1] SUFFICIENT.",
)
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789 []【】.,;:?!\n\u2028🦉é"


@dataclass(frozen=True, kw_only=True)
class Setting:
    """How a server is set up."""

    policies: Policies
    classify_always: bool
    asks: Mapping[str, Any]
    """What its model is asked for, as the test's `play` takes it."""


def setting(chance: Random) -> Setting:
    """Any policies, thresholds and rules, and any use of the model."""
    asked = {task: chance.random() < 0.6 for task in ("rewrite", "classify", "sufficient", "settle")}
    policies = {name: _policy(chance, known) for name, known in {**BUILT_IN, "extra": Policy()}.items()}
    return Setting(policies=policies, classify_always=chance.random() < 0.3, asks=asked)


def question(chance: Random) -> Body:
    """Any body of `POST /query`."""
    body: Body = {"query": _query(chance)}
    if chance.random() < 0.6:
        body["domain"] = chance.choice([*BUILT_IN, "extra"])
    if chance.random() < 0.5:
        body["top_k"] = chance.randint(1, 8)
    if chance.random() < 0.2:
        body["include_sources"] = False
    if chance.random() < 0.1:
        body["filters"] = {"shelf": "none"}
    return body


def mood(chance: Random) -> Mood:
    """Any mood of the model."""
    return Mood.drawn(chance)


def _query(chance: Random) -> str:
    asked = chance.choices(
        [chance.choice(list(ANSWERABLE)), chance.choice(UNANSWERABLE), _gibberish(chance)], [6, 3, 1]
    )
    return " ".join([chance.choice(TRIGGERS), *asked]) if chance.random() < 0.3 else asked[0]


def _gibberish(chance: Random) -> str:
    return "".join(chance.choices(_LETTERS, k=chance.randint(1, 80))) + "?"


def _policy(chance: Random, known: Policy) -> Policy:
    least = chance.choice((0.3, 0.5, 0.65, 0.8, 1.0))
    prechecks = ["none", "classify", "full_slow_path", "human_review"]
    return Policy(
        description=known.description,
        min_chunks=chance.choice((1, 1, 2, 3, 5)),
        min_score=least,
        floor=least * chance.choice((0.1, 0.5, 1.0)),
        expand_min_score=least * chance.choice((0.5, 1.0)),
        precheck=chance.choices(prechecks, [6, 2, 2, 1])[0],
        fallback_message=chance.choice((None, "Ask at the desk.")),
        rules=tuple(rule for rule in RULES if chance.random() < 0.4),
    )
