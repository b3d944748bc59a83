"""What the application is made of; `create_app` takes it ready-made, so a test hands in its own parts."""

from dataclasses import dataclass
from pathlib import Path

from graph.hub import Hub
from retrieval.library import Library
from server.jobs import Jobs
from server.settings import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class AppContext:
    """The collaborators of the HTTP layer; they live as long as the application."""

    settings: Settings
    hub: Hub
    library: Library
    jobs: Jobs
    web: Path
    """The folder of the page's static files."""
