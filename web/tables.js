/**
 * The tables of an answer: a head, a rule below it, and rows, each a line that begins with `|`. Of a table whose head was
 * taken back the rule and the rows are left. No DOM.
 *
 * @typedef {{start: number, end: number, to: number}} Line Its end without and with the line break.
 * @typedef {{first: boolean, row: number, column: number, align: string, start: number, end: number, to: number}} Cell
 *   Row 0 is the head; the `first` one begins the table. What is read stands in `start`..`end`; up to `to` follow
 *   borders, and behind the head the rule.
 */

const ROW = /^[ \t]{0,3}\|/;
const RULE = /^(?=.*-)[ \t]{0,3}\|(?:[ \t]*:?-+:?[ \t]*\|)*(?:[ \t]*:?-+:?)?[ \t]*$/;
/** The beginning of a rule. */
const RULING = /^[|:\- \t]*$/;

/**
 * The cells of the table that begins with this line, and how many lines it has; null if none does.
 * @param {string[]} points @param {Line[]} lines @param {number} at
 * @returns {{cells: Cell[], height: number} | null}
 */
export function tableAt(points, lines, at) {
  const is = (kind, n) => n < lines.length && kind.test(points.slice(lines[n].start, lines[n].end).join(""));
  const ruled = is(RULE, at) ? at : at + 1;
  if (!is(ROW, at) || !is(RULE, ruled) || (ruled === at && !is(ROW, at + 1))) return null;
  const head = ruled === at ? [] : cellsOf(points, lines[at]);
  const rule = cellsOf(points, lines[ruled]);
  if (head.length && head.length !== rule.length) return null;
  let after = ruled + 1;
  while (is(ROW, after)) after += 1;
  if (head.length) head[head.length - 1].to = lines[ruled].to;
  const aligns = rule.map(({ start, end }) => alignOf(points.slice(start, end).join("")));
  const rows = [head, ...lines.slice(ruled + 1, after).map((line) => cellsOf(points, line))];
  const cells = rows.flatMap((cut, row) =>
    cut.map((cell, column) => ({ ...cell, first: false, row, column, align: aligns[column] ?? "" })));
  cells[0].first = true;
  return { cells, height: after - at };
}

/**
 * Whether these last lines of a text that is still growing may yet turn out to begin a table.
 * @param {string[]} points @param {Line[]} lines @param {number} at
 */
export function mayBecomeTable(points, lines, at) {
  const text = (line) => points.slice(line.start, line.end).join("");
  if (!ROW.test(text(lines[at])) || at + 2 < lines.length) return false;
  const below = lines[at + 1];
  return below === undefined || (below.to === below.end && RULING.test(text(below)));
}

/** The cells of a row; what follows its last border is one more, and an escaped border is none.
 * @param {string[]} points @param {Line} line @returns {{start: number, end: number, to: number}[]} */
function cellsOf(points, { start, end, to }) {
  const borders = [];
  for (let at = start; at < end; at += 1) if (points[at] === "|" && points[at - 1] !== "\\") borders.push(at);
  const cells = borders.map((border, n) => trimmed(points, border + 1, borders[n + 1] ?? end));
  const last = cells.at(-1);
  if (cells.length > 1 && last.start === last.end) cells.pop();
  cells[cells.length - 1].to = to;
  return cells;
}

/** @param {string[]} points @param {number} from @param {number} to */
function trimmed(points, from, to) {
  let [start, end] = [from, to];
  while (start < end && points[start].trim() === "") start += 1;
  while (end > start && points[end - 1].trim() === "") end -= 1;
  return { start, end, to };
}

const alignOf = (rule) => (rule.endsWith(":") ? (rule.startsWith(":") ? "center" : "end") : "");
