"""`/collections`: what documents are kept apart in."""

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from evaluation.calibration import figures
from retrieval.library import DEFAULT_COLLECTION, DOCS_COLLECTION
from retrieval.refit import TooSmall, made_up
from server.calibrating import calibrate
from server.context import AppContext
from server.errors import BadRequest
from server.routes.dependencies import Context, known_collection
from server.uploads import CollectionName

router = APIRouter(tags=["collections"])


class CollectionIn(BaseModel):
    """A collection to be made."""

    model_config = ConfigDict(extra="forbid")

    name: CollectionName


@router.get("/collections")
def get_collections(context: Context) -> dict[str, Any]:
    """Every collection with the number of its documents and passages."""
    names = context.library.stored.collections()
    return {"collections": [_described(context, name, created) for name, created in names.items()]}


@router.post("/collections", status_code=201)
def post_collection(body: CollectionIn, context: Context) -> Response:
    """Make an empty collection: 201, or 200 if there was one of this name."""
    known = body.name in context.library.sizes()
    context.library.create(body.name)
    created = context.library.stored.collections().get(body.name, "")
    return JSONResponse(_described(context, body.name, created), 200 if known else 201)


@router.get("/collections/{name}")
def get_collection(name: str, context: Context) -> dict[str, Any]:
    """One collection."""
    known_collection(context, name)
    return _described(context, name, context.library.stored.collections().get(name, ""))


@router.post("/collections/{name}/calibrate")
def calibrate_collection(name: str, context: Context) -> dict[str, Any]:
    """Refit the confidence on the collection's own documents, and keep the fit if it is better."""
    known_collection(context, name)
    try:
        fitted, page = calibrate(context.library, name, made_up(context.library, name), context.settings.data_dir)
    except TooSmall as error:
        raise BadRequest(422, "too_small", str(error), field="name") from error
    return {"used": fitted.better, "page": page.name, **figures(fitted)}


@router.delete("/collections", status_code=204)
def delete_collection_by_parameter(name: CollectionName, context: Context) -> Response:
    """Remove a collection, named by a parameter."""
    return delete_collection(name, context)


@router.delete("/collections/{name}", status_code=204)
def delete_collection(name: str, context: Context) -> Response:
    """Remove a collection with everything in it; `default` is emptied and stays."""
    known_collection(context, name)
    if name == DOCS_COLLECTION:
        raise BadRequest(422, "invalid", "The built-in documentation cannot be removed.", field="name")
    context.jobs.store.withdraw(name)
    if name == DEFAULT_COLLECTION:
        context.library.clear(name)
        context.library.sweep()
    else:
        context.library.drop(name)
    return Response(status_code=204)


def _described(context: AppContext, name: str, created: str) -> dict[str, Any]:
    return {
        "name": name,
        "documents": context.library.stored.count(name),
        "passages": context.library.sizes().get(name, 0),
        "created": created,
        "calibration": context.library.stored.calibration_report(name),
        "built_in": name == DOCS_COLLECTION,
    }
