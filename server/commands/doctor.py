"""`groundswell doctor`."""

import hashlib
import socket
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from callbacks.personal import MENDING, PersonalUnavailable
from chains.models import EMBEDDED, ModelUnavailable, chat_model, embedding_model
from graph.checkpoints import CHECKPOINTS
from graph.failures import failure_of
from graph.policy_file import PolicyError, load_policies
from retrieval.database import Database, DataFolderDamaged, DataFolderTooNew
from retrieval.documents import DocumentStore
from retrieval.tokens import MODEL_FOLDER
from server.bootstrap import DATABASE, guarding, safety_model
from server.edge import is_loopback
from server.lock import DataFolderHeld, DataLock
from server.settings import Settings

_MODEL_SHA256 = "d7d8221983982ea82d4698d0de3882f9dd0fe1244eab40161cc8bf24ddde92e9"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check saw; `remedy` is empty if all is well."""

    what: str
    saw: str
    remedy: str = ""


Check = Callable[[Settings], Finding]


def run(settings: Settings) -> None:
    """Print a line per check. Exits with 1 if anything needs mending."""
    findings = [check(settings) for check in CHECKS]
    for finding in findings:
        mark = click.style("ok  ", fg="green") if not finding.remedy else click.style("mend", fg="red")
        click.echo(f"{mark} {finding.what}: {finding.saw}")
        if finding.remedy:
            click.echo(f"     {finding.remedy}")
    if any(finding.remedy for finding in findings):
        sys.exit(1)


def check_embedded_model(settings: Settings) -> Finding:
    """The weights in the package are whole."""
    try:
        digest = hashlib.sha256((MODEL_FOLDER / "model.int8.onnx").read_bytes()).hexdigest()
    except OSError as error:
        return Finding("embedded model", str(error.strerror), "Install Groundswell again: its weights are missing.")
    if digest != _MODEL_SHA256:
        return Finding("embedded model", "damaged", "Install Groundswell again: its weights have changed.")
    return Finding("embedded model", "all-MiniLM-L6-v2, whole")


def check_chat_model(settings: Settings) -> Finding:
    """The chat model can be made and answers."""
    name = settings.chat_model
    if name == EMBEDDED:
        return Finding("chat model", "embedded: answers by extraction, knows English, needs no network")
    try:
        chat_model(name, temperature=0, max_tokens=5, timeout=10).invoke("Say OK.")
    except ModelUnavailable as error:
        return Finding("chat model", str(error), "Set the provider's key, or GROUNDSWELL_CHAT_MODEL=embedded.")
    except Exception as error:  # providers share no exception classes
        return Finding(
            "chat model", f"{name}: {failure_of(error)}", "Check the key, the base URL and the model's name."
        )
    return Finding("chat model", f"{name} answers")


def check_embeddings(settings: Settings) -> Finding:
    """The embedding model can be made and answers."""
    name = settings.embeddings
    if name == EMBEDDED:
        return Finding("embeddings", "embedded: all-MiniLM-L6-v2, English")
    try:
        dimensions = len(embedding_model(name).embed_query("OK"))
    except ModelUnavailable as error:
        return Finding("embeddings", str(error), "Set the provider's key, or GROUNDSWELL_EMBEDDINGS=embedded.")
    except Exception as error:  # providers share no exception classes
        return Finding(
            "embeddings", f"{name}: {failure_of(error)}", "Check the key, the base URL and the model's name."
        )
    return Finding("embeddings", f"{name}, {dimensions} dimensions")


def check_policy(settings: Settings) -> Finding:
    """The policy file can be read."""
    try:
        return Finding("policy", ", ".join(sorted(load_policies(settings.policy).domains)))
    except PolicyError as error:
        return Finding("policy", str(error), "Correct the file, or unset GROUNDSWELL_POLICY.")


def check_personal_data(settings: Settings) -> Finding:
    """Personal data of the classes that are named can be found."""
    try:
        guarding(settings)
    except PersonalUnavailable as error:
        return Finding("personal data", str(error), f"Install it: {MENDING}; or correct GROUNDSWELL_PII.")
    if not settings.pii:
        return Finding("personal data", "nothing is withheld by these settings")
    told = f"withheld: {', '.join(settings.pii)}"
    if "phone" in settings.pii:
        told += f"; numbers without a country code are read as of {', '.join(settings.pii_regions)}"
    return Finding("personal data", told)


def check_safety_model(settings: Settings) -> Finding:
    """The model of the safety check can be made."""
    try:
        model = safety_model(settings)
    except ModelUnavailable as error:
        return Finding("safety check", str(error), "Set the provider's key, or unset GROUNDSWELL_SAFETY_MODEL.")
    return Finding("safety check", "no model is asked" if model is None else f"by {settings.safety_model}")


def check_data_folder(settings: Settings) -> Finding:
    """The data folder can be written to, and its schema is known."""
    try:
        lock = DataLock(settings.data_dir)
        lock.acquire()
    except DataFolderHeld as held:
        return Finding("data folder", f"{settings.data_dir}, served at {held.url}" if held.url else str(held))
    except OSError as error:
        return Finding("data folder", f"{settings.data_dir}: {error.strerror}", "Choose another with --data-dir.")
    try:
        database = Database(settings.data_dir / DATABASE)
        collections = DocumentStore(database).collections()
        database.close()
    except DataFolderTooNew as error:
        return Finding("data folder", str(error), "Use the newer version, or another folder with --data-dir.")
    except DataFolderDamaged as error:
        return Finding("data folder", str(error), "Restore it from a backup, or use another folder with --data-dir.")
    finally:
        lock.release()
    holds = f"{settings.data_dir}, collections: {', '.join(collections) or 'none yet'}"
    absent = _fallback_collections(settings) - set(collections)
    if absent:
        told = f"{holds}; the policy falls back on {', '.join(sorted(absent))}, which is not there"
        return Finding("data folder", told, "Ingest into it, or correct fallback_collection in the policy file.")
    return Finding("data folder", holds)


def _fallback_collections(settings: Settings) -> set[str]:
    """Those a policy names; none of a file that cannot be read, which has a check of its own."""
    try:
        policies = load_policies(settings.policy).domains.values()
    except PolicyError:
        return set()
    return {policy.fallback_collection for policy in policies if policy.fallback_collection is not None}


def check_conversations(settings: Settings) -> Finding:
    """What was said in conversations can be read, and is there."""
    database, path = settings.data_dir / DATABASE, settings.data_dir / CHECKPOINTS
    restore = f"Stop the server and restore {CHECKPOINTS} and {DATABASE} from one backup"
    try:
        listed = _rows(database, "SELECT count(*) FROM threads WHERE turns > 0")[0][0] if database.exists() else 0
    except sqlite3.Error:  # the data folder has a check of its own
        return Finding("conversations", "not looked at")
    if not path.exists():
        if not listed:
            return Finding("conversations", "none yet")
        return Finding(
            "conversations",
            f"{path} is missing, with what was said in {listed}",
            f"{restore}; without one, they are empty after the next start.",
        )
    try:
        ((saw,),) = _rows(path, "PRAGMA quick_check(1)")
    except sqlite3.Error as error:
        saw = str(error)
    if saw != "ok":
        return Finding(
            "conversations",
            f"{path} cannot be read: {saw}",
            f"{restore}; without one, move it away: what was said, and drafts waiting for people, are lost with it.",
        )
    return Finding("conversations", f"{listed} with turns, readable")


def _rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path, timeout=5)) as connection:
        connection.execute("PRAGMA query_only = ON")
        return connection.execute(query).fetchall()


def check_address(settings: Settings) -> Finding:
    """The address is free, and safe without keys."""
    where = f"{settings.host}:{settings.port}"
    if not is_loopback(settings.host):
        return Finding("address", where, "Use 127.0.0.1: there are no API keys, so only this machine may ask.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError:
            return Finding("address", f"{where} is taken (by a running server, perhaps)")
    return Finding("address", f"{where} is free")


CHECKS: tuple[Check, ...] = (
    check_embedded_model,
    check_chat_model,
    check_embeddings,
    check_policy,
    check_personal_data,
    check_safety_model,
    check_data_folder,
    check_conversations,
    check_address,
)
