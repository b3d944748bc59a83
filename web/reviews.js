/** The page of questions for people: what waits, what was decided. */

import { byId, element, show } from "./dom.js";
import { decideReview, listReviews } from "./groundswell.js";
import { decidedReview, waitingReview } from "./review.js";

const LOOK_MS = 10_000;
const next = { waiting: "", decided: "" };
let busy = 0;

const place = (state) => byId(`${state}-reviews`);
const known = (state, id) => place(state).querySelector(`[data-id="${CSS.escape(id)}"]`);
const say = (text) => {
  if (byId("status").textContent !== text) byId("status").textContent = text;
};

/** Add a page of a list behind what is shown. */
async function more(state) {
  const page = await listReviews({ state, after: next[state] });
  for (const review of page.reviews) if (!known(state, review.request_id)) place(state).append(made(state, review));
  next[state] = page.next ?? page.reviews.at(-1)?.request_id ?? next[state];
  byId(`more-${state}`).hidden = page.next === null;
  tell(page.waiting);
}

const made = (state, review) =>
  state === "waiting"
    ? waitingReview(review, (decision) => decide(review.request_id, decision))
    : decidedReview(review);

async function decide(id, decision) {
  busy += 1;
  try {
    const decided = await decideReview(id, decision);
    moved(id, decided);
    const { waiting } = await listReviews({ limit: 1 });
    tell(waiting);
  } catch (error) {
    if (error.code !== "already_decided") throw error;
    gone(id);
  } finally {
    busy -= 1;
  }
}

/** Show a decided question among the others, and go on to the next that waits. */
function moved(id, review) {
  const article = known("waiting", id);
  const following = article.nextElementSibling ?? article.previousElementSibling;
  article.remove();
  place("decided").prepend(decidedReview(review));
  focusOn(following ?? byId("decided-title"));
}

function focusOn(place) {
  const target = place.querySelector("h3") ?? place;
  target.tabIndex = -1;
  target.focus();
}

/** Somebody else was first: say so where the decision was to be made. */
function gone(id) {
  const article = known("waiting", id);
  const notice = element("p.problem", { role: "alert" }, "Somebody else has decided this one. Reload to see how.");
  article.querySelector(".decision").replaceWith(notice);
}

function tell(waiting) {
  const words = waiting === 1 ? "1 question waits." : `${waiting} questions wait.`;
  say(waiting === 0 ? "Nothing waits." : words);
}

/** Look for questions that came since; what is being read or written stays as it is. */
async function look() {
  if (document.hidden || busy || !byId("more-waiting").hidden) return;
  await more("waiting").catch(() => say("The server cannot be reached; trying again."));
}

function showError({ message }) {
  say("");
  show(byId("error"), element("p", {}, message), element("button", { type: "button", onclick: start }, "Try again"));
}

async function start() {
  show(byId("error"));
  try {
    await Promise.all([more("waiting"), more("decided")]);
  } catch (error) {
    showError(error);
  }
}

for (const state of ["waiting", "decided"]) {
  byId(`more-${state}`).addEventListener("click", () => more(state).catch(showError));
}
setInterval(look, LOOK_MS);
await start();
