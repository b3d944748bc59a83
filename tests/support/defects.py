"""Defects put in on purpose: each is made in a copy of the code, where a test must fail.

python -m tests.support.defects [NAME...]
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent.parent
SURFACE = "tests/test_surfaces.py::test_every_verdict_is_the_same_on_every_surface"
SCHEDULES = "tests/test_promises.py::test_no_schedule_of_the_log_breaks_a_promise"
DEGRADES = "tests/test_slow_path.py::test_the_draft_is_complete_and_one_error_names_the_step_that_failed"
CLOSES = "tests/test_slow_path.py::test_where_the_slow_path_has_to_pass_a_failed_step_closes_the_gate"
_PASSED, _FAILED = 0, 1
_AT_ONCE = 2
_NOT_COPIED = shutil.ignore_patterns("__pycache__", "models")


@dataclass(frozen=True)
class Edit:
    """A piece of text, which a file must hold so many times, and what takes its place."""

    file: str
    old: str
    new: str
    times: int = 1

    def apply(self, root: Path) -> None:
        """Raises `ValueError` if the text is not there just so often: the code has moved on, and so must the defect."""
        path = root / self.file
        text = path.read_text(encoding="utf-8")
        found = text.count(self.old)
        if found != self.times:
            raise ValueError(f"{self.file} holds {found} times, not {self.times}: {self.old.strip()}")
        path.write_text(text.replace(self.old, self.new), encoding="utf-8")


@dataclass(frozen=True)
class Defect:
    """What is done to the code, and the fewest tests that must notice."""

    tests: Sequence[str]
    edits: Sequence[Edit]


DEFECTS: Mapping[str, Defect] = {
    "the log has no lock": Defect(
        [SCHEDULES],
        [Edit("callbacks/grammar.py", '_require(self.open, "a token needs an open gate")', "pass")],
    ),
    "a closed gate opens again": Defect(
        [SCHEDULES],
        [Edit("callbacks/grammar.py", '_require(self.verdict not in _CLOSED, "a refusal is final")', "pass")],
    ),
    "sources are shown under any verdict": Defect(
        [SCHEDULES],
        [Edit("callbacks/grammar.py", 'self.verdict not in _HIDING, "no', 'True, "no')],
    ),
    "events follow the ending": Defect(
        [SCHEDULES],
        [Edit("callbacks/grammar.py", "        if self.ended:\n", "        if False:\n")],
    ),
    "tokens need no withdrawal before a fallback": Defect(
        [SCHEDULES],
        [Edit("callbacks/grammar.py", "not self.tokens or self.retracted", "True")],
    ),
    "a citation needs no source": Defect(
        [SCHEDULES],
        [Edit("callbacks/grammar.py", "self.sources.get(citation.source_id) == citation.index", "True")],
    ),
    "the draft is heard before the gate": Defect(
        ["tests/test_sufficiency.py::test_what_was_written_before_the_gate_opened_is_heard_after_it"],
        [Edit("callbacks/handlers.py", "if not self._opened.is_set():", "if False:", times=2)],
    ),
    "the decision is told before it is made": Defect(
        ["tests/test_sufficiency.py::test_insufficient_passages_close_the_gate_and_not_a_word_of_the_draft_leaves"],
        [
            Edit(
                "graph/nodes/gate.py",
                "        sufficient, reason = await _suffices(",
                "        await report(decision)\n        sufficient, reason = await _suffices(",
            )
        ],
    ),
    "a refused draft is written on": Defect(
        ["tests/test_sufficiency.py::test_the_provider_is_rid_of_a_refused_draft_before_the_search_goes_on"],
        [Edit("graph/nodes/gate.py", "        await context.draft.drop()\n", "")],
    ),
    "insufficiency is ignored": Defect(
        ["tests/test_surfaces.py::test_what_the_model_finds_insufficient_is_refused_on_every_kind_of_surface"],
        [Edit("graph/nodes/gate.py", "(sufficient is False or not prompt)", "not prompt")],
    ),
    "an empty prompt opens the gate": Defect(
        ["tests/test_sufficiency.py::test_the_gate_stays_closed_where_no_prompt_can_be_made"],
        [Edit("graph/nodes/gate.py", "(sufficient is False or not prompt)", "sufficient is False")],
    ),
    "an untagged call is published": Defect(
        ["tests/test_sufficiency.py::test_only_calls_with_the_tag_of_the_answer_are_heard"],
        [
            Edit("callbacks/handlers.py", "if ANSWER_TAG in (tags or ()):", "if True:"),
            Edit("callbacks/handlers.py", 'begin(told["rows"]', 'begin(told.get("rows", ())'),
        ],
    ),
    "an unknown citation is accepted": Defect(
        ["tests/test_citations.py::test_an_unknown_citation_is_dropped_counted_and_told_with_its_sentence"],
        [
            Edit(
                "callbacks/answer.py",
                "        if not 1 <= reference.passage <= len(self.rows)",
                "        reference = Reference(min(reference.passage, len(self.rows)), reference.sentence)\n"
                "        if not 1 <= reference.passage <= len(self.rows)",
            )
        ],
    ),
    "a quote is the model's words": Defect(
        ["tests/test_answer_stream.py::test_markers_replace_what_the_model_cites_and_quotes_are_the_documents"],
        [Edit("callbacks/answer.py", "            quote=quote,\n", "            quote=self._current(),\n")],
    ),
    "nobody guards what a model writes": Defect(
        ["tests/test_leaks.py::test_nothing_of_what_a_bad_model_writes_leaves[link]"],
        [Edit("callbacks/answer.py", "text if self._guard is None else self._guard.feed(text)", "text")],
    ),
    "a link may begin like one of a passage": Defect(
        ["tests/test_guard.py::test_no_link_to_elsewhere_leaves_in_whatever_form"],
        [Edit("callbacks/links.py", "url in self._known", "any(url.startswith(known) for known in self._known)")],
    ),
    "a held-back end of a word is let go": Defect(
        ["tests/test_guard.py::test_any_split_of_what_a_bad_model_writes_lets_the_same_through"],
        [Edit("callbacks/scanner.py", "return undecided.start() if undecided else len(text)", "return len(text)")],
    ),
    "a recital backwards is let through": Defect(
        ["tests/test_guard.py::test_the_instructions_are_not_recited"],
        [Edit("callbacks/recital.py", "(plain, plain[::-1], rotated, rotated[::-1])", "(plain, rotated)")],
    ),
    "a quote shows personal data": Defect(
        ["tests/test_leaks.py::test_personal_data_is_withheld_in_the_answer_and_blacked_out_in_what_it_shows"],
        [Edit("callbacks/blackout.py", 'update={"quote": mask(citation.quote)}', "update={}")],
    ),
    "a weak citation stays where it is": Defect(
        ["tests/test_citations.py::test_a_weak_citation_is_pointed_to_the_sentence_that_supports_it"],
        [Edit("callbacks/answer.py", "better = self._better(place)", "better = None")],
    ),
    "the draft swallows a cancellation": Defect(
        ["tests/test_runs.py::test_cancel_ends_the_stream_with_an_error_that_says_so"],
        [
            Edit(
                "graph/writing.py",
                "        except Exception as error:",
                "        except BaseException as error:",
            )
        ],
    ),
    "the run swallows a cancellation": Defect(
        ["tests/test_runs.py::test_cancel_ends_the_stream_with_an_error_that_says_so"],
        [
            Edit(
                "graph/run.py",
                "        except asyncio.CancelledError:\n            self._stopped()",
                '        except asyncio.CancelledError:\n            self.state = "done"',
            )
        ],
    ),
    "sources are shown before the check": Defect(
        [f"{SURFACE}[verify_first-fallback-post]"],
        [Edit("graph/nodes/retrieve.py", "wave = {} if held_back else {", "wave = {} if False else {")],
    ),
    "a person's domain is searched": Defect(
        [f"{SURFACE}[review-domain-post]"],
        [Edit("graph/build.py", 'return ["review"] if ', 'return ["review"] if False and ')],
    ),
    "rules are not looked at": Defect(
        [f"{SURFACE}[blocked-deny-post]"],
        [Edit("graph/build.py", "    if rule is not None:\n", "    if False:\n")],
    ),
    "the caller's domain is believed": Defect(
        ["tests/test_surfaces.py::test_a_rate_quote_asked_as_general_waits_for_a_person_on_every_route[post]"],
        [
            Edit(
                "graph/nodes/admit.py",
                "if rule is None and (collaborators",
                "if rule is None and named is None and (collaborators",
            )
        ],
    ),
    "classification ignores the caller": Defect(
        ["tests/test_surfaces.py::test_a_caller_can_make_the_policy_stricter[post]"],
        [Edit("graph/domains.py", "*([named] if named is not None else [])", "")],
    ),
    "the laxer of two domains applies": Defect(
        ["tests/test_surfaces.py::test_a_caller_can_make_the_policy_stricter[post]"],
        [
            Edit(
                "graph/domains.py",
                "    policy = reduce(stricter,",
                "    domain = min(names, key=lambda name: strictness(policies[name]))\n"
                "    names = [domain]\n"
                "    policy = reduce(stricter,",
            )
        ],
    ),
    "a draft is dropped without a word": Defect(
        ["tests/test_models.py::test_a_draft_that_nothing_supports_is_retracted_into_the_fallback_whatever_it_claims"],
        [
            Edit(
                "graph/nodes/refine.py",
                '    await report(update)\n    return _result(update, "fallback", [])',
                '    return _result(update, "fallback", [])',
            )
        ],
    ),
    "what the slower judge says is not told": Defect(
        ["tests/test_tier_two.py::test_a_doubtful_sentence_that_the_model_bears_out_stands"],
        [Edit("graph/nodes/verify.py", "        await report(restated)\n", "")],
    ),
    "a draft for a person is read before it is released": Defect(
        ["tests/test_surfaces.py::test_what_a_model_drafts_for_a_person_leaves_on_no_surface[review-domain-run]"],
        [
            Edit(
                "graph/released.py",
                "refusal(review.told, ",
                'refusal(review.item.get("draft", {}).get("answer", review.told), ',
            )
        ],
    ),
    "a second decision overrides the first": Defect(
        ["tests/test_reviews.py::test_a_decision_stands"],
        [Edit("retrieval/reviews.py", " AND state = 'waiting' AND (drafted", " AND (drafted")],
    ),
    "a release forgets the citations": Defect(
        ["tests/test_reviews.py::test_an_approved_draft_is_released_as_the_reviewer_saw_it"],
        [
            Edit(
                "graph/review.py",
                'return FinalAnswer.model_validate(state["draft"])',
                'return refusal(state["draft"]["answer"], domain=domain, outcome="review")',
            )
        ],
    ),
    "a model reads what a document orders it": Defect(
        ["tests/test_hygiene.py::test_no_model_reads_an_instruction_and_the_reader_is_warned"],
        [Edit("chains/prompts.py", "return LEFT_OUT if speaks_to_a_model(sentence) else", "return")],
    ),
    "what a document hides between sentences is indexed": Defect(
        ["tests/test_hygiene.py::test_what_markdown_does_not_show_is_neither_indexed_nor_prompted"],
        [Edit("retrieval/passages.py", "text, _ = legible(self.text, self.sentences)", "text = self.text")],
    ),
    "invisible characters part words in the index": Defect(
        ["tests/test_hygiene.py::test_a_character_nobody_sees_is_neither_read_nor_indexed"],
        [
            Edit(
                "language/words.py",
                'unicodedata.normalize("NFKD", visible(text))',
                'unicodedata.normalize("NFKD", text)',
            )
        ],
    ),
    "one document takes all the places": Defect(
        ["tests/test_hygiene.py::test_what_is_shown_of_a_search_is_shared"],
        [Edit("graph/context.py", 'places=state["top_k"] if k >= state["top_k"] else 0', "places=0")],
    ),
    "a decision that a crash interrupted is forgotten": Defect(
        ["tests/test_reviews.py::test_killed_between_any_two_steps_a_review_is_waiting_or_released"],
        [Edit("graph/desk.py", 'if state == "decided"]', 'if state == "released"]')],
    ),
    "a failed step takes the draft with it": Defect(
        [f"{DEGRADES}[the safety model fails]"],
        [
            Edit("graph/slow_path.py", "except Exception:  # a store", "except ZeroDivisionError:  # a store"),
            Edit(
                "graph/nodes/slow_path.py",
                "except Exception:\n            return",
                "except EOFError:\n            return",
            ),
        ],
    ),
    "a failed step is told as another one": Defect(
        [f"{DEGRADES}[the safety model fails]"],
        [Edit("graph/slow_path.py", "except Exception:  # a store", "except ZeroDivisionError:  # a store")],
    ),
    "a step may take all the time": Defect(
        [f"{DEGRADES}[the comparison hangs]"],
        [Edit("graph/slow_path.py", "limits.slow_path_seconds * _SHARE)", "limits.slow_path_seconds)")],
    ),
    "any scores are an order": Defect(
        [f"{DEGRADES}[the reranker scores NaN]"],
        [Edit("graph/slow_path.py", "if len(scores) != len(ranked) or not", "if False and not")],
    ),
    "a check that failed opens the gate": Defect(
        [f"{CLOSES}[the safety model fails]"],
        [
            Edit(
                "graph/nodes/slow_path.py",
                "_found(await subgraph.ainvoke(state, context=context), NEEDED)",
                '_found(await subgraph.ainvoke(state, context=context), frozenset({"deepen"}))',
            )
        ],
    ),
    "unsafe evidence opens the gate": Defect(
        ["tests/test_slow_path.py::test_unsafe_evidence_closes_the_gate_only_where_it_has_to_pass"],
        [Edit("graph/nodes/slow_path.py", ' or UNSAFE_EVIDENCE in found["concerns"]', "")],
    ),
    "an answer that nobody could check passes for safe": Defect(
        ["tests/test_slow_path.py::test_an_answer_that_could_not_be_checked_is_flagged_elsewhere[hanging]"],
        [Edit("graph/screening.py", "        return [UNCHECKED]", "        return []")],
    ),
    "an unchecked answer stands where it has to be checked": Defect(
        ["tests/test_slow_path.py::test_an_answer_that_does_not_pass_is_withdrawn_where_it_has_to[failing]"],
        [Edit("graph/nodes/refine.py", "or (strict and not SERIOUS.isdisjoint(concerns))", "")],
    ),
    "the slow lane waits for nobody": Defect(
        ["tests/test_lanes.py::test_the_slow_path_of_one_run_waits_for_the_first_token_of_another"],
        [Edit("graph/lanes.py", "await self._empty.wait()", "pass")],
    ),
    "leaving twice makes way for another": Defect(
        ["tests/test_lanes.py::test_leaving_twice_does_not_make_way_for_another"],
        [Edit("graph/lanes.py", "            if waits:\n", "            if True:\n")],
    ),
    "a run that fails stays in the fast lane": Defect(
        ["tests/test_lanes.py::test_a_run_has_left_the_fast_lane_however_it_ended[model failure]"],
        [
            Edit("graph/run.py", "(useful or self.log.grammar.refused)", "self.final"),
            Edit(
                "graph/run.py",
                "            self._leave_fast_lane()\n        if not self.log.closed:",
                "            pass\n        if not self.log.closed:",
            ),
        ],
    ),
    "the older document is followed": Defect(
        ["tests/test_refinement.py::test_of_two_documents_that_disagree_the_newer_one_is_followed[old]"],
        [Edit("chains/recency.py", "return 1 if first > second else -1", "return -1 if first > second else 1")],
    ),
    "a claim is turned into another one": Defect(
        ["tests/test_repair_words.py::test_a_claim_is_never_turned_into_another_one"],
        [Edit("chains/correction.py", "if not _speaks_of_the_same(claim, exchanges, piece):", "if False:")],
    ),
    "any revision is no worse": Defect(
        ["tests/test_refinement.py::test_the_deterministic_repair_stands_where_a_models_correction_is_no_better"],
        [
            Edit(
                "graph/revision.py",
                "return bool(after) and _support(after) >= _support(before) and _coverage(after) >= _coverage(before)",
                "return bool(after)",
            )
        ],
    ),
    "a model's correction is not judged again": Defect(
        ["tests/test_refinement.py::test_the_deterministic_repair_stands_where_a_models_correction_is_no_better"],
        [
            Edit("graph/nodes/refine.py", " or any(trouble(line, bench) for line in written)", ""),
            Edit("graph/nodes/refine.py", " and no_worse(plain, written)", ""),
        ],
    ),
    "a model's correction may lose what was right": Defect(
        ["tests/test_refinement.py::test_the_deterministic_repair_stands_where_a_models_correction_is_no_better"],
        [Edit("graph/nodes/refine.py", "or not _keeps(given, rewritten)", "")],
    ),
    "a planner may open the gate with something else": Defect(
        ["tests/test_research_models.py::test_of_a_plan_only_the_parts_of_the_question_are_followed_and_shown"],
        [Edit("graph/planning.py", " and _belongs(part, question)", "")],
    ),
    "a part that lacks its answer opens the gate": Defect(
        ["tests/test_research.py::test_parts_the_model_finds_no_answer_for_open_nothing"],
        [Edit("graph/nodes/decide.py", " and finding.sufficient is not False", "")],
    ),
    "a model's plan is shown before the gate is open": Defect(
        ["tests/test_research.py::test_a_plan_in_a_models_words_is_not_shown_before_the_gate_is_open"],
        [Edit("graph/nodes/divide.py", "if branch.own_words and", "if")],
    ),
    "a budget of calls is not kept": Defect(
        ["tests/test_research_models.py::test_no_call_is_made_that_the_budget_does_not_have"],
        [Edit("callbacks/spending.py", 'return self._stop("model_calls")', "pass")],
    ),
    "a branch that fails takes the others along": Defect(
        ["tests/test_research.py::test_a_branch_that_fails_leaves_the_others_their_evidence"],
        [
            Edit(
                "graph/nodes/investigate.py",
                "        finding.failed = True\n        if isinstance",
                "        raise\n        if isinstance",
            )
        ],
    ),
    "a draft is left running when its run is cancelled": Defect(
        ["tests/test_research.py::test_a_run_cancelled_anywhere_ends_once_and_leaves_nothing_running"],
        [
            Edit(
                "graph/interruption.py",
                "            task.cancel()\n            await asyncio.wait({task})",
                "            pass",
            )
        ],
    ),
}


@dataclass(frozen=True)
class Result:
    """What became of a defect."""

    name: str
    caught: bool
    seconds: float
    told: str = ""


@contextmanager
def copied(edits: Sequence[Edit]) -> Iterator[Path]:
    """A folder with the code as it is, but for some edits; what is not edited is linked."""
    changed = {edit.file.split("/")[0] for edit in edits} | {"tests"}
    with tempfile.TemporaryDirectory(prefix="defect-") as folder:
        root = Path(folder)
        for entry in REPOSITORY.iterdir():
            if entry.name in changed:
                shutil.copytree(entry, root / entry.name, ignore=_NOT_COPIED)
            elif not entry.name.startswith("."):
                (root / entry.name).symlink_to(entry)
        for edit in edits:
            edit.apply(root)
        yield root


def pytest_in(root: Path, tests: Collection[str]) -> subprocess.CompletedProcess[str]:
    """Run tests in a folder, up to the first that fails."""
    options = ["-x", "-q", "-n0", "-m", "", "--timeout=60", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *options, *tests]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)


def sound(names: Collection[str]) -> None:
    """Raises `RuntimeError` unless all the tests pass where nothing is wrong."""
    tests = dict.fromkeys(test for name in names for test in DEFECTS[name].tests)
    with copied([]) as root:
        run = pytest_in(root, tests)
    if run.returncode != _PASSED:
        raise RuntimeError(f"the tests fail without any defect:\n{run.stdout[-3000:]}")


def seeded(name: str) -> Result:
    """Put a defect in and run its tests. Raises `RuntimeError` if they could not be run."""
    defect, began = DEFECTS[name], time.monotonic()
    with copied(defect.edits) as root:
        run = pytest_in(root, defect.tests)
    if run.returncode not in (_PASSED, _FAILED):
        raise RuntimeError(f"{name}: the tests did not run:\n{run.stdout[-3000:]}{run.stderr[-1000:]}")
    told = next((line for line in run.stdout.splitlines() if line.startswith("FAILED")), "")
    return Result(name, run.returncode == _FAILED, time.monotonic() - began, told)


def survivors(names: Collection[str]) -> list[str]:
    """Show what became of each defect; those that no test has noticed."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        sure = pool.submit(sound, names)
        results = []
        for result in pool.map(seeded, names):
            results.append(result)
            print(f"{'caught' if result.caught else 'SURVIVED':9}{result.seconds:5.1f} s  {result.name}")  # noqa: T201
        sure.result()
    return [result.name for result in results if not result.caught]


if __name__ == "__main__":
    sys.exit(1 if survivors(sys.argv[1:] or DEFECTS) else 0)
