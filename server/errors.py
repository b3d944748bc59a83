"""Every way a request can fail, as an RFC 9457 problem. Nothing of the server's inside is in one.

Refusal (graph/hub.py)            404, 409, 422, 503  the hub takes no such question
DiskFull (retrieval/database.py)  507                 there is no room for what was sent
ConversationsUnavailable (graph/checkpoints.py)
                                  503                 what was said in conversations cannot be read
BadRequest                        4xx                 a route refuses what it was sent
RunFailed                         502, 503            a run ended without an answer
RequestValidationError (FastAPI)  422                 a value is wrong; the field is named
HTTPException (Starlette)         404, 405, ...       no such route
anything else                     500                 logged, and told as `internal`
"""

import logging
import re
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from callbacks.events import Error
from graph.checkpoints import ConversationsUnavailable
from graph.hub import Refusal
from retrieval.database import DiskFull

log = logging.getLogger(__name__)

_TITLES = {
    400: "Bad request",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Too large",
    415: "Unsupported media type",
    422: "Invalid value",
    429: "Too many requests",
    500: "Internal error",
    502: "The model failed",
    503: "Not available",
    507: "Disk full",
}
_CONVERSATIONS_UNAVAILABLE = "conversations_unavailable"
_HTTP_CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}
_RETRY_SECONDS = "2"


class BadRequest(Exception):
    """A route refuses what it was sent."""

    def __init__(self, status: int, code: str, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.field = field


def problem(status: int, code: str, detail: str, *, field: str | None = None, **more: Any) -> JSONResponse:
    """A problem document; `code` is stable, `field` the name of what is wrong."""
    body = {"type": "about:blank", "title": _TITLES.get(status, "Error"), "status": status, "code": code}
    body |= {"detail": detail} | ({"field": field} if field else {}) | more
    headers = {"Retry-After": _RETRY_SECONDS} if status in (429, 503) else None
    return JSONResponse(body, status, headers, media_type="application/problem+json")


class RunFailed(RuntimeError):
    """A run ended without a final answer; its error is safe to show."""

    def __init__(self, error: Error | None) -> None:
        super().__init__("The client left." if error is None else error.message)
        self.code = "cancelled" if error is None else error.code
        self.retryable = error is None or error.retryable


def failed(code: str, message: str, *, retryable: bool, **more: Any) -> JSONResponse:
    """The problem of a run that ended without an answer."""
    status = 503 if code == _CONVERSATIONS_UNAVAILABLE else 502
    return problem(status, code, message, retryable=retryable, **more)


def add_error_handlers(app: FastAPI) -> None:
    """Turn every exception of the tree above into its problem."""
    app.add_exception_handler(Refusal, _refusal)
    app.add_exception_handler(DiskFull, _disk_full)
    app.add_exception_handler(ConversationsUnavailable, _conversations_unavailable)
    app.add_exception_handler(BadRequest, _bad_request)
    app.add_exception_handler(RunFailed, _run_failed)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(ValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _internal)


async def _refusal(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refusal)
    return problem(error.status, error.code, str(error), field=error.field, **error.more)


async def _disk_full(_: Request, error: Exception) -> JSONResponse:
    log.error("the disk is full: %s", error)
    return problem(507, "disk_full", "There is no room left on the server's disk; what is indexed can still be asked.")


async def _conversations_unavailable(_: Request, error: Exception) -> JSONResponse:
    return problem(503, _CONVERSATIONS_UNAVAILABLE, str(error), retryable=False)


async def _bad_request(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, BadRequest)
    return problem(error.status, error.code, str(error), field=error.field)


async def _run_failed(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RunFailed)
    return failed(error.code, str(error), retryable=error.retryable)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError | ValidationError)
    details: Sequence[Any] = error.errors()
    errors = [_detail(detail) for detail in details]
    if errors and errors[0]["code"] == "json_invalid":
        return problem(400, "invalid_json", "The body is not valid JSON.", field="body")
    first = errors[0] if errors else {"field": "body", "message": "The request is invalid.", "code": "invalid"}
    return problem(422, "invalid", f"{first['field']}: {first['message']}", field=first["field"], errors=errors)


def _detail(detail: Any) -> dict[str, str]:
    """The field's name and what is wrong with it, without the value."""
    if not isinstance(detail, dict):
        return {"field": "body", "message": str(detail), "code": "json_invalid" if "JSON" in str(detail) else "invalid"}
    path = [str(part) for part in detail["loc"] if part not in ("body", "query", "path", "header", "input", "inputs")]
    if not path:
        path = [str(detail["loc"][-1])] if detail["loc"] else ["body"]
    message = detail["msg"].removeprefix("Value error, ")
    if isinstance(detail.get("input"), str):  # a text has characters, whatever the constraint calls them
        message = re.sub(r"\bat (least|most) (\d+) items?\b", r"at \1 \2 characters", message)
    return {"field": ".".join(path), "message": message, "code": detail["type"]}


async def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = _HTTP_CODES.get(error.status_code, "http_error")
    response = problem(error.status_code, code, str(error.detail))
    response.headers.update(error.headers or {})
    return response


async def _internal(_: Request, error: Exception) -> JSONResponse:
    log.error("a request failed", exc_info=error)
    response = problem(500, "internal", "Something went wrong on the server.")
    response.headers["X-Request-ID"] = str(uuid4())  # this handler runs outside every middleware
    return response
