"""The plan of deep research: sub-questions that can each be searched for alone, by rules or by a model."""

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable, RunnableLambda

from chains.comparisons import compared
from chains.nesting import nested
from chains.parsing import TextParser
from chains.parts import LONGEST, distinct, joined, keeps
from chains.planned import planned
from chains.prompts import PLAN
from chains.rewrite import strip_courtesies
from chains.wishes import wishes_of
from language.invisible import visible

_LONGEST_READ = 4000


def decompose(question: str) -> list[str]:
    """The sub-questions of a question, 2..6 of at most 300 characters; none of a simple one.

    They are in the words of the question as far as possible: several wishes are taken apart, of compared things each
    is asked about, and of a question within a question the inner one comes first, then the whole. Together they keep
    every number, name and quotation; a question that cannot be divided so is not divided.
    """
    text = visible(question[:_LONGEST_READ])
    wishes = wishes_of(strip_courtesies(text))
    finely = [part for wish in wishes for part in compared(wish) or nested(wish) or [wish]]
    for parts in (finely, wishes):
        plan = joined(distinct(parts))
        if len(plan) > 1 and all(len(part) <= LONGEST for part in plan) and keeps(text, plan):
            return plan
    return []


def plan_chain(model: BaseChatModel) -> Runnable[dict[str, str], list[str]]:
    """`{question}` in, 2..6 sub-questions out, or none where the model says that one search is enough.

    Raises `ValueError` if what the model writes cannot be read as a plan.
    """

    async def plan(given: dict[str, str]) -> list[str]:
        written = await (PLAN | model | TextParser()).ainvoke({"question": given["question"]})
        return planned(given["question"], written)

    return RunnableLambda(plan, name="plan_chain")
