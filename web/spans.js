/**
 * Where sentences, markers and quotes lie in a text, counted in code points. No DOM.
 *
 * @typedef {import("./groundswell.js").Citation} Citation
 * @typedef {import("./groundswell.js").PartialAnswer} PartialAnswer
 * @typedef {import("./groundswell.js").Source} Source
 * @typedef {PartialAnswer & {revised?: boolean}} Verdict
 * @typedef {{text: string, citations: Citation[]}} Part A marker if it has citations, else plain text.
 * @typedef {{verdict: Verdict | null, goesOn: boolean, parts: Part[]}} Piece `goesOn` where its sentence does.
 */

/** What is neither white space nor the border of a cell or the rule below one. */
const READ = /[^\s|:-]/;

/**
 * The text, or a stretch of it, cut at the ends of its judged sentences, and within each piece at its markers. Nothing
 * is lost: the texts of all parts are the text. A piece without a verdict is white space, or a sentence still being
 * written; a sentence that reaches beyond the stretch is cut at its edge.
 * @param {string[]} points @param {Verdict[]} verdicts @param {Citation[]} citations
 * @param {number} [from] @param {number} [to]
 * @returns {Piece[]}
 */
export function pieces(points, verdicts, citations, from = 0, to = points.length) {
  const cut = [];
  let at = from;
  const between = (end) => ({ verdict: null, goesOn: false, parts: parts(points, at, end, citations) });
  for (const verdict of [...verdicts].sort((a, b) => a.start - b.start)) {
    const start = Math.max(verdict.start, from);
    const end = Math.min(verdict.end, to);
    if (start < at || start >= end || verdict.end > points.length) continue;
    if (start > at) cut.push(between(start));
    const goesOn = verdict.end > to && READ.test(points.slice(to, verdict.end).join(""));
    cut.push({ verdict, goesOn, parts: parts(points, start, end, citations) });
    at = end;
  }
  if (at < to) cut.push(between(to));
  return cut;
}

/** @param {string[]} points @param {number} start @param {number} end @param {Citation[]} citations @returns {Part[]} */
function parts(points, start, end, citations) {
  /** @type {Map<number, Citation[]>} */
  const markers = new Map();
  for (const citation of citations) {
    if (citation.start < start || citation.end > end) continue;
    markers.set(citation.start, [...(markers.get(citation.start) ?? []), citation]);
  }
  const cut = [];
  let at = start;
  for (const [place, cited] of [...markers].sort(([a], [b]) => a - b)) {
    if (place < at) continue;
    if (place > at) cut.push({ text: points.slice(at, place).join(""), citations: [] });
    at = cited[0].end;
    cut.push({ text: points.slice(place, at).join(""), citations: cited });
  }
  if (at < end) cut.push({ text: points.slice(at, end).join(""), citations: [] });
  return cut;
}

/**
 * The draft's verdicts at their places in a revision that came without verdicts of its own. What was changed counts as
 * supported where a citation stands in it: a correction is only made with a source that says so.
 * @param {string} answer @param {PartialAnswer[]} draft
 * @param {import("./groundswell.js").Change[]} changes @param {Citation[]} citations
 * @returns {Verdict[]}
 */
export function carriedOver(answer, draft, changes, citations) {
  const changed = new Map(changes.map((change) => [change.sentence, change.after]));
  /** @type {Verdict[]} */
  const verdicts = [];
  let from = 0;
  for (const sentence of draft) {
    const text = changed.get(sentence.sentence) ?? sentence.text;
    const found = text ? answer.indexOf(text, from) : -1;
    if (found < 0) continue;
    from = found + text.length;
    const start = Array.from(answer.slice(0, found)).length;
    const end = start + Array.from(text).length;
    const verdict = { ...sentence, text, start, end };
    if (!changed.has(sentence.sentence)) {
      verdicts.push(verdict);
      continue;
    }
    const own = citations.filter((citation) => citation.start >= start && citation.end <= end);
    const score = Math.max(0, ...own.map((citation) => citation.confidence));
    verdicts.push({ ...verdict, support: own.length ? "supported" : "uncited", score, revised: true });
  }
  return verdicts;
}

/**
 * Quotes in their context: the snippet with the quoted stretches marked, and the quotes that lie beyond it. A quote
 * that begins where a shortened snippet ends carries it on.
 * @param {Source} source @param {Citation[]} citations
 * @returns {{context: {text: string, marked: boolean}[], beyond: string[]}}
 */
export function quotesIn(source, citations) {
  const points = Array.from(source.snippet);
  const beyond = [];
  const marked = new Set();
  const shortened = source.snippet.endsWith("…") && source.end - source.start >= points.length;
  for (const { quote, source_start: at } of [...citations].sort((a, b) => a.source_start - b.source_start)) {
    const quoted = Array.from(quote);
    const start = at - source.start;
    const end = start + quoted.length;
    const held = points.slice(start, -1).join("");
    if (shortened && start >= 0 && start < points.length && end >= points.length && quote.startsWith(held)) {
      points.splice(start, Infinity, ...quoted, " ", "…");
    }
    if (start >= 0 && points.slice(start, end).join("") === quote) {
      for (let i = start; i < end; i += 1) marked.add(i);
    } else if (!beyond.includes(quote)) beyond.push(quote);
  }
  const context = [];
  for (const [i, point] of points.entries()) {
    const last = context.at(-1);
    if (last?.marked === marked.has(i)) last.text += point;
    else context.push({ text: point, marked: marked.has(i) });
  }
  return { context, beyond };
}

/**
 * A source with the place of its passage. One that comes out of a stored conversation has lost it; a quote that stands
 * in the passage tells it again.
 * @param {Partial<Source> & {snippet: string}} source @param {Citation[]} citations Those of this source.
 * @returns {any}
 */
export function anchored(source, citations) {
  if (typeof source.start === "number") return source;
  for (const { quote, source_start: at } of citations) {
    const found = source.snippet.indexOf(quote);
    if (found < 0) continue;
    const start = at - Array.from(source.snippet.slice(0, found)).length;
    return { ...source, start, end: start + Array.from(source.snippet).length };
  }
  return { ...source, start: Number.NaN, end: Number.NaN };
}
