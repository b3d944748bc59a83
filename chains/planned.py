"""What a planner model wrote, read as a list of sub-questions, however it wrote it."""

import json
import re
from collections.abc import Iterator

from chains.parts import LONGEST, MOST_PARTS, distinct
from chains.prompts import readable

_LONGEST_READ = 20_000
_STARTS = 20
"""Brackets that are tried as the beginning of JSON."""
_KEYS = ("question", "sub_question", "subquestion", "sub-question", "query", "text")
_STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"(?!\s*:)')
_LISTED = re.compile(r"^\s*(?:[-*•]|\(?\d{1,2}[.):]|[a-f]\))\s+(.+)$", re.MULTILINE)
_ASKED = re.compile(r"^\s*(.{3,}\?)\s*$", re.MULTILINE)
_DIGITS = re.compile(r"\d+")


def planned(question: str, written: str) -> list[str]:
    """The sub-questions of a plan, at most six of at most 300 characters; none if it says that one search is enough.

    JSON counts in any wrapping, of broken or cut JSON every whole string; else the lines of a list, else lines that
    ask. A sub-question with a number that the question does not have is left out, because a guessed year or amount
    would be searched for as if the asker had named it; names that it does not have may stay: they only widen a search,
    and no answer rests on them. Raises `ValueError` if nothing can be read.
    """
    strings = _strings(written[:_LONGEST_READ])
    if strings == []:
        return []
    known = set(_DIGITS.findall(question))
    clean = [_clean(string) for string in strings or ()]
    fitting = [part for part in clean if 2 < len(part) <= LONGEST and known.issuperset(_DIGITS.findall(part))]
    parts = distinct(fitting)[:MOST_PARTS]
    if not parts:
        raise ValueError("the plan cannot be read")
    return parts if len(parts) > 1 else []


def _strings(written: str) -> list[str] | None:
    """Everything that may be a sub-question; empty if the plan is an empty list, None if it is none."""
    found: list[str] = []
    empty = False
    for value in _decoded(written):
        strings = list(_within(value))
        if len(strings) > 1:
            return strings
        found += strings  # of an object of a list that is broken further on
        empty = empty or value == [] or (isinstance(value, dict) and [] in value.values())
    if found or empty:
        return found
    bracket = re.search(r"[\[{]\s*[\"{\[]", written)
    broken = [_unescaped(text) for text in _STRING.findall(written, bracket.start())] if bracket else []
    return broken or _LISTED.findall(written) or _ASKED.findall(written) or None


def _decoded(written: str) -> Iterator[object]:
    """JSON values in a text, the outermost first."""
    decoder = json.JSONDecoder()
    at = 0
    for _ in range(_STARTS):
        start = re.compile(r"[\[{]").search(written, at)
        if start is None:
            return
        try:
            value, at = decoder.raw_decode(written, start.start())
            yield value
        except (ValueError, RecursionError):
            at = start.end()


def _within(value: object, depth: int = 0) -> Iterator[str]:
    """The strings of lists, and of objects what stands under a key that says so, else their lists."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list) and depth < 4:
        for item in value:
            yield from _within(item, depth + 1)
    elif isinstance(value, dict) and depth < 4:
        named = next((value[key] for key in _KEYS if isinstance(value.get(key), str)), None)
        inner = [named] if named is not None else [each for each in value.values() if isinstance(each, list | dict)]
        for each in inner:
            yield from _within(each, depth + 1)


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"'))
    except ValueError:
        return text


def _clean(string: str) -> str:
    """One line without what only lays it out."""
    return readable(re.sub(r"^\s*#+\s*", "", string)).strip("\"'“”` ")
