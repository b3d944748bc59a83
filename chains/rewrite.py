"""The rewrite chain: a question as a search engine wants it."""

import re

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable, RunnableLambda

from chains.parsing import TextParser
from chains.prompts import REWRITE
from language.words import content_terms, names, negated, numbers

_POLITE = re.compile(
    r"^(?:(?:hi|hello|hey|please|thanks|so|well|ok|okay)\b[\s,!.]*|"
    r"(?:could|can|would|will) you (?:please )?(?:tell|explain|show|say|describe)(?: to)?(?: me| us)?\b[\s,:]*"
    r"(?:about )?|"
    r"(?:i(?:'d| would) like to|i (?:want|need) to) know\b[\s,:]*|do you know\b[\s,:]*|tell me\b[\s,:]*(?:about )?)+",
    re.IGNORECASE,
)
_LONGEST = 400


def rewrite_chain(model: BaseChatModel) -> Runnable[dict[str, str], str]:
    """`{question}` in, the rewritten question out: prompt, model, parser."""
    return (REWRITE | model | TextParser() | RunnableLambda(_first_line)).with_config(run_name="rewrite_chain")


def plain_rewrite() -> Runnable[dict[str, str], str]:
    """The deterministic counterpart: takes greetings and courtesies off the front."""
    return RunnableLambda(lambda given: strip_courtesies(given["question"]), name="rewrite_chain")


def strip_courtesies(question: str) -> str:
    """`Hi, could you tell me what X is?` -> `what X is?`; a question that is nothing else stays."""
    stripped = _POLITE.sub("", question.strip()).strip()
    return stripped if content_terms(stripped) else question.strip()


def faithful(question: str, rewritten: str) -> bool:
    """Whether a rewrite keeps what a search cannot do without: numbers, names, quotations, a negation, some word."""
    kept = rewritten.lower()
    return (
        numbers(question) <= numbers(rewritten)
        and all(name.lower() in kept for name in names(question))
        and negated(question) == negated(rewritten)
        and bool(set(content_terms(question)) & set(content_terms(rewritten)))
    )


def _first_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0].strip("\"'“”")[:_LONGEST] if lines else ""
