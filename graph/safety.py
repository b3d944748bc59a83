"""What an answer must never carry, whatever a model writes."""

from collections.abc import Callable, Sequence

from langchain_core.documents import Document

from callbacks.guard import link_check
from callbacks.sources import honest_text


def unsafe_links(passages: Sequence[Document]) -> Callable[[str], bool]:
    """Whether a text holds an image, or a link of none of the passages: a model made it up, or was told to."""
    return link_check(lambda: [honest_text(passage) for passage in passages])
