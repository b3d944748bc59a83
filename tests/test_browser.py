"""The page and both playgrounds in Chromium."""

import asyncio
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from graph.policy import BUILT_IN
from retrieval.library import Library
from retrieval.submissions import Submission
from tests.support.live import Live
from tests.support.upstream import Reply

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


ISLAND = {
    "ferry": "The ferry from Brack to Aldermoor leaves at noon. A ticket for the ferry costs eight crowns.",
    "bakery": "The Quillon bakery opens at six in the morning. The Quillon bakery is closed on Sunday.",
}
BOTH = "What does a ticket for the ferry to Aldermoor cost, and when does the Quillon bakery open?"


class Pondering:
    """A model that is asked for further searches and says nothing for a long time."""

    async def ainvoke(self, given: Any, config: Any = None) -> list[str]:
        await asyncio.sleep(60)
        return []


@pytest.fixture
def island(own_library: Library) -> Library:
    for name, text in ISLAND.items():
        own_library.add("default", Submission(data=text, id=name, title=name.title()))
    return own_library


def ask(page: Page, question: str, *, deep: bool = False) -> None:
    page.set_checked("#deep", deep)
    page.fill("#question", question)
    page.press("#question", "Enter")


def thread_of(page: Page) -> str:
    return page.url.rpartition("#thread=")[2]


def turns(url: str, thread_id: str) -> Any:
    return httpx.get(f"{url}/threads/{thread_id}", trust_env=False).json()["turns"]


def test_deep_research_shows_its_parts_what_it_spends_and_what_it_thinks(
    page: Page, serve: Callable[..., Live], island: Library
) -> None:
    url = serve(library=island).url
    page.goto(url)
    ask(page, BOTH, deep=True)
    expect(page.locator("body[data-state=done][data-outcome=answered]")).to_be_visible()
    assert page.locator("#research").get_attribute("open") is None
    expect(page.locator("#research summary")).to_contain_text("2 parts")
    page.click("#research summary")
    first, second = page.locator("#branches li").all()
    expect(first).to_contain_text("ferry")
    expect(second).to_contain_text("bakery")
    expect(page.locator("#budget")).to_contain_text(re.compile(r"Time \d+ / 120 s"))
    expect(page.locator("#budget")).to_contain_text(re.compile(r"Sources [1-9]\d* / 60"))
    expect(page.locator("#finish")).to_have_count(0)
    page.click("#thinking summary")
    expect(page.locator("#thoughts")).to_contain_text("What does a ticket for the ferry")
    page.uncheck("#show-thinking")
    expect(page.locator("#thinking")).to_be_hidden()


def test_a_report_is_laid_out_and_every_mark_is_where_the_server_put_it(
    page: Page, serve: Callable[..., Live], island: Library
) -> None:
    url = serve(library=island).url
    page.goto(url)
    ask(page, BOTH, deep=True)
    expect(page.locator("body[data-outcome=answered]")).to_be_visible()
    (turn,) = turns(url, thread_of(page))
    headings = re.findall(r"^## (.+)$", turn["answer"], re.MULTILINE)
    assert len(headings) == 2
    expect(page.locator("#answer h3")).to_have_text(headings)
    plain = re.sub(r"^## |\n", "", turn["answer"], flags=re.MULTILINE)
    assert page.locator("#answer").text_content() == plain
    cited = {citation["start"]: f"[{citation['index']}]" for citation in turn["citations"]}
    assert page.locator("#answer .citation").all_text_contents() == [cited[start] for start in sorted(cited)]
    sentences = page.locator("#answer .sentence").all_text_contents()
    assert all(re.fullmatch(r"[A-Z][^.]+ \[\d+\]\.", sentence) for sentence in sentences)
    page.locator("#answer h3 ~ h3 ~ p .citation").first.click()
    expect(page.locator("#sources [data-active] mark").first).to_contain_text("six in the morning")


def test_no_character_of_an_answer_is_lost_however_much_of_it_has_come(page: Page, docs_server: Live) -> None:
    page.goto(docs_server.url)
    text = (
        "Lead 🦉 in.\ngoes on\n\n## One `code`\n\nA **bold [1]** claim. Then:\n\n- first [1].\n- second\n  line\n"
        "1. one\n12. two\n\n#\n#tag\n### Sub\n*Cut short.*\n\n**Bold** is *no* remark.\n<img src=x>\n* star\n*open"
    )
    shown = page.evaluate(
        """async text => {
          const { blocks } = await import("/web/layout.js");
          const { fillAnswer } = await import("/web/answer.js");
          const points = Array.from(text), made = document.createElement("div");
          const marker = text => Object.assign(document.createElement("button"), { textContent: text });
          const lost = points.map((_, n) => points.slice(0, n + 1)).filter(some => {
            const at = blocks(some).reduce((at, b) =>
              b.from === at && at <= b.start && b.start <= b.end && b.end <= b.to ? b.to : NaN, 0);
            fillAnswer(made.cloneNode(), some.join(""), [], [], marker);
            return at !== some.length;
          });
          const at = points.join("").indexOf("A **bold"), start = Array.from(text.slice(0, at)).length;
          const end = points.findIndex((_, n) => points.slice(n - 6, n).join("") === "first ") + 4;
          const verdict = { sentence: 0, start, end, support: "partial", score: 0.5, method: "lexical" };
          fillAnswer(made, text, [verdict], [{ index: 1, start: end - 4, end: end - 1, quote: "" }], marker);
          const said = [...made.querySelectorAll(".sentence")];
          return [lost.length, made.textContent, [...made.children].map(one => one.nodeName).join(" "),
            said.map(one => [one.parentNode.nodeName, "goesOn" in one.dataset]), made.querySelectorAll("img").length,
            made.querySelector("button").closest("li") !== null];
        }""",
        text,
    )
    lost, words, names, said, images, marked = shown
    assert (lost, images, marked) == (0, 0, True)
    assert words == (
        "Lead 🦉 in.\ngoes onOne codeA bold [1] claim. Then:first [1].second\n  lineonetwo#\n#tagSub"
        "Cut short.Bold is *no* remark.\n<img src=x>staropen"
    )
    assert names == "P H3 P UL OL P H4 P P UL P"
    assert said == [["P", True], ["LI", False]]


def test_finish_now_has_the_report_written_and_a_reload_before_it_loses_nothing(
    page: Page, serve: Callable[..., Live], island: Library
) -> None:
    url = serve(library=island, follow_up=Pondering()).url
    page.goto(url)
    ask(page, BOTH, deep=True)
    expect(page.locator("#branches li")).to_have_count(2)
    page.reload()
    expect(page.locator("body[data-state=running]")).to_be_visible()
    expect(page.locator("#asked")).to_have_text(BOTH)
    expect(page.locator("#branches li")).to_have_count(2)
    page.click("#finish")
    expect(page.locator("body[data-state=done][data-outcome=answered]")).to_be_visible()
    expect(page.locator("#answer .remark")).to_contain_text("Written early, as you asked.")
    assert "*" not in page.locator("#answer").inner_text()


def test_a_conversation_is_gone_on_with_reloaded_renamed_and_deleted(
    page: Page, serve: Callable[..., Live], island: Library
) -> None:
    url = serve(library=island).url
    page.goto(url)
    ask(page, "What does a ticket for the ferry to Aldermoor cost?")
    expect(page.locator("body[data-state=done]")).to_be_visible()
    ask(page, "And when does it leave?")
    expect(page.locator("body[data-state=done]")).to_be_visible()
    expect(page.locator("#answer")).to_contain_text("at noon")
    expect(page.locator("#turns article")).to_contain_text("eight crowns")
    thread_id = thread_of(page)
    assert len(turns(url, thread_id)) == 2
    page.reload()
    expect(page.locator("#asked")).to_have_text("And when does it leave?")
    expect(page.locator("#answer")).to_contain_text("at noon")
    page.locator("#turns .citation").first.click()
    expect(page.locator("#turns mark", has_text="A ticket for the ferry costs eight crowns.")).to_be_visible()
    page.get_by_role("button", name="Rename").click()
    page.get_by_label("Title").fill("The ferry")
    page.keyboard.press("Enter")
    expect(page.locator("#conversation-list .title")).to_have_text("The ferry")
    page.get_by_role("button", name="New conversation", exact=True).click()
    expect(page.locator("body[data-state=idle]")).to_be_visible()
    expect(page.locator("#turns article")).to_have_count(0)
    page.locator("#conversation-list .title").click()
    expect(page.locator("#turns article")).to_contain_text("eight crowns")
    page.go_back()
    expect(page.locator("body[data-state=idle]")).to_be_visible()
    page.go_forward()
    expect(page.locator("#turns article")).to_contain_text("eight crowns")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Delete").click()
    page.locator("#conversation-list").get_by_role("button", name="Delete").click()
    expect(page.locator("#conversation-list li")).to_have_count(0)
    expect(page.locator("body[data-state=idle]")).to_be_visible()
    assert httpx.get(f"{url}/threads/{thread_id}", trust_env=False).status_code == 404
    assert "#" not in page.url


def test_a_conversation_that_is_answering_says_so_and_shows_what_it_answers(
    page: Page, serve: Callable[..., Live], island: Library
) -> None:
    url = serve(library=island, follow_up=Pondering()).url
    thread_id = httpx.post(f"{url}/threads", trust_env=False).json()["thread_id"]
    body = {"query": BOTH, "mode": "deep", "thread_id": thread_id}
    with httpx.stream("POST", f"{url}/query", json=body, trust_env=False) as response:
        next(response.iter_lines())
        page.goto(f"{url}/#thread={thread_id}")
        ask(page, "When does the ferry leave?")
        expect(page.locator("#error")).to_contain_text("still answering another question")
        expect(page.locator("#question")).to_have_value("When does the ferry leave?")
        page.get_by_role("button", name="Show that answer").click()
        page.click("#finish")
        expect(page.locator("#answer")).to_contain_text("eight crowns")


def test_a_question_may_belong_to_no_conversation(page: Page, serve: Callable[..., Live], island: Library) -> None:
    url = serve(library=island).url
    page.goto(url)
    page.click("#open-conversations")
    page.uncheck("#keep")
    ask(page, "When does the ferry to Aldermoor leave?")
    expect(page.locator("body[data-outcome=answered]")).to_be_visible()
    assert "#" not in page.url
    assert httpx.get(f"{url}/threads", trust_env=False).json()["threads"] == []


def test_on_a_narrow_screen_the_conversations_are_a_drawer_that_escape_closes(
    page: Page, serve: Callable[..., Live], island: Library
) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(serve(library=island).url)
    ask(page, BOTH, deep=True)
    expect(page.locator("body[data-state=done]")).to_be_visible()
    expect(page.locator("#conversations")).to_be_hidden()
    page.click("#open-conversations")
    expect(page.locator("#new-conversation, #conversation-list .title").locator("visible=true").first).to_be_visible()
    assert page.evaluate("document.querySelector('main').inert")
    page.keyboard.press("Escape")
    expect(page.locator("#conversations")).to_be_hidden()
    expect(page.locator("#open-conversations")).to_be_focused()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


def top_of(page: Page, place: str) -> int:
    return round(page.evaluate("place => document.querySelector(place).getBoundingClientRect().top", place))


@pytest.mark.parametrize(("width", "height"), [(1200, 850), (1200, 1000), (360, 780)])
def test_typing_does_not_scroll_the_page_and_what_is_asked_is_in_view_with_its_answer(
    page: Page, docs_server: Live, width: int, height: int
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.goto(docs_server.url)
    for count, question in enumerate(["What opens the gate?", "What is a run?", "How do I resume a stream?"]):
        before = page.evaluate("scrollY")
        page.focus("#question")
        page.keyboard.type(question)
        assert page.evaluate("scrollY") == before
        page.keyboard.press("Enter")
        expect(page.locator("#turns article")).to_have_count(count)
        expect(page.locator("body[data-state=done]")).to_be_visible()
        assert 0 <= top_of(page, "#asked") <= 100
        assert top_of(page, "#asked") < top_of(page, "#answer") < top_of(page, "#form")
    page.mouse.wheel(0, -400)
    page.wait_for_function("before => scrollY < before", arg=page.evaluate("scrollY"))


def test_a_reader_who_scrolls_away_from_a_growing_answer_is_left_in_peace(page: Page, docs_server: Live) -> None:
    page.set_viewport_size({"width": 1200, "height": 500})
    page.goto(docs_server.url)
    ask(page, "What opens the gate?")
    expect(page.locator("body[data-state=done]")).to_be_visible()
    grown = """async () => {
      const { follow } = await import("/web/following.js");
      const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      const tell = () => document.querySelector("#asked").getBoundingClientRect().top;
      const research = document.querySelector("#gate");
      await frame();  // of its own accord the page lets go once the answer is complete
      follow();
      research.style.minHeight = "3000px";
      await frame();
      const answer = document.querySelector("#answer").getBoundingClientRect().top;
      dispatchEvent(new WheelEvent("wheel"));
      scrollTo(0, 100);
      const before = tell();
      research.style.minHeight = "4000px";
      await frame();
      return [answer, before, tell()];
    }"""
    answer, before, after = page.evaluate(grown)
    assert 0 < answer < 500
    assert before == after


def test_a_stopped_research_says_so_with_what_it_came_to(
    page: Page, serve: Callable[..., Live], island: Library
) -> None:
    page.goto(serve(library=island, follow_up=Pondering()).url)
    ask(page, BOTH, deep=True)
    expect(page.locator("#branches li")).to_have_count(2)
    expect(page.locator("#sources > li").first).to_be_visible()
    page.click("#stop")
    expect(page.locator("body[data-state=done][data-outcome=cancelled]")).to_be_visible()
    told = page.locator("#research summary").inner_text()
    assert re.fullmatch(r"Deep research · stopped after \d+\.\d s · 2 parts · [1-9]\d* sources?", told)
    listed = page.locator("#sources > li").count()
    assert int(re.findall(r"(\d+) source", told)[0]) >= listed


def test_the_final_figures_of_a_research_are_those_of_its_answer(page: Page, docs_server: Live) -> None:
    page.goto(docs_server.url)
    told = """async () => {
      const { beginResearch, drawResearchStatus, endResearch } = await import("/web/research.js");
      const budget = (seconds, sources) => ({
        seconds: { spent: seconds, limit: 120 }, sources: { spent: sources, limit: 12 } });
      const told = (outcome, final) => {
        beginResearch(() => {});
        drawResearchStatus({ stage: "searching", message: "Searching", budget: budget(0, 0) });
        endResearch(outcome, { seconds: 1.6, listed: 8, final });
        return document.querySelector("#research").textContent.replace(/\\s+/g, " ").trim();
      };
      const final = { budget: budget(3.2, 12), stopped_by: ["sources"] };
      return [told("answered", final), told("cancelled", null), told("answered", null), told("fallback", final)];
    }"""
    cut_short, stopped, whole, refused = page.evaluate(told)
    assert cut_short.startswith("Deep research · one search was enough · 12 sources · 3.2 s · cut short, all spent: so")
    assert "Time 3 / 120 s" in cut_short
    assert stopped.startswith("Deep research · stopped after 1.6 s · 8 sources")
    assert "Sources 8 / 12" in stopped
    assert whole.startswith("Deep research · one search was enough · 8 sources · 1.6 s")
    assert "enough" not in refused


def test_a_question_that_goes_on_from_another_tells_how_it_was_understood(
    page: Page, serve: Callable[..., Live], island: Library
) -> None:
    url = serve(library=island).url
    page.goto(url)
    ask(page, "What does a ticket for the ferry to Aldermoor cost?")
    expect(page.locator("body[data-state=done]")).to_be_visible()
    expect(page.locator("#understood")).to_be_hidden()
    ask(page, "And when does it leave?")
    expect(page.locator("#understood")).to_contain_text("Understood as: ")
    expect(page.locator("body[data-state=done]")).to_be_visible()
    assert turns(url, thread_of(page))[1]["standalone"] in page.locator("#understood").inner_text()


def test_a_reload_keeps_the_depth_and_says_that_the_answer_is_an_earlier_one(
    page: Page, serve: Callable[..., Live], island: Library
) -> None:
    page.goto(serve(library=island).url)
    ask(page, BOTH, deep=True)
    expect(page.locator("body[data-outcome=answered]")).to_be_visible()
    page.reload()
    expect(page.locator("#status")).to_contain_text("Answered earlier.")
    expect(page.locator("#understood")).to_contain_text("Deep research")
    expect(page.locator("#deep")).to_be_checked()
    page.uncheck("#deep")
    page.reload()
    expect(page.locator("#status")).to_contain_text("Answered earlier.")
    expect(page.locator("#deep")).not_to_be_checked()


def test_a_report_that_is_finished_early_and_refuses_says_both(
    page: Page, serve: Callable[..., Live], island: Library
) -> None:
    url = serve(library=island, follow_up=Pondering()).url
    page.goto(url)
    ask(page, "Who won the Zanzibar regatta in 1997, and who designed the Quibble engine?", deep=True)
    expect(page.locator("#finish")).to_be_enabled()
    page.click("#finish")
    expect(page.locator("body[data-state=done][data-outcome=fallback]")).to_be_visible()
    run = httpx.get(f"{url}/runs/{page.evaluate(RUN)}", trust_env=False).json()
    said = " ".join(run["final_answer"]["answer"].replace("*", "").split())
    assert " ".join(page.locator("#answer").inner_text().split()) == said


RUN = "import('/web/current.js').then(({ run }) => run.requestId)"


def test_a_summary_of_one_section_is_said_once(page: Page, serve: Callable[..., Live], island: Library) -> None:
    page.goto(serve(library=island).url)
    page.click("#library summary")
    page.get_by_role("button", name="Summarise Ferry").click()
    expect(page.locator("#summary [role=status]")).to_contain_text("Every line is cited")
    expect(page.locator("#summary")).to_contain_text("leaves at noon")
    assert page.locator("#summary").inner_text().count("leaves at noon") == 1


def test_a_page_without_documents_says_that_it_answers_from_the_documentation(page: Page, docs_server: Live) -> None:
    page.goto(docs_server.url)
    ask(page, "What opens the gate?")
    expect(page.locator("body[data-outcome=answered]")).to_be_visible()
    expect(page.locator("#status")).to_contain_text("From the built-in documentation")


def sentences_of(page: Page, place: str) -> list[Any]:
    """What stands in an answer: each sentence with its verdict, and the markers."""
    told: list[Any] = page.locator(f"{place} :is(.sentence, .citation)").evaluate_all(
        "all => all.map(one => [one.dataset.support ?? one.title, one.textContent])"
    )
    return told


def test_a_reopened_conversation_shows_verdicts_markers_and_sources_as_the_live_answer_did(
    browser: Any, page: Page, serve: Callable[..., Live], island: Library
) -> None:
    page.goto(serve(library=island).url)
    ask(page, BOTH, deep=True)
    expect(page.locator("body[data-outcome=answered]")).to_be_visible()
    first = sentences_of(page, "#answer")
    ask(page, "When is the Quillon bakery closed?")
    expect(page.locator("body[data-state=done][data-outcome=answered]")).to_be_visible()
    second, legend = sentences_of(page, "#answer"), page.locator("#verdict-legend").inner_text()
    assert {support for support, _ in first} > {"supported"}
    assert sentences_of(page, "#turns .answer") == first
    again = browser.new_page()
    again.goto(page.url)
    expect(again.locator("body[data-state=done]")).to_be_visible()
    assert sentences_of(again, "#turns .answer") == first
    assert sentences_of(again, "#answer") == second
    assert again.locator("#verdict-legend").inner_text() == legend
    marker = again.locator("#turns .citation").first
    marker.press("Enter")
    expect(again.locator("#turns summary:focus")).to_be_visible()
    again.get_by_role("button", name="back to the text").click()
    expect(marker).to_be_focused()
    again.locator("#answer .citation").first.click()
    expect(again.locator("#sources [data-active] mark")).to_contain_text("closed on Sunday")
    expect(again.locator("#sources [data-active] .score")).to_contain_text(re.compile(r"relevance [01]\.\d\d"))
    again.close()


def test_earlier_turns_are_fetched_page_by_page_and_what_is_read_stays_where_it_is(
    page: Page, serve: Callable[..., Live], island: Library
) -> None:
    url = serve(library=island).url
    thread_id = httpx.post(f"{url}/threads", trust_env=False).json()["thread_id"]
    for hour in range(5):
        body = {"query": f"Does the ferry from Brack to Aldermoor leave at noon, {hour}?", "thread_id": thread_id}
        httpx.post(f"{url}/query", json=body, trust_env=False)
    page.route("**/threads/*", lambda route: route.continue_(url=route.request.url.replace("limit=100", "limit=2")))
    page.goto(f"{url}/#thread={thread_id}")
    expect(page.locator("#asked")).to_contain_text("noon, 4?")
    titles = page.locator("#turns h2")
    expect(titles).to_contain_text(["noon, 3?"])
    button = page.get_by_role("button", name="Earlier turns")
    button.scroll_into_view_if_needed()
    before = top_of(page, "#turns article:last-child")
    button.press("Enter")
    expect(titles).to_contain_text(["noon, 1?", "noon, 2?", "noon, 3?"])
    expect(titles.nth(1)).to_be_focused()
    assert abs(top_of(page, "#turns article:last-child") - before) <= 1
    page.route("**/threads/*", lambda route: route.fulfill(status=503, json={"detail": "Not just now."}))
    button.click()
    expect(page.locator("#earlier [role=alert]")).to_have_text("Not just now.")
    expect(button).to_be_focused()
    page.unroute("**/threads/*")
    button.click()
    expect(titles).to_contain_text([f"noon, {hour}?" for hour in range(4)])
    expect(titles.first).to_be_focused()
    expect(button).to_have_count(0)


def test_deep_research_takes_limits_and_says_beside_the_field_what_the_server_does_not_take(
    page: Page, serve: Callable[..., Live], island: Library
) -> None:
    page.goto(serve(library=island).url)
    expect(page.locator("#limits")).to_be_hidden()
    page.set_checked("#deep", True)
    page.click("#limits summary")
    page.get_by_label("Seconds").fill("0.1")
    page.get_by_label("Model calls").fill("7")
    ask(page, BOTH, deep=True)
    seconds = page.get_by_label("Seconds")
    expect(seconds).to_be_focused()
    expect(seconds).to_have_attribute("aria-invalid", "true")
    expect(seconds).to_have_accessible_description("Input should be greater than or equal to 0.5")
    expect(page.locator("#question")).to_have_value(BOTH)
    expect(page.locator("#error")).to_be_hidden()
    seconds.fill("many")
    seconds.press("Enter")
    expect(seconds).to_have_accessible_description(re.compile("valid number"))
    seconds.fill("601")
    seconds.press("Enter")
    expect(seconds).to_have_accessible_description("this server gives at most 600")
    seconds.fill("45")
    expect(seconds).to_have_attribute("aria-invalid", "false")
    seconds.press("Enter")
    expect(page.locator("body[data-state=done][data-outcome=answered]")).to_be_visible()
    expect(page.locator("#limits summary")).to_have_text("Limits · 45 seconds · 7 model calls")
    page.click("#research summary")
    expect(page.locator("#budget")).to_contain_text(re.compile(r"Time \d+ / 45 s"))
    expect(page.locator("#budget")).to_contain_text(re.compile(r"Model calls \d+ / 7"))
    page.reload()
    expect(page.locator("#limits summary")).to_have_text("Limits · 45 seconds · 7 model calls")
    page.set_checked("#deep", False)
    expect(page.locator("#limits")).to_be_hidden()
    ask(page, "When does the ferry leave?")
    expect(page.locator("body[data-state=done][data-outcome=answered]")).to_be_visible()


TABLE = (
    "Both are listed here.\n\n| Place | When | Price \\| crowns |\n|:--|:-:|--:|\n"
    "| The ferry from Brack to Aldermoor | leaves at noon [1.1] | 8 |\n"
    "| The Quillon bakery opens at six in the morning | daily | [2.1] |\n\nThat is all of it."
)


def test_a_table_is_drawn_as_one_while_it_streams_with_its_verdicts_and_markers(
    page: Page, serve: Callable[..., Live], island: Library, provider: Any, with_model: Any
) -> None:
    _, at = provider(lambda body: Reply(TABLE))
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(serve(**with_model(at.url) | {"library": island}).url)
    page.evaluate(
        """() => {
          window.seen = new Set();
          const note = () => seen.add(document.querySelector("#answer").innerText);
          new MutationObserver(note).observe(document.querySelector("#answer"), { childList: true, subtree: true });
        }"""
    )
    ask(page, BOTH)
    expect(page.locator("body[data-state=done]")).to_be_visible()
    assert not [text for text in page.evaluate("[...seen]") if "|" in text.replace("Price | crowns", "")]
    table = page.get_by_role("region", name="Table").get_by_role("table")
    expect(table.get_by_role("columnheader")).to_have_count(3)
    expect(table.get_by_role("columnheader").last).to_have_text("Price | crowns")
    expect(table.locator("tbody tr")).to_have_count(2)
    ferry = table.locator("tbody tr").first
    expect(ferry.locator("td").nth(1).locator(".citation")).to_have_text("[1]")
    assert ferry.locator(".sentence").count() == 3
    assert ferry.locator(".sentence:not([data-goes-on])").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    live = sentences_of(page, "#answer")
    page.reload()
    expect(table.locator("tbody tr")).to_have_count(2)
    assert sentences_of(page, "#answer") == live


def test_a_table_grows_cell_by_cell_and_nothing_of_it_is_ever_taken_back(page: Page, docs_server: Live) -> None:
    page.goto(docs_server.url)
    text = (
        "Lead\n| a `x` | b |\n|---|---|\n| 1 | 2\\|2 [1] |\n| 3 |\n| 5 | 6 | 7\nEnd `a\\|b`\n\n|x| is no table\n\n"
        "| nor | this |\n\n|-|\n| left |"
    )
    flickers, shown, plain = page.evaluate(
        """async text => {
          const { drawAnswer, fillAnswer } = await import("/web/answer.js");
          const { blocks } = await import("/web/layout.js");
          const place = document.querySelector("#answer"), points = Array.from(text), flickers = [];
          let before = [];
          for (let n = 1; n <= points.length; n += 1) {
            const some = points.slice(0, n);
            const whole = blocks(some, true).reduce((at, b) =>
              b.from === at && at <= b.start && b.start <= b.end && b.end <= b.to ? b.to : NaN, 0);
            drawAnswer(some, [], [], true);
            const cells = [...place.querySelectorAll("th, td")];
            if (whole !== n || before.some((cell, at) => cell !== cells[at])) flickers.push(some.join(""));
            before = cells;
          }
          drawAnswer(points, [], []);
          const rows = [...place.querySelectorAll("tr")].map(row => [...row.cells].map(cell => cell.textContent));
          const plain = [...place.children].filter(one => one.nodeName === "P").map(one => one.textContent);
          drawAnswer([], [], []);
          return [flickers, rows, [...plain, place.childElementCount]];
        }""",
        text,
    )
    assert flickers == []
    assert shown == [["a x", "b"], ["1", "2|2 [1]"], ["3"], ["5", "6", "7"], ["left"]]
    assert plain == ["Lead", "End a\\|b", "|x| is no table", "| nor | this |", 0]
