"""What an answer must never carry, whatever a model writes."""

import re
from collections.abc import Callable, Sequence

from langchain_core.documents import Document

_LINK = re.compile(r"(?:https?|ftp)://[^\s<>\")\]]+|\b(?:javascript|data|vbscript|file):[^\s<>\")\]]+", re.IGNORECASE)


def unsafe_links(passages: Sequence[Document]) -> Callable[[str], bool]:
    """Whether a text holds a link that occurs in none of the passages: a model made it up, or was told to."""

    def unsafe(text: str) -> bool:
        links = [link.rstrip(".,;:!?'") for link in _LINK.findall(text)]
        return any(not any(link in passage.page_content for passage in passages) for link in links)

    return unsafe
