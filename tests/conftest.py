"""Fixtures: a library filled once, a hub per test, and servers over real sockets."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from chains.answer import answer_chain
from chains.models import chat_model, close_model
from chains.refine import refine_chain
from chains.rewrite import plain_rewrite, rewrite_chain
from graph.build import build_graph
from graph.context import Collaborators, Limits
from graph.domains import Descriptions
from graph.hub import Hub, HubLimits
from retrieval.embeddings import MiniLM
from retrieval.library import Library
from server.app import create_app
from server.bootstrap import HOME, build_context, build_jobs, library_in
from server.context import AppContext
from server.serving import build_server
from server.settings import Settings
from tests.support.corpus import fill
from tests.support.live import Lent, Live, live, plain_server
from tests.support.upstream import Script, Upstream

REPOSITORY = Path(__file__).parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--crashes", type=int, default=25, help="How often the test of crashes kills the server.")


@pytest.fixture(scope="session")
def encoder() -> MiniLM:
    return MiniLM()


@pytest.fixture(scope="session")
def library(encoder: MiniLM, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """A library with the corpus. Tests that write make their own."""
    library = library_in(tmp_path_factory.mktemp("library"), encoder)
    fill(library)
    yield library
    library.close()


@pytest.fixture
def own_library(encoder: MiniLM, tmp_path: Path) -> Iterator[Library]:
    """An empty library to write into."""
    library = library_in(tmp_path, encoder)
    yield library
    library.close()


@pytest.fixture(scope="session")
def collaborators(library: Library) -> Collaborators:
    """The embedded models over the corpus."""
    model = chat_model("embedded", temperature=0, max_tokens=500, timeout=10)
    return Collaborators(
        library=library,
        answer=answer_chain(model),
        rewrite=plain_rewrite(),
        refine=None,
        chat_model="embedded",
        descriptions=Descriptions(library.encoder.encode_query),
    )


@pytest.fixture(scope="session")
def make_hub(collaborators: Collaborators) -> Callable[..., Hub]:
    """Makes a hub; keywords replace collaborators, `limits` its own limits."""

    def make(*, hub_limits: HubLimits | None = None, **parts: Any) -> Hub:
        return Hub(build_graph(), replace(collaborators, **parts), hub_limits)

    return make


@pytest.fixture
def servers() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def serve(servers: ExitStack, make_hub: Callable[..., Hub]) -> Callable[..., Live]:
    """Runs the application; keywords as for `make_hub`, and `settings`."""

    def start(settings: dict[str, Any] | None = None, **parts: Any) -> Live:
        return servers.enter_context(application(make_hub(**parts), **(settings or {})))

    return start


def application(hub: Hub, **settings: Any) -> AbstractContextManager[Live]:
    """The application over a hub, running."""
    library = hub.collaborators.library
    chosen = Settings(_env_file=None, **{"data_dir": library.stored.database.path.parent} | settings)
    context = AppContext(
        settings=chosen,
        hub=hub,
        library=Lent(library),
        jobs=build_jobs(chosen, library),
        web=HOME / "web",
    )
    return live(lambda port: build_server(create_app(context), context, host="127.0.0.1", port=port))


@pytest.fixture(scope="session")
def server(make_hub: Callable[..., Hub]) -> Iterator[Live]:
    """The application with the embedded models, for tests that only ask."""
    with application(make_hub()) as running:
        yield running


@pytest.fixture
def client(server: Live) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=30, trust_env=False) as client:
        yield client


@pytest.fixture
def provider(servers: ExitStack) -> Callable[[Script], tuple[Upstream, Live]]:
    """Runs a scripted model provider."""

    def start(script: Script) -> tuple[Upstream, Live]:
        upstream = Upstream(script)
        return upstream, servers.enter_context(live(plain_server(upstream.app)))

    return start


@pytest.fixture
def with_model(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """The collaborators that ask a provider's model, through LangChain's own package for it."""

    def make(url: str, name: str = "openai:scripted", *, rewrite: bool = False, **limits: Any) -> dict[str, Any]:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        monkeypatch.setenv("OPENAI_BASE_URL", f"{url}/v1")
        monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-test")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", url)
        model = chat_model(name, temperature=0, max_tokens=500, timeout=10)
        return {
            "answer": answer_chain(model),
            "rewrite": rewrite_chain(model) if rewrite else plain_rewrite(),
            "refine": refine_chain(model),
            "chat_model": name,
            "close": partial(close_model, model),
            "limits": Limits(**limits),
        }

    return make


@pytest.fixture(scope="session")
def docs_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """What `make serve` starts: the built-in documentation and the embedded models."""
    context = build_context(Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("served")))
    with live(lambda port: build_server(create_app(context), context, host="127.0.0.1", port=port)) as running:
        yield running
