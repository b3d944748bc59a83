/** The page: a question after the other, each drawn as its events arrive. */

import { addressedQuestion, addressedThread, leadTo, leadToThread } from "./address.js";
import { clearAnswer, drawAnswer, drawSource } from "./answer.js";
import { acceptChoices, chooseDepth, listCollections, ownCollection, wishes } from "./choices.js";
import { acceptConversations, currentThread, drawConversations, markConversation, threadToAskIn } from "./conversations.js";
import { acceptDocuments } from "./documents.js";
import { byId, element, show } from "./dom.js";
import { ask, cancel, finish, getRun, getThread, resume } from "./groundswell.js";
import { drawFigures, drawGate, drawNearest, drawRefinement } from "./notices.js";
import * as research from "./research.js";
import { anchored, carriedOver } from "./spans.js";
import { drawStanding } from "./standing.js";
import { clearThinking, drawThought, foldThinking } from "./thinking.js";
import { addTurn, drawTurns, meant } from "./turns.js";
import { forget, note as noteUnderWay, underWay } from "./underway.js";
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

const NARROW = matchMedia("(max-width: 40rem)");
/** How long the end of a stopped run is waited for. */
const STOP_MS = 1500;

const fresh = (asked = {}) => ({
  question: "",
  mode: "fast",
  thread: null, // the conversation it belongs to
  ...asked,
  final: null,
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
  status_update(status) {
    say(status.message);
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
    else if (code !== "cancelled") showError({ message }, () => start(question));
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

/** Ask what the question box says, or something that was asked before. */
async function start(query = byId("question").value.trim()) {
  if (query === "" || document.body.dataset.state === "running") return byId("question").focus();
  const wanted = wishes();
  const mine = begin({ question: query, mode: wanted.mode, thread: currentThread() });
  byId("question").value = "";
  if (NARROW.matches) byId("question").blur(); // there is room for the answer, or for the keyboard
  await inConversation(mine, wanted);
  if (mine !== run) return;
  const about = { ...wanted, ...(mine.thread && { thread_id: mine.thread }), signal: mine.listening.signal };
  await listenTo(mine, (listeners) => ask(query, { ...about, ...listeners }));
}

/** Have the question belong to a conversation, or else to none. */
async function inConversation(mine, { collection }) {
  try {
    const thread = await threadToAskIn();
    if (mine !== run) return;
    if (thread !== null && mine.thread === null) leadToThread(thread, { push: true });
    mine.thread = thread;
    markConversation(thread);
  } catch (error) {
    note(`This question is in no conversation: ${error.message}`);
  }
  if (mine.thread === null) leadTo({ q: mine.question, ...(collection && { collection }) });
}

/** Go on with a run that was asked before, from its first event. */
async function watch(requestId, asked) {
  chooseDepth(asked.mode === "deep");
  const mine = begin({ ...asked, requestId });
  const { signal } = mine.listening;
  await listenTo(mine, (listeners) => resume(requestId, { signal, ...listeners }));
}

/** Draw a run as it goes; one that the reader has turned away from goes on unseen. */
async function listenTo(mine, events) {
  const { listening } = mine;
  try {
    const { outcome } = await events({
      onReconnect: () => mine === run && say("The connection broke; trying to pick it up…"),
      onEvent({ event_type: type, request_id: id, payload }) {
        if (mine.requestId !== id) noteUnderWay(mine, id);
        mine.requestId = id;
        if (mine === run && Object.hasOwn(on, type)) on[type](payload);
      },
    });
    if (mine === run) end(outcome);
  } catch (error) {
    if (mine !== run) return;
    if (listening.signal.aborted) return end("cancelled");
    refused(error, mine);
    end("error");
  } finally {
    forget(mine.thread);
    drawConversations();
  }
}

/** A question that was not taken goes back where it came from. */
function refused(error, { question, thread }) {
  const box = byId("question");
  box.value ||= question;
  box.setAttribute("aria-invalid", String(error.field === "query"));
  const again = () => {
    if (box.value.trim() === question) box.value = "";
    start(question);
  };
  if (error.code === "thread_busy") {
    const follow = () => watch(error.running, { question: "The question under way", mode: "fast", thread, ...underWay(thread) });
    const message = "This conversation is still answering another question. Wait for it, or look at it.";
    return showError({ message }, again, ["Show that answer", follow]);
  }
  const elsewhere = () => open(null).then(again);
  if (error.field === "thread_id") return showError(error, again, ["Ask in a new conversation", elsewhere]);
  showError(error, again);
}

/** Make room for another question. What was answered before it stays, if both are of one conversation. */
function begin(asked) {
  if (run.final !== null && run.thread !== null && run.thread === asked.thread) keepTurn();
  turnAway();
  run = fresh(asked);
  clear();
  show(byId("asked"), ...(run.question ? [run.question] : []));
  if (run.mode === "deep") beginDeep();
  enter("running");
  say("Asking…");
  if (byId("turns").hasChildNodes()) byId("current").scrollIntoView({ block: "start" });
  return run;
}

function beginDeep() {
  run.mode = "deep";
  const mine = run;
  research.beginResearch(() => finish(mine.requestId));
}

/** Listen no more, unless the answer goes on for its conversation. */
function turnAway() {
  if (run.thread === null || run.final !== null) run.listening.abort();
}

function clear() {
  cancelAnimationFrame(run.frame);
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
  addTurn({ request_id: id, question, standalone, mode, answer, outcome, citations, sources }, verdictsOf(revision));
}

function end(outcome) {
  draw();
  const cited = new Set(run.citations.map((citation) => citation.index)).size;
  const from = outcome === "answered" ? ` ${cited} of ${byId("sources").childElementCount} sources cited.` : "";
  say((ENDING[outcome] ?? "Done.") + from);
  research.endResearch(outcome);
  foldThinking();
  document.body.dataset.outcome = outcome;
  byId("copy").hidden = run.points.length === 0 || navigator.clipboard === undefined;
  enter("done");
  drawStanding();
  if (outcome === "review") awaitDecision();
}

/** Open a conversation, or with null none: its last turn as if it had just been asked, the others above. */
async function open(threadId, { push = true } = {}) {
  turnAway();
  run = fresh({ thread: threadId });
  const mine = run;
  clear();
  drawTurns([]);
  markConversation(threadId);
  leadToThread(threadId, { push });
  enter("idle");
  say("");
  if (threadId === null) return byId("question").focus();
  if (NARROW.matches) byId("question").blur();
  try {
    const { turns, title } = await getThread(threadId);
    if (mine !== run) return;
    drawTurns(turns.slice(0, -1));
    if (turns.length) restore(turns.at(-1), threadId);
    else say(title === null ? "A new conversation." : "Nothing was asked in this conversation yet.");
    const asked = underWay(threadId);
    if (asked && asked.requestId !== turns.at(-1)?.request_id) await goOn(asked, mine);
  } catch (error) {
    if (mine === run) showError(error, () => open(threadId, { push: false }), ["New conversation", () => open(null)]);
  }
}

/** What was being answered when the page was left is picked up, if it is still there. */
async function goOn({ requestId, ...asked }, before) {
  const found = await getRun(requestId).catch(() => null);
  if (found?.state !== "running") return forget(asked.thread);
  if (run === before || run.thread === asked.thread) await watch(requestId, asked);
}

/** A stored turn, as the question that was asked last. */
function restore(turn, thread) {
  const { request_id: requestId, question, standalone, mode, citations, outcome } = turn;
  Object.assign(run, { requestId, question, standalone, mode, thread });
  show(byId("asked"), question);
  show(byId("understood"), ...meant(turn));
  const sources = turn.sources.map((source) =>
    anchored(source, citations.filter(({ index }) => index === source.index)));
  on.final_answer({ ...turn, sources, revision: citations[0]?.revision ?? 0 });
  end(outcome);
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

/** A question that was asked before and is, or was, for a person. */
async function pickUp(requestId) {
  begin({ requestId });
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
  document.body.toggleAttribute("data-talking", byId("turns").hasChildNodes());
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

/** Say what went wrong, and what can be done about it: try again, or else. */
function showError({ message }, retry, ...others) {
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

function note(text) {
  byId("notes").append(element("li", {}, text));
  byId("notes").hidden = false;
}

const say = (text) => {
  if (byId("status").textContent !== text) byId("status").textContent = text;
};

function example({ target }) {
  if (!target.closest("button")) return;
  byId("collection").value = byId("examples").dataset.collection ?? "";
  start(target.textContent);
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
byId("copy").addEventListener("click", async () => {
  await navigator.clipboard.writeText(run.points.join(""));
  say("The answer is copied.");
});
addEventListener("popstate", () => {
  if (addressedThread() !== currentThread()) open(addressedThread(), { push: false });
});
acceptChoices();
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
linkReviews();
drawStanding();
acceptConversations({
  opened: (threadId) => open(threadId),
  removed: (threadId) => threadId === currentThread() && open(null),
});
if (addressedThread()) {
  open(addressedThread(), { push: false });
  listCollections();
} else {
  await listCollections(); // the address may name one
  if (askedBefore()) pickUp(askedBefore());
  else if (addressedQuestion()) start(addressedQuestion());
}
