"""Refitting the confidence of a collection: by command, and by itself after large ingests."""

import hashlib
import logging
from pathlib import Path

from evaluation.calibration import figures, write_page
from retrieval.library import DOCS_COLLECTION, Library
from retrieval.refit import Refit, Sample, TooSmall, made_up, refit

log = logging.getLogger(__name__)

LARGE = 300
"""Passages from which on a collection is calibrated by itself."""
_GROWN = 1.5
"""How much it must have grown since the last time."""


def calibrate(library: Library, collection: str, sample: Sample, folder: Path) -> tuple[Refit, Path]:
    """Fit, use the better one of the fit and the shipped curve, and write the page.

    Raises `UnknownCollection` and `OSError`.
    """
    fitted = refit(sample)
    report = figures(fitted) | {"passages": float(library.count(collection)), "used": float(fitted.better)}
    library.calibrate(collection, fitted.after if fitted.better else fitted.before, report)
    page = folder / "calibration" / f"{hashlib.sha256(collection.encode()).hexdigest()[:12]}.html"
    write_page(fitted, collection, page)
    return fitted, page


def calibrate_when_grown(library: Library, collection: str, folder: Path, *, large: int = LARGE) -> None:
    """After an ingest: refit if the collection is large and has grown much since the last time."""
    size = library.sizes().get(collection, 0)
    report = library.stored.calibration_report(collection) or {}
    if collection == DOCS_COLLECTION or size < large or size < _GROWN * report.get("passages", 0):
        return
    try:
        fitted, page = calibrate(library, collection, made_up(library, collection), folder)
    except TooSmall as error:
        log.info("the confidence of %s was not refitted: %s", collection, error)
    except Exception:  # whatever becomes of it, the shipped curve is there
        log.exception("the confidence of %s could not be refitted", collection)
    else:
        log.info("the confidence of %s was %s, see %s", collection, "refitted" if fitted.better else "kept", page)
