"""The refine chain: an answer whose doubtful sentences are corrected from evidence, or left out."""

from collections.abc import Sequence
from typing import TypedDict

from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable, RunnableLambda

from chains.parsing import TextParser
from chains.prompts import REFINE, fitting, material, rows


class RefineInput(TypedDict):
    """An answer, which of its sentences are problems (counted from 0), and the evidence."""

    question: str
    sentences: Sequence[str]
    problems: Sequence[int]
    passages: Sequence[Document]


def refine_chain(model: BaseChatModel, *, context_tokens: int = 6000) -> Runnable[RefineInput, str]:
    """`RefineInput` in, the corrected answer out, with `[2.3]` for sentence 3 of passage 2: prompt, model, parser."""

    def fields(given: RefineInput) -> dict[str, str]:
        return {
            "question": given["question"],
            "evidence": material(rows(fitting(given["passages"], context_tokens))),
            "draft": "".join(f"\n\n{text}\n\n" if text.startswith("#") else f"{text} " for text in given["sentences"]),
            "problems": "\n".join(f"- {given['sentences'][at]}" for at in given["problems"]),
        }

    return (RunnableLambda(fields, name="refine_prompt") | REFINE | model | TextParser()).with_config(
        run_name="refine_chain"
    )


def plain_refine() -> Runnable[RefineInput, str]:
    """The deterministic counterpart: leaves the problems out, keeps every other sentence as it is."""

    def keep(given: RefineInput) -> str:
        problems = set(given["problems"])
        return " ".join(text for at, text in enumerate(given["sentences"]) if at not in problems)

    return RunnableLambda(keep, name="refine_chain")
