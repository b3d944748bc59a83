"""The embedded chat model: answers by extraction, cites every sentence, needs no network and no weights."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from chains.prompts import LEFT_OUT
from chains.sections import Found, Wanted, sections
from chains.selection import Row, select
from language.contents import is_contents
from language.sentences import points_back
from language.words import content_terms, coverage, terms

SCORES_KEY = "row_scores"
"""In `additional_kwargs` of the prompt's message: row number -> how well it matches the question, 0..1."""
PARTS_KEY = "report_parts"
"""In `additional_kwargs` of a report's prompt: for each section its heading, its queries, and the scores of their rows.
"""
_ROW = re.compile(r"^\[(\d+)\.(\d+)\] (.+)$", re.MULTILINE)
_PLACE = re.compile(r"^\[(\d+)\] (.+)$", re.MULTILINE)
_QUESTION_MARK = "\n\nQuestion: "
"""Rows hold no line breaks, so the first of these ends the evidence, whatever the question holds."""
_CLOSING = re.compile(r"([.!?…]+[\"”’')\]]*)$")


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
        evidence, _, question = prompt.text.partition(_QUESTION_MARK)
        parts = prompt.additional_kwargs.get(PARTS_KEY)
        if parts is None:
            rows = _rows(evidence, question, prompt.additional_kwargs.get(SCORES_KEY))
            yield from _quoting(select(question, rows, self.max_sentences))
            return
        told = False
        for part, chosen in zip(
            parts, sections([_wanted(evidence, part) for part in parts], self.max_sentences), strict=True
        ):
            if chosen:
                between = "\n\n" if told else ""
                yield f"{between}## {part['heading']}\n\n" if part["heading"] else between
                yield from _quoting(chosen)
                told = True


def _wanted(evidence: str, part: Mapping[str, Any]) -> Wanted:
    """A part of a report as it is laid out beside its prompt, with the rows that were found for it."""
    searches = []
    for search in part["searches"]:
        rows = _rows(evidence, search["query"], search["scores"])
        found = [row for row in rows if f"{row.passage}.{row.sentence}" in search["scores"]]
        if found:
            searches.append(Found(search["query"], found))
    return Wanted(part["question"], searches)


def _quoting(chosen: Sequence[Row]) -> Iterator[str]:
    """Rows as sentences, each with its citation, word by word."""
    for at, row in enumerate(chosen):
        parts = _CLOSING.split(row.text, maxsplit=1)
        body, closing = parts[0], parts[1] if len(parts) > 1 else "."
        for number, word in enumerate(body.split()):
            yield word if at == number == 0 else f" {word}"
        yield f" [{row.passage}.{row.sentence}]{closing}"


def _rows(text: str, question: str, scores: Mapping[str, float] | None) -> list[Row]:
    found = [(int(m[1]), int(m[2]), m[3]) for m in _ROW.finditer(text) if m[3] != LEFT_OUT and not is_contents(m[3])]
    places = {int(match[1]): frozenset(terms(match[2])) for match in _PLACE.finditer(text)}
    wanted = set(content_terms(question))
    rows: list[Row] = []
    named: frozenset[str] = frozenset()
    for passage, sentence, line in found:
        words = frozenset(terms(line))
        named = named | words if rows and points_back(line) and rows[-1].passage == passage else words
        own = scores.get(f"{passage}.{sentence}") if scores else None
        rows.append(
            Row(
                passage,
                sentence,
                line,
                coverage(wanted, named, {}) if own is None else own,
                words,
                places.get(passage, frozenset()),
            )
        )
    return rows
