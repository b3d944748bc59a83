/** What was said before in a conversation: each question with its answer, and its sources for who opens them. */

import { fillAnswer } from "./answer.js";
import { byId, element } from "./dom.js";
import { anchored, quotesIn } from "./spans.js";

/** Show these turns alone. */
export const drawTurns = (turns) => byId("turns").replaceChildren(...turns.map((turn) => turnElement(turn)));

/** Show one more turn; `verdicts` are those on its sentences, where they are known. */
export const addTurn = (turn, verdicts = []) => byId("turns").append(turnElement(turn, verdicts));

function turnElement(turn, verdicts = []) {
  const { request_id: id, question, mode, answer, outcome, citations, sources } = turn;
  const title = element("h2.asked", { id: `asked-${id}`, dir: "auto" }, question);
  const list = sourceList(sources, citations);
  const marker = (text, [{ index, source }]) => {
    const label = `Source ${index}, ${source}: show the quote`;
    const button = element("button.citation", { type: "button", aria: { label } }, text);
    button.onclick = () => open(list, index);
    return button;
  };
  const body = element("div.answer", { dir: "auto" });
  fillAnswer(body, answer, verdicts, citations, marker);
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

function open(list, index) {
  const details = list.querySelector(`[data-index="${index}"] details`);
  if (!details) return;
  list.open = details.open = true;
  details.querySelector("summary").focus();
}
