/** The page: one question at a time, drawn as its events arrive. */

import { clearAnswer, drawAnswer, drawSource } from "./answer.js";
import { acceptDocuments } from "./documents.js";
import { byId, element, show } from "./dom.js";
import { ask, cancel, getRun, health } from "./groundswell.js";
import { drawLibrary } from "./library.js";
import { drawFigures, drawGate, drawNearest, drawRefinement } from "./notices.js";
import { carriedOver } from "./spans.js";
import { drawStanding } from "./standing.js";
import { askedBefore, drawWaiting, linkReviews, whenDecided } from "./waiting.js";

const HEADING = {
  answered: "Answer",
  fallback: "No grounded answer",
  blocked: "Not answered here",
  review: "A person has to answer",
};
const ENDING = {
  answered: "Answered.",
  fallback: "No answer: the evidence does not carry one.",
  blocked: "This question is not answered here.",
  review: "A person has to answer this.",
  cancelled: "Stopped.",
  error: "The answer could not be finished.",
};

/** How long the end of a stopped run is waited for. */
const STOP_MS = 1500;

const fresh = () => ({
  points: [],
  citations: [],
  verdicts: new Map(), // by revision
  carried: [], // the draft's verdicts, for a revision without its own
  revision: 0,
  requestId: null,
  frame: 0,
  listening: new AbortController(),
});
let run = fresh();

/** What each event does to the page. Others are ignored. */
const on = {
  status_update: ({ message }) => say(message),
  source: drawSource,
  gate_decision: drawGate,
  token({ token }) {
    run.points.push(...token);
    drawSoon();
  },
  partial_answer(verdict) {
    const others = (run.verdicts.get(verdict.revision) ?? []).filter(({ sentence }) => sentence !== verdict.sentence);
    run.verdicts.set(verdict.revision, [...others, verdict]); // a slower check settles what the first left in doubt
    drawSoon();
  },
  citation_attached(citation) {
    if (citation.revision === run.revision) run.citations.push(citation);
    drawSoon();
  },
  refinement_update(refinement) {
    drawRefinement(refinement, run.points.join(""), verdictsOf(0));
    const { refined_answer: answer, additional_citations: citations, changes } = refinement;
    run.carried = carriedOver(answer, verdictsOf(0), changes, citations);
    stand(answer, citations, refinement.revision);
  },
  final_answer(final) {
    stand(final.answer, final.citations, final.revision);
    byId("answer-title").textContent = HEADING[final.outcome] ?? "Answer";
    byId("result").dataset.outcome = final.outcome;
    for (const source of final.sources) drawSource(source);
    if (final.truncated) note("The answer was cut short before its end.");
    if (final.outcome !== "fallback") return;
    byId("sources-title").textContent = "What comes nearest";
    drawNearest(final.sources);
  },
  error({ fatal, code, message, reason }) {
    if (!fatal) note(message);
    else if (code !== "cancelled") showError({ message }, () => start());
    else note(reason === "cancelled by request" ? "You stopped this answer; it is not complete." : message);
  },
  pipeline_metric: drawFigures,
};

const verdictsOf = (revision) => run.verdicts.get(revision) ?? run.carried;

/** A whole text replaces what stood there. */
function stand(answer, citations, revision) {
  run.points = Array.from(answer);
  run.citations = citations;
  run.revision = revision;
  draw();
}

function draw() {
  cancelAnimationFrame(run.frame);
  run.frame = 0;
  drawAnswer(run.points, verdictsOf(run.revision), run.citations);
}

function drawSoon() {
  run.frame ||= requestAnimationFrame(draw);
}

/** Ask what the question box says. */
async function start() {
  const question = byId("question");
  const query = question.value.trim();
  if (query === "" || document.body.dataset.state === "running") return question.focus();
  const collection = byId("collection").value;
  begin();
  remember({ q: query, ...(collection && { collection }) });
  const mine = run;
  try {
    const { outcome } = await ask(query, {
      ...(collection && { collection }),
      signal: mine.listening.signal,
      onReconnect: () => say("The connection broke; trying to pick it up…"),
      onEvent({ event_type: type, request_id: id, payload }) {
        mine.requestId = id;
        if (Object.hasOwn(on, type)) on[type](payload);
      },
    });
    end(outcome);
  } catch (error) {
    if (mine.listening.signal.aborted) return end("cancelled");
    question.setAttribute("aria-invalid", String(error.field === "query"));
    showError(error, start);
    end("error");
  }
}

function begin() {
  run.listening.abort();
  run = fresh();
  clearAnswer();
  for (const id of ["waiting", "gate", "nearest", "refinement", "metrics", "notes", "error"]) show(byId(id));
  byId("question").removeAttribute("aria-invalid");
  byId("answer-title").textContent = "Answer";
  delete byId("result").dataset.outcome;
  delete document.body.dataset.outcome;
  enter("running");
  say("Asking…");
}

function end(outcome) {
  draw();
  const cited = new Set(run.citations.map((citation) => citation.index)).size;
  const from = outcome === "answered" ? ` ${cited} of ${byId("sources").childElementCount} sources cited.` : "";
  say((ENDING[outcome] ?? "Done.") + from);
  document.body.dataset.outcome = outcome;
  enter("done");
  drawStanding();
  if (outcome === "review") awaitDecision();
}

/** Look, now and then, whether a person has answered; the address leads back here meanwhile. */
async function awaitDecision() {
  const { requestId, listening } = run;
  remember({ run: requestId });
  drawWaiting(requestId);
  linkReviews();
  const decided = await whenDecided(requestId, listening.signal).catch(() => null);
  if (decided !== null && !listening.signal.aborted) release(decided);
}

/** Show what a person has released. */
function release({ final_answer: final, reviewed }) {
  clearAnswer();
  on.final_answer(final);
  byId("answer-title").textContent = reviewed.decision === "reject" ? "No answer" : "Answer";
  drawWaiting(run.requestId, reviewed);
  document.body.dataset.outcome = final.outcome;
  say("A person has decided.");
  linkReviews();
}

/** A question that was asked before and is, or was, for a person. */
async function pickUp(requestId) {
  begin();
  run.requestId = requestId;
  try {
    const found = await getRun(requestId);
    if (found.final_answer === undefined) throw new Error("This question has no answer that could be shown.");
    on.final_answer(found.final_answer);
    end(found.final_answer.outcome);
    if (found.reviewed) drawWaiting(requestId, found.reviewed);
  } catch (error) {
    showError(error, () => pickUp(requestId));
    end("error");
  }
}

function enter(state) {
  const [shown, hidden] = state === "running" ? [byId("stop"), byId("ask")] : [byId("ask"), byId("stop")];
  const focused = document.activeElement === hidden;
  shown.hidden = false;
  hidden.hidden = true;
  if (focused) shown.focus();
  document.body.dataset.state = state;
  byId("answer").setAttribute("aria-busy", String(state === "running"));
}

async function stop() {
  say("Stopping…");
  const { requestId, listening } = run;
  try {
    if (requestId === null) listening.abort();
    else await cancel(requestId);
    setTimeout(() => listening.abort(), STOP_MS);
  } catch {
    listening.abort();
  }
}

function remember(parameters) {
  const address = new URL(location.href);
  address.search = String(new URLSearchParams(parameters));
  history.replaceState(null, "", address);
}

function showError({ message }, retry) {
  const again = () => {
    show(byId("error"));
    retry();
  };
  show(byId("error"), element("p", {}, message), element("button", { type: "button", onclick: again }, "Try again"));
}

function note(text) {
  byId("notes").append(element("li", {}, text));
  byId("notes").hidden = false;
}

const say = (text) => {
  if (byId("status").textContent !== text) byId("status").textContent = text;
};

async function listCollections() {
  const { collections } = await health().catch(() => ({ collections: {} }));
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
function ownCollection() {
  const { value } = byId("collection");
  return value === "" || value === "docs" ? "default" : value;
}

function example({ target }) {
  if (!target.closest("button")) return;
  byId("question").value = target.textContent;
  byId("collection").value = byId("examples").dataset.collection ?? "";
  start();
}

byId("form").addEventListener("submit", (event) => {
  event.preventDefault();
  start();
});
byId("form").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  if (event.target === byId("question") || event.repeat) event.preventDefault(); // held down, it would also press Stop
  if (event.target === byId("question") && !event.repeat) start();
});
byId("stop").addEventListener("click", stop);
byId("examples").addEventListener("click", example);
byId("collection").addEventListener("change", () => drawLibrary(ownCollection(), listCollections));
byId("more").addEventListener("click", () => (byId("sources").dataset.all = ""));
acceptDocuments({
  collection: ownCollection,
  onAdded(collection) {
    // whoever adds documents wants to ask about them
    if (byId("collection").value === "docs") byId("collection").value = collection === "default" ? "" : collection;
    listCollections();
  },
  onError: showError,
});
await listCollections();
linkReviews();
drawStanding();
const asked = new URLSearchParams(location.search).get("q");
const before = askedBefore();
if (before) pickUp(before);
else if (asked) {
  byId("question").value = asked;
  start();
}
