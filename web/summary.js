/** The summary of a document: its sections as they come, then the abstract above them. A marker shows its quote. */

import { byId, element, show } from "./dom.js";
import { cancel, summarise } from "./groundswell.js";
import { pieces } from "./spans.js";

let current = new AbortController();

/**
 * Summarise a document below the list of documents.
 * @param {{id: string, title: string, collection: string}} document
 * @param {HTMLElement} from Where focus goes back to.
 */
export async function drawSummary({ id, title, collection }, from) {
  current.abort();
  const mine = new AbortController();
  current = mine;
  const status = element("p.stage", { role: "status" }, "Reading the document…");
  const bar = element("progress", { max: 1, value: 0, ariaLabel: `Progress of the summary of ${title}` });
  const abstract = element("div.answer", { hidden: true, dir: "auto" });
  const sections = element("ol", { className: "sections" });
  const notes = element("ul", { hidden: true });
  const button = element("button.link", { type: "button" }, "stop");
  const heading = element("h2", { id: "summary-title", tabIndex: -1, dir: "auto" }, `Summary of ${title}`);
  show(byId("summary"), heading, element("p.controls", {}, status, bar, button), notes, abstract, sections);
  heading.focus();

  let requestId = null;
  const said = { points: [], citations: [] };
  let only = ""; // the words of the only section
  const draw = () => {
    abstract.hidden = flat(only).startsWith(flat(said.points.join(""))); // said once is enough
    abstract.replaceChildren(...marked(said.points, said.citations));
  };
  const on = {
    status_update({ message, progress }) {
      if (status.textContent !== message) status.textContent = message;
      if (progress !== undefined) bar.value = progress;
    },
    summary_section(section) {
      if (section.total === 1) only = section.text;
      sections.append(sectionElement(section));
    },
    token({ token }) {
      said.points.push(...token);
      draw();
    },
    citation_attached(citation) {
      said.citations.push(citation);
      draw();
    },
    final_answer(final) {
      said.points = Array.from(final.answer);
      said.citations = final.citations;
      draw();
    },
    error({ fatal, code, message }) {
      if (fatal && code === "cancelled") return;
      notes.hidden = false;
      notes.append(element("li", {}, message));
    },
  };
  button.onclick = () => (requestId === null ? mine.abort() : cancel(requestId).catch(() => mine.abort()));
  const end = (text) => {
    status.textContent = text;
    bar.hidden = true;
    button.textContent = "close";
    button.onclick = () => {
      show(byId("summary"));
      from.focus();
    };
  };
  try {
    const { outcome } = await summarise(id, {
      collection,
      signal: mine.signal,
      onReconnect: () => (status.textContent = "The connection broke; trying to pick it up…"),
      onEvent({ event_type: type, request_id: run, payload }) {
        requestId = run;
        if (Object.hasOwn(on, type)) on[type](payload);
      },
    });
    end(ENDING[outcome] ?? "The summary could not be finished.");
  } catch (error) {
    if (current === mine) end(mine.signal.aborted ? ENDING.cancelled : error.message);
  }
}

const ENDING = {
  answered: "Every line is cited; choose a number to see the words of the document.",
  fallback: "There is nothing to summarise.",
  cancelled: "Stopped: this summary is not complete.",
};

/** A text without the marks and lines that it is laid out in. */
const flat = (text) => text.replace(/^- /gm, "").replace(/\s+/g, " ").trim();

function sectionElement({ section, index, total, text, citations, dropped }) {
  const points = Array.from(text);
  const lines = [];
  for (let at = 0; at < points.length; ) {
    const found = points.indexOf("\n", at);
    const end = found < 0 ? points.length : found;
    const start = points[at] === "-" && points[at + 1] === " " ? at + 2 : at;
    lines.push(element("li", { dir: "auto" }, ...marked(points, citations, start, end)));
    at = end + 1;
  }
  const heading = element("h3", { dir: "auto" }, section ?? (total === 1 ? "The document" : `Section ${index}`));
  const item = element("li", { data: { index } }, heading, element("ul", {}, ...lines));
  if (dropped) item.append(element("p.stage", {}, `${dropped} more left out: the document does not carry them.`));
  return item;
}

/** A text with a button for each marker, which shows the quote behind the text it stands in. */
function marked(points, citations, from = 0, to = points.length) {
  const [quote, nodes] = [element("blockquote", { hidden: true, dir: "auto" }), []];
  for (const { parts } of pieces(points, [], citations, from, to)) {
    for (const { text, citations: cited } of parts) nodes.push(cited.length ? marker(text, cited, quote) : text);
  }
  return [...nodes, quote];
}

function marker(text, citations, quote) {
  const [{ index, source, page }] = citations;
  const button = element("button.citation", {
    type: "button",
    title: page === null ? source : `${source}, page ${page}`,
    data: { index },
    aria: { label: `Passage ${index}: show the quote`, expanded: "false" },
  }, text);
  button.onclick = () => {
    const opens = button.getAttribute("aria-expanded") === "false";
    for (const other of quote.parentElement.querySelectorAll(".citation")) other.setAttribute("aria-expanded", "false");
    button.setAttribute("aria-expanded", String(opens));
    show(quote, ...(opens ? citations.map((citation) => element("mark", {}, citation.quote)) : []));
  };
  return button;
}
