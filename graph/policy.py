"""Domain policies: how much evidence a domain wants before anything may be said, and which questions it refuses."""

import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal, Self

import re2
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Precheck = Literal["none", "classify", "full_slow_path", "human_review"]
Share = Annotated[float, Field(ge=0.0, le=1.0, strict=True)]

DEFAULT_DOMAIN = "general"
_STRICTER: Sequence[Precheck] = ("none", "classify", "full_slow_path", "human_review")
"""Each is stricter than those before it."""


@lru_cache(maxsize=1000)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        told = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        raise ValueError(f"is no RE2 pattern: {told}") from None


def _compilable(pattern: str) -> str:
    if any(ord(char) < 32 for char in pattern):
        raise ValueError(
            r"holds a control character: TOML reads \b in double quotes as one; write \\b, or use 'single quotes'"
        )
    _compiled(pattern)
    return pattern


class Rule(BaseModel):
    """What is done with questions that match a pattern, before anything else is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=100)]
    pattern: Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_compilable)]
    """RE2, searched for anywhere in the question, case ignored. RE2 takes linear time, whatever the pattern."""
    action: Literal["deny", "redirect", "escalate"]
    """`deny` and `redirect` answer with the message, `escalate` hands the question to a person."""
    message: str | None = None

    def matches(self, question: str) -> bool:
        """Whether the rule applies, also to a question that hides it behind accents, wide letters or invisible ones."""
        pattern = _compiled(self.pattern)
        return any(pattern.search(text) is not None for text in {question, _plain(question)})


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(char for char in decomposed if unicodedata.category(char) not in ("Cf", "Mn"))


class Policy(BaseModel):
    """The thresholds of one domain. Scores are calibrated probabilities, so they mean the same for every corpus."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    description: str = ""
    """What its questions are about, in sentences: classification takes the domain with the nearest one."""
    min_chunks: Annotated[int, Field(ge=1, le=50, strict=True)] = 2
    """Passages above `floor`; never more than the collection has."""
    min_score: Share = 0.65
    """Of the evidence as a whole."""
    floor: Share = 0.30
    """What counts as a passage at all."""
    expand_k: Annotated[int, Field(ge=1, le=50, strict=True)] = 20
    expand_min_score: Share = 0.50
    """What the evidence must reach after the wider search."""
    precheck: Precheck = "none"
    fallback_message: str | None = None
    fallback_collection: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """Searched as well when the evidence is thin."""
    rules: tuple[Rule, ...] = ()

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        """Refuse thresholds that no evidence could meet."""
        if self.floor > self.min_score:
            raise ValueError(
                f"floor {self.floor} is above min_score {self.min_score}: nothing could count as a passage"
            )
        if self.expand_min_score > self.min_score:
            raise ValueError(
                f"expand_min_score {self.expand_min_score} is above min_score {self.min_score}: "
                "a wider search cannot ask for more than the first"
            )
        if self.min_chunks > self.expand_k:
            raise ValueError(f"min_chunks {self.min_chunks} is above expand_k {self.expand_k}: it could never be met")
        return self

    def rule_for(self, question: str) -> Rule | None:
        """The first rule that applies to a question."""
        return next((rule for rule in self.rules if rule.matches(question)), None)


Policies = Mapping[str, Policy]


def stricter(a: Policy, b: Policy) -> Policy:
    """A policy that asks for whatever either of two asks for, with the rules of both."""
    return Policy(
        description=a.description,
        min_chunks=max(a.min_chunks, b.min_chunks),
        min_score=max(a.min_score, b.min_score),
        floor=max(a.floor, b.floor),
        expand_k=max(a.expand_k, b.expand_k),
        expand_min_score=max(a.expand_min_score, b.expand_min_score),
        precheck=max(a.precheck, b.precheck, key=_STRICTER.index),
        fallback_message=a.fallback_message or b.fallback_message,
        # a collection of one domain is not for the questions of another
        fallback_collection=a.fallback_collection if a.fallback_collection == b.fallback_collection else None,
        rules=tuple(dict.fromkeys([*a.rules, *b.rules])),
    )


def strictness(policy: Policy) -> tuple[int, float, int]:
    """Orders policies: the larger, the stricter."""
    return _STRICTER.index(policy.precheck), policy.min_score, policy.min_chunks


BUILT_IN: Policies = {
    DEFAULT_DOMAIN: Policy(description="Anything that no other domain covers."),
    "loan_guidelines": Policy(
        description=(
            "Rules and criteria for granting loans. Who is eligible for a loan or a mortgage. Which documents a loan "
            "application needs. Limits on loan amounts, loan-to-value and debt-to-income ratios."
        ),
        min_chunks=3,
        min_score=0.72,
        expand_min_score=0.72,
        precheck="classify",
    ),
    "balance_inquiries": Policy(
        description=(
            "What an account holds. My account balance and available funds. Recent transactions and statements of an "
            "account. How much money is in my account."
        ),
        min_chunks=1,
        min_score=0.60,
    ),
    "underwriting": Policy(
        description=(
            "Assessing the risk of a loan or insurance application. Whether an applicant's income and collateral "
            "suffice for approval. Exceptions to underwriting rules. Approving or declining an application."
        ),
        min_chunks=5,
        min_score=0.80,
        expand_min_score=0.80,
        precheck="full_slow_path",
    ),
    "rate_quotes": Policy(
        description=(
            "Interest rates offered to a customer. What rate or APR would I get for a loan or mortgage. A quote of the "
            "price or premium for a customer. Today's mortgage rates and savings rates."
        ),
        precheck="human_review",
    ),
}
