"""The confidence can be fitted on one's own documents, and a fit is used only where it is better."""

from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest
from click.testing import CliRunner

from language.sentences import sentence_spans
from retrieval.calibration import EVIDENCE, Platt
from retrieval.coverage import coverage_of, worth
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


FERRY = "The ferry from Brack to Holm leaves at noon. A return ticket costs 14 crowns. Dogs travel free on deck."
MUSEUM = "The museum of tiles opens in April. Its kiln was built in 1881. School classes pay nothing on Mondays."


@pytest.fixture(scope="module")
def two_files(encoder: MiniLM, tmp_path_factory: pytest.TempPathFactory) -> Library:
    """As somebody uploads who only wants to try."""
    library = library_in(tmp_path_factory.mktemp("two"), encoder)
    library.add("default", Submission(data=FERRY, name="ferry.txt", id="ferry"))
    library.add("default", Submission(data=MUSEUM, name="museum.txt", id="museum"))
    return library


@pytest.mark.parametrize(
    "question",
    [
        "When does the ferry leave?",
        "What does a return ticket cost?",
        "Do dogs travel free?",
        "In which year was the kiln built?",
        "When does the museum open?",
        "What do school classes pay on Mondays?",
    ],
)
def test_two_small_files_are_enough_to_be_sure_of_what_they_say(two_files: Library, question: str) -> None:
    assert two_files.search_now("default", question, 6).probability > 0.65


@pytest.mark.parametrize(
    "question",
    [
        "Who wrote the opera Aida?",
        "How do I renew my passport?",
        "What is the boiling point of mercury?",
        "Which side effects does ibuprofen have?",
        "Who leads the finance department?",
    ],
)
def test_two_small_files_do_not_answer_what_they_are_not_about(two_files: Library, question: str) -> None:
    assert two_files.search_now("default", question, 6).probability < 0.5


@pytest.mark.parametrize(
    "message",
    [
        "hello",
        "Hi there, how are you?",
        "good morning",
        "Thanks!",
        "?",
    ],
)
def test_small_talk_is_refused_even_where_its_words_are_written(encoder: MiniLM, tmp_path: Path, message: str) -> None:
    library = library_in(tmp_path, encoder)
    said = "Hello, said the guide, good morning! Hi, what time is it? Thanks for the joke about the weather today. "
    library.add("default", Submission(data=said + FERRY, id="talk"))
    assert library.search_now("default", message, 6).probability < 0.5
    library.close()


def test_words_of_small_talk_that_may_be_asked_about_are_searched_for(encoder: MiniLM, tmp_path: Path) -> None:
    library = library_in(tmp_path, encoder)
    library.add("default", Submission(data="The robot is twelve years old. The alarm clock rings at six.", id="robot"))
    assert library.search_now("default", "How old is the robot?", 6).probability > 0.65
    library.close()


MINUTES = "The roof of the club is mended in May. The fees for members stay at 60 euros a year. Students pay 30 euros."
PUMPS = "The Aero draws its heat from the air. It costs 9,200 euros. The Terra draws its heat from a borehole."


@pytest.fixture(scope="module")
def club(encoder: MiniLM, tmp_path_factory: pytest.TempPathFactory) -> Library:
    library = library_in(tmp_path_factory.mktemp("club"), encoder)
    for name, text in {"minutes": MINUTES, "pumps": PUMPS, "ferry": FERRY, "museum": MUSEUM}.items():
        library.add("default", Submission(data=text, id=name))
    return library


@pytest.mark.parametrize(
    "question", ["How do the Aero and the Terra differ?", "What is the difference between the Aero and the Terra?"]
)
def test_a_passage_need_not_hold_the_words_of_the_asking(club: Library, question: str) -> None:
    assert club.search_now("default", question, 6).probability > 0.75


@pytest.mark.parametrize(
    "question",
    [
        "How do the Vento and the Zephyr differ?",
        "What is the difference between the Aero and the Zephyr?",
        "What was agreed on the swimming pool?",
        "What was agreed on the air?",
    ],
)
def test_what_nothing_speaks_of_profits_nothing_from_the_words_of_the_asking(club: Library, question: str) -> None:
    assert club.search_now("default", question, 6).probability < 0.65


@pytest.mark.parametrize("question", ["How much is an espresso?", "What is the number of the night porter?"])
def test_what_is_told_with_leaders_is_evidence(encoder: MiniLM, tmp_path: Path, question: str) -> None:
    library = library_in(tmp_path, encoder)
    library.add("default", Submission(data="Espresso .......... 3\nGreen tea ......... 2.50\n", id="menu"))
    library.add("default", Submission(data="Reception ....... 4410\nNight porter .... 4411\n", id="telephone"))
    library.add("default", Submission(data=FERRY, id="ferry"))
    assert library.search_now("default", question, 6).probability > 0.75
    library.close()


def test_a_list_of_contents_is_found_and_proves_nothing(encoder: MiniLM, tmp_path: Path) -> None:
    library = library_in(tmp_path, encoder)
    contents = "Contents\n1.1 Depth of the harbours ........ 5\n1.2 Calibration of the radar . . . . . 6\n"
    library.add("default", Submission(data=contents, id="annex"))
    library.add("default", Submission(data=FERRY, id="ferry"))
    for question in ("What is the depth of the harbours?", "How is the calibration of the radar done?"):
        evidence = library.search_now("default", question, 6)
        assert evidence.hits[0].passage.document_id == "annex"
        assert evidence.probability < 0.5
    library.close()


def test_the_best_passage_is_as_probable_as_the_evidence_and_the_others_less(two_files: Library) -> None:
    evidence = two_files.search_now("default", "When does the ferry leave?", 6)
    scores = [evidence.score(hit) for hit in evidence.hits]
    assert max(scores) == pytest.approx(evidence.probability)
    assert scores == sorted(scores, reverse=True)


def test_a_word_tells_less_the_more_passages_hold_it_and_something_in_any_case() -> None:
    for size in (1, 3, 50, 10_000):
        held_by = np.array([0, 1, size])
        told = worth(np.log((size + 1) / (held_by + 0.5)), size)
        assert told[0] == pytest.approx(1.0)
        assert told[0] > told[1] >= told[2] > 0
    assert worth(np.log(np.array([2 / 1.5])), 1)[0] > 0.7, "the only passage there is holds it: it is still a match"


def test_holding_all_of_a_short_question_proves_less_than_holding_all_of_a_long_one(own_library: Library) -> None:
    own_library.add("c", Submission(data="The treaty of Brack was signed in the old harbour.", id="treaty"))
    packed = own_library.stored.scorable(own_library.snapshot("c").keys.tolist()).words
    short, long = ["sign"], ["treati", "brack", "sign", "harbour"]
    idf = dict.fromkeys(long, 5.0)
    of_short, of_long = coverage_of(packed, short, idf, 500), coverage_of(packed, long, idf, 500)
    assert of_short.sentences[0] == pytest.approx(of_long.sentences[0]) == pytest.approx(1.0)
    assert of_short.proven[0] < of_long.proven[0] < 1.0


def test_words_of_the_asking_are_spared_only_where_every_other_word_is_held(own_library: Library) -> None:
    own_library.add("asked", Submission(data="The treaty of Brack was signed in the old harbour.", id="treaty"))
    packed = own_library.stored.scorable(own_library.snapshot("asked").keys.tolist()).words
    idf = dict.fromkeys(["treati", "brack", "holm", "differ"], 5.0)

    def proven(*words: str, asking: tuple[str, ...] = ()) -> float:
        return float(coverage_of(packed, words, idf, 500, asking=asking).proven[0])

    known, unknown = ("treati", "brack", "differ"), ("treati", "holm", "differ")
    assert proven(*known, asking=("differ",)) == pytest.approx(proven("treati", "brack"))
    assert proven(*unknown, asking=("differ",)) == pytest.approx(proven(*unknown))


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


@pytest.mark.slow
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
