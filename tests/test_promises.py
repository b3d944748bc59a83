"""What is promised of every stream, proved on generated schedules of the log, and of questions on every route."""

import random
from collections import Counter
from collections.abc import Callable

import pytest

from tests.support import campaigns
from tests.support.promises import broken_promises
from tests.support.scenes import Scene, check_surface
from tests.support.schedules import (
    STATUS,
    TOKEN,
    accepted,
    citation,
    decision,
    final,
    lawful,
    reached,
    refinement,
    schedule,
    source,
    unlocked,
)
from tests.support.scripted import MoodyModel
from tests.support.streams import payloads
from tests.support.surfaces import SURFACES

EVERYTHING = {
    *("status_update", "source", "gate_decision", "thinking", "token", "partial_answer", "citation_attached"),
    *("refinement_update", "final_answer", "error", "pipeline_metric"),
    *("answered", "fallback", "review", "blocked"),
}


def prove(schedules: int, seed: int) -> None:
    """No schedule of so many gets past the log with a promise broken, and together they come to everything."""
    chance = random.Random(seed)
    came_to: Counter[str] = Counter()
    broken: Counter[str] = Counter()
    for _ in range(schedules):
        events = accepted(schedule(chance))
        broken.update(broken_promises(events))
        came_to.update(reached(events))
    assert not broken
    assert all(came_to[what] >= schedules / 100 for what in EVERYTHING), came_to


def test_no_schedule_of_the_log_breaks_a_promise() -> None:
    prove(3_000, seed=1)


@pytest.mark.slow
def test_no_schedule_of_a_hundred_thousand_has_a_token_before_an_open_gate() -> None:
    prove(100_000, seed=2)


def test_a_lawful_run_is_let_through_whole() -> None:
    chance = random.Random(3)
    for _ in range(500):
        run = lawful(chance)
        assert len(accepted(run)) == len(run)


def test_a_token_after_the_withdrawal_needs_one_of_its_own() -> None:
    run = [STATUS, source(1), decision("open"), TOKEN, refinement("retract"), TOKEN, final("fallback")]
    assert broken_promises(accepted(run)) == []


def test_the_proof_sees_what_a_log_without_a_lock_would_let_through() -> None:
    """The oracle itself: each line breaks one promise, and it says which."""
    broken = {
        "token under None": [STATUS, TOKEN],
        "token under review": [STATUS, decision("review"), TOKEN],
        "citation_attached cites what was not shown": [STATUS, decision("open"), citation(1)],
        "a source under verify_first": [STATUS, decision("verify_first"), source(1)],
        "more than one ending": [STATUS, final("fallback"), final("fallback")],
        "tokens before a refusal that did not withdraw them": [STATUS, decision("open"), TOKEN, final("fallback")],
        "an answer with no citations": [STATUS, decision("open"), final("answered")],
        "a second thought after blocked": [STATUS, decision("blocked"), decision("open")],
    }
    for promise, run in broken.items():
        assert promise in broken_promises(unlocked(run))


Settings = Callable[[int], tuple[Scene, MoodyModel]]


@pytest.fixture(scope="module")
def settings(play: Callable[..., Scene]) -> Settings:
    """The generated server of a number, started when it is first asked for."""
    started: dict[int, tuple[Scene, MoodyModel]] = {}

    def numbered(number: int) -> tuple[Scene, MoodyModel]:
        if number not in started:
            drawn, model = campaigns.setting(random.Random(number)), MoodyModel()
            asked = {**drawn.asks, "attempts": 2, "sufficiency_seconds": 20.0}
            scene = play(model, asked, policies=drawn.policies, classify_always=drawn.classify_always)
            started[number] = scene, model
        return started[number]

    return numbered


def ask_many(surface: str, questions: int, servers: int, settings: Settings) -> Counter[str]:
    """Ask generated questions on a surface; how they ended."""
    endings: Counter[str] = Counter()
    for number in range(questions):
        chance = random.Random(f"{surface} {number}")
        scene, model = settings(number % servers)
        model.mood, body = campaigns.mood(chance), campaigns.question(chance)
        seen, truth = scene.ask(SURFACES[surface], body)
        try:
            check_surface(seen, truth, sources_shown=body.get("include_sources", True))
        except AssertionError as failed:
            raise AssertionError(f"question {number}: {body}, {model.mood}") from failed
        endings.update(decision["verdict"] for decision in payloads(truth, "gate_decision"))
        endings.update(final["outcome"] for final in payloads(truth, "final_answer"))
    return endings


left_to_the_collector = pytest.mark.filterwarnings(
    # the openai package leaves generators of a stream that was given up to whichever thread collects them
    "ignore:Exception ignored in. <async_generator object:pytest.PytestUnraisableExceptionWarning"
)


@left_to_the_collector
@pytest.mark.parametrize("surface", SURFACES)
def test_no_question_on_any_route_breaks_a_promise(surface: str, settings: Settings) -> None:
    assert ask_many(surface, 10, 2, settings)


@pytest.mark.slow
@pytest.mark.timeout(900)
@left_to_the_collector
@pytest.mark.parametrize("surface", SURFACES)
def test_two_hundred_questions_on_every_route_break_no_promise(surface: str, settings: Settings) -> None:
    ended = ask_many(surface, 200, 8, settings)
    assert set(ended) == {"open", "expand", "verify_first", "fallback", "review", "blocked", "answered"}
