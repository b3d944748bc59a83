/** Deep research as it goes on: a row for each part of the question, how far it is, and what it has spent. */

import { byId, element } from "./dom.js";

const BUDGET = { seconds: "Time", model_calls: "Model calls", tokens: "Tokens", sources: "Sources" };
const WRITING = new Set(["drafting", "writing", "refining"]);
const PLANNED = /^Part (\d+): (.+)$/s;
const FOUND = /^\d+ new passages? in /;
const BROKEN_OFF = { cancelled: "stopped", error: "broke off" };
const ENDED = /^Part (\d+) (took too long|failed)/;

/** @type {Map<string, {item: any, title: any, doing: any, count: any, sources: number}>} */
const rows = new Map();
let budget = null;

/** A deep run begins; `onFinish` is called when the asker wants the report now. */
export function beginResearch(onFinish) {
  clearResearch();
  const button = element("button", { type: "button", id: "finish", disabled: true }, "Finish now");
  button.title = "Stop searching, and write the report from what has been found";
  button.onclick = async () => {
    button.disabled = true;
    button.textContent = "Finishing…";
    await onFinish().catch(() => {
      button.disabled = false;
      button.textContent = "Finish now";
    });
  };
  byId("research-controls").append(button);
  Object.assign(byId("research"), { hidden: false, open: true });
  headline("Deep research");
}

/** Forget the research of another question. */
export function clearResearch() {
  rows.clear();
  budget = null;
  for (const id of ["branches", "budget", "research-controls"]) byId(id).replaceChildren();
  byId("research-progress").value = 0;
  byId("research").hidden = true;
}

/** What a `status_update` tells of the research. */
export function drawResearchStatus({ stage, message, progress, branch, budget: spent }) {
  if (byId("research").hidden) return;
  if (branch) row(branch).doing.textContent = doing(message);
  if (progress) byId("research-progress").value = Math.max(byId("research-progress").value, progress);
  if (spent) drawBudget((budget = spent));
  if (stage === "verifying" || WRITING.has(stage)) for (const one of rows.values()) ended(one);
  const button = byId("finish");
  if (button === null) return;
  if (WRITING.has(stage)) Object.assign(button, { disabled: true, textContent: "Writing…" });
  else if (button.textContent === "Finish now") button.disabled = false;
}

/** A part of the question becomes known through a thought. */
export function drawResearchThought({ text, kind, branch }) {
  const [, number, question] = (kind === "derived" && PLANNED.exec(text)) || [];
  if (number === undefined || number !== branch || FOUND.test(question) || byId("research").hidden) return;
  const { title } = row(branch);
  title.textContent = question;
  title.title = question;
}

/** A source that a part of the research has brought. */
export function countSource({ branch }) {
  if (!branch || byId("research").hidden) return;
  const one = row(branch);
  one.sources += 1;
  one.count.textContent = sources(one.sources);
}

/** A part that broke off. */
export function drawResearchFailure({ message }) {
  const [, branch, what] = ENDED.exec(message) ?? [];
  if (branch === undefined || byId("research").hidden) return;
  row(branch).item.dataset.ended = "";
  row(branch).doing.textContent = what;
}

/** The report begins: there is room for it. */
export const foldResearch = () => (byId("research").open = false);

/**
 * The run has ended: the panel stays, folded, with what the research came to.
 * @param {string} outcome
 * @param {{seconds: number, listed: number, final: any}} told How long the run took, how many sources are on the page,
 *   and the final answer if there is one: its `budget` is exact, the last one of a run that broke off is not.
 */
export function endResearch(outcome, { seconds, listed, final }) {
  if (byId("research").hidden) return;
  const spent = final?.budget ?? upTo(budget, seconds, listed);
  if (spent) drawBudget(spent);
  for (const one of rows.values()) ended(one);
  if (outcome !== "cancelled" && outcome !== "error") byId("research-progress").value = 1;
  byId("finish")?.remove();
  foldResearch();
  const took = duration(spent?.seconds.spent ?? seconds);
  const short = (final?.stopped_by ?? []).map((name) => BUDGET[name]?.toLowerCase() ?? name);
  const words = [
    BROKEN_OFF[outcome] && `${BROKEN_OFF[outcome]} after ${took}`,
    rows.size > 0 && `${rows.size} ${rows.size === 1 ? "part" : "parts"}`,
    rows.size === 0 && outcome === "answered" && "one search was enough",
    sources(spent?.sources.spent ?? listed),
    !BROKEN_OFF[outcome] && took,
    short.length > 0 && `cut short, all spent: ${short.join(", ")}`,
  ];
  headline(["Deep research", ...words.filter(Boolean)].join(" · "));
}

/** The last budget that was told, up to the end of the run. */
function upTo(told, seconds, listed) {
  if (told === null) return null;
  const at = (name, least) => ({ ...told[name], spent: Math.max(told[name].spent, least) });
  return { ...told, seconds: at("seconds", seconds), sources: at("sources", listed) };
}

function row(branch) {
  const known = rows.get(branch);
  if (known) return known;
  const title = element("span.name", { dir: "auto" }, "The question as a whole");
  const doing = element("span.stage", {}, "to be searched");
  const count = element("span.count", {}, sources(0));
  const number = element("span.index", {}, element("span.visually-hidden", {}, "Part "), branch);
  const item = element("li", { data: { branch } }, number, title, doing, count);
  const made = { item, title, doing, count, sources: 0 };
  const after = [...byId("branches").children].find((other) => Number(other.dataset.branch) > Number(branch));
  byId("branches").insertBefore(item, after ?? null);
  rows.set(branch, made);
  const unnamed = rows.size > 1 ? [...rows.values()].filter((one) => !one.title.title) : [];
  for (const one of unnamed) one.title.textContent = "A part of the question";
  return made;
}

function ended(one) {
  if ("ended" in one.item.dataset) return;
  one.item.dataset.ended = "";
  one.doing.textContent = "looked into";
}

function drawBudget(spent) {
  const entries = Object.entries(spent).filter(([name]) => Object.hasOwn(BUDGET, name));
  const told = entries.map(([name, { spent: value, limit }]) =>
    element("li", { data: { spent: value >= limit ? "all" : "some" } }, `${BUDGET[name]} `,
      element("strong", {}, name === "seconds" ? String(Math.round(value)) : compact(value)),
      ` / ${compact(limit)}${name === "seconds" ? " s" : ""}`));
  byId("budget").replaceChildren(...told);
}

/** `Searching for part 2` in the row of part 2 says no more than `Searching`. */
const doing = (message) => message.replace(/ for part \d+/, "").replace(/^./, (first) => first.toLowerCase());
const headline = (text) => (byId("research").querySelector("summary").textContent = text);
const sources = (number) => (number === 1 ? "1 source" : `${number} sources`);
const duration = (seconds) => (seconds < 10 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds)} s`);
const compact = (number) => (number < 10_000 ? String(number) : `${Math.round(number / 1000)}k`);
