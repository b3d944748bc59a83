/** What deep research may spend, where the asker sets limits of their own: blank fields are the server's to fill. */

import { byId } from "./dom.js";
import { recalled, remember } from "./session.js";

const WORDS = { seconds: "seconds", model_calls: "model calls", tokens: "tokens", sources: "sources" };
const NUMBER = /^-?\d{1,15}(?:\.\d{1,15})?$/;
const names = Object.keys(WORDS);
const field = (name) => byId(`limit-${name}`);
const problem = (name) => byId(`limit-${name}-problem`);

/** Heed the fields, which stand as the reader left them. */
export function acceptLimits() {
  const kept = new URLSearchParams(recalled("limits") ?? "");
  for (const name of names) {
    field(name).value = kept.get(name) ?? "";
    field(name).addEventListener("input", () => {
      told(name);
      remember("limits", String(new URLSearchParams(entries())));
      headline();
    });
  }
  headline();
}

/** Limits belong to deep research alone. */
export const offerLimits = (deep) => (byId("limits").hidden = !deep);

/** The limits as a question carries them: a number where it is one; what is none the server refuses in its words. */
export function limits() {
  const wanted = entries().map(([name, text]) => [name, NUMBER.test(text) ? Number(text) : text]);
  return wanted.length ? { budget: Object.fromEntries(wanted) } : {};
}

/** Fold the fields; the headline says what they hold. */
export function foldLimits() {
  for (const name of names) told(name);
  if (byId("limits").contains(document.activeElement)) byId("limits").querySelector("summary").focus();
  byId("limits").open = false;
}

/** Say beside a limit why the server does not take it; whether it was one of these that was refused. */
export function refusedLimit({ field: path = "", message }) {
  const name = names.find((one) => path === `budget.${one}`);
  if (name === undefined) return false;
  told(name, message.replace(`${path}: `, ""));
  byId("limits").open = true;
  field(name).focus();
  return true;
}

const entries = () => names.map((name) => [name, field(name).value.trim()]).filter(([, text]) => text !== "");

function told(name, message = "") {
  problem(name).textContent = message;
  field(name).setAttribute("aria-invalid", String(message !== ""));
}

function headline() {
  const set = entries().map(([name, text]) => `${text} ${WORDS[name]}`);
  byId("limits").querySelector("summary").textContent = ["Limits", ...set].join(" · ");
}
