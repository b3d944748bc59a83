"""The page and both playgrounds in Chromium."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from graph.policy import BUILT_IN
from retrieval.library import Library
from tests.support.live import Live

pytestmark = pytest.mark.browser

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    assert executable, "install Chromium, or name it in CHROMIUM"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Page]:
    """A page; any error in its scripts fails the test."""
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.close()
    assert errors == []


def test_a_question_is_answered_with_sources_and_citations_that_show_their_quote(page: Page, docs_server: Live) -> None:
    page.goto(docs_server.url)
    page.fill("#question", "What opens the gate?")
    page.press("#question", "Enter")
    expect(page.locator("body[data-state=done][data-outcome=answered]")).to_be_visible()
    expect(page.locator("#answer .sentence[data-support=supported]").first).to_be_visible()
    expect(page.locator("#gate")).to_contain_text("open")
    expect(page.locator("#refinement")).to_contain_text("Confirmed")
    expect(page.locator("#metrics")).to_contain_text("first supported sentence")
    citation = page.locator(".citation").first
    citation.click()
    expect(page.locator("#sources mark").first).to_be_visible()


def test_a_question_the_documents_cannot_answer_gets_a_calm_refusal(page: Page, docs_server: Live) -> None:
    page.goto(f"{docs_server.url}/?q=Who+won+the+Zanzibar+regatta+in+1997%3F")
    expect(page.locator("body[data-state=done][data-outcome=fallback]")).to_be_visible()
    expect(page.locator("#answer")).to_contain_text("I searched")
    expect(page.locator("#error")).to_be_hidden()


def test_a_chosen_file_becomes_searchable(
    page: Page, serve: Callable[..., Live], own_library: Library, tmp_path: Path
) -> None:
    ferry = tmp_path / "ferry.md"
    ferry.write_text("# Ferry <img src=x onerror=alert(1)>\n\nThe ferry to Brack 🦉 leaves at noon on Sundays.")
    page.goto(serve(library=own_library).url)
    page.set_input_files("#drop input[type=file]", str(ferry))
    expect(page.locator("#documents")).to_contain_text("searchable")
    page.fill("#question", "When does the ferry to Brack leave?")
    page.click("#ask")
    expect(page.locator("body[data-outcome=answered]")).to_be_visible()
    expect(page.locator("#answer")).to_contain_text("at noon")
    assert page.locator("#sources img").count() == 0


def test_a_document_that_is_added_again_is_replaced_and_can_be_removed(
    page: Page, serve: Callable[..., Live], own_library: Library, tmp_path: Path
) -> None:
    ferry = tmp_path / "ferry.md"
    page.goto(serve(library=own_library).url)
    for hour in ("noon", "dusk"):
        ferry.write_text(f"# Ferry\n\nThe ferry to Brack leaves at {hour}.")
        page.set_input_files("#drop input[type=file]", str(ferry))
        expect(page.locator("#documents-status")).to_contain_text("1 document now searchable")
        expect(page.locator("#library summary")).to_have_text("1 document in “default”")
        page.evaluate("document.getElementById('documents-status').textContent = ''")
    assert own_library.sizes()["default"] == 1
    page.click("#library summary")
    expect(page.locator("#library li")).to_contain_text("1 passage")
    page.get_by_role("button", name="Remove").click()
    expect(page.locator("#library li")).to_have_count(0)
    assert own_library.sizes()["default"] == 0


def test_a_document_is_summarised_in_the_page_and_every_marker_shows_its_quote(
    page: Page, serve: Callable[..., Live]
) -> None:
    page.goto(serve().url)
    page.set_viewport_size({"width": 360, "height": 740})
    page.click("#library summary")
    page.get_by_role("button", name="Summarise Aldermoor harbour rules").click()
    expect(page.locator("#summary-title")).to_be_focused()
    expect(page.locator("#summary [role=status]")).to_contain_text("Every line is cited")
    expect(page.locator("#summary .sections h3").first).to_be_visible()
    expect(page.locator("#summary .answer .citation").first).to_be_visible()
    marker = page.locator("#summary .sections .citation").first
    line = page.locator("#summary .sections ul li").first
    marker.click()
    expect(marker).to_have_attribute("aria-expanded", "true")
    quote = line.locator("blockquote mark").inner_text()
    assert " ".join(quote.split())[:-1] in line.inner_text()
    marker.click()
    expect(line.locator("blockquote")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.locator("#summary").get_by_role("button", name="close").click()
    expect(page.locator("#summary")).to_be_hidden()
    expect(page.get_by_role("button", name="Summarise Aldermoor harbour rules")).to_be_focused()


def test_a_question_for_a_person_is_approved_on_one_page_and_read_on_another(
    browser: Any, page: Page, serve: Callable[..., Live]
) -> None:
    people = BUILT_IN["general"].model_copy(update={"precheck": "human_review"})
    url = serve(policies={**BUILT_IN, "general": people}).url
    page.goto(url)
    page.fill("#question", "Who built the Aldermoor lighthouse?")
    page.click("#ask")
    expect(page.locator("body[data-outcome=review]")).to_be_visible()
    expect(page.locator("#answer")).to_contain_text("A person will look at this one")
    expect(page.locator("#answer")).not_to_contain_text("Greta")
    reviewer = browser.new_page()
    reviewer.goto(url)
    reviewer.click("#reviews")
    review = reviewer.locator("#waiting-reviews article", has_text="Aldermoor lighthouse").last
    number = review.get_attribute("data-id")
    expect(review.locator("mark").first).to_contain_text("Greta Holm")
    review.locator("[id^=note-]").fill("Checked in the archive.")
    review.get_by_role("button", name="Approve").click()
    expect(reviewer.locator(f"#decided-reviews [data-id='{number}']")).to_contain_text("Approved")
    reviewer.close()
    expect(page.locator("#answer")).to_contain_text("Greta Holm", timeout=10_000)
    expect(page.locator("#answer .citation")).to_have_count(1)
    expect(page.locator("#waiting")).to_contain_text("Checked in the archive.")
    page.reload()
    expect(page.locator("#answer")).to_contain_text("Greta Holm")


def test_a_reviewer_who_comes_second_is_told_so(page: Page, serve: Callable[..., Live]) -> None:
    url = serve().url
    body = {"query": "Who built the Aldermoor lighthouse?", "domain": "rate_quotes", "stream": False}
    number = httpx.post(f"{url}/query", json=body, trust_env=False).headers["x-request-id"]
    page.goto(f"{url}/web/reviews.html")
    review = page.locator(f"[data-id='{number}']")
    review.get_by_role("button", name="Edit").click()
    review.get_by_label("The answer as it shall be").fill("Greta Holm built it [1].")
    httpx.post(f"{url}/reviews/{number}", json={"decision": "reject"}, trust_env=False)
    review.get_by_role("button", name="Release this text").click()
    expect(review.get_by_role("alert")).to_contain_text("Somebody else has decided this one")


def test_a_problem_is_told_in_words(page: Page, docs_server: Live) -> None:
    page.goto(docs_server.url)
    page.fill("#question", "x" * 4001)
    page.click("#ask")
    expect(page.locator("#error")).to_contain_text("4000")


def test_the_playground_streams_events(page: Page, docs_server: Live) -> None:
    page.goto(f"{docs_server.url}/rag/playground/", wait_until="networkidle")
    page.locator("textarea, input[type=text]").first.fill("What is a run?")
    page.get_by_role("button", name="Start").click()
    expect(page.locator("body")).to_contain_text("final_answer", timeout=20_000)
    expect(page.locator("body")).to_contain_text("A run is one question being answered")


def test_the_chat_playground_answers(page: Page, docs_server: Live) -> None:
    page.goto(f"{docs_server.url}/rag-chat/playground/", wait_until="networkidle")
    page.locator("textarea").last.fill("What is a run?")
    page.keyboard.press("Enter")
    expect(page.locator("body")).to_contain_text("A run is one question being answered", timeout=20_000)


def test_the_last_runs_are_held_against_their_targets_once_there_are_enough(
    page: Page, serve: Callable[..., Live]
) -> None:
    url = serve().url
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(url)
    expect(page.locator("#standing summary")).to_have_text("The last runs: too few yet to judge")
    expect(page.locator("#standing table")).to_be_hidden()
    for _ in range(20):
        httpx.post(f"{url}/query", json={"query": "Who built the Aldermoor lighthouse?"}, trust_env=False)
    page.reload()
    expect(page.locator("#standing summary")).to_have_text("The last runs: 7 of 7 targets met")
    page.click("#standing summary")
    expect(page.locator("#standing tr", has_text="First word")).to_contain_text("≤ 2 s")
    expect(page.locator("#standing tr", has_text="Askers who left")).to_contain_text("0 %")
    expect(page.locator("#standing tr", has_text="Drafts withdrawn")).to_contain_text("–")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
