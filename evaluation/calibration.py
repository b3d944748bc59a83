"""How good a refitted confidence is: figures, and a page with the reliability plot."""

import os
from html import escape
from pathlib import Path

import numpy as np

from evaluation import plots
from evaluation.page import STYLE
from evaluation.probabilities import auroc, expected_calibration_error, reliability
from retrieval.calibration import Platt
from retrieval.refit import Refit, probabilities


def figures(refit: Refit) -> dict[str, float]:
    """What is remembered of a refit. The error after is on questions the curve was not fitted on, the ECE on all."""
    sample = refit.sample
    ones = np.ones((1, len(sample.labels)))
    separated = auroc(ones, labels=sample.labels, probabilities=probabilities(refit.after, sample.features))
    return {
        "questions": len(sample.answerable),
        "auroc": round(float(separated[0]), 4),
        "ece_before": round(_ece(refit, refit.before), 4),
        "ece_after": round(_ece(refit, refit.after), 4),
        "held_out_log_loss_before": round(refit.loss_before, 4),
        "held_out_log_loss_after": round(refit.loss_after, 4),
        "slope": round(refit.after.slope, 3),
        "offset": round(refit.after.offset, 3),
    }


def write_page(refit: Refit, collection: str, path: Path) -> None:
    """Write the page aside, then put it in place. Raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(_page(refit, collection), encoding="utf-8")
    aside.replace(path)


def _page(refit: Refit, collection: str) -> str:
    curves = {"before": refit.before, "after": refit.after}
    labels, features = refit.sample.labels, refit.sample.features
    bins = {name: reliability(labels, probabilities(curve, features)) for name, curve in curves.items()}
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{value}</td></tr>" for name, value in figures(refit).items())
    verdict = "is in use" if refit.better else "is not used: it was no better on questions it had not seen"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Calibration</title>'
        f"<style>{STYLE.read_text(encoding='utf-8')}</style></head><body><h1>Calibration of {escape(collection)}</h1>"
        f'<p>The fitted curve {verdict}.</p><div class="plots">'
        f"{plots.reliability('Reliability of the probability', bins)}</div>"
        f'<div class="tables"><table><tbody>{rows}</tbody></table></div></body></html>\n'
    )


def _ece(refit: Refit, curve: Platt) -> float:
    sample = refit.sample
    told = probabilities(curve, sample.features)
    return float(expected_calibration_error(np.ones((1, len(told))), labels=sample.labels, probabilities=told)[0])
