"""`/sources`: the passage behind a citation, where it stands."""

from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter

from retrieval.passages import Passage, place_of
from server.errors import BadRequest
from server.routes.dependencies import Context

router = APIRouter(tags=["documents"])


@router.get("/sources/{source_id:path}")
def get_source(source_id: str, context: Context) -> dict[str, Any]:
    """The passage behind a citation with its neighbours, its page and section, and a link to the original."""
    place = place_of(source_id)
    collection, document_id, version, ordinal = place or ("", "", 0, 0)
    around = [ordinal - 1, ordinal, ordinal + 1]
    found = context.library.stored.neighbours(collection, document_id, version, around) if place else {}
    if ordinal not in found:
        message = "There is no such source; its document may have been removed or replaced."
        raise BadRequest(404, "unknown_source", message, field="source_id")
    passage = found[ordinal]
    return {
        **_shown(passage),
        "collection": collection,
        "document_id": passage.document_id,
        "source": passage.title,
        "uri": passage.uri,
        "metadata": passage.metadata,
        "before": _shown(found[ordinal - 1]) if ordinal - 1 in found else None,
        "after": _shown(found[ordinal + 1]) if ordinal + 1 in found else None,
        "original": _original(collection, passage),
    }


def _shown(passage: Passage) -> dict[str, Any]:
    return {
        "source_id": passage.source_id,
        "section": passage.section,
        "page": passage.page,
        "start": passage.start,
        "end": passage.end,
        "text": passage.text,
    }


def _original(collection: str, passage: Passage) -> str:
    link = f"/files/{quote(passage.document_id, safe='')}?{urlencode({'collection': collection})}"
    return f"{link}#page={passage.page}" if passage.page is not None else link
