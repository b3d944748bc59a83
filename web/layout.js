/**
 * An answer as headings, paragraphs, list items and cells of tables, without losing a character of it: what is only
 * markup is told apart from what is read, and positions stay those of the whole text, in code points. No DOM.
 *
 * @typedef {import("./spans.js").Piece} Piece
 * @typedef {{kind: "heading" | "paragraph" | "item" | "remark" | "cell", level: number, ordered: boolean, value: number,
 *   first?: boolean, row?: number, column?: number, align?: string, from: number, start: number, end: number,
 *   to: number}} Block What is read stands in `start`..`end`; before and after it, from `from` and up to `to`, stand
 *   markup and white space. One block's `to` is the next one's `from`.
 */

import { mayBecomeTable, tableAt } from "./tables.js";

const HEADING = /^(#{1,6})[ \t]+/;
const ITEM = /^([ \t]*)(?:[-*+•]|(\d{1,3})[.)])[ \t]+/;
const REMARK = /^\*(?![*\s])/;
/** A last line that may yet become a heading, an item or a remark. */
const UNDECIDED = /^(?:#{1,6}|[-*+•])?[ \t]*$/;

/** Cut a text, however much of it has come, into its blocks. @param {string[]} points
 * @param {boolean} [growing] Whether more of it is to come: then what may yet become a table waits unseen.
 * @returns {Block[]} */
export function blocks(points, growing = false) {
  /** @type {Block[]} */
  const cut = [];
  const all = [...lines(points)];
  let open = false; // whether the next line may go on with the last block
  for (let at = 0; at < all.length; at += 1) {
    const { start, end, to } = all[at];
    if (growing && mayBecomeTable(points, all, at)) {
      leave(cut, start, points.length);
      break;
    }
    const text = points.slice(start, end).join("");
    const table = tableAt(points, all, at);
    const begun = table === null ? opened(text, start, end) : null;
    if (table !== null) {
      for (const cell of table.cells) cut.push({ ...paragraph(cut.at(-1)?.to ?? 0), kind: "cell", ...cell });
      at += table.height - 1;
      open = false;
    } else if (begun !== null) {
      cut.push({ ...begun, to });
      open = begun.kind === "item";
    } else if (text.trim() === "" || (to === points.length && UNDECIDED.test(text))) {
      leave(cut, start, to);
      open = false;
    } else if (open || unread(cut.at(-1))) {
      Object.assign(cut[cut.length - 1], { end, to });
      open = true;
    } else {
      cut.push({ ...paragraph(start), end, to });
      open = true;
    }
  }
  return cut;
}

/** Leave a stretch unread, behind the last block. @param {Block[]} cut @param {number} from @param {number} to */
function leave(cut, from, to) {
  if (cut.length) cut[cut.length - 1].to = to;
  else cut.push({ ...paragraph(from), end: from, to });
}

/** Whether a block has nothing to be read yet. @param {Block | undefined} block */
const unread = (block) => block !== undefined && block.kind !== "cell" && block.start === block.end;

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

/** Every line. @param {string[]} points @returns {Generator<import("./tables.js").Line>} */
function* lines(points) {
  for (let start = 0; start < points.length; ) {
    const found = points.indexOf("\n", start);
    const end = found < 0 ? points.length : found;
    yield { start, end, to: found < 0 ? end : end + 1 };
    start = found < 0 ? end : end + 1;
  }
}

/**
 * Bold words and code in a stretch of text, without the marks around them; in a cell, `\|` is how a `|` is written.
 * @param {string} written @param {Block["kind"]} kind @returns {{tag: "strong" | "code" | null, text: string}[]}
 */
export function inline(written, kind) {
  const text = kind === "cell" ? written.replaceAll("\\|", "|") : written;
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
