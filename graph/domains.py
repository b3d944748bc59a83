"""Which domains a question may belong to, by what their descriptions say."""

from collections.abc import Callable, Mapping, Sequence
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
_SENTENCES_READ = 8


class Descriptions:
    """The descriptions of domains as vectors, each made when it is first compared. Safe for many threads."""

    def __init__(self, encode: Callable[[str], Vector]) -> None:
        """`encode` gives the vector of a sentence, of unit length."""
        self._encode = encode
        self._known: dict[str, Vector] = {}

    def nearest(self, question: str, policies: Policies) -> list[str]:
        """The domains whose description is near the question, or as near as makes no difference; else the default.

        A description is as near as its nearest sentence is to the question or a sentence of it.
        """
        asked = self._encode_all(question)
        about = {
            name: float(np.max(asked @ self._vectors(policy.description).T))
            for name, policy in policies.items()
            if policy.description and name != DEFAULT_DOMAIN
        }
        best = max(about.values(), default=0.0)
        near = [name for name, cosine in about.items() if cosine >= max(NEAR, best - CLOSE)]
        return near or [DEFAULT_DOMAIN]

    def _vectors(self, description: str) -> Vector:
        if description not in self._known:
            self._known[description] = self._encode_all(description)
        return self._known[description]

    def _encode_all(self, text: str) -> Vector:
        pieces = [text[start:end] for start, end in sentence_spans(text)][:_SENTENCES_READ]
        return np.stack([self._encode(piece) for piece in dict.fromkeys([text, *pieces])])


def applied(named: str | None, likely: Sequence[str], policies: Policies) -> tuple[str, Policy]:
    """The domain that is reported and the policy that applies: the strictest of everything that may be meant.

    A domain the caller has named is one of them, so it can only make the policy stricter.
    """
    names = list(dict.fromkeys([*likely, *([named] if named is not None else [])]))
    domain = max(names, key=lambda name: strictness(policies[name]))
    rest: Mapping[str, Policy] = {name: policies[name] for name in names if name != domain}
    return domain, reduce(stricter, rest.values(), policies[domain])
