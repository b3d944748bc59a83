"""A question as it is asked: the body of `POST /query` and the argument of `hub.ask`."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from graph.policy import DEFAULT_DOMAIN
from language.invisible import visible

MAX_QUERY = 4000
LEAST_SECONDS = 0.5
"""A search, and an answer from what it found."""
LEAST_TOKENS = 100
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


def _without_nulls(schema: dict[str, Any]) -> None:
    """Forms made from the schema, LangServe's playground among them, cannot show a field that may be null."""
    for name, field in schema["properties"].items():
        kinds = [kind for kind in field.pop("anyOf", []) if kind != {"type": "null"}]
        schema["properties"][name] = {**field, **kinds[0]} if kinds else field
        if field.get("default", ...) is None:
            del schema["properties"][name]["default"]


class Budget(BaseModel):
    """What deep research may spend. What is not given is as the server's settings have it."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=_without_nulls)

    seconds: Annotated[float, Field(ge=LEAST_SECONDS, strict=True, allow_inf_nan=False)] | None = None
    model_calls: Annotated[int, Field(ge=1, strict=True)] | None = None
    tokens: Annotated[int, Field(ge=LEAST_TOKENS, strict=True)] | None = None
    sources: Annotated[int, Field(ge=1, strict=True)] | None = None

    @property
    def given(self) -> dict[str, Any]:
        """What it says; an empty one, as forms send it, says nothing."""
        return self.model_dump(exclude_none=True)


class Query(BaseModel):
    """A question and how it is to be answered."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=_without_nulls)

    query: Annotated[
        str,
        Field(min_length=1, max_length=MAX_QUERY),
        AfterValidator(_writable),
        AfterValidator(visible),
        AfterValidator(_not_blank),
    ]
    mode: Literal["fast", "deep"] = "fast"
    collection: Name | None = None
    domain: Name = DEFAULT_DOMAIN
    thread_id: Name | None = None
    top_k: Annotated[int, Field(ge=1, le=50, strict=True)] = 6
    filters: Annotated[dict[str, Any], Field(max_length=20)] | None = None
    stream: bool = True
    include_sources: bool = True
    include_thinking: bool | None = None
    on_disconnect: Literal["cancel", "continue"] = "cancel"
    budget: Budget | None = None

    @property
    def thinking(self) -> bool:
        """Whether `thinking` events are wanted: where nothing is said of them, in deep mode."""
        return self.mode == "deep" if self.include_thinking is None else self.include_thinking
