"""Figures of all runs in Prometheus' exposition format; each server counts in a registry of its own."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from callbacks.events import Error, GateDecision, Payload, PipelineMetric, RefinementUpdate
from graph.hub import Hub
from graph.readership import Reading
from graph.run import Run
from retrieval.library import Library
from server.standing import LastRuns

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60)
_SHARES = (0.1, 0.25, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.999, 1.0)


class _State(Collector):
    """What is so at the moment of the question."""

    def __init__(self, hub: Hub, library: Library) -> None:
        self._hub = hub
        self._library = library

    def collect(self) -> Iterable[Metric]:
        active = GaugeMetricFamily("groundswell_runs_active", "Runs under way.")
        active.add_metric([], len(self._hub.active()))
        passages = GaugeMetricFamily("groundswell_passages", "Passages in each collection.", labels=["collection"])
        for name, size in self._library.sizes().items():
            passages.add_metric([name], size)
        return [active, passages]


class _Standings(Collector):
    """The figures of the last runs beside their targets."""

    def __init__(self, last: LastRuns) -> None:
        self._last = last

    def collect(self) -> Iterable[Metric]:
        about = {
            "value": "Figures over the last runs; absent where there is nothing to tell.",
            "target": "What the figures over the last runs are to reach.",
            "runs": "Over how many runs a figure is; under 20 it tells nothing yet.",
            "met": "Whether a figure reaches its target: 1 or 0; absent where it has none or there are too few runs.",
        }
        gauges = {
            name: GaugeMetricFamily(f"groundswell_last_runs_{name}", text, labels=["figure"])
            for name, text in about.items()
        }
        for figure, standing in self._last.standings().items():
            known = {"value": standing.value, "target": standing.target, "runs": standing.runs, "met": standing.met}
            for name, value in known.items():
                if value is not None:
                    gauges[name].add_metric([figure], float(value))
        return gauges.values()


class Metrics:
    """Counts what finished runs have published. Nothing is counted while tokens stream."""

    def __init__(self, hub: Hub, library: Library) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_State(hub, library))
        self.last = LastRuns()
        self._registry.register(_Standings(self.last))
        hub.watch(self.observe)
        hub.readership.watch(self._read)
        self._runs = self._counter("runs", "Runs by how they ended.", "outcome")
        self._gate = self._counter("gate_decisions", "Decisions of the grounding gate.", "domain", "verdict")
        self._first_tokens = self._counter(
            "first_tokens", "First tokens, by whether an open gate came before; false would be a bug.", "grounded"
        )
        self._sentences = self._counter("sentences", "Sentences of drafts, by their last verdict.", "support")
        self._refinements = self._counter("refinements", "What became of drafts.", "action")
        self._triggers = self._counter("refinement_triggers", "What made drafts change.", "trigger")
        self._readings = self._counter(
            "readings", "Runs by whether whoever asked stayed until the answer, or else when they left.", "reading"
        )
        self._errors = self._counter("errors", "Failures that were told, fatal or not.", "code", "fatal")
        self._unknown = self._counter("unknown_citations", "Citations of models that no passage has.")
        self._tokens = self._counter("tokens", "Token events.")
        self._calls = self._counter("model_calls", "Calls to chat models.")
        self._times = {
            name: self._histogram(f"{name}_seconds", about, _SECONDS)
            for name, about in {
                "time_to_first_source": "From the question to its first source.",
                "time_to_first_token": "From the question to its first token.",
                "time_to_first_useful_answer": "From the question to the first supported sentence.",
                "time_to_final_answer": "From the question to the final answer.",
            }.items()
        }
        self._shares = {
            name: self._histogram(name, about, _SHARES)
            for name, about in {
                "groundedness": "Mean support of the sentences of an answer.",
                "citation_coverage": "Share of an answer's sentences that cite something.",
                "citation_precision": "Share of an answer's citations that speak for their sentence.",
                "citation_support": "Share of an answer's sentences that their citations support.",
            }.items()
        }

    def exposition(self) -> bytes:
        """Everything counted so far."""
        return generate_latest(self._registry)

    def observe(self, run: Run) -> None:
        """Take note of a run that has ended."""
        self._runs.labels(run.outcome).inc()
        for entry in run.log.entries:
            self._count(entry.event.payload, run)
        for sentence in run.sentences:
            self._sentences.labels(sentence.support).inc()
        if run.work.answers:
            self.last.observe(run)

    def _read(self, run: Run, reading: Reading) -> None:
        self._readings.labels(reading).inc()
        if run.work.answers:
            self.last.read(reading)

    def _count(self, payload: Payload, run: Run) -> None:
        match payload:
            case GateDecision():
                self._gate.labels(payload.domain, payload.verdict).inc()
            case RefinementUpdate():
                self._refinements.labels(payload.action).inc()
                for trigger in payload.triggers or ():
                    self._triggers.labels(trigger).inc()
            case Error():
                self._errors.labels(payload.code, str(payload.fatal).lower()).inc()
            case PipelineMetric():
                self._measure(payload, run)

    def _measure(self, metric: PipelineMetric, run: Run) -> None:
        self._tokens.inc(metric.tokens)
        self._calls.inc(metric.model_calls)
        self._unknown.inc(metric.unknown_citations or 0)
        if metric.grounded_before_first_token is not None:
            self._first_tokens.labels(str(metric.grounded_before_first_token).lower()).inc()
        for name, histogram in self._times.items():
            taken = getattr(metric, f"{name}_ms")
            if taken is not None and run.work.answers:
                histogram.observe(taken / 1000)
        for name, histogram in self._shares.items():
            share = getattr(metric, name)
            if share is not None:
                histogram.observe(share)

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(f"groundswell_{name}", about, labels, registry=self._registry)

    def _histogram(self, name: str, about: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(f"groundswell_{name}", about, buckets=buckets, registry=self._registry)
