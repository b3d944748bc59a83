"""The embedded chat model: answers by extraction, cites every sentence, needs no network and no weights."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from language.words import content_terms, coverage, terms

SCORES_KEY = "row_scores"
"""In `additional_kwargs` of the prompt's message: row number -> how well it matches the question, 0..1."""

_ROW = re.compile(r"^\[(\d+)\.(\d+)\] (.+)$", re.MULTILINE)
_QUESTION_MARK = "\n\nQuestion: "
"""Rows hold no line breaks, so the first of these ends the evidence, whatever the question holds."""
_CLOSING = re.compile(r"([.!?…]+[\"”’')\]]*)$")


@dataclass(frozen=True, slots=True)
class _Row:
    passage: int
    sentence: int
    text: str
    score: float
    words: frozenset[str]


class ExtractiveChatModel(BaseChatModel):
    """Selects the sentences of its numbered evidence that best answer the question and joins them, each cited.

    It reads the same prompt as any other model: rows `[2.3] ...` and a last line `Question: ...`. Every sentence it
    says is one of the evidence, so its citations are always right; it cannot combine, compute or rephrase.
    """

    max_sentences: int = 4
    model_name: str = "embedded-extractive"

    @property
    def _llm_type(self) -> str:
        return "embedded-extractive"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        message = AIMessage("".join(self._pieces(messages)), response_metadata=self._finish())
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        for piece in self._pieces(messages):
            yield ChatGenerationChunk(message=AIMessageChunk(content=piece))
        yield ChatGenerationChunk(
            message=AIMessageChunk(content="", response_metadata=self._finish(), chunk_position="last")
        )

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        for chunk in self._stream(messages):
            yield chunk
            await asyncio.sleep(0)  # there is no network to wait for, and others want the loop

    def _finish(self) -> dict[str, Any]:
        return {"finish_reason": "stop", "model_name": self.model_name}

    def _pieces(self, messages: Sequence[BaseMessage]) -> Iterator[str]:
        """The answer in pieces of a word each."""
        prompt = messages[-1]
        text = prompt.text
        evidence, _, question = text.partition(_QUESTION_MARK)
        chosen = select(
            question, _rows(evidence, question, prompt.additional_kwargs.get(SCORES_KEY)), self.max_sentences
        )
        for at, row in enumerate(chosen):
            said = _CLOSING.split(row.text, maxsplit=1)
            body, closing = said[0], said[1] if len(said) > 1 else "."
            for number, word in enumerate(body.split()):
                yield word if at == number == 0 else f" {word}"
            yield f" [{row.passage}.{row.sentence}]{closing}"


def _rows(text: str, question: str, scores: Mapping[str, float] | None) -> list[_Row]:
    found = [(int(m.group(1)), int(m.group(2)), m.group(3)) for m in _ROW.finditer(text)]
    wanted = set(content_terms(question))
    rows = []
    for passage, sentence, line in found:
        words = frozenset(terms(line))
        own = scores.get(f"{passage}.{sentence}") if scores else None
        rows.append(_Row(passage, sentence, line, coverage(wanted, words, {}) if own is None else own, words))
    return rows


def select(question: str, rows: Sequence[_Row], most: int) -> list[_Row]:
    """The best row first, then rows that come close to it and add something; passages in the order of their best row.

    Maximal marginal relevance (Carbonell & Goldstein, 1998) with word overlap as the similarity.
    """
    wanted = set(content_terms(question))
    ranked = sorted(rows, key=lambda row: (not _is_sentence(row), -row.score))
    chosen: list[_Row] = []
    for row in ranked:
        if len(chosen) == most:
            break
        if not chosen or (_near(row, chosen[0]) and _adds(row, chosen, wanted)):
            chosen.append(row)
    order = {passage: at for at, passage in enumerate(dict.fromkeys(row.passage for row in chosen))}
    return sorted(chosen, key=lambda row: (order[row.passage], row.sentence))


def _is_sentence(row: _Row) -> bool:
    """Rather than a heading, a cell or a line of code: enough words, and mostly letters."""
    letters = sum(char.isalpha() or char.isspace() for char in row.text)
    return len(row.words) >= 4 and letters >= 0.75 * len(row.text)


def _near(row: _Row, best: _Row) -> bool:
    beside = row.passage == best.passage and abs(row.sentence - best.sentence) == 1
    return row.score >= best.score * (0.6 if beside else 0.75)


def _adds(row: _Row, chosen: Sequence[_Row], wanted: set[str]) -> bool:
    """Not the same again, and about the question."""
    overlap = max(len(row.words & other.words) / max(1, min(len(row.words), len(other.words))) for other in chosen)
    return overlap < 0.7 and bool(wanted & row.words)
