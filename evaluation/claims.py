"""Claims sets: what is claimed, the evidence, and what people say of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field

from evaluation.sets import Line, SetError, digest, lines, named

Label = Literal["supported", "partially_supported", "not_supported", "refuted"]
LABELS: tuple[Label, ...] = get_args(Label)


class Claim(Line):
    """A claim with its evidence."""

    id: str
    claim: Annotated[str, Field(min_length=1, pattern=r"\S")]
    evidence: tuple[str, ...]
    """Sentences: those that are cited, or those of the page that is."""
    label: Label
    """What people say of the claim, given the evidence."""
    supporting: tuple[tuple[int, ...], ...] = ()
    """Groups of the evidence, counted from 0; each group alone is enough."""
    retrieved: tuple[str, ...] = ()
    """Other sentences of the page the evidence is from; the evidence may be among them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimSet:
    """Claims that are measured together."""

    name: str
    path: Path
    digest: str
    """Of the file: the first 12 digits of its SHA-256."""
    claims: tuple[Claim, ...]


def read_claims(path: Path) -> ClaimSet:
    """Read a claims file. Raises `SetError`, and `OSError` for a file that is not there."""
    name, _ = named(path)
    claims = []
    for number, claim in lines(path, Claim):
        unknown = [at for group in claim.supporting for at in group if not 0 <= at < len(claim.evidence)]
        if unknown:
            raise SetError(f"{path}:{number}: supporting: there is no evidence {unknown[0]}")
        claims.append(claim)
    if not claims:
        raise SetError(f"{path}: there are no claims in it")
    return ClaimSet(name=name, path=path, digest=digest(path), claims=tuple(claims))
