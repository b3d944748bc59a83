/** What the run is thinking, as a log of its own: never a part of the answer. */

import { byId, element } from "./dom.js";

const KIND = { raw: "model", summary: "model, in short" };
/** How near to its end, in pixels, the log follows what is added. */
const NEAR = 40;

let last = null;

/** Add a thought. What a model thinks comes in pieces: they go on where they left off. */
export function drawThought({ text, kind, step, branch }) {
  const place = byId("thoughts");
  const follows = place.scrollHeight - place.scrollTop - place.clientHeight < NEAR;
  const source = [kind, step, branch].join();
  if (kind !== "derived" && last?.source === source) last.words.append(text);
  else {
    const words = element("span.words", { dir: "auto" }, text.replace(`Part ${branch}: `, ""));
    const told = [branch && `part ${branch}`, KIND[kind]].filter(Boolean).join(", ");
    place.append(element("li", { data: { kind } }, ...(told ? [element("span.from", {}, told), " "] : []), words));
    last = { source, words };
    const { childElementCount: many } = place;
    const count = many === 1 ? "1 thought" : `${many} thoughts`;
    byId("thinking").querySelector("summary").textContent = `Thinking · ${count}`;
  }
  showThinking(place.dataset.wanted === "true");
  if (follows) place.scrollTop = place.scrollHeight;
}

/** Whether the log may be seen; it may whenever there is something in it and the reader wants it. */
export function showThinking(wanted) {
  byId("thoughts").dataset.wanted = String(wanted);
  byId("thinking").hidden = !wanted || !byId("thoughts").hasChildNodes();
}

/** Fold the log: the answer is there. */
export const foldThinking = () => (byId("thinking").open = false);

/** Forget the thoughts of another question. */
export function clearThinking() {
  last = null;
  byId("thoughts").replaceChildren();
  Object.assign(byId("thinking"), { hidden: true, open: true });
}
