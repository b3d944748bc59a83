"""Which domains a question may belong to, by what their descriptions say."""

import re
from collections.abc import Callable, Sequence
from functools import reduce

import numpy as np
import numpy.typing as npt

from graph.policy import DEFAULT_DOMAIN, Policies, Policy, stricter, strictness
from language.sentences import sentence_spans

Vector = npt.NDArray[np.float32]

NEAR = 0.40
"""Cosine from which a description is about the question: between the banking questions (.40-.83) and all others
(below .40, but for the history of interest rates) of the made-up list this was chosen on."""
CLOSE = 0.08
"""So much behind the nearest one, a domain is as likely."""
_PARTS_READ = 60
_BETWEEN_CLAUSES = re.compile(r"[,;:–—]\s|\b(?:and|or|also|but|plus)\b", re.IGNORECASE)


class Descriptions:
    """The descriptions of domains as vectors, each made when it is first compared. Safe for many threads."""

    def __init__(self, encode: Callable[[str], Vector]) -> None:
        """`encode` gives the vector of a sentence, of unit length."""
        self._encode = encode
        self._known: dict[str, Vector] = {}

    def nearest(self, question: str, policies: Policies) -> list[str]:
        """The domains near the question or a part of it, or as near as makes no difference; else the default.

        Each part speaks for itself: what is asked beside it does not hide it.
        """
        about = [name for name, policy in policies.items() if policy.description and name != DEFAULT_DOMAIN]
        if not about:
            return [DEFAULT_DOMAIN]
        parts = self._encode_all([question, *_parts(question)[:_PARTS_READ]])
        cosines = np.stack([(parts @ self._vectors(policies[name].description).T).max(axis=1) for name in about])
        least = np.maximum(NEAR, cosines.max(axis=0) - CLOSE)
        return [name for name, row in zip(about, cosines, strict=True) if (row >= least).any()] or [DEFAULT_DOMAIN]

    def _vectors(self, description: str) -> Vector:
        if description not in self._known:
            self._known[description] = self._encode_all([description, *_sentences(description)])
        return self._known[description]

    def _encode_all(self, texts: Sequence[str]) -> Vector:
        return np.stack([self._encode(text) for text in dict.fromkeys(texts)])


def _sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


def _parts(question: str) -> list[str]:
    """Its sentences and their clauses, as far as they say something by themselves."""
    sentences = _sentences(question)
    clauses = [clause for sentence in sentences for clause in _BETWEEN_CLAUSES.split(sentence)]
    return [part.strip() for part in [*sentences, *clauses] if len(part.split()) > 1]


def applied(named: str | None, likely: Sequence[str], policies: Policies) -> tuple[str, Policy]:
    """The domain that is reported and the policy that applies: the strictest of everything that may be meant.

    A domain the caller has named is one of them, so it can only make the policy stricter; the default's rules apply to
    every question.
    """
    names = list(dict.fromkeys([*likely, *([named] if named is not None else [])]))
    domain = max(names, key=lambda name: strictness(policies[name]))
    policy = reduce(stricter, (policies[name] for name in names if name != domain), policies[domain])
    rules = dict.fromkeys([*policy.rules, *policies[DEFAULT_DOMAIN].rules])
    return domain, policy.model_copy(update={"rules": tuple(rules)})
