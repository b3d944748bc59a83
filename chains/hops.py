"""Hops: what the passages of a branch lead to, what of the question they leave open, and what to search for next.

A two-hop question cannot be answered by one search, because it names what it is about only by a description. The first
passages name it; a query of that name with what the question still asks is the next hop (as in Trivedi et al.,
"Interleaving Retrieval with Chain-of-Thought Reasoning", 2023, with rules in place of the reasoning).
"""

import math
import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol, TypedDict

from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel
from langchain_core.prompt_values import ChatPromptValue
from langchain_core.runnables import Runnable, RunnableLambda

from chains.aspects import Idf
from chains.bridges import bridges, words_of
from chains.descriptions import with_name
from chains.parsing import TextParser
from chains.parts import LONGEST
from chains.prompts import FOLLOW_UP, fitting, material, readable, rows
from language.tokens import tokens
from language.words import STOPWORDS, content_terms, coverage, terms

MOST_ROUNDS = 4
"""Searches after one another in a branch, the first one included."""
_QUERIES = (6, 4, 3)
"""Follow-up queries after the first, second and third round, of all branches together."""
_ROOT_PASSAGES, _LATER_PASSAGES = 3, 2
"""Best passages of the first search and of a follow-up whose names are looked at."""
_LATER_SHARE = 0.6
"""Of the weight of a name that was found by a follow-up: the way to it is longer."""
_ENOUGH = 0.9
"""Of the weight of a question, in one passage: hardly anything is left that another one would have to say."""
_STRONG = 0.75
"""Score from which on a passage may be enough alone."""
_LOOKED_AT = 5
_ASKED_BY_MODEL = 2
_VERDICT = re.compile(r"\W*(?:in|not )?sufficient\b\W*", re.IGNORECASE)
_LABEL = re.compile(r"^(?:search )?(?:query|queries)(?: \d)?\s*:\s*", re.IGNORECASE)


class Searched(Protocol):
    """A query of a branch, and what it found, best first."""

    @property
    def query(self) -> str:
        """As it was searched for."""

    @property
    def documents(self) -> Sequence[Document]:
        """With the metadata of the retriever."""


class Hop(NamedTuple):
    """A `Searched` of plain data."""

    query: str
    documents: Sequence[Document]


def queries_allowed(rounds: int, branches: int = 1) -> int:
    """How many follow-ups one of so many branches may search for after so many rounds (from 1); 0 after the last one.

    In all, at most 14 searches of one branch and 25 of six, the one for the whole question included.
    """
    return max(1, _QUERIES[rounds - 1] // branches) if rounds < MOST_ROUNDS else 0


def next_queries(question: str, hops: Sequence[Searched], asked: Collection[str], idf: Idf, most: int) -> list[str]:
    """The next queries of a branch, best first, from all that it has searched for so far, its own question first.

    Whom the question only describes is searched for by name, once a passage tells it. Any other query is a name from
    one of the best passages with the words of the question that stand neither in that passage nor in those that led to
    it. None searches for the words of one that was `asked` before.
    """
    known = {_key(query) for query in (question, *asked, *(hop.query for hop in hops))}
    found: dict[str, tuple[float, str]] = {}
    named = with_name(question, hops[0].documents) if hops else None
    if named is not None and _key(named[0]) not in known:
        found[_key(named[0])] = math.inf, named[0]
    for at, hop in enumerate(hops):
        share, depth = (_LATER_SHARE, _LATER_PASSAGES) if at else (1.0, _ROOT_PASSAGES)
        for bridge in bridges(f"{question} {hop.query}", hop.documents[:depth], idf):
            query = " ".join([bridge.name, *_open_words(question, hop.query, bridge.held)])
            key, weight = _key(query), share * bridge.weight
            if key not in known and weight > found.get(key, (0.0, ""))[0]:
                found[key] = weight, query
    return [query for _, query in sorted(found.values(), key=lambda one: -one[0])[:most]]


def follow_ups(question: str, branch: str, found: Sequence[Document], asked: Collection[str], idf: Idf) -> list[str]:
    """`next_queries` after the first round of a single branch."""
    return next_queries(question, [Hop(branch, found)], asked, idf, queries_allowed(1))


def sufficient_without_model(sub_question: str, found: Sequence[Document], idf: Idf) -> bool:
    """Whether one passage alone scores well and has nearly all of the question: nothing is left for a further hop.

    It is not where the question describes somebody whom the passages name: what has its words may be about others.
    """
    if with_name(sub_question, found) is not None:
        return False
    wanted = set(content_terms(sub_question))
    weights: Mapping[str, float] = idf(wanted)
    return any(
        document.metadata["score"] >= _STRONG and coverage(wanted, words_of(document), weights) >= _ENOUGH
        for document in found[:_LOOKED_AT]
    )


def brings_news(question: str, known: Collection[str], found: Sequence[Document], floor: float) -> bool:
    """Whether a round found a passage whose id is not `known`, that scores `floor` and has a word of the question.

    A branch whose round brings none has come to its end.
    """
    wanted = set(content_terms(question))
    return any(
        document.id not in known and document.metadata["score"] >= floor and not wanted.isdisjoint(words_of(document))
        for document in found
    )


class FollowUpInput(TypedDict):
    """A question, the passages found for it, best first, and the queries that found them."""

    question: str
    passages: Sequence[Document]
    asked: Sequence[str]


def follow_up_chain(model: BaseChatModel, *, context_tokens: int = 6000) -> Runnable[FollowUpInput, list[str]]:
    """`FollowUpInput` in, one or two search queries out, or none where the passages suffice.

    Raises `ValueError` if the model writes neither.
    """

    async def follow(given: FollowUpInput) -> list[str]:
        messages = FOLLOW_UP.format_messages(
            rows=material(rows(fitting(given["passages"], context_tokens))),
            asked="\n".join(f"- {readable(query)}" for query in given["asked"]),
            question=given["question"],
        )
        return queries_in(await (model | TextParser()).ainvoke(ChatPromptValue(messages=messages)))

    return RunnableLambda(follow, name="follow_up_chain")


def queries_in(written: str) -> list[str]:
    """The first two lines that are queries, of at most 300 characters; none if the text begins with `SUFFICIENT`.

    Raises `ValueError` if there are none.
    """
    verdict = _VERDICT.match(written)
    if verdict is not None and verdict.group().strip("\"'*_`#.:! \n").lower() == "sufficient":
        return []
    lines = (line.strip() for line in written[verdict.end() if verdict else 0 :].splitlines())
    plain = (_LABEL.sub("", readable(line)).strip("\"'“”` ") for line in lines if not line.endswith(":"))
    queries = [line for line in plain if len(line) <= LONGEST and content_terms(line) and not _VERDICT.fullmatch(line)]
    if not queries:
        raise ValueError("there is no query in what was written")
    return list(dict.fromkeys(queries))[:_ASKED_BY_MODEL]


def _open_words(question: str, query: str, held: Collection[str]) -> list[str]:
    """The words of the question that the query still has and a passage has not, as they are spelt."""
    asked = set(terms(question))
    return [word.text for word in tokens(query) if word.folded not in STOPWORDS and word.stem in asked - set(held)]


def _key(query: str) -> str:
    """What two queries have in common that search for the same words."""
    return " ".join(sorted(set(content_terms(query))))
