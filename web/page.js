/** What the page says of itself: what it is doing, what went wrong, and what state it is in. */

import { byId, element, show } from "./dom.js";

/** Whether there is room for the answer or for a keyboard, and not for both. */
export const NARROW = matchMedia("(max-width: 40rem)");

/** Idle, running or done. */
export function enter(state) {
  const [shown, hidden] = state === "running" ? [byId("stop"), byId("ask")] : [byId("ask"), byId("stop")];
  const focused = document.activeElement === hidden;
  shown.hidden = false;
  hidden.hidden = true;
  if (focused) shown.focus();
  document.body.dataset.state = state;
  document.body.toggleAttribute("data-talking", byId("turns").hasChildNodes());
  byId("answer").setAttribute("aria-busy", String(state === "running"));
}

/** Say what went wrong, and what can be done about it: try again, or else. */
export function showError({ message }, retry, ...others) {
  const button = ([text, act]) => {
    const onclick = () => {
      show(byId("error"));
      act();
    };
    return element("button", { type: "button", onclick }, text);
  };
  const ways = [...others, ["Try again", retry]].map(button);
  show(byId("error"), element("p", {}, message), element("span.ways", {}, ...ways));
}

/** Say something of the answer, below it. */
export function note(text) {
  byId("notes").append(element("li", {}, text));
  byId("notes").hidden = false;
}

/** Say what is going on. */
export const say = (text) => {
  if (byId("status").textContent !== text) byId("status").textContent = text;
};
