"""The planner model of deep research: the parts of a question, and what a part still lacks."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, TypedDict

from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel
from langchain_core.prompt_values import ChatPromptValue
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda

from chains.parsing import TextParser
from chains.prompts import FOLLOW_UP, PLAN, fitting, material, rows
from language.invisible import visible
from language.words import content_terms

MOST_PARTS, MOST_QUERIES = 6, 2
LONGEST = 300
"""Characters of a part or a query."""
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_KEYS = ("question", "sub_question", "subquestion", "query", "text")
_ITEM = re.compile(r"^\s*(?:[-*+•]|\(?\d{1,2}[.):])\s*(.+)$")
_ENOUGH = re.compile(r"\W*SUFFICIENT\b", re.IGNORECASE)
_MARKUP = re.compile(r"[*_`#\"“”]+")


class FollowUpInput(TypedDict):
    """A part of a question, what was found for it, best first, and the queries that found it."""

    question: str
    passages: Sequence[Document]
    asked: Sequence[str]


def plan_chain(model: BaseChatModel) -> Runnable[dict[str, str], list[str]]:
    """`{question}` in, its parts out: none for a simple question. Raises `ValueError` if nothing can be read."""
    return (PLAN | model | TextParser() | RunnableLambda(parts_in)).with_config(run_name="plan_chain")


def follow_up_chain(model: BaseChatModel, *, context_tokens: int = 6000) -> Runnable[FollowUpInput, list[str]]:
    """`FollowUpInput` in, what to search for next out: nothing if what was found is enough.

    Raises `ValueError` if the model says neither.
    """

    async def ask(given: FollowUpInput, config: RunnableConfig) -> list[str]:
        messages = FOLLOW_UP.format_messages(
            rows=material(rows(fitting(given["passages"], context_tokens))),
            asked="\n".join(f"- {query}" for query in given["asked"]),
            question=given["question"],
        )
        return queries_in(await (model | TextParser()).ainvoke(ChatPromptValue(messages=messages), config))

    return RunnableLambda(ask, name="follow_up_chain")


def parts_in(text: str) -> list[str]:
    """The parts in a plan: a JSON array, as whole or as broken as it comes, or a list. Raises `ValueError`."""
    found = _from_json(text)
    if found is None:
        found = [item.group(1) for line in text.splitlines() if (item := _ITEM.match(line))]
        if not found:
            raise ValueError("no plan can be read")
    parts = _distinct(found)
    return parts[:MOST_PARTS] if len(parts) > 1 else []


def queries_in(text: str) -> list[str]:
    """The queries in a reply, one a line; none if it says that there is enough. Raises `ValueError` if it is empty."""
    if _ENOUGH.match(text):
        return []
    listed = (re.sub(_ITEM, r"\1", line) for line in text.splitlines())
    queries = _distinct(list(listed))[:MOST_QUERIES]
    if not queries:
        raise ValueError("neither a query nor a word that there is enough")
    return queries


def _from_json(text: str) -> list[str] | None:
    """The strings of the first array of a text; those that are whole, if it is broken. None without an array."""
    start = text.find("[")
    if start < 0:
        return None
    try:
        held, _ = json.JSONDecoder().raw_decode(text, start)
    except ValueError:
        whole = [_unescaped(found) for found in _STRING.findall(text[start:])]
        return [found for found in whole if found not in _KEYS] or None
    return list(_strings(held))


def _strings(held: Any) -> Iterator[str]:
    for item in held if isinstance(held, list) else []:
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            yield from (item[key] for key in _KEYS if isinstance(item.get(key), str))


def _unescaped(text: str) -> str:
    return text.replace('\\"', '"').replace("\\n", " ")


def _distinct(found: Sequence[str]) -> list[str]:
    """Each once, on one line, without marks; what has no word that carries meaning, or is too long, is left out."""
    cleaned = (" ".join(_MARKUP.sub("", visible(text)).split()) for text in found)
    kept = {frozenset(content_terms(text)): text for text in reversed(list(cleaned)) if len(text) <= LONGEST}
    return [text for words, text in reversed(kept.items()) if words]
