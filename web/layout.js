/**
 * An answer as headings, paragraphs and list items, without losing a character of it: what is only markup is told apart
 * from what is read, and positions stay those of the whole text, in code points. No DOM.
 *
 * @typedef {import("./spans.js").Piece} Piece
 * @typedef {{kind: "heading" | "paragraph" | "item" | "remark", level: number, ordered: boolean, value: number,
 *   from: number, start: number, end: number, to: number}} Block What is read stands in `start`..`end`; before and after
 *   it, from `from` and up to `to`, stand markup and white space. One block's `to` is the next one's `from`.
 */

const HEADING = /^(#{1,6})[ \t]+/;
const ITEM = /^([ \t]*)(?:[-*+•]|(\d{1,3})[.)])[ \t]+/;
const REMARK = /^\*(?![*\s])/;
/** A last line that may yet become a heading, an item or a remark. */
const UNDECIDED = /^(?:#{1,6}|[-*+•])?[ \t]*$/;

/** Cut a text, however much of it has come, into its blocks. @param {string[]} points @returns {Block[]} */
export function blocks(points) {
  /** @type {Block[]} */
  const cut = [];
  let open = false; // whether the next line may go on with the last block
  for (const { start, end, to } of lines(points)) {
    const text = points.slice(start, end).join("");
    const begun = opened(text, start, end);
    if (begun !== null) {
      cut.push({ ...begun, to });
      open = begun.kind === "item";
    } else if (text.trim() === "" || (to === points.length && UNDECIDED.test(text))) {
      open = false;
      if (cut.length) cut[cut.length - 1].to = to;
      else cut.push({ ...paragraph(start), end: start, to });
    } else if (open || (cut.length && cut[cut.length - 1].start === cut[cut.length - 1].end)) {
      Object.assign(cut[cut.length - 1], { end, to });
      open = true;
    } else {
      cut.push({ ...paragraph(start), end, to });
      open = true;
    }
  }
  return cut;
}

/** The block that a line begins by its marks.
 * @param {string} text @param {number} start @param {number} end @returns {Block | null} */
function opened(text, start, end) {
  const heading = HEADING.exec(text);
  if (heading) {
    const [marks, { length: level }] = heading;
    return { ...paragraph(start), kind: "heading", level, start: start + marks.length, end };
  }
  const item = ITEM.exec(text);
  if (item) {
    const [marks, indent, number] = item;
    const level = Math.min(3, Math.floor(indent.length / 2));
    const about = { level, ordered: number !== undefined, value: Number(number ?? 0) };
    return { ...paragraph(start), kind: "item", ...about, start: start + marks.length, end };
  }
  if (!REMARK.test(text)) return null;
  const closed = text.length > 2 && text.trimEnd().endsWith("*");
  if (!closed && text.slice(1).includes("*")) return null;
  const inner = closed ? start + Array.from(text.trimEnd()).length - 1 : end;
  return { ...paragraph(start), kind: "remark", start: start + 1, end: inner };
}

/** @param {number} start @returns {Block} */
const paragraph = (start) =>
  ({ kind: "paragraph", level: 0, ordered: false, value: 0, from: start, start, end: start, to: start });

/** Every line, its end without and with the line break. @param {string[]} points */
function* lines(points) {
  for (let start = 0; start < points.length; ) {
    const found = points.indexOf("\n", start);
    const end = found < 0 ? points.length : found;
    yield { start, end, to: found < 0 ? end : end + 1 };
    start = found < 0 ? end : end + 1;
  }
}

/**
 * Bold words and code in a stretch of text, without the marks around them.
 * @param {string} text @returns {{tag: "strong" | "code" | null, text: string}[]}
 */
export function inline(text) {
  const cut = [];
  let at = 0;
  for (const { 0: whole, 1: bold, 2: code, index } of text.matchAll(/\*\*(?=\S)([^*]*[^*\s])\*\*|`([^`]+)`/g)) {
    if (index > at) cut.push({ tag: null, text: text.slice(at, index) });
    cut.push(bold === undefined ? { tag: "code", text: code } : { tag: "strong", text: bold });
    at = index + whole.length;
  }
  if (at < text.length) cut.push({ tag: null, text: text.slice(at) });
  return cut;
}
