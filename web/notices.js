/** What the page says beside the answer: the gate, the refinement, the nearest sources, the figures. */

import { reveal, SUPPORT } from "./answer.js";
import { byId, element, show } from "./dom.js";

const GATE = {
  open: "Gate open",
  expand: "Searching wider",
  verify_first: "Checking first",
  fallback: "Gate closed",
  review: "For a person",
  blocked: "Blocked",
};
const NEAREST_SHOWN = 3;

/** Whether anything may be said, and why. */
export function drawGate({ verdict, reasons, missing, domain }) {
  const words = [...reasons];
  if (missing?.length) words.push(`nothing found about ${missing.join(", ")}`);
  if (domain !== "general") words.push(`rules of ${domain}`);
  byId("gate").dataset.verdict = verdict;
  show(byId("gate"), element("strong.badge", {}, GATE[verdict] ?? verdict), element("span", {}, words.join(" · ")));
}

/** What deeper evidence made of the draft. `verdicts` are those of the draft. */
export function drawRefinement(refinement, draft, verdicts) {
  const confirmed = refinement.action === "confirm";
  byId("refinement").dataset.action = refinement.action;
  show(byId("refinement"), ...(confirmed ? confirmation(refinement) : correction(refinement, draft, verdicts)));
}

function confirmation({ message, reasons }) {
  const sign = message.includes("disagree") ? "⚠ " : "✓ ";
  return [element("p", {}, element("span", { ariaHidden: "true" }, sign), `${message}: ${reasons.join("; ")}`)];
}

function correction({ message, action, reasons, changes }, draft, verdicts) {
  const items = changes.map(({ sentence, before, after }) => {
    const support = verdicts.find((verdict) => verdict.sentence === sentence)?.support;
    const why = support in SUPPORT ? ` (${SUPPORT[support][0]})` : "";
    const old = element("del", { dir: "auto" }, before);
    if (!after) return element("li", {}, `Left out${why}: `, old);
    return element("li", {}, `Changed${why}: `, old, " ", element("ins", { dir: "auto" }, after));
  });
  const former = element("p.draft", { dir: "auto" }, draft);
  return [
    element("p", {}, element("strong", {}, `${message}.`), ` ${reasons.join("; ")}.`),
    ...(action === "retract" ? [] : [element("ul", {}, ...items)]),
    element("details", {}, element("summary", {}, "Show the first draft"), former),
  ];
}

/** What came nearest to an answer, where there is none. */
export function drawNearest(sources) {
  const items = sources.slice(0, NEAREST_SHOWN).map((source) => {
    const title = [source.source, source.section].filter(Boolean).join(" › ");
    const button = element("button.link", { type: "button", onclick: () => reveal(source.index, [], button) }, title);
    return element("li", {}, button);
  });
  if (items.length) show(byId("nearest"), element("p", {}, "The nearest sources:"), element("ul", {}, ...items));
}

/** How long everything took. */
export function drawFigures(figures) {
  const words = [
    ["first source after", figures.time_to_first_source_ms],
    ["first word after", figures.time_to_first_token_ms],
    ["first supported sentence after", figures.time_to_first_useful_answer_ms],
    ["all done after", figures.total_pipeline_ms],
  ].flatMap(([what, ms]) => (typeof ms === "number" ? [`${what} ${duration(ms)}`] : []));
  const text = words.join(" · ");
  show(byId("metrics"), text.charAt(0).toUpperCase() + text.slice(1));
}

const duration = (ms) => (ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`);
