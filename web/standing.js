/** How the server's last runs stand against their targets: one line, and a table for who opens it. */

import { byId, element } from "./dom.js";
import { health } from "./groundswell.js";

const NAMES = {
  time_to_first_token_p95_seconds: "First word (p95)",
  time_to_first_useful_answer_p95_seconds: "First supported sentence (p95)",
  time_to_final_answer_p95_seconds: "Final answer (p95)",
  citation_coverage: "Sentences with a citation",
  citation_precision: "Citations that speak for their sentence",
  abandonment: "Askers who left before the answer",
  refinement: "Drafts changed by deeper evidence",
  retraction: "Drafts withdrawn",
};
const seconds = (name) => name.endsWith("_seconds");

/** Ask the server and draw it; a server that does not tell leaves the place hidden. */
export async function drawStanding() {
  const targets = await health().then((told) => told.targets ?? {}, () => ({}));
  const rows = Object.entries(targets).filter(([name]) => Object.hasOwn(NAMES, name));
  const place = byId("standing");
  place.hidden = rows.length === 0;
  place.querySelector("summary").textContent = headline(rows.map(([, figure]) => figure));
  place.querySelector("tbody").replaceChildren(...rows.map(([name, figure]) => row(name, figure)));
}

function headline(figures) {
  const judged = figures.filter((figure) => figure.met !== null);
  const met = judged.filter((figure) => figure.met).length;
  return `The last runs: ${judged.length ? `${met} of ${judged.length} targets met` : "too few yet to judge"}`;
}

function row(name, { value, target, met, runs }) {
  const bound = target === null ? "–" : seconds(name) ? `${target} s` : target.replace(/[\d.]+/, (share) => percent(share));
  const verdict = met === null ? (target === null ? "" : "too few yet") : met ? "met" : "missed";
  return element(
    "tr",
    { data: { met: String(met) } },
    element("th", { scope: "row" }, NAMES[name]),
    element("td", {}, value === null ? "–" : seconds(name) ? `${Number(value.toPrecision(2))} s` : percent(value)),
    element("td", {}, bound),
    element("td", {}, String(runs)),
    element("td.verdict", {}, verdict),
  );
}

const percent = (share) => `${Math.round(100 * share)} %`;
