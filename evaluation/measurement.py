"""Measuring one set: index, search, ask, and turn what was seen into figures."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from callbacks.answer import Judge
from chains.verify import lexical_judge
from evaluation import replies, scoring
from evaluation.corpus import Track, unwatched
from evaluation.decisions import LENIENT_SCORE, Gate, lenient
from evaluation.gating import answerable, gate_result
from evaluation.relevance import wanted
from evaluation.replies import Reply
from evaluation.resampling import Bootstrap, Figure
from evaluation.results import Figures, SetResult
from evaluation.searches import DIFFICULTIES, Ranking, probe, rank
from evaluation.sets import QuestionSet
from graph.hub import Hub
from graph.policy import Policy
from retrieval.library import Library


@dataclass(frozen=True, kw_only=True, slots=True)
class Measurement:
    """How sets are measured."""

    library: Library
    make_hub: Callable[[], Hub]
    """Called inside the event loop the hub is for."""
    collection: str
    policy: Policy
    """Its minimum score is one threshold of the gate."""
    embedded: bool
    """Whether the embedded model answers."""
    limit: int
    """Questions asked end to end, at most."""
    seed: int = 0
    track: Track = unwatched

    def measure(self, questions: QuestionSet, left_out: int = 0) -> SetResult:
        """Search for and ask a set's questions; its documents are in the collection already. Raises `Refusal`."""
        answered = asyncio.run(self._ask(questions))
        rankings = rank(self.library, self.collection, questions, self.track)
        gate = Gate(library=self.library, collection=self.collection, policy=lenient(self.policy))
        probed = probe(gate, questions, self.track)
        thresholds = tuple(dict.fromkeys([self.policy.min_score, LENIENT_SCORE]))
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
            answerable=answerable(bootstrap, probed.present, thresholds),
            gate=tuple(
                gate_result(bootstrap, probed, difficulty, thresholds)
                for difficulty in DIFFICULTIES
                if difficulty in probed.absent
            ),
            asked=len(answered),
            embedded=self.embedded,
            answers=_answers(bootstrap, questions, answered, self._judge()),
            latency=_latency(bootstrap, rankings, answered, [seen.ms for seen in probed.present]),
        )

    def _judge(self) -> Judge:
        return lexical_judge(self.library.idf(self.collection))

    async def _ask(self, questions: QuestionSet) -> list[Reply]:
        chosen = replies.sample(questions.questions, self.limit, self.seed)
        return await replies.ask(self.make_hub, self.collection, chosen, self.track) if chosen else []


def _retrieval(bootstrap: Bootstrap, questions: QuestionSet, rankings: Sequence[Ranking]) -> Figures:
    sizes = [len(wanted(r.question, by_span=questions.by_span(r.question))) for r in rankings]
    figures = {f"hit@{k}": bootstrap.mean([scoring.hit(r.held, k) for r in rankings]) for k in (1, 3, 5, 10)}
    figures["nDCG@10"] = bootstrap.mean([scoring.ndcg(r.held, n) for r, n in zip(rankings, sizes, strict=True)])
    figures["MRR@10"] = bootstrap.mean([scoring.reciprocal_rank(r.held) for r in rankings])
    for k in (5, 10):
        recalls = [scoring.recall(r.held, n, k) for r, n in zip(rankings, sizes, strict=True)]
        figures[f"evidence recall@{k}, whole"] = bootstrap.mean([recall == 1.0 for recall in recalls])
        figures[f"evidence recall@{k}, in part"] = bootstrap.mean(recalls)
    return figures


def _answers(bootstrap: Bootstrap, questions: QuestionSet, asked: Sequence[Reply], judge: Judge) -> Figures:
    said = [contained for reply in asked if (contained := replies.answers_contained(reply))]
    cited = [relevant for reply in asked if (relevant := replies.citations_relevant(reply, questions))]
    exact = [precise for reply in asked if (precise := replies.citations_precise(reply, judge))]
    finals = [reply.answered for reply in asked if reply.answered]
    shares: dict[str, list[float]] = {
        "answered, of the answerable": [bool(r.answered) for r in asked if r.question.answerable is not False],
        "answered, of the unanswerable": [bool(r.answered) for r in asked if r.question.answerable is False],
        "an expected answer contained": [any(contained) for contained in said],
        "expected answers contained": [sum(contained) / len(contained) for contained in said],
        "citation coverage": [final.citation_coverage for final in finals],
        "citation precision": [sum(precise) / len(precise) for precise in exact],
        "citations of a relevant document": [sum(relevant) / len(relevant) for relevant in cited],
        "groundedness": [final.groundedness_score for final in finals],
        "drafts changed by the refinement": [r.metric.refined for r in asked if r.metric and r.metric.tokens],
        "failed runs": [reply.final is None for reply in asked],
    }
    return {name: bootstrap.mean(values) for name, values in shares.items() if values}


def _latency(
    bootstrap: Bootstrap, rankings: Sequence[Ranking], asked: Sequence[Reply], deciding: Sequence[float]
) -> Figures:
    metrics = [reply.metric for reply in asked if reply.metric is not None]
    times: dict[str, Sequence[float | None]] = {
        "search": [ranking.ms for ranking in rankings],
        "gate decision": deciding,
        "first source": [metric.time_to_first_source_ms for metric in metrics],
        "first token": [metric.time_to_first_token_ms for metric in metrics],
        "first useful answer": [metric.time_to_first_useful_answer_ms for metric in metrics],
        "final answer": [metric.time_to_final_answer_ms for metric in metrics],
        "whole run": [metric.total_pipeline_ms for metric in metrics],
    }
    figures: dict[str, Figure] = {}
    for name, taken in times.items():
        for share, figure in bootstrap.times([ms for ms in taken if ms is not None]).items():
            figures[f"{name} {share}"] = figure
    return {name: figure for name, figure in figures.items() if figure.known}
