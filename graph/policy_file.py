"""The policy file: TOML that changes the built-in domains and adds others. Whatever is wrong is told with its line."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, StrictBool, ValidationError

from graph.policy import BUILT_IN, Policies, Policy

_LONGEST_VALUE = 200
"""Lines."""
_PLAINER = {"extra_forbidden": "is no key of a policy file", "missing": "is missing"}
_DERIVED = {"floor": min, "expand_min_score": min, "expand_k": max}
"""Thresholds a table does not name follow those it does, so that changing one alone makes no contradiction."""


class PolicyError(ValueError):
    """A policy file that cannot be used; the message names the line."""


class PolicySet(NamedTuple):
    """What a policy file says."""

    domains: Policies
    classify: bool
    """Whether the domain of a question is classified."""


class _File(BaseModel):
    """The tables of a policy file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    classify: StrictBool = False
    domains: dict[str, dict[str, Any]] = {}


def load_policies(path: Path | None) -> PolicySet:
    """The built-in domains as a TOML file changes and adds to them. Raises `PolicyError`.

    What a table leaves out stays as it was built in, so that changing one threshold loosens no other.
    """
    if path is None:
        return PolicySet(BUILT_IN, classify=False)
    try:
        text = path.read_text(encoding="utf-8-sig")
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r" \(at line (\d+), column \d+\)$", str(error))
        line = f"line {place.group(1)}: " if place else ""
        raise PolicyError(f"{path.name}: {line}{str(error)[: place.start()] if place else error}") from error
    except RecursionError:
        raise PolicyError(f"{path.name}: is nested too deeply") from None
    except UnicodeDecodeError:
        raise PolicyError(f"{path.name}: is not UTF-8") from None
    except OSError as error:
        raise PolicyError(f"{path.name}: {error.strerror}") from error
    try:
        file = _File.model_validate(tables)
    except ValidationError as error:
        raise PolicyError(f"{path.name}: {_told(error, (), text)}") from error
    domains = dict(BUILT_IN)
    for name, table in file.domains.items():
        try:
            domains[name] = _changed(domains.get(name), table)
        except ValidationError as error:
            raise PolicyError(f"{path.name}: {_told(error, ('domains', name), text)}") from error
    return PolicySet(domains, file.classify)


def _changed(known: Policy | None, table: Mapping[str, Any]) -> Policy:
    values = {**(known or Policy()).model_dump(), **table}
    for key, bound in _DERIVED.items():
        other = values["min_chunks" if key == "expand_k" else "min_score"]
        if key not in table and isinstance(other, int | float):
            values[key] = bound(values[key], other)
    return Policy.model_validate(values)


def _told(error: ValidationError, place: Sequence[str | int], text: str) -> str:
    problems = []
    for detail in error.errors():
        path = (*place, *detail["loc"])
        name = ".".join(map(str, path))
        message = _PLAINER.get(detail["type"], detail["msg"].removeprefix("Value error, "))
        problems.append(f"line {line_of(text, path)}: {name}: {message}")
    return "; ".join(problems)


def line_of(text: str, path: Sequence[str | int]) -> int:
    """The line, from 1, on which a key of a TOML document stands; of the table around it where there is no such key.

    The first line with its name that makes, with all lines before it, a document that holds the key: no TOML parser
    that keeps places is needed for it.
    """
    lines = text.split("\n")
    wanted = list(path)
    whole = tomllib.loads(text)
    while wanted and not _holds(whole, wanted):
        wanted.pop()
    name = next((key for key in reversed(wanted) if isinstance(key, str)), None)
    for at, line in enumerate(lines):
        if name is not None and name in line and _holds(_first(lines, at + 1), wanted):
            return at + 1
    return 1


def _first(lines: Sequence[str], count: int) -> dict[str, Any]:
    """The document of so many lines; of a few more, if they end in the middle of a value."""
    for end in range(count, min(count + _LONGEST_VALUE, len(lines)) + 1):
        try:
            return tomllib.loads("\n".join(lines[:end]))
        except tomllib.TOMLDecodeError:
            continue
    return {}


def _holds(tables: Any, path: Sequence[str | int]) -> bool:
    for key in path:
        known = range(len(tables)) if isinstance(tables, list) else tables if isinstance(tables, dict) else ()
        if key not in known:
            return False
        tables = tables[key]
    return True
