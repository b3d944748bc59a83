/** What a question is asked with: where to search, how deep, and whether the thinking is shown. */

import { byId, element } from "./dom.js";
import { health } from "./groundswell.js";
import { drawLibrary } from "./library.js";
import { acceptLimits, limits, offerLimits } from "./limits.js";
import { recalled, remember } from "./session.js";
import { showThinking } from "./thinking.js";

let thinkingChosen = false;
let sizes = {};

/** Heed the controls, which stand as the reader left them. */
export function acceptChoices() {
  acceptLimits();
  chooseDepth(recalled("depth") === "deep");
  byId("collection").addEventListener("change", () => drawLibrary(ownCollection(), listCollections));
  byId("deep").addEventListener("change", () => chooseDepth(byId("deep").checked));
  byId("show-thinking").addEventListener("change", () => {
    thinkingChosen = true;
    showThinking(byId("show-thinking").checked);
  });
}

/** Deep research or not; until the reader has chosen, the thinking is shown in the one and not in the other. */
export function chooseDepth(deep) {
  byId("deep").checked = deep;
  remember("depth", deep ? "deep" : "fast");
  offerLimits(deep);
  if (!thinkingChosen) byId("show-thinking").checked = deep;
  showThinking(byId("show-thinking").checked);
}

/** The choices as a question carries them. Deep research always tells its thoughts: its parts are known by them. */
export function wishes() {
  const collection = byId("collection").value;
  const deep = byId("deep").checked;
  return {
    ...(collection && { collection }),
    ...(deep && { mode: "deep", ...limits() }),
    ...(!deep && byId("show-thinking").checked && { include_thinking: true }),
  };
}

/** Whether a question asked now is answered from the built-in documentation, because there is nothing else. */
export const fromDocumentation = () => byId("collection").value === "" && sizes.docs > 0 && !sizes.default;

/** Fill the list of collections, and draw what is in the one where documents would go. */
export async function listCollections() {
  const { collections } = await health().catch(() => ({ collections: {} }));
  sizes = collections;
  const place = byId("collection");
  const chosen = place.value || new URLSearchParams(location.search).get("collection") || "";
  const names = new Set([...Object.keys(collections), ...(chosen ? [chosen] : [])]);
  const option = (value, text) => element("option", { value, selected: value === chosen }, text);
  const size = (name) => (name in collections ? ` (${collections[name]})` : "");
  place.replaceChildren(option("", "automatic"), ...[...names].map((name) => option(name, name + size(name))));
  byId("examples").dataset.collection = collections.default ? "docs" : "";
  await drawLibrary(ownCollection(), listCollections);
}

/** Where documents go that are added here. */
export function ownCollection() {
  const { value } = byId("collection");
  return value === "" || value === "docs" ? "default" : value;
}
