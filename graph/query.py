"""A question as it is asked: the body of `POST /query` and the argument of `hub.ask`."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from graph.policy import DEFAULT_DOMAIN

MAX_QUERY = 4000
_UNWRITABLE = re.compile("[\0\ud800-\udfff]")


def _writable(text: str) -> str:
    if _UNWRITABLE.search(text):
        raise ValueError("holds NUL or half of a surrogate pair: it is not text")
    return text


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty")
    return text


Text = Annotated[str, AfterValidator(_writable)]
Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_writable)]


Absent = SkipJsonSchema[None]
"""Not given. Forms made from the schema, LangServe's playground among them, cannot show a field that may be null."""


def _without_null_defaults(schema: dict[str, Any]) -> None:
    for field in schema["properties"].values():
        if field.get("default", ...) is None:
            del field["default"]


class Query(BaseModel):
    """A question and how it is to be answered."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=_without_null_defaults)

    query: Annotated[
        str, Field(min_length=1, max_length=MAX_QUERY), AfterValidator(_writable), AfterValidator(_not_blank)
    ]
    mode: Literal["fast", "deep"] = "fast"
    collection: Name | Absent = None
    domain: Name = DEFAULT_DOMAIN
    thread_id: Name | Absent = None
    top_k: Annotated[int, Field(ge=1, le=50, strict=True)] = 6
    filters: Annotated[dict[str, Any], Field(max_length=20)] | Absent = None
    stream: bool = True
    include_sources: bool = True
    include_thinking: bool | Absent = None
    on_disconnect: Literal["cancel", "continue"] = "cancel"
    budget: dict[str, float] | Absent = None
