"""The page and both playgrounds in Chromium."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright

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
    page.click("#library button")
    expect(page.locator("#library li")).to_have_count(0)
    assert own_library.sizes()["default"] == 0


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
