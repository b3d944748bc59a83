"""The HTTP application: routes, facades, errors, limits. It is handed its collaborators ready-made."""

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from fastapi_offline import FastAPIOffline
from starlette.responses import FileResponse

from server.context import AppContext
from server.edge import Guard, RequestId
from server.errors import add_error_handlers
from server.metrics import Metrics
from server.routes import collections, documents, health, jobs, query, reviews, runs, sources, summaries, threads


def create_app(context: AppContext) -> FastAPI:
    """The ASGI application over these collaborators."""
    settings = context.settings
    app = FastAPIOffline(  # the page at /docs would else load its scripts from elsewhere
        title="Groundswell",
        summary="Answers questions over your documents, and streams only what it can ground.",
        version="0.1.0",
        docs_url="/docs",
        redoc_url=None,
    )
    app.state.context = context
    app.state.metrics = Metrics(context.hub, context.library)
    add_error_handlers(app)
    app.add_middleware(
        Guard,
        query_bytes=settings.max_body_bytes,
        upload_bytes=settings.max_upload_bytes,
        hosts=settings.allowed_hosts,
    )
    app.add_middleware(RequestId)
    # limits belong to the routers: one of the whole application would answer before our middleware, in plain text
    for routes in (query, runs, summaries, threads, reviews, jobs, collections, sources, health):
        app.include_router(routes.router, max_body_size=settings.max_body_bytes)
    app.include_router(documents.router, max_body_size=settings.max_upload_bytes)
    if settings.langserve:
        from server.protocols.langserve import langserve_router  # slow to import, and optional

        app.include_router(langserve_router(context), max_body_size=settings.max_body_bytes)
    app.mount("/web", StaticFiles(directory=context.web), name="web")

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(context.web / "index.html")

    return app
