"""The grounding gate: may anything be said about this question, given this evidence?"""

import re
from collections.abc import Sequence
from typing import Literal

from langchain_core.documents import Document

from callbacks.events import GateDecision, Verdict
from graph.policy import Policy
from language.asking import asking_words
from language.words import STOPWORDS, names, terms

Searched = Literal["once", "wider", "verified", "failed"]
"""How far the search has gone: the first one, the wider one, the whole slow path, or a slow path that failed."""

STRONG = 0.75
_SHORTENED = re.compile(r"['’](?:m|s|re|ve|ll|d|t)$", re.IGNORECASE)
_YEAR = re.compile(
    r"(?<![\d.,$€£¥])(1\d\d\d|20\d\d)(s?)(?![\d%°]|[.,]\d|\s*(?:[€$£%°]|(?:euros?|dollars?|pounds|k?g|k?m|m?l)\b))"
)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3})")
_MISSING_SHOWN = 6
_SAY_LITTLE = STOPWORDS | frozenset(
    "along also anything back big bought bring brings buy come comes day days deep describe everything explain far get "
    "gets getting give given goes going gone got hello help hey hi keep left list long look made makes many need needs "
    "nothing offer offers often old people please put run runs set something soon sort start summarise summarize "
    "summary tell text thank thanks thing things think type use used using want wants went win wins won work works "
    "year years".split()
)


def judge(
    question: str,
    candidates: Sequence[Document],
    policy: Policy,
    *,
    domain: str,
    stage: Searched,
) -> GateDecision:
    """Compare the calibrated evidence with the policy.

    `min_score` applies to the evidence as a whole and `min_chunks` counts passages above the low floor: asking every
    counted passage to pass `min_score` would refuse most answerable questions. After a wider search the evidence
    must reach `expand_min_score`. A policy with `full_slow_path` gets `verify_first` until the slow path has run,
    and what that finds is judged like the first search, for the last time.

    A year the question names must occur in some passage: the same fact of another year is the most convincing wrong
    answer there is.

    No more passages are asked for than there are; and where two are asked for, strong evidence needs no second one: a
    fact that stands in one place only is no less true. A policy that asks for more than two means it.
    """
    widened = stage == "wider"
    top_score = max((document.metadata["evidence"] for document in candidates), default=0.0)
    counted = [document for document in candidates if document.metadata["score"] >= policy.floor]
    chunks = len(counted)
    needed_chunks = _needed(policy, len(candidates), top_score)
    needed_score = policy.expand_min_score if widened else policy.min_score
    years = absent_years(question, counted)
    enough = top_score >= needed_score and chunks >= needed_chunks and stage != "failed" and not years
    where = " after the wider search" if widened else ""
    return GateDecision(
        verdict=_verdict(enough, policy, stage),
        domain=domain,
        chunks=chunks,
        top_score=top_score,
        min_chunks=needed_chunks,
        min_score=needed_score,
        reasons=[
            *(["the deeper check failed"] if stage == "failed" else []),
            f"best evidence {top_score:.2f}{where}, needs {needed_score:.2f}",
            *([f"no passage speaks of {' or '.join(years)}"] if years else []),
            f"{chunks} {'passage' if chunks == 1 else 'passages'} above {policy.floor:.2f}, needs {needed_chunks}",
        ],
        missing=[] if enough else missing(question, candidates),
    )


def _needed(policy: Policy, found: int, top_score: float) -> int:
    alone = policy.min_chunks == 2 and top_score >= STRONG
    return max(1, min(1 if alone else policy.min_chunks, found))


def _verdict(enough: bool, policy: Policy, stage: Searched) -> Verdict:
    if not enough:
        return "expand" if stage == "once" else "fallback"
    return "verify_first" if policy.precheck == "full_slow_path" and stage != "verified" else "open"


def absent_years(question: str, candidates: Sequence[Document]) -> list[str]:
    """Years of the question that no passage names, in full or as in FY21 and '21."""
    named = dict.fromkeys(_YEAR.findall(question))
    if not named:
        return []
    held = _THOUSANDS.sub("", " ".join(_text(document) for document in candidates))
    return [f"{year}{decade}" for year, decade in named if not re.search(_forms_of(year, decade), held)]


def _forms_of(year: str, decade: str) -> str:
    return rf"(?<!\d){year[:3]}\d(?!\d)" if decade else rf"{year}|(?:FY ?|['’]|\d/){year[2:]}(?!\d)"


def _text(document: Document) -> str:
    """Everything a passage says, and what stands above it."""
    known = document.metadata
    above = (known["source"], known["section"], known.get("header"))
    return " ".join([*(part for part in above if part), document.page_content])


def words_of(document: Document) -> set[str]:
    """The stems of everything a passage says, and of what stands above it."""
    return set(terms(_text(document)))


def telling_words(question: str) -> list[str]:
    """The words of a question that say what it is about, as it spells them."""
    words = [word.strip("?!.,;:\"'“”()") for word in question.split()]
    long = [word for word in words if len(word) > 2 and word.lower() not in _SAY_LITTLE and not _SHORTENED.search(word)]
    asking = asking_words(question)
    return [word for word in long if not asking.issuperset(terms(word))]


def missing(question: str, candidates: Sequence[Document]) -> list[str]:
    """Names, numbers and words of the question, as it spells them, that no passage holds; names first."""
    held: set[str] = set()
    for document in candidates:
        held.update(words_of(document))
    wanted = [*names(question), *telling_words(question)]
    absent = [piece for piece in wanted if not set(terms(piece)) <= held]
    distinct = {" ".join(terms(piece)): piece for piece in reversed(absent)}
    return list(reversed(distinct.values()))[:_MISSING_SHOWN]
