"""A draft as long as the budget of deep research lasts."""

from collections.abc import Iterable

from callbacks.events import Payload
from graph.context import RagContext
from graph.report import report


async def finish_draft(context: RagContext) -> None:
    """Wait for the end of the draft, or end it where the budget does. Raises what drafting raises."""
    if context.research is None:
        return await context.draft.finish()
    spending = context.research.spending
    if not await context.draft.finish_within(spending.seconds_left, spending.out_of_tokens):
        spending.stop("tokens" if spending.out_of_tokens.is_set() else "seconds")
        context.stream.truncated = True
        await tell(context.stream.finish(cut=True))


async def tell(payloads: Iterable[Payload]) -> None:
    """Publish events in order."""
    for payload in payloads:
        await report(payload)
