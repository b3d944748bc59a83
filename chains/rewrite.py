"""The rewrite chain: a question as a search engine wants it, in a conversation as it stands alone."""

import re
from collections.abc import Sequence
from typing import NotRequired, TypedDict

from langchain_core.language_models import BaseChatModel
from langchain_core.prompt_values import ChatPromptValue
from langchain_core.runnables import Runnable, RunnableLambda

from chains.followup import Exchange
from chains.history import said_before
from chains.parsing import TextParser
from chains.prompts import CONDENSE, REWRITE, material
from language.entities import names_in
from language.tokens import tokens
from language.words import content_terms, fold, names, negated, numbers, terms

_POLITE = re.compile(
    r"^(?:(?:hi|hello|hey|please|thanks|so|well|ok|okay)\b[\s,!.]*|"
    r"(?:could|can|would|will) you (?:please )?(?:tell|explain|show|say|describe)(?: to)?(?: me| us)?\b[\s,:]*"
    r"(?:about )?|"
    r"(?:i(?:'d| would) like to|i (?:want|need) to) know\b[\s,:]*|do you know\b[\s,:]*|tell me\b[\s,:]*(?:about )?)+",
    re.IGNORECASE,
)
_LONGEST = 400


class RewriteInput(TypedDict):
    """A question as it was written, and the turns before it."""

    question: str
    history: NotRequired[Sequence[Exchange]]


def rewrite_chain(model: BaseChatModel) -> Runnable[RewriteInput, str]:
    """`RewriteInput` in, the rewritten question out: prompt, model, parser."""

    def prompt(given: RewriteInput) -> ChatPromptValue:
        question, history = given["question"], given.get("history", ())
        if not history:
            return ChatPromptValue(messages=REWRITE.format_messages(question=question))
        said = material(said_before(history))
        return ChatPromptValue(messages=CONDENSE.format_messages(history=said, question=question))

    asked = RunnableLambda(prompt, name="rewrite_prompt")
    return (asked | model | TextParser() | RunnableLambda(_first_line)).with_config(run_name="rewrite_chain")


def plain_rewrite() -> Runnable[RewriteInput, str]:
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


def faithful_in_conversation(question: str, rewritten: str, history: Sequence[Exchange]) -> bool:
    """Whether a rewrite of a follow-up loses no number, quotation, negation or name, and makes none up.

    What it adds was said: names and numbers come from the turns before, and of its words some are the question's or
    theirs.
    """
    said = " ".join(part for turn in history for part in (turn["standalone"], turn["answer"] or "", *turn["titles"]))
    known = f"{question} {said}"
    kept, heard = fold(rewritten), set(terms(known))
    return (
        numbers(question) <= numbers(rewritten) <= numbers(known)
        and all(fold(name) in kept for name in [*names(question), *_proper(question)])
        and negated(question) == negated(rewritten)
        and all(set(terms(name)) <= heard for name in _proper(rewritten))
        and bool(set(content_terms(rewritten)) & heard)
    )


def _proper(text: str) -> list[str]:
    """The proper names of a text, also at its beginning."""
    found = tokens(text)
    return [text[found[name.first].start : found[name.last].end] for name in names_in(text, found)]


def _first_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0].strip("\"'“”")[:_LONGEST] if lines else ""
