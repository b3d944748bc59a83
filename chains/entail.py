"""Tier 2 of verification: doubtful sentences settled by the model in batches, or by a model of entailment (NLI)."""

import asyncio
import math
import re
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from langchain_core.cross_encoders import BaseCrossEncoder
from langchain_core.language_models import BaseChatModel
from langchain_core.prompt_values import ChatPromptValue
from langchain_core.runnables import Runnable, RunnableLambda

from chains.foreign import Foreign
from chains.parsing import TextParser
from chains.prompts import ENTAIL, material, told

Support = Literal["supported", "partial", "unsupported", "contradicted"]

AT_ONCE = 8
"""Sentences in one call of the model."""
_SCORES: Mapping[Support, float] = {"supported": 0.9, "partial": 0.5, "unsupported": 0.1, "contradicted": 0.0}
"""A model says a word, not a number."""
_ENTAILED, _PARTLY = 0.5, 0.2
_LINE = re.compile(
    r"^\W*(?:claim\s*)?(\d{1,2})\W+(not supported|unsupported|supported|partial|contradicted)\W*$", re.I | re.M
)


class Doubt(NamedTuple):
    """A sentence and what may speak for it, best first."""

    sentence: str
    evidence: Sequence[str]


class Settlement(NamedTuple):
    """What a slower check makes of a sentence; `score` is 0..1."""

    support: Support
    score: float
    method: str
    best: int | None = None
    """Which piece of the evidence speaks for it, if the check can tell."""


Settle = Runnable[Sequence[Doubt], list[Settlement | None]]
"""Doubts in, a settlement for each out; None where there was no clear word."""


def model_entailment(model: BaseChatModel) -> Settle:
    """By the chat model, a few sentences a call, the calls side by side."""

    async def settle(doubts: Sequence[Doubt]) -> list[Settlement | None]:
        batches = [doubts[at : at + AT_ONCE] for at in range(0, len(doubts), AT_ONCE)]
        answered = await asyncio.gather(*(ask(batch) for batch in batches))
        return [settlement for batch in answered for settlement in batch]

    async def ask(batch: Sequence[Doubt]) -> list[Settlement | None]:
        listed = "\n\n".join(_claim(number, doubt) for number, doubt in enumerate(batch, start=1))
        written = await (model | TextParser()).ainvoke(
            ChatPromptValue(messages=ENTAIL.format_messages(claims=material(listed))), {"run_name": "entail_chain"}
        )
        said = verdicts(written)
        return [_settlement(said.get(number)) for number in range(1, len(batch) + 1)]

    return RunnableLambda(settle, name="entail_chain")


def cross_encoder_entailment(encoder: BaseCrossEncoder) -> Settle:
    """By a cross-encoder whose score is the entailment of the second text by the first: 0..1, or a logit."""

    foreign = Foreign()

    async def settle(doubts: Sequence[Doubt]) -> list[Settlement | None]:
        pairs = [(piece, doubt.sentence) for doubt in doubts for piece in doubt.evidence]
        scores = iter(_probabilities(await foreign.call(encoder.score, pairs)) if pairs else ())
        return [_entailed([next(scores) for _ in doubt.evidence]) for doubt in doubts]

    return RunnableLambda(settle, name="entail_chain")


def verdicts(text: str) -> dict[int, Support]:
    """The verdicts among a model's lines: `1: supported`."""
    found: dict[int, Support] = {}
    for number, word in _LINE.findall(text):
        support: Support = "unsupported" if word.lower() == "not supported" else word.lower()
        found.setdefault(int(number), support)
    return found


def _claim(number: int, doubt: Doubt) -> str:
    rows = "\n".join(f"- {told(piece)}" for piece in doubt.evidence)
    return f"Claim {number}: {told(doubt.sentence)}\nEvidence {number}:\n{rows or '- (none)'}"


def _settlement(support: Support | None) -> Settlement | None:
    return None if support is None else Settlement(support, _SCORES[support], "model")


def _entailed(scores: Sequence[float | None]) -> Settlement | None:
    known = [(score, at) for at, score in enumerate(scores) if score is not None]
    if not known:
        return None
    best, at = max(known)
    support: Support = "supported" if best >= _ENTAILED else "partial" if best >= _PARTLY else "unsupported"
    return Settlement(support, round(best, 4), "nli", at)


def _probabilities(scores: Sequence[float]) -> list[float | None]:
    """Scores as they are if all of a call are probabilities, else as logits; what is no number is nothing."""
    known = [float(score) for score in scores]
    if all(0.0 <= score <= 1.0 for score in known):
        return list(known)
    return [1 / (1 + math.exp(-max(-50.0, min(50.0, score)))) if math.isfinite(score) else None for score in known]
