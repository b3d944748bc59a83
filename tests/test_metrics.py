"""What is counted of runs, for Prometheus and for the reader of one stream."""

from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from graph.policy import BUILT_IN, Rule
from tests.support.live import FailsDeeper
from tests.support.scenes import Scene
from tests.support.scripted import saying
from tests.support.streams import Envelope, payloads
from tests.support.surfaces import SURFACES
from tests.support.upstream import Reply

QUESTION = "Who built the Aldermoor lighthouse?"
UNANSWERABLE = "Who won the Zanzibar regatta in 1997?"
GOOD = "The lighthouse was built in 1874 by the engineer Greta Holm [1.1]."
BABBLE = "Martians founded a colony of purple cheese [1.1]. Everybody agrees [2.1]."
POLICIES = {
    **BUILT_IN,
    "general": BUILT_IN["general"].model_copy(
        update={"rules": (Rule(name="secrets", pattern="password", action="deny"),)}
    ),
    "underwriting": BUILT_IN["underwriting"].model_copy(update={"min_chunks": 1}),
}

Counts = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def counts(scene: Scene) -> Counts:
    """Every sample of `/metrics`."""
    response = scene.caller.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = list(text_string_to_metric_families(response.text))
    assert all(family.documentation for family in families)
    samples = [sample for family in families for sample in family.samples]
    return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in samples}


def moved(scene: Scene, **body: Any) -> tuple[dict[str, float], list[Envelope]]:
    """Which counters a question has moved, by how much, and its events."""
    before = counts(scene)
    events = scene.events(**body)
    after = counts(scene)
    grown = {key: value - before.get(key, 0.0) for key, value in after.items()}
    named = {f"{name}{{{','.join(f'{k}={v}' for k, v in labels)}}}": by for (name, labels), by in grown.items() if by}
    assert not [key for key in named if "first_tokens" in key and "false" in key]
    told = {key.removeprefix("groundswell_"): by for key, by in named.items() if "_created" not in key}
    return told, events


@pytest.mark.parametrize(
    ("text", "body", "outcome", "verdicts", "tokens"),
    [
        (GOOD, {}, "answered", ["general,verdict=open"], True),
        (BABBLE, {}, "fallback", ["general,verdict=open"], True),
        (GOOD, {"query": UNANSWERABLE}, "fallback", ["general,verdict=expand", "general,verdict=fallback"], False),
        (GOOD, {"query": "The password?"}, "blocked", ["general,verdict=blocked"], False),
        (GOOD, {"domain": "rate_quotes"}, "review", ["rate_quotes,verdict=review"], False),
        (
            GOOD,
            {"domain": "underwriting"},
            "answered",
            ["underwriting,verdict=verify_first", "underwriting,verdict=open"],
            True,
        ),
    ],
)
def test_every_run_is_counted_by_how_it_ended_and_what_the_gate_said(
    text: str,
    body: dict[str, str],
    outcome: str,
    verdicts: list[str],
    tokens: bool,
    stage: Callable[..., Scene],
) -> None:
    scene = stage(saying(answer=text), policies=POLICIES)
    by, events = moved(scene, **{"query": QUESTION} | body)
    assert {key: value for key, value in by.items() if key.startswith("runs_total")} == {
        f"runs_total{{outcome={outcome}}}": 1
    }
    decided = {f"gate_decisions_total{{domain={verdict}}}": 1 for verdict in verdicts}
    assert {key: value for key, value in by.items() if key.startswith("gate_decisions")} == decided
    firsts = {"first_tokens_total{grounded=true}": 1} if tokens else {}
    assert {key: value for key, value in by.items() if key.startswith("first_tokens")} == firsts
    assert by.get("tokens_total{}", 0) == len(payloads(events, "token"))
    assert by.get("time_to_first_token_seconds_count{}", 0) == tokens
    assert by["time_to_final_answer_seconds_count{}"] == 1
    metric = payloads(events, "pipeline_metric")[0]
    assert metric["gate_verdicts"] == [verdict.split("=")[1] for verdict in verdicts]
    assert metric.get("grounded_before_first_token") is (True if tokens else None)


def test_runs_with_tokens_and_grounded_first_tokens_are_as_many_and_ungrounded_ones_never_appear(
    stage: Callable[..., Scene],
) -> None:
    scene = stage(saying(answer=GOOD), policies=POLICIES)
    spoke = sum(bool(payloads(scene.events(query=asked), "token")) for asked in [QUESTION, UNANSWERABLE, QUESTION])
    grounded = [labels for (name, labels) in counts(scene) if name == "groundswell_first_tokens_total"]
    assert spoke == 2
    assert grounded == [(("grounded", "true"),)]


def test_an_answer_is_measured_and_so_is_its_stream(stage: Callable[..., Scene]) -> None:
    scene = stage(saying(answer=f"{GOOD} Dolphins funded its purple roof [1.1, 99.9]."), policies=POLICIES)
    by, events = moved(scene, query=QUESTION)
    metric, final = payloads(events, "pipeline_metric")[0], payloads(events, "final_answer")[0]
    for name in ("groundedness", "citation_coverage", "citation_precision", "citation_support"):
        assert 0.0 <= metric[name] <= 1.0
        assert by[f"{name}_count{{}}"] == 1
        assert by[f"{name}_sum{{}}"] == pytest.approx(metric[name])
    assert metric["groundedness"] == final["groundedness_score"]
    assert metric["citation_coverage"] == final["citation_coverage"]
    assert metric["citation_precision"] == metric["citation_support"] == 1.0  # of what stands
    assert metric["unknown_citations"] == final["unknown_citations"] == by["unknown_citations_total{}"] == 1
    assert metric["gate_verdicts"] == ["open"]
    assert metric["grounded_before_first_token"] is True
    assert (by["sentences_total{support=supported}"], by["sentences_total{support=unsupported}"]) == (1, 1)
    assert by["refinements_total{action=patch}"] == 1
    assert by["model_calls_total{}"] == metric["model_calls"]


@pytest.mark.parametrize("body", [{"query": UNANSWERABLE}, {"query": "The password?"}, {"domain": "rate_quotes"}])
def test_the_figures_of_an_answer_are_left_out_where_there_is_none(
    body: dict[str, str], stage: Callable[..., Scene]
) -> None:
    by, events = moved(stage(saying(answer=GOOD), policies=POLICIES), **{"query": QUESTION} | body)
    metric = payloads(events, "pipeline_metric")[0]
    assert not {"groundedness", "citation_coverage", "citation_precision", "citation_support"} & set(metric)
    assert "grounded_before_first_token" not in metric
    assert "groundedness_count{}" not in by


def test_failures_are_counted_by_their_code_and_whether_the_run_survived(
    stage: Callable[..., Scene], library: Any
) -> None:
    scene = stage(saying(answer=Reply(status=400)), policies=POLICIES)
    by, _ = moved(scene, query=QUESTION)
    assert by["errors_total{code=model_rejected,fatal=true}"] == 1
    assert by["runs_total{outcome=error}"] == 1
    scene = stage(saying(answer=GOOD), library=FailsDeeper(library))
    by, _ = moved(scene, query=QUESTION)
    assert by["errors_total{code=slow_path_failed,fatal=false}"] == 1
    assert by["runs_total{outcome=answered}"] == 1


def test_runs_of_every_route_are_counted_alike(stage: Callable[..., Scene]) -> None:
    scene = stage(saying(answer=GOOD), policies=POLICIES)
    key = ("groundswell_runs_total", (("outcome", "answered"),))
    before = counts(scene).get(key, 0)
    for surface in SURFACES.values():
        scene.ask(surface, {"query": QUESTION})
    assert counts(scene)[key] == before + len(SURFACES)


def test_passages_and_runs_under_way_are_shown_as_they_are(stage: Callable[..., Scene], library: Any) -> None:
    shown = counts(stage(saying(answer=GOOD), policies=POLICIES))
    assert shown["groundswell_runs_active", ()] == 0
    for name, size in library.sizes().items():
        assert shown["groundswell_passages", (("collection", name),)] == size


def test_no_question_or_answer_is_in_the_metrics(stage: Callable[..., Scene]) -> None:
    scene = stage(saying(answer=GOOD), policies=POLICIES)
    scene.events(query=f"{QUESTION} xylophone")
    told = scene.caller.get("/metrics").text
    assert "xylophone" not in told
    assert "Greta" not in told
