/** The answer on the page: its sentences with what the sources say of them, its markers, and the sources. */

import { byId, element, show } from "./dom.js";
import { pieces, quotesIn } from "./spans.js";

/** What a verdict is called, and what it means. */
export const SUPPORT = {
  supported: ["supported by its source", "The cited source says this."],
  partial: ["supported in part", "The cited source says a part of this."],
  unsupported: ["not supported", "The cited source does not say this."],
  contradicted: ["contradicted", "A source says otherwise."],
  uncited: ["without a source", "No source is cited for this."],
};

const cards = new Map();
const drawn = { keys: [], nodes: [] };

/** Draw the answer. Sentences that did not change keep their elements, and with them focus and selection. */
export function drawAnswer(points, verdicts, citations) {
  const place = byId("answer");
  const wanted = pieces(points, verdicts, citations);
  const keys = wanted.map((piece) => JSON.stringify(piece));
  let same = 0;
  while (same < keys.length && keys[same] === drawn.keys[same]) same += 1;
  for (const node of drawn.nodes.splice(same)) node.remove();
  for (const piece of wanted.slice(same)) drawn.nodes.push(place.appendChild(pieceElement(piece, marker)));
  drawn.keys = keys;
  const cited = new Set(citations.map((citation) => citation.index));
  for (const [index, { item }] of cards) item.toggleAttribute("data-cited", cited.has(index));
  const kinds = Object.keys(SUPPORT).filter((kind) => verdicts.some((verdict) => verdict.support === kind));
  const entries = kinds.map((kind) => {
    const [name, meaning] = SUPPORT[kind];
    return element("li", { title: meaning }, element("span.sample", { data: { support: kind } }, name));
  });
  show(byId("verdict-legend"), ...entries);
}

/** A piece of an answer; `marker` makes the element of a marker `[n]` from its text and its citations. */
export function pieceElement({ verdict, parts }, marker) {
  const children = parts.map(({ text, citations }) => (citations.length ? marker(text, citations) : text));
  if (verdict === null) return element("span", {}, ...children);
  const [name, meaning] = SUPPORT[verdict.support] ?? [verdict.support, ""];
  const title = verdict.revised
    ? `Corrected after a deeper search: ${name}`
    : `${name[0].toUpperCase()}${name.slice(1)} (${verdict.score.toFixed(2)}, ${verdict.method}). ${meaning}`;
  return element("span.sentence", { title, data: { support: verdict.support } }, ...children);
}

function marker(text, citations) {
  const [{ index, source, confidence }] = citations;
  const button = element("button.citation", {
    type: "button",
    title: `${source}, confidence ${confidence.toFixed(2)}`,
    data: { index },
    aria: { label: `Source ${index}, ${source}: show the quote` },
    onclick: () => reveal(index, citations, button),
  }, text);
  return button;
}

/** Show a source, or show it anew. */
export function drawSource(source) {
  const known = cards.get(source.index);
  const card = known ?? { item: element("li", { data: { index: source.index } }) };
  cards.set(source.index, Object.assign(card, { source }));
  if (known) return;
  const name = element("span.name", { dir: "auto" }, source.source);
  if (source.section) name.append(element("span.section", {}, ` › ${source.section}`));
  if (source.page !== null) name.append(element("span.section", {}, `, page ${source.page}`));
  if (source.wave > 1) name.append(element("span.later", { title: "Found by the wider or deeper search" }, "found later"));
  card.body = element("div.passage", { dir: "auto" }, source.snippet);
  card.details = element("details", {},
    element("summary", {},
      element("span.index", { ariaHidden: "true" }, String(source.index)),
      name,
      scoreBar(source.score),
      element("span.preview", { dir: "auto", ariaHidden: "true" }, source.snippet)),
    card.body);
  card.item.append(card.details);
  byId("sources").append(card.item);
  byId("sources-title").hidden = false;
}

function scoreBar(score) {
  const bar = element("span.bar", { ariaHidden: "true" });
  bar.style.setProperty("--score", String(score));
  const title = "How likely this passage holds the answer, from 0 to 1";
  return element("span.score", { title }, bar, element("span.visually-hidden", {}, "relevance "), score.toFixed(2));
}

/** Open a source, with the quotes of these citations marked in it. `from` is where the reader came from. */
export function reveal(index, citations, from) {
  const card = cards.get(index);
  if (!card) return;
  for (const { item } of cards.values()) delete item.dataset.active;
  for (const button of document.querySelectorAll(".citation")) button.toggleAttribute("data-active", button === from);
  card.item.dataset.active = "";
  card.details.open = true;
  const { context, beyond } = quotesIn(card.source, citations);
  const back = element("button.back", { type: "button", onclick: () => from.focus() }, "back to the text");
  card.body.replaceChildren(
    ...context.map(({ text, marked }) => (marked ? element("mark", {}, text) : text)),
    ...beyond.map((quote) => element("blockquote", {}, "… ", element("mark", {}, quote), " …")),
    back,
  );
  card.details.querySelector("summary").focus({ preventScroll: true });
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  card.item.scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
}

/** Forget the answer and its sources. */
export function clearAnswer() {
  cards.clear();
  drawAnswer([], [], []);
  delete byId("sources").dataset.all;
  Object.assign(byId("sources-title"), { textContent: "Sources", hidden: true });
  byId("sources").replaceChildren();
}
