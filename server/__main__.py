"""The command line. Settings are read here, once."""

from pathlib import Path
from typing import Any

import click
from dotenv import load_dotenv
from pydantic import ValidationError

from server.settings import Settings


def read_settings(**given: object) -> Settings:
    """Settings from the environment and `.env`, with those given on the command line in their place."""
    load_dotenv(".env")  # providers read their own variables
    try:
        return Settings.model_validate({**Settings().model_dump(), **{k: v for k, v in given.items() if v is not None}})
    except ValidationError as error:
        lines = [f"  GROUNDSWELL_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors()]
        raise click.ClickException("\n".join(["these settings are wrong:", *lines])) from error


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="groundswell")
def main() -> None:
    """Groundswell answers questions over your documents, and streams only what it can ground."""


@main.command()
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=int, help="Port to listen on.")
@click.option("--data-dir", type=click.Path(file_okay=False, path_type=Path), help="Where everything is kept.")
def serve(host: str | None, port: int | None, data_dir: Path | None) -> None:
    """Run the server."""
    settings = read_settings(host=host, port=port, data_dir=data_dir)
    from server.commands.serve import run

    run(settings)


@main.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--collection", default="default", show_default=True, help="Where the documents go.")
@click.option("--data-dir", type=click.Path(file_okay=False, path_type=Path), help="Where everything is kept.")
@click.option("--server", help="The URL of a running server.")
def ingest(paths: tuple[Path, ...], collection: str, data_dir: Path | None, server: str | None) -> None:
    """Index files and folders. One bad file never stops the rest."""
    settings = read_settings(data_dir=data_dir)
    from server.commands.ingest import run

    run(settings, list(paths), collection, server)


@main.command()
@click.argument("question")
@click.option("--collection", help="What to answer from.")
@click.option("--domain", default="general", show_default=True, help="Whose policy applies.")
@click.option("--deep", is_flag=True, help="Research the question in several steps.")
@click.option("--thinking/--no-thinking", default=None, help="Whether to show how it thinks; else with --deep only.")
@click.option("--json", "as_json", is_flag=True, help="Print the envelopes, one per line.")
@click.option("--data-dir", type=click.Path(file_okay=False, path_type=Path), help="Where everything is kept.")
@click.option("--server", help="The URL of a running server.")
def ask(
    question: str,
    collection: str | None,
    domain: str,
    deep: bool,
    thinking: bool | None,
    as_json: bool,
    data_dir: Path | None,
    server: str | None,
) -> None:
    """Ask a question: status, sources, the answer as it streams, citations."""
    settings = read_settings(data_dir=data_dir)
    from server.commands.ask import run

    mode = "deep" if deep else "fast"
    body = {"query": question, "collection": collection, "domain": domain, "mode": mode, "include_thinking": thinking}
    run(settings, body, as_json=as_json, server=server)


@main.command()
@click.option("--collection", default="default", show_default=True, help="Whose confidence is fitted.")
@click.option(
    "--questions",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Questions whose answers are known, in the format of eval; else they are made from the documents.",
)
@click.option("--data-dir", type=click.Path(file_okay=False, path_type=Path), help="Where everything is kept.")
def calibrate(collection: str, questions: Path | None, data_dir: Path | None) -> None:
    """Refit the confidence on your own documents, and keep the fit if it is better."""
    settings = read_settings(data_dir=data_dir)
    from server.commands.calibrate import run

    run(settings, collection, questions)


@main.command()
@click.option("--data-dir", type=click.Path(file_okay=False, path_type=Path), help="Where everything is kept.")
def doctor(data_dir: Path | None) -> None:
    """Check configuration, models and stores; say what is wrong and how to mend it."""
    settings = read_settings(data_dir=data_dir)
    from server.commands.doctor import run

    run(settings)


class SetFile(click.Path):
    """A file with a set, or the name of a set that comes with the package."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path of the file."""
        if value == "planted" and not Path(value).exists():
            from evaluation.corrections import PLANTED

            return PLANTED
        return super().convert(value, param, ctx)


@main.command(name="eval")
@click.argument("sets", nargs=-1, required=True, type=SetFile(exists=True, dir_okay=False, path_type=Path))
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Also write an HTML report here.")
@click.option("--collection", help="What to ask, for sets without a corpus of their own.")
@click.option("--data-dir", type=click.Path(file_okay=False, path_type=Path), help="Where everything is kept.")
@click.option(
    "--limit", type=click.IntRange(min=0), default=100, show_default=True, help="Questions of a set to answer."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of samples and intervals.")
def evaluate(
    sets: tuple[Path, ...],
    report: Path | None,
    collection: str | None,
    data_dir: Path | None,
    limit: int,
    seed: int,
) -> None:
    """Measure retrieval, gate, citations and latency on question sets, verification on claims sets.

    A set is a .jsonl or .jsonl.gz file with a question a line; X.claims.jsonl holds claims with their evidence,
    X.corrections.jsonl drafts with planted errors, which are to be repaired; `planted` is such a set of our own. The
    corpus beside questions (X.corpus.jsonl for X.queries.jsonl or X.jsonl) is indexed into a temporary folder; without
    one the questions are asked of the data folder.
    """
    settings = read_settings(data_dir=data_dir)
    from server.commands.evaluate import run

    run(settings, sets, collection=collection, report=report, limit=limit, seed=seed)


if __name__ == "__main__":
    main()
