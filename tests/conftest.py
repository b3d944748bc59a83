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
from chains.classify import classify_chain
from chains.entail import model_entailment
from chains.expand import expand_chain
from chains.hops import follow_up_chain
from chains.models import chat_model, close_model
from chains.plan import plan_chain
from chains.refine import refine_chain
from chains.rewrite import plain_rewrite, rewrite_chain
from chains.sufficiency import sufficiency_chain
from chains.summarize import summary_chain
from graph.build import build_graph
from graph.context import Collaborators, Limits
from graph.domains import Descriptions
from graph.hub import Hub, HubLimits
from graph.research import build_research
from retrieval.embeddings import MiniLM
from retrieval.library import Library, Submission
from server.app import create_app
from server.bootstrap import HOME, build_context, build_jobs, library_in
from server.context import AppContext
from server.serving import build_server
from server.settings import Settings
from tests.support.corpus import fill
from tests.support.live import Lent, Live, live, plain_server
from tests.support.scenes import Scene
from tests.support.scripted import CORPUS
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


@pytest.fixture(scope="session")
def marked_library(encoder: MiniLM, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """A library whose every sentence can be told from whatever a server or a model writes."""
    library = library_in(tmp_path_factory.mktemp("marked"), encoder)
    for name, text in CORPUS.items():
        library.add("default", Submission(data=text, id=name, title=name))
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
        return Hub(build_graph(), replace(collaborators, **parts), hub_limits, research=build_research())

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
    """The collaborators that ask a provider's model; see `asking`."""
    return partial(asking, monkeypatch)


def asking(
    patch: pytest.MonkeyPatch,
    url: str,
    name: str = "openai:scripted",
    *,
    rewrite: bool = False,
    classify: bool = False,
    sufficient: bool = False,
    settle: bool = False,
    plan: bool = False,
    expand: bool = False,
    **limits: Any,
) -> dict[str, Any]:
    """The collaborators that ask a provider's model, through LangChain's own package for it, for what is named."""
    patch.setenv("OPENAI_API_KEY", "sk-test")
    patch.setenv("OPENAI_BASE_URL", f"{url}/v1")
    patch.setenv("ANTHROPIC_API_KEY", "sk-test")
    patch.setenv("ANTHROPIC_BASE_URL", url)
    model = chat_model(name, temperature=0, max_tokens=500, timeout=10)
    return {
        "answer": answer_chain(model),
        "rewrite": rewrite_chain(model) if rewrite else plain_rewrite(),
        "refine": refine_chain(model),
        "summarize": summary_chain(model),
        "classify": classify_chain(model) if classify else None,
        "sufficient": sufficiency_chain(model) if sufficient else None,
        "settle": model_entailment(model) if settle else None,
        "planner": plan_chain(model) if plan else None,
        "follow_up": follow_up_chain(model) if plan else None,
        "expand": expand_chain(model) if expand else None,
        "chat_model": name,
        "close": partial(close_model, model),
        "limits": Limits(**limits),
    }


@pytest.fixture(scope="module")
def play(make_hub: Callable[..., Hub], marked_library: Library) -> Iterator[Callable[..., Scene]]:
    """Runs the application over the marked library with a scripted model, for all tests of a module.

    `model` are keywords of `asking`, the others those of `make_hub`.
    """
    running: list[Live] = []
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:

        def start(script: Script, model: dict[str, Any] | None = None, **parts: Any) -> Scene:
            upstream = Upstream(script)
            at = stack.enter_context(live(plain_server(upstream.app)))
            hub = make_hub(**{"library": marked_library} | asking(patch, at.url, **(model or {})) | parts)
            server = stack.enter_context(application(hub, log_level="error"))
            running.extend([at, server])
            http = stack.enter_context(httpx.Client(base_url=server.url, timeout=30, trust_env=False))
            return Scene(server, http, upstream, at)

        yield start
        for each in running:  # they stop side by side
            each.server.should_exit = True


@pytest.fixture(scope="module")
def stage(play: Callable[..., Scene], library: Library) -> Callable[..., Scene]:
    """As `play`, over the plain corpus; servers that are set up alike are one, which gets a script for each test."""
    started: dict[str, tuple[Scene, Any]] = {}

    def start(script: Script, model: dict[str, Any] | None = None, **parts: Any) -> Scene:
        setup = f"{model} { {name: id(part) for name, part in parts.items()} }"
        if setup not in started:
            started[setup] = play(script, model, **{"library": library} | parts), parts
        scene, _ = started[setup]
        scene.rehearse(script)
        return scene

    return start


@pytest.fixture(scope="session")
def docs_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """What `make serve` starts: the built-in documentation and the embedded models."""
    context = build_context(Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("served")))
    with live(lambda port: build_server(create_app(context), context, host="127.0.0.1", port=port)) as running:
        yield running
