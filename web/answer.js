/** The answer on the page: its sentences with what the sources say of them, its markers, and the sources. */

import { byId, element, show } from "./dom.js";
import { blocks, inline } from "./layout.js";
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
/** @type {Drawn[]} What stands on the page: block by block, and in each its pieces. */
const drawn = [];

/** @typedef {{key: string, node: any, keys: string[], nodes: any[]}} Drawn */

/**
 * Draw the answer, `growing` or whole. Sentences that did not change keep their elements, and with them focus and
 * selection.
 */
export function drawAnswer(points, verdicts, citations, growing = false) {
  drawBlocks(byId("answer"), drawn, { points, verdicts, citations, marker, growing });
  const cited = new Set(citations.map((citation) => citation.index));
  for (const [index, { item }] of cards) item.toggleAttribute("data-cited", cited.has(index));
  const kinds = Object.keys(SUPPORT).filter((kind) => byId("answer").querySelector(`[data-support="${kind}"]`));
  const entries = kinds.map((kind) => {
    const [name, meaning] = SUPPORT[kind];
    return element("li", { title: meaning }, element("span.sample", { data: { support: kind } }, name));
  });
  show(byId("verdict-legend"), ...entries);
}

/** An answer in `place`; `marker` makes the element of a marker `[n]` from its text and its citations. */
export function fillAnswer(place, answer, verdicts, citations, marker) {
  drawBlocks(place, [], { points: Array.from(answer), verdicts, citations, marker });
}

function drawBlocks(place, before, { points, verdicts, citations, marker, growing = false }) {
  const wanted = blocks(points, growing);
  const keyOf = ({ start, end, to, ...about }) => JSON.stringify(about);
  let same = 0;
  while (same < wanted.length && before[same]?.key === keyOf(wanted[same])) same += 1;
  for (const { node } of before.splice(same).reverse()) takeOut(node, place);
  for (const [at, block] of wanted.entries()) {
    const judged = block.row === 0 ? verdicts.filter(({ support }) => support !== "uncited") : verdicts;
    const inside = pieces(points, judged, citations, block.start, block.end); // the head of a table claims nothing
    before[at] ??= { key: keyOf(block), kind: block.kind, node: putIn(place, block, before[at - 1]?.node), keys: [], nodes: [] };
    drawPieces(before[at], inside, marker);
  }
}

function drawPieces(block, wanted, marker) {
  const keys = wanted.map((piece) => JSON.stringify(piece));
  let same = 0;
  while (same < keys.length && keys[same] === block.keys[same]) same += 1;
  for (const node of block.nodes.splice(same)) node.remove();
  for (const piece of wanted.slice(same)) block.nodes.push(block.node.appendChild(pieceElement(piece, block.kind, marker)));
  block.keys = keys;
}

/** The element of a block, behind the one before it; items of the same kind share a list, cells a table. */
function putIn(place, block, previous) {
  const { kind, level, ordered, value } = block;
  if (kind === "cell") return putInTable(place, block, previous);
  if (kind === "heading") return place.appendChild(element(level > 2 ? "h4" : "h3"));
  if (kind !== "item") return place.appendChild(element(kind === "remark" ? "p.remark" : "p"));
  const name = ordered ? "OL" : "UL";
  const list = previous?.parentNode.nodeName === name ? previous.parentNode : place.appendChild(element(name));
  return list.appendChild(element("li", { data: { level }, ...(ordered && { value }) }));
}

/** A cell beside the one before it, or the first of a row; the first of all makes the table, which scrolls by itself. */
function putInTable(place, { first, row, column, align }, previous) {
  const about = align ? { data: { align } } : {};
  const cell = row === 0 ? element("th", { scope: "col", ...about }) : element("td", about);
  const begun = () => element(row === 0 ? "thead" : "tbody", {}, element("tr", {}, cell));
  if (first) {
    const about = { role: "region", tabIndex: 0, aria: { label: "Table" } };
    place.append(element("div.scrolling", about, element("table", {}, begun())));
  } else if (column > 0) previous.after(cell);
  else if (row === 1) previous.closest("table").append(begun());
  else previous.closest("tr").after(element("tr", {}, cell));
  return cell;
}

/** Take out an element, with what held nothing else. */
function takeOut(node, place) {
  for (let at = node; at !== place && (at === node || !at.hasChildNodes()); ) {
    const holder = at.parentNode;
    at.remove();
    at = holder;
  }
}

/** A piece of a block of an answer. */
function pieceElement({ verdict, goesOn, parts }, kind, marker) {
  const told = ({ text, citations }) => (citations.length ? [marker(text, citations)] : words(text, kind));
  const children = parts.flatMap(told);
  if (verdict === null) return element("span", {}, ...children);
  const [name, meaning] = SUPPORT[verdict.support] ?? [verdict.support, ""];
  const title = verdict.revised
    ? `Corrected after a deeper search: ${name}`
    : `${name[0].toUpperCase()}${name.slice(1)} (${verdict.score.toFixed(2)}, ${verdict.method}). ${meaning}`;
  const data = { support: verdict.support, ...(goesOn && { goesOn: "" }) };
  return element("span.sentence", { title, data }, ...children);
}

const words = (text, kind) => inline(text, kind).map(({ tag, text: said }) => (tag ? element(tag, {}, said) : said));

function marker(text, citations) {
  const [{ index, source, confidence }] = citations;
  const button = element("button.citation", {
    type: "button",
    title: titleOf(source, confidence),
    data: { index },
    aria: { label: `Source ${index}, ${source}: show the quote` },
    onclick: () => reveal(index, citations, button),
  }, text);
  return button;
}

/** What a marker says of its source. */
export const titleOf = (source, confidence) => `${source}, confidence ${confidence.toFixed(2)}`;

/** Leads from a passage to the marker that the reader came from. */
export const backTo = (from) =>
  element("button.back", { type: "button", onclick: () => from.focus() }, "back to the text");

/** Show a source, or show it anew. */
export function drawSource(source) {
  const known = cards.get(source.index);
  const card = known ?? { item: element("li", { data: { index: source.index } }) };
  cards.set(source.index, Object.assign(card, { source }));
  if (known) return;
  const name = element("span.name", { dir: "auto" }, source.source);
  if (source.section) name.append(element("span.section", {}, ` › ${source.section}`));
  if (source.page) name.append(element("span.section", {}, `, page ${source.page}`));
  const found = source.branch
    ? ["Found by this part of the research", `part ${source.branch}`]
    : source.wave > 1 && ["Found by the wider or deeper search", "found later"];
  if (found) name.append(element("span.later", { title: found[0] }, found[1]));
  card.body = element("div.passage", { dir: "auto" }, source.snippet);
  card.details = element("details", {},
    element("summary", {},
      element("span.index", { ariaHidden: "true" }, String(source.index)),
      name,
      ...(typeof source.score === "number" ? [scoreBar(source.score)] : []),
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
  card.body.replaceChildren(
    ...context.map(({ text, marked }) => (marked ? element("mark", {}, text) : text)),
    ...beyond.map((quote) => element("blockquote", {}, "… ", element("mark", {}, quote), " …")),
    backTo(from),
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
