"""Every setting, with its default and its meaning. No other file reads the environment."""

import os
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from callbacks.personal import PersonalClass

Seconds = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
_SECRET = re.compile(r"(?:KEY|TOKEN|SECRET|PASSWORD)$", re.IGNORECASE)


class Settings(BaseSettings):
    """Read from `GROUNDSWELL_*` variables and from `.env`."""

    model_config = SettingsConfigDict(env_prefix="GROUNDSWELL_", env_file=".env", extra="ignore", frozen=True)

    host: str = Field("127.0.0.1", description="Address to listen on. Only loopback, as long as there are no API keys.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on.")
    data_dir: Path = Field(Path("data"), description="Where documents, passages and vectors are kept.")
    policy: Path | None = Field(None, description="A TOML file that changes and adds domain policies.")

    chat_model: str = Field(
        "embedded", description="`embedded`, or LangChain's provider:model, for example openai:gpt-4o-mini."
    )
    embeddings: str = Field(
        "embedded", description="`embedded`, or LangChain's provider:model, for example openai:text-embedding-3-small."
    )
    vector_store: str = Field(
        "faiss", description="`faiss`, `chroma`, or module:function of your own, for any LangChain vector store."
    )
    reranker: str | None = Field(
        None, description="A LangChain cross-encoder for the slow path: huggingface:model, or module:function."
    )
    nli: str | None = Field(
        None, description="A cross-encoder of entailment for doubtful sentences: huggingface:model, or module:function."
    )
    temperature: float = Field(0.0, ge=0, le=2, description="Of the chat model.")
    max_tokens: Count = Field(1000, description="The longest answer, in tokens of the chat model.")
    max_sentences: Count = Field(4, description="The longest answer of the embedded model, in sentences.")
    context_tokens: Count = Field(6000, description="How much evidence a prompt may hold, in tokens.")
    multi_query: bool = Field(True, description="Whether the chat model rewords the question for the wider search.")
    hyde: bool = Field(False, description="Whether the wider search also looks near an answer the chat model makes up.")
    verify: bool = Field(True, description="Whether the chat model settles what the first check leaves in doubt.")
    rewrite: bool = Field(True, description="Whether the chat model rewrites the question beside the first search.")

    safety_model: str | None = Field(
        None,
        description="Who checks whether passages and answers may be shown: provider:model, or `chat`: the chat model.",
    )
    pii: Annotated[list[PersonalClass], NoDecode] = Field(
        [],
        description="Personal data that is withheld, separated by commas: email, phone, credit_card, iban, ip, us_ssn.",
    )
    pii_regions: Annotated[list[str], NoDecode] = Field(
        ["US"], description="Countries whose telephone numbers are known without a + as well, such as US,DE."
    )

    planner_model: str | None = Field(
        None, description="Who plans deep research and its follow-up searches: provider:model; else the chat model."
    )
    writer_model: str | None = Field(
        None, description="Who writes the reports of deep research: provider:model; else the chat model."
    )
    report_tokens: Count = Field(3000, description="The longest report of deep research, in tokens of its writer.")
    deep_seconds: Seconds = Field(120, description="How long deep research may take.")
    deep_model_calls: Count = Field(40, description="How many calls of models deep research may make.")
    deep_tokens: Count = Field(150_000, description="How many tokens deep research may use, prompts and replies.")
    deep_sources: Count = Field(80, description="How many passages deep research may show.")
    deep_most_seconds: Seconds = Field(600, description="The most seconds a question may ask for in its budget.")
    deep_most_model_calls: Count = Field(200, description="The most model calls it may ask for.")
    deep_most_tokens: Count = Field(1_000_000, description="The most tokens it may ask for.")
    deep_most_sources: Count = Field(300, description="The most passages it may ask for.")
    plan_seconds: Seconds = Field(15, description="How long deep research waits for its plan.")
    branch_seconds: Seconds = Field(45, description="How long one part of deep research may be looked into.")

    rewrite_seconds: Seconds = Field(0.4, description="How long thin evidence waits for the rewrite.")
    classify_seconds: Seconds = Field(2, description="How long a question waits for the model to name its domain.")
    slow_path_seconds: Seconds = Field(8, description="How long the slow path may take.")
    expand_seconds: Seconds = Field(2, description="How long the wider search waits for the model's wordings.")
    sufficiency_seconds: float = Field(
        0.4,
        ge=0,
        description="How long the model may take to say whether the passages suffice; 0: not asked.",
    )
    verify_seconds: Seconds = Field(5, description="How long the model may take to settle doubtful sentences.")
    refine_seconds: Seconds = Field(10, description="How long a correction by the model may take.")
    safety_seconds: Seconds = Field(3, description="How long the safety check by a model may take.")
    section_seconds: Seconds = Field(30, description="How long the model may take for a section of a summary.")
    sections_at_once: Count = Field(4, description="Sections of one summary that are under way at once.")
    first_token_seconds: Seconds = Field(30, description="How long the model may think before its first token.")
    stall_seconds: Seconds = Field(20, description="The longest silence between two tokens of the model.")
    thinking_seconds: Seconds = Field(
        120, description="How much longer both may take while the thoughts of the model arrive."
    )
    attempts: Count = Field(3, description="Calls to a failing model, before its first token.")

    reconnect_grace: float = Field(10, ge=0, description="Seconds a run goes on after its last reader left.")
    shutdown_grace: float = Field(20, ge=0, description="Seconds runs may go on after SIGTERM.")
    keep_seconds: Seconds = Field(600, description="Seconds a finished run stays readable.")
    heartbeat_seconds: Seconds = Field(10, description="Seconds of silence after which a stream sends a comment.")
    max_runs: Count = Field(64, description="Questions answered at once; more get 503.")
    slow_paths_at_once: Count = Field(2, description="Slow paths under way at once; others wait, readers first.")
    max_body_bytes: Count = Field(1024 * 1024, description="The largest body of a question.")
    max_upload_bytes: Count = Field(64 * 1024 * 1024, description="The largest body with documents.")
    allowed_hosts: Annotated[list[str], NoDecode] = Field(
        [], description="Names besides localhost the server answers to, separated by commas, for a proxy in front."
    )
    max_batch: Count = Field(32, description="The most inputs of a LangServe batch.")
    max_jobs: Count = Field(8, description="Ingestion jobs under way at once; more get 503.")
    auto_calibrate: bool = Field(True, description="Whether the confidence is refitted after large ingests.")
    parse_seconds: Count = Field(120, description="How long reading one document may take.")
    parse_memory_bytes: Count = Field(2 * 1024**3, description="How much memory reading a document may take.")
    max_data_bytes: Count | None = Field(None, description="The largest database; beyond it uploads get 507.")
    min_free_bytes: int = Field(
        256 * 1024 * 1024, ge=0, description="Disk space that uploads leave free; beyond it they get 507."
    )
    langserve: bool = Field(True, description="Whether /rag and /rag-chat are served.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="How much is logged.")

    @field_validator("allowed_hosts", "pii", "pii_regions", mode="before")
    @classmethod
    def _separated(cls, value: object) -> object:
        return [name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else value


def own_secrets() -> tuple[str, ...]:
    """The values of environment variables that are named like keys: no answer may hold one of them."""
    return tuple(value for name, value in os.environ.items() if value and _SECRET.search(name))


def shown_default(setting: FieldInfo) -> str:
    """The default of a setting as it would be written in `.env`."""
    default = setting.default
    if default is None:
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    return ",".join(default) if isinstance(default, list) else str(default)


def env_example() -> str:
    """The text of `.env.example`: every setting with its meaning, commented out at its default."""
    lines = [
        "# Every setting of Groundswell at its default. Generated: `make fix` after a change to server/settings.py."
    ]
    for name, setting in Settings.model_fields.items():
        lines += ["", f"# {setting.description}", f"#GROUNDSWELL_{name.upper()}={shown_default(setting)}"]
    lines += [
        "",
        "# Providers read their own variables. A key alone switches no model on.",
        "#OPENAI_API_KEY=",
        "#OPENAI_BASE_URL=",
        "#ANTHROPIC_API_KEY=",
    ]
    return "\n".join(lines) + "\n"
