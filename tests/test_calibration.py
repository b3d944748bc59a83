"""The confidence can be fitted on one's own documents, and a fit is used only where it is better."""

from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest
from click.testing import CliRunner

from language.sentences import sentence_spans
from retrieval.calibration import EVIDENCE, Platt
from retrieval.embeddings import MiniLM
from retrieval.library import Library
from retrieval.refit import Sample, TooSmall, fit, made_up, probabilities, refit
from retrieval.submissions import Submission
from server.__main__ import main
from server.bootstrap import HOME, library_in
from server.calibrating import calibrate, calibrate_when_grown
from server.commands.ingest import find_files
from tests.support.live import Live


def sample(curve: Platt, count: int, seed: int = 0) -> Sample:
    """Features whose labels were drawn from a curve."""
    chance = np.random.default_rng(seed)
    features = chance.uniform(0.1, 0.9, count)
    answerable = chance.uniform(size=count) < probabilities(curve, features)
    return Sample(features[answerable], features[~answerable])


@pytest.fixture(scope="module")
def guide(encoder: MiniLM, tmp_path_factory: pytest.TempPathFactory) -> Library:
    """The documentation as a collection of its own."""
    library = library_in(tmp_path_factory.mktemp("guide"), encoder)
    for page in sorted((HOME / "docs" / "guide").glob("*.md")):
        library.add("default", Submission(data=page.read_bytes(), name=page.name, id=page.stem))
    return library


def test_a_fit_finds_the_curve_the_labels_came_from() -> None:
    truth = Platt(slope=30.0, offset=-15.0)
    fitted = fit(sample(truth, 4000))
    assert fitted.slope == pytest.approx(30.0, rel=0.15)
    assert -fitted.offset / fitted.slope == pytest.approx(0.5, abs=0.02)


def test_a_handful_of_labels_hardly_moves_the_shipped_curve() -> None:
    few = Sample(np.array([0.5, 0.52]), np.array([0.48, 0.51]))
    fitted = fit(few)
    assert -fitted.offset / fitted.slope == pytest.approx(-EVIDENCE.offset / EVIDENCE.slope, abs=0.06)


def test_a_fit_is_used_only_if_it_is_better_on_what_it_has_not_seen() -> None:
    assert refit(sample(Platt(slope=26.7, offset=-16.0), 600), EVIDENCE).better
    truth = Platt(slope=20.0, offset=-10.0)
    assert not refit(sample(truth, 40, seed=3), truth).better


def test_made_up_questions_are_answered_by_their_documents_and_not_without(guide: Library) -> None:
    made = made_up(guide, "default", count=40)
    assert len(made.answerable) == len(made.unanswerable) == 40
    assert np.median(made.answerable) > 0.45 > np.median(made.unanswerable)
    again = made_up(guide, "default", count=40)
    assert np.array_equal(made.features, again.features)


def test_too_little_text_is_said(own_library: Library) -> None:
    own_library.add("c", Submission(data="One short line.", id="d"))
    with pytest.raises(TooSmall, match="too little text"):
        made_up(own_library, "c")


def test_a_better_fit_is_in_use_at_once_and_after_a_restart(encoder: MiniLM, tmp_path: Path) -> None:
    library = library_in(tmp_path, encoder)
    library.add("c", Submission(data="The ferry to Brack leaves at noon.", id="ferry"))
    before = library.search_now("c", "When does the ferry leave?", 3).probability
    fitted, page = calibrate(library, "c", sample(Platt(slope=26.7, offset=-18.0), 600), tmp_path)
    assert fitted.better
    assert "<svg" in page.read_text()
    after = library.search_now("c", "When does the ferry leave?", 3).probability
    assert after < before
    library.close()
    library = library_in(tmp_path, encoder)
    assert library.search_now("c", "When does the ferry leave?", 3).probability == pytest.approx(after)
    report = library.stored.calibration_report("c")
    assert report is not None
    assert report["ece_after"] < report["ece_before"]
    library.close()


def test_a_collection_is_calibrated_by_itself_when_it_has_grown_large(guide: Library, tmp_path: Path) -> None:
    calibrate_when_grown(guide, "default", tmp_path)
    assert not (tmp_path / "calibration").exists()
    calibrate_when_grown(guide, "default", tmp_path, large=100)
    assert list((tmp_path / "calibration").iterdir())


def test_calibrate_over_http_names_what_is_wrong(serve: Callable[..., Live], own_library: Library) -> None:
    server = serve(library=own_library)
    with httpx.Client(base_url=server.url, timeout=30, trust_env=False) as client:
        small = client.post("/collections/default/calibrate")
        assert (small.status_code, small.json()["code"]) == (422, "too_small")
        assert client.post("/collections/nope/calibrate").status_code == 404


def test_calibrate_from_the_command_line_with_labelled_questions(
    guide: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pages = tmp_path / "pages"
    pages.mkdir()
    lines = []
    for page in sorted((HOME / "docs" / "guide").glob("*.md"))[:8]:
        text = page.read_text()
        (pages / page.name).write_text(text)
        for number, (start, end) in enumerate(sentence_spans(text)[3:7]):
            question = " ".join(text[start:end].split()[:12]).replace('"', "'").replace("\\", "")
            own = find_files([pages / page.name])[0][pages / page.name]
            key = f'"id": "{page.stem}{number}", "relevant": ["{own}"]'
            lines.append(f'{{{key}, "question": "{question}"}}')
    (tmp_path / "set.jsonl").write_text("\n".join(lines))
    run = CliRunner().invoke
    assert run(main, ["ingest", str(pages)]).exit_code == 0
    done = run(main, ["calibrate", "--questions", "set.jsonl"])
    assert done.exit_code == 0, done.output
    assert "The reliability plot is in" in done.output
    assert run(main, ["calibrate", "--collection", "nope"]).exit_code == 1
