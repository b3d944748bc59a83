/** A question that waits for a person, as its asker sees it. */

import { byId, element, show } from "./dom.js";
import { getRun, listReviews } from "./groundswell.js";

const LOOK_MS = 5000;
const SAID = {
  approve: "A person has approved this answer.",
  edit: "A person has written this answer.",
  reject: "A person has rejected the question.",
};

/** The run that the address names, if it names one. */
export const askedBefore = () => new URLSearchParams(location.search).get("run");

/** Say where the question stands. */
export function drawWaiting(requestId, reviewed = null) {
  if (reviewed === null) {
    const words = "This page looks for the answer every few seconds. Its address leads back here.";
    return show(byId("waiting"), element("p", {}, words));
  }
  const note = reviewed.note && reviewed.decision !== "reject"; // a rejection has it in its text
  const number = element("p", {}, "The number of the question is ", element("code", {}, requestId), ".");
  const told = note ? [element("p", { dir: "auto" }, `Their note: ${reviewed.note}`)] : [];
  show(byId("waiting"), element("p", {}, element("strong", {}, SAID[reviewed.decision])), ...told, number);
}

/** The run, once a person has decided. Looks only while somebody can see the page; ends with `signal`. */
export async function whenDecided(requestId, signal) {
  for (;;) {
    await seen(signal);
    const run = await getRun(requestId, { signal }).catch((error) => {
      if (signal.aborted || error.status === 404) throw error;
      return null; // a server that is starting again is asked again
    });
    if (run?.reviewed) return run;
    await passed(LOOK_MS, signal);
  }
}

/** A link to the questions that wait, where there are any. */
export async function linkReviews() {
  const { waiting } = await listReviews({ limit: 1 }).catch(() => ({ waiting: 0 }));
  const words = waiting === 1 ? "1 question waits for a person" : `${waiting} questions wait for a person`;
  show(byId("reviews"), ...(waiting ? [words] : []));
}

const passed = (ms, signal) => until(signal, (done) => {
  const timer = setTimeout(done, ms);
  return () => clearTimeout(timer);
});

const seen = (signal) => until(signal, (done) => {
  const look = () => document.hidden || done();
  document.addEventListener("visibilitychange", look);
  look();
  return () => document.removeEventListener("visibilitychange", look);
});

/** Wait for `start`'s callback, or fail with `signal`; what `start` returns cleans up. */
function until(signal, start) {
  return new Promise((resolve, reject) => {
    let clean = () => {};
    const settle = (how) => () => {
      clean();
      signal.removeEventListener("abort", stop);
      how();
    };
    const stop = settle(() => reject(signal.reason));
    signal.addEventListener("abort", stop);
    if (signal.aborted) return stop();
    let over = false;
    const stopped = start(() => {
      over = true;
      settle(resolve)();
    });
    if (over) stopped();
    else clean = stopped;
  });
}
