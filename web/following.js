/** Keeps the question that was asked, and the beginning of its answer, on the screen until the reader moves. */

import { byId } from "./dom.js";

/** In pixels: the room above the question, and how much of an answer is its beginning. */
const ABOVE = 16;
const BEGINNING = 130;
const LEAVING = new Set(["PageUp", "PageDown"]);

let following = false;

/** Bring the question into view, and hold it there while its answer grows. */
export function follow() {
  following = true;
  settle();
}

/** Whatever grows from now on, the page stays where it is. */
export const letGo = () => void (following = false);

/** Heed what grows, and the reader who goes elsewhere. */
export function acceptReading() {
  const growth = new ResizeObserver(settle);
  for (const place of [byId("turns"), ...byId("current").children, byId("result"), byId("form")]) growth.observe(place);
  const elsewhere = ({ target }) => !byId("form").contains(target) && letGo();
  for (const sign of ["wheel", "touchmove"]) addEventListener(sign, letGo, { passive: true });
  for (const sign of ["pointerdown", "focusin"]) addEventListener(sign, elsewhere);
  addEventListener("keydown", (event) => (LEAVING.has(event.key) ? letGo() : elsewhere(event)));
}

function settle() {
  if (!following || byId("asked").hidden) return;
  const top = byId("current").getBoundingClientRect().top - ABOVE;
  const toQuestion = byId("turns").hasChildNodes() ? top : Math.min(0, top); // a first question stands in view as it is
  const by = Math.max(toQuestion, toAnswer());
  if (Math.abs(by) >= 1) scrollBy({ top: by, behavior: "instant" });
}

/** How far the beginning of the answer lies below what can be seen. */
function toAnswer() {
  if (!byId("answer").hasChildNodes()) return -Infinity;
  const { top, height } = byId("result").getBoundingClientRect();
  return top + Math.min(height, BEGINNING) + ABOVE - (innerHeight - byId("form").offsetHeight);
}
