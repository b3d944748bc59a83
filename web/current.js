/** The question on the page and its answer, as it comes: each event draws its part. */

import { leadTo } from "./address.js";
import { clearAnswer, drawAnswer, drawSource } from "./answer.js";
import { byId, show } from "./dom.js";
import { follow, letGo } from "./following.js";
import { finish } from "./groundswell.js";
import { drawFigures, drawGate, drawNearest, drawRefinement } from "./notices.js";
import { enter, note, say, showError } from "./page.js";
import * as research from "./research.js";
import { anchored, carriedOver } from "./spans.js";
import { drawStanding } from "./standing.js";
import { clearThinking, drawThought, foldThinking } from "./thinking.js";
import { addTurn, drawTurns, manner, meant } from "./turns.js";
import { drawWaiting, linkReviews, whenDecided } from "./waiting.js";

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

const fresh = (asked = {}) => ({
  question: "",
  mode: "fast",
  thread: null, // the conversation it belongs to
  final: null,
  points: [],
  citations: [],
  verdicts: new Map(), // by revision
  carried: [], // the draft's verdicts, for a revision without its own
  revision: 0,
  growing: true, // whether more of the answer may come
  requestId: null,
  frame: 0,
  began: performance.now(),
  seconds: null, // as the server counted them
  builtIn: false, // answered from the documentation, for want of documents
  listening: new AbortController(),
  ...asked,
});

/** The question that is on the page. */
export let run = fresh();

/** Asks a question again; the page sets it. */
export const again = { ask: (question) => {} };

/** What each event does to the page. Others are ignored. */
export const on = {
  status_update(status) {
    say(status.message);
    understand(status);
    if (status.budget && run.mode !== "deep") beginDeep();
    research.drawResearchStatus(status);
  },
  thinking(thought) {
    research.drawResearchThought(thought);
    drawThought(thought);
  },
  source(source) {
    drawSource(source);
    research.countSource(source);
  },
  gate_decision: drawGate,
  token({ token }) {
    if (run.points.length === 0 && run.mode === "deep") makeRoom();
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
    run.final = final;
    run.growing = false;
    understand(final);
    if (final.sentences) run.verdicts.set(final.revision, final.sentences);
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
    const { question } = run;
    research.drawResearchFailure({ message });
    if (!fatal) note(message);
    else if (code !== "cancelled") showError({ message }, () => again.ask(question));
    else note(reason === "cancelled by request" ? "You stopped this answer; it is not complete." : message);
  },
  pipeline_metric(figures) {
    run.seconds = figures.total_pipeline_ms / 1000;
    drawFigures(figures);
  },
};

const verdictsOf = (revision) => run.verdicts.get(revision) ?? run.carried;

/** Tell how the question was understood, once that is known. */
function understand({ standalone }) {
  if (!standalone || standalone === run.standalone) return;
  run.standalone = standalone;
  show(byId("understood"), ...meant(run));
}

/** The report begins, and the work it came from is done. */
function makeRoom() {
  research.foldResearch();
  foldThinking();
}

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
  drawAnswer(run.points, verdictsOf(run.revision), run.citations, run.growing);
}

function drawSoon() {
  run.frame ||= requestAnimationFrame(draw);
}

/** Make room for another question. What was answered before it stays, if both are of one conversation. */
export function begin(asked) {
  if (run.final !== null && run.thread !== null && run.thread === asked.thread) keepTurn();
  turnTo(asked);
  show(byId("asked"), ...(run.question ? [run.question] : []));
  if (run.mode === "deep") beginDeep();
  enter("running");
  say("Asking…");
  follow();
  return run;
}

function beginDeep() {
  run.mode = "deep";
  const mine = run;
  research.beginResearch(() => finish(mine.requestId));
}

/** Another question takes the place of this one, which goes on unseen if its conversation waits for it. */
function turnTo(asked) {
  if (run.thread === null || run.final !== null) run.listening.abort();
  cancelAnimationFrame(run.frame);
  run = fresh(asked);
  clear();
}

function clear() {
  clearAnswer();
  clearThinking();
  research.clearResearch();
  const places = ["asked", "understood", "waiting", "gate", "nearest", "refinement", "metrics", "notes", "error"];
  for (const id of places) show(byId(id));
  byId("question").removeAttribute("aria-invalid");
  byId("answer-title").textContent = "Answer";
  byId("copy").hidden = true;
  delete byId("result").dataset.outcome;
  delete document.body.dataset.outcome;
}

/** The answer on the page moves up among those before it. */
function keepTurn() {
  const { requestId: id, question, standalone, mode, final } = run;
  const { answer, outcome, citations, sources, revision } = final;
  const sentences = verdictsOf(revision);
  addTurn({ request_id: id, question, standalone, mode, answer, outcome, citations, sources, sentences });
}

/** Nothing was asked yet in this conversation, or outside any. */
export function beginNothing(thread) {
  turnTo({ thread });
  drawTurns([]);
  enter("idle");
  say("");
  return run;
}

/** The run has ended, one way or another. */
export function end(outcome, { earlier = false } = {}) {
  const mine = run;
  run.growing = false;
  draw();
  const cited = new Set(run.citations.map((citation) => citation.index)).size;
  const listed = byId("sources").childElementCount;
  const from = outcome === "answered" ? ` ${cited} of ${listed} sources cited.` : "";
  const manner = earlier && outcome === "answered" ? "Answered earlier." : (ENDING[outcome] ?? "Done.");
  const documentation = run.builtIn ? " From the built-in documentation: there are no documents of yours yet." : "";
  say(manner + from + documentation);
  const seconds = run.seconds ?? (performance.now() - run.began) / 1000;
  research.endResearch(outcome, { seconds, listed, final: run.final });
  foldThinking();
  document.body.dataset.outcome = outcome;
  byId("copy").hidden = run.points.length === 0 || navigator.clipboard === undefined;
  enter("done");
  drawStanding();
  requestAnimationFrame(() => requestAnimationFrame(() => mine === run && letGo())); // what was folded has its new size
  if (outcome === "review") awaitDecision();
}

/** A stored turn, as the question that was asked last. */
export function restore(turn, thread) {
  const { request_id: requestId, question, standalone, mode, citations, outcome } = turn;
  Object.assign(run, { requestId, question, standalone, mode, thread });
  show(byId("asked"), question);
  show(byId("understood"), ...manner(mode), ...meant(turn));
  const sources = turn.sources
    .map((source) => anchored(source, citations.filter(({ index }) => index === source.index)))
    .sort((a, b) => a.index - b.index);
  on.final_answer({ ...turn, sources, revision: citations[0]?.revision ?? 0 });
  follow();
  end(outcome, { earlier: true });
  if (turn.reviewed) drawWaiting(requestId, turn.reviewed);
}

/** Look, now and then, whether a person has answered; the address leads back here meanwhile. */
async function awaitDecision() {
  const { requestId, listening, thread } = run;
  if (thread === null) leadTo({ run: requestId });
  drawWaiting(requestId);
  linkReviews();
  const decided = await whenDecided(requestId, listening.signal).catch(() => null);
  if (decided !== null && run.requestId === requestId) release(decided);
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
