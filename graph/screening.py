"""What the safety checks have to say of a question, its evidence and its answer."""

from collections.abc import Sequence

from langchain_core.documents import Document

from graph.context import RagContext


async def screened(question: str, evidence: Sequence[Document], context: RagContext) -> list[str]:
    """Concerns about the evidence, by kind: empty if all is well. Raises what a configured model raises."""
    flagged = [document for document in evidence if "instructions" in document.metadata.get("flags", ())]
    return ["instructions_in_source"] if flagged else []
