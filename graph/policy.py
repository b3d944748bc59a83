"""Domain policies: how much evidence a domain wants before anything may be said."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Precheck = Literal["none", "classify", "full_slow_path", "human_review"]
Share = Annotated[float, Field(ge=0.0, le=1.0)]

DEFAULT_DOMAIN = "general"


class PolicyError(ValueError):
    """A policy file that cannot be used; the message names the place."""


class Policy(BaseModel):
    """The thresholds of one domain. Scores are calibrated probabilities, so they mean the same for every corpus."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    description: str = ""
    min_chunks: Annotated[int, Field(ge=1, le=20)] = 2
    """Passages above `floor`; never more than the collection has."""
    min_score: Share = 0.65
    """Of the evidence as a whole."""
    floor: Share = 0.30
    """What counts as a passage at all."""
    expand_k: Annotated[int, Field(ge=1, le=50)] = 20
    expand_min_score: Share = 0.50
    """What the evidence must reach after the wider search."""
    precheck: Precheck = "none"
    fallback_message: str | None = None


Policies = Mapping[str, Policy]

BUILT_IN: Policies = {
    DEFAULT_DOMAIN: Policy(description="Anything that no other domain covers."),
    "loan_guidelines": Policy(
        description="Rules and criteria for granting loans: eligibility, documentation, limits.",
        min_chunks=3,
        min_score=0.72,
        expand_min_score=0.72,
        precheck="classify",
    ),
    "balance_inquiries": Policy(
        description="What an account holds: balances, statements, recent transactions.", min_chunks=1, min_score=0.60
    ),
    "underwriting": Policy(
        description="Assessing the risk of an application: income, collateral, exceptions.",
        min_chunks=5,
        min_score=0.80,
        expand_min_score=0.80,
        precheck="full_slow_path",
    ),
    "rate_quotes": Policy(description="Interest rates and prices offered to a customer.", precheck="human_review"),
}


class PolicyFile(BaseModel):
    """The tables of a policy file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    classify: Literal[False] = False
    """Questions are not classified: their domain is the one they name."""
    domains: dict[str, dict[str, Any]] = {}


def load_policies(path: Path | None) -> Policies:
    """The built-in domains as a TOML file changes and adds to them. Raises `PolicyError`.

    What a table leaves out stays as it was built in, so that changing one threshold loosens no other.
    """
    if path is None:
        return BUILT_IN
    try:
        file = PolicyFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        changed = {name: _changed(name, table) for name, table in file.domains.items()}
        return {**BUILT_IN, **changed}
    except PolicyError as error:
        raise PolicyError(f"{path.name}: {error}") from error
    except ValidationError as error:
        raise PolicyError(f"{path.name}: {_told(error)}") from error
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise PolicyError(f"{path.name}: {error}") from error


def _changed(name: str, table: Mapping[str, Any]) -> Policy:
    built_in = BUILT_IN.get(name)
    try:
        return Policy.model_validate({**(built_in.model_dump() if built_in else {}), **table})
    except ValidationError as error:
        raise PolicyError(f"domains.{name}.{_told(error)}") from error


def _told(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}" for detail in error.errors())
