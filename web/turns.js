/** What was said before in a conversation: each question with its answer, and its sources for who opens them. */

import { backTo, fillAnswer, titleOf } from "./answer.js";
import { byId, element, show } from "./dom.js";
import { anchored, quotesIn } from "./spans.js";

/**
 * Show these turns alone.
 * @param {any[]} turns
 * @param {string | null} next Where those before them are; null where there are none.
 * @param {(after: string) => Promise<{turns: any[], next: string | null}>} [fetchEarlier]
 */
export function drawTurns(turns, next = null, fetchEarlier) {
  byId("turns").replaceChildren(...turns.map(turnElement));
  offerEarlier(next, fetchEarlier);
}

/** Show one more turn. */
export const addTurn = (turn) => byId("turns").append(turnElement(turn));

function offerEarlier(next, fetchEarlier) {
  if (next === null) return show(byId("earlier"));
  const button = element("button.link", { type: "button" }, "Earlier turns");
  const problem = element("span", { role: "alert" });
  button.onclick = async () => {
    button.disabled = true;
    problem.textContent = "";
    try {
      const found = await fetchEarlier(next);
      if (!button.isConnected) return; // another conversation was opened
      offerEarlier(found.next, fetchEarlier);
      putBefore(found.turns);
    } catch (error) {
      problem.textContent = error.message;
      button.disabled = false;
      button.focus();
    }
  };
  show(byId("earlier"), button, problem);
}

/** Earlier turns stand above the others, which stay where they are on the screen; the last of them has the focus. */
function putBefore(turns) {
  const before = document.documentElement.scrollHeight - scrollY;
  const made = turns.map(turnElement);
  byId("turns").prepend(...made);
  const title = made.at(-1)?.querySelector("h2") ?? byId("earlier");
  title.tabIndex = -1;
  title.focus({ preventScroll: true });
  scrollTo({ top: document.documentElement.scrollHeight - before, behavior: "instant" });
}

function turnElement(turn) {
  const { request_id: id, question, mode, answer, outcome, citations, sources, sentences = [] } = turn;
  const title = element("h2.asked", { id: `asked-${id}`, dir: "auto" }, question);
  const list = sourceList(sources, citations);
  const marker = (text, [{ index, source, confidence }]) => {
    const about = { type: "button", title: titleOf(source, confidence), data: { index } };
    const label = `Source ${index}, ${source}: show the quote`;
    const button = element("button.citation", { ...about, aria: { label } }, text);
    button.onclick = () => open(list, index, button);
    return button;
  };
  const body = element("div.answer", { dir: "auto" });
  fillAnswer(body, answer, sentences, citations, marker);
  const about = { data: { id, outcome }, aria: { labelledby: title.id } };
  return element("article.turn", about, title, ...manner(mode), ...meant(turn), body, ...(sources.length ? [list] : []));
}

/** How a question was understood, where that is not how it was asked. */
export function meant({ question, standalone }) {
  if (!standalone || standalone === question) return [];
  return [element("p.reason", { dir: "auto" }, `Understood as: ${standalone}`)];
}

/** How a question was answered, where that was not at once. */
export const manner = (mode) => (mode === "deep" ? [element("p.reason", {}, "Deep research")] : []);

function sourceList(sources, citations) {
  const cited = new Set(citations.map(({ index }) => index));
  const rank = ({ index }) => (cited.has(index) ? 0 : 1);
  const ordered = [...sources].sort((a, b) => rank(a) - rank(b) || a.index - b.index);
  const items = ordered.map((source) => {
    const own = citations.filter(({ index }) => index === source.index);
    const { context, beyond } = quotesIn(anchored(source, own), own);
    const place = [source.section && ` › ${source.section}`, source.page && `, page ${source.page}`];
    return element("li", { data: { index: source.index } },
      element("details", {},
        element("summary", {},
          element("span.index", {}, String(source.index)),
          element("span.name", { dir: "auto" }, source.source, element("span.section", {}, ...place.filter(Boolean)))),
        element("div.passage", { dir: "auto" },
          ...context.map(({ text, marked }) => (marked ? element("mark", {}, text) : text)),
          ...beyond.map((quote) => element("blockquote", {}, "… ", element("mark", {}, quote), " …")))));
  });
  const count = `${sources.length} ${sources.length === 1 ? "source" : "sources"}, ${cited.size} cited`;
  return element("details.turn-sources", {}, element("summary", {}, count), element("ol.sources", {}, ...items));
}

function open(list, index, from) {
  const details = list.querySelector(`[data-index="${index}"] details`);
  if (!details) return;
  list.open = details.open = true;
  details.querySelector(".back")?.remove();
  details.querySelector(".passage").append(backTo(from));
  details.querySelector("summary").focus();
}
