"""Measuring one set: index, search, ask, and turn what was seen into figures."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from evaluation import probabilities, replies, scoring
from evaluation.corpus import Track, unwatched
from evaluation.relevance import wanted
from evaluation.replies import Reply
from evaluation.resampling import Bootstrap, Figure, Unit
from evaluation.results import Figures, GateResult, SetResult
from evaluation.searches import DIFFICULTIES, Difficulty, Probabilities, Ranking, probe, rank
from evaluation.sets import QuestionSet
from graph.hub import Hub
from retrieval.library import Library


@dataclass(frozen=True, kw_only=True, slots=True)
class Measurement:
    """How sets are measured."""

    library: Library
    make_hub: Callable[[], Hub]
    """Called inside the event loop the hub is for."""
    collection: str
    thresholds: tuple[float, ...]
    """Of the gate, 0..1."""
    limit: int
    """Questions asked end to end, at most."""
    seed: int = 0
    track: Track = unwatched

    def measure(self, questions: QuestionSet, left_out: int = 0) -> SetResult:
        """Search for and ask a set's questions; its documents are in the collection already. Raises `Refusal`."""
        answered = asyncio.run(self._ask(questions))
        rankings = rank(self.library, self.collection, questions, self.track)
        probed = probe(self.library, self.collection, questions, self.track)
        bootstrap = Bootstrap(self.seed)
        return SetResult(
            name=questions.name,
            file=questions.path.name,
            digest=questions.digest,
            questions=len(questions.questions),
            documents=None if questions.corpus is None else len(questions.corpus),
            left_out=left_out,
            collection=self.collection,
            by_span=any(map(questions.by_span, questions.questions)),
            retrieval=_retrieval(bootstrap, questions, rankings),
            gate=tuple(
                _gate(bootstrap, probed, difficulty, self.thresholds)
                for difficulty in DIFFICULTIES
                if difficulty in probed.absent
            ),
            asked=len(answered),
            answers=_answers(bootstrap, questions, answered),
            latency=_latency(bootstrap, rankings, answered),
        )

    async def _ask(self, questions: QuestionSet) -> list[Reply]:
        chosen = replies.sample(questions.questions, self.limit, self.seed)
        return await replies.ask(self.make_hub, self.collection, chosen, self.track) if chosen else []


def _retrieval(bootstrap: Bootstrap, questions: QuestionSet, rankings: Sequence[Ranking]) -> Figures:
    sizes = [len(wanted(r.question, by_span=questions.by_span(r.question))) for r in rankings]
    figures = {f"hit@{k}": _mean(bootstrap, [scoring.hit(r.held, k) for r in rankings]) for k in (1, 3, 5, 10)}
    figures["nDCG@10"] = _mean(bootstrap, [scoring.ndcg(r.held, n) for r, n in zip(rankings, sizes, strict=True)])
    figures["MRR@10"] = _mean(bootstrap, [scoring.reciprocal_rank(r.held) for r in rankings])
    for k in (5, 10):
        recalls = [scoring.recall(r.held, n, k) for r, n in zip(rankings, sizes, strict=True)]
        figures[f"evidence recall@{k}, whole"] = _mean(bootstrap, [float(recall == 1.0) for recall in recalls])
        figures[f"evidence recall@{k}, in part"] = _mean(bootstrap, recalls)
    return figures


def _gate(
    bootstrap: Bootstrap, probed: Probabilities, difficulty: Difficulty, thresholds: Sequence[float]
) -> GateResult:
    absent = probed.absent[difficulty]
    strata = (len(probed.present), len(absent))
    told = np.array([*probed.present, *absent], np.float64)
    labels = np.repeat([1.0, 0.0], strata)
    both = {"labels": labels, "probabilities": told}
    figures = {
        "AUROC": bootstrap.figure(partial(probabilities.auroc, **both), strata),
        "ECE": bootstrap.figure(partial(probabilities.expected_calibration_error, **both), strata),
        "Brier score": bootstrap.figure(partial(probabilities.mean, values=(told - labels) ** 2), strata),
    }
    for threshold in thresholds:
        opened = (told >= threshold).astype(np.float64)
        right = (opened == labels).astype(np.float64)
        figures[f"accuracy at {threshold:.2f}"] = bootstrap.figure(partial(probabilities.mean, values=right), strata)
        figures[f"over-refusal at {threshold:.2f}"] = _mean(bootstrap, 1.0 - opened[: strata[0]])
        figures[f"false opens at {threshold:.2f}"] = _mean(bootstrap, opened[strata[0] :])
    return GateResult(difficulty=difficulty, figures=figures, labels=labels, probabilities=told)


def _answers(bootstrap: Bootstrap, questions: QuestionSet, asked: Sequence[Reply]) -> Figures:
    said = [contained for reply in asked if (contained := replies.answers_contained(reply))]
    cited = [relevant for reply in asked if (relevant := replies.citations_relevant(reply, questions))]
    finals = [reply.answered for reply in asked if reply.answered]
    shares: dict[str, list[float]] = {
        "answered, of the answerable": [bool(r.answered) for r in asked if r.question.answerable is not False],
        "answered, of the unanswerable": [bool(r.answered) for r in asked if r.question.answerable is False],
        "an expected answer contained": [any(contained) for contained in said],
        "expected answers contained": [sum(contained) / len(contained) for contained in said],
        "citation coverage": [final.citation_coverage for final in finals],
        "citation precision": [sum(relevant) / len(relevant) for relevant in cited],
        "groundedness": [final.groundedness_score for final in finals],
        "failed runs": [reply.final is None for reply in asked],
    }
    return {name: _mean(bootstrap, values) for name, values in shares.items() if values}


def _latency(bootstrap: Bootstrap, rankings: Sequence[Ranking], asked: Sequence[Reply]) -> Figures:
    metrics = [reply.metric for reply in asked if reply.metric is not None]
    times: dict[str, Sequence[float | None]] = {
        "search": [ranking.ms for ranking in rankings],
        "first source": [metric.time_to_first_source_ms for metric in metrics],
        "first token": [metric.time_to_first_token_ms for metric in metrics],
        "whole run": [metric.total_pipeline_ms for metric in metrics],
    }
    figures: dict[str, Figure] = {}
    for name, taken in times.items():
        values = np.array([ms for ms in taken if ms is not None], np.float64)
        for share in (0.50, 0.95):
            at = partial(probabilities.quantile, values=values, share=share)
            figures[f"{name} p{100 * share:.0f}"] = bootstrap.figure(at, (len(values),), "ms")
    return {name: figure for name, figure in figures.items() if figure.known}


def _mean(bootstrap: Bootstrap, values: Sequence[float] | probabilities.Floats, unit: Unit = "share") -> Figure:
    numbers = np.asarray(values, np.float64)
    return bootstrap.figure(partial(probabilities.mean, values=numbers), (len(numbers),), unit)
