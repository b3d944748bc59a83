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

from language.sentences import leans_back
from language.words import content_terms, coverage, terms

SCORES_KEY = "row_scores"
"""In `additional_kwargs` of the prompt's message: row number -> how well it matches the question, 0..1."""

_ROW = re.compile(r"^\[(\d+)\.(\d+)\] (.+)$", re.MULTILINE)
_QUESTION_MARK = "\n\nQuestion: "
"""Rows hold no line breaks, so the first of these ends the evidence, whatever the question holds."""
_CLOSING = re.compile(r"([.!?…]+[\"”’')\]]*)$")


_ASKS_NUMBER = re.compile(
    r"\bhow (?:much|many|long|deep|far|old|big|large|high|heavy|often|fast)\b|\b(?:price|cost)", re.I
)
_LAYOUT_SHARE = 0.8
"""Of the score of a table row, a heading or a line of code: a sentence as good as it reads better."""
_NUMBER_BONUS = 0.08


@dataclass(frozen=True, slots=True)
class Row:
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


def _rows(text: str, question: str, scores: Mapping[str, float] | None) -> list[Row]:
    found = [(int(m.group(1)), int(m.group(2)), m.group(3)) for m in _ROW.finditer(text)]
    wanted = set(content_terms(question))
    rows: list[Row] = []
    named: frozenset[str] = frozenset()
    for passage, sentence, line in found:
        words = frozenset(terms(line))
        named = named | words if rows and leans_back(line) and rows[-1].passage == passage else words
        own = scores.get(f"{passage}.{sentence}") if scores else None
        rows.append(Row(passage, sentence, line, coverage(wanted, named, {}) if own is None else own, words))
    return rows


def select(question: str, rows: Sequence[Row], most: int) -> list[Row]:
    """The best row first, then rows that come close to it and add something; passages in the order of their best row.

    Maximal marginal relevance (Carbonell & Goldstein, 1998) with word overlap as the similarity. A row that leans back
    ("It costs ...") brings the row it leans on, for alone it would speak of something else.
    """
    wanted = set(content_terms(question))
    at = {(row.passage, row.sentence): row for row in rows}
    groups = {row: _with_what_it_leans_on(row, at) for row in rows}
    worth = {row: _worth(row, question) for row in rows}
    chosen: list[Row] = []
    for row in sorted(rows, key=lambda row: -worth[row]):
        group = [each for each in groups[row] if each not in chosen]
        if chosen and len(chosen) + len(group) > most:
            break
        if not chosen or (_near(row, chosen, worth) and _adds(row, chosen, wanted, question)):
            chosen.extend(group)
    order = {passage: number for number, passage in enumerate(dict.fromkeys(row.passage for row in chosen))}
    return sorted(chosen, key=lambda row: (order[row.passage], row.sentence))


def _worth(row: Row, question: str) -> float:
    """The row's score, a little more where a number is asked for and it has one, less for what is no sentence."""
    score = row.score + (_NUMBER_BONUS if _gives_number(row, question) else 0.0)
    return score if _is_sentence(row) else score * _LAYOUT_SHARE


def _gives_number(row: Row, question: str) -> bool:
    return _ASKS_NUMBER.search(question) is not None and any(char.isdigit() for char in row.text)


def _with_what_it_leans_on(row: Row, at: Mapping[tuple[int, int], Row]) -> list[Row]:
    group = [row]
    while leans_back(group[0].text) and (row.passage, group[0].sentence - 1) in at:
        group.insert(0, at[row.passage, group[0].sentence - 1])
    return group


def _is_sentence(row: Row) -> bool:
    """Rather than a heading, a table row or a line of code: enough words, mostly letters, not all capitals."""
    letters = sum(char.isalpha() or char.isspace() for char in row.text)
    laid_out = " | " in row.text or row.text.isupper()
    return len(row.words) >= 4 and letters >= 0.75 * len(row.text) and not laid_out


def _near(row: Row, chosen: Sequence[Row], worth: Mapping[Row, float]) -> bool:
    """Close enough to the best row; closer still from another passage, where it may be about something else."""
    best = max(worth[other] for other in chosen)
    same = any(row.passage == other.passage for other in chosen)
    return worth[row] >= best * (0.7 if same else 0.85)


def _adds(row: Row, chosen: Sequence[Row], wanted: set[str], question: str) -> bool:
    """Not the same again, and about the question."""
    overlap = max(len(row.words & other.words) / max(1, min(len(row.words), len(other.words))) for other in chosen)
    return overlap < 0.7 and (bool(wanted & row.words) or _gives_number(row, question))
