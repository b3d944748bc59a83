/** The page: asks, goes on with what was asked before, and opens conversations. */

import { addressedQuestion, addressedThread, leadTo, leadToThread } from "./address.js";
import { acceptChoices, chooseDepth, fromDocumentation, listCollections, ownCollection, wishes } from "./choices.js";
import * as conversations from "./conversations.js";
import { again, begin, beginNothing, end, on, restore, run } from "./current.js";
import { acceptDocuments } from "./documents.js";
import { byId } from "./dom.js";
import { acceptReading } from "./following.js";
import { ask, cancel, getRun, getThread, resume } from "./groundswell.js";
import { foldLimits, refusedLimit } from "./limits.js";
import { NARROW, note, say, showError } from "./page.js";
import { clearResearch } from "./research.js";
import { drawStanding } from "./standing.js";
import { drawTurns } from "./turns.js";
import * as underway from "./underway.js";
import { askedBefore, drawWaiting, linkReviews } from "./waiting.js";

/** How long the end of a stopped run is waited for. */
const STOP_MS = 1500;

/** Ask what the question box says, or something that was asked before. */
async function start(query = byId("question").value.trim()) {
  if (query === "" || document.body.dataset.state === "running") return byId("question").focus();
  const wanted = wishes();
  const about = { question: query, mode: wanted.mode ?? "fast", builtIn: fromDocumentation() };
  const mine = begin({ ...about, thread: conversations.currentThread() });
  byId("question").value = "";
  foldLimits();
  if (NARROW.matches) byId("question").blur(); // there is room for the answer, or for the keyboard
  await inConversation(mine, wanted);
  if (mine !== run) return;
  const options = { ...wanted, ...(mine.thread && { thread_id: mine.thread }), signal: mine.listening.signal };
  await listenTo(mine, (listeners) => ask(query, { ...options, ...listeners }));
}

/** Have the question belong to a conversation, or else to none. */
async function inConversation(mine, { collection }) {
  try {
    const thread = await conversations.threadToAskIn();
    if (mine !== run) return;
    if (thread !== null && mine.thread === null) leadToThread(thread, { push: true });
    mine.thread = thread;
    conversations.markConversation(thread);
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
  let noted = false;
  try {
    const { outcome } = await events({
      onReconnect: () => mine === run && say("The connection broke; trying to pick it up…"),
      onEvent({ event_type: type, request_id: id, payload }) {
        if (!noted) underway.note(mine, id);
        noted = true;
        mine.requestId = id;
        if (mine === run && Object.hasOwn(on, type)) on[type](payload);
      },
    });
    if (mine === run) end(outcome);
  } catch (error) {
    if (mine !== run) return;
    if (listening.signal.aborted) return end("cancelled");
    end("error");
    refused(error, mine);
  } finally {
    underway.forget(mine);
    conversations.drawConversations();
  }
}

/** A question that was not taken goes back where it came from. */
function refused(error, { question, thread }) {
  const box = byId("question");
  box.value ||= question;
  box.setAttribute("aria-invalid", String(error.field === "query"));
  if (refusedLimit(error)) {
    clearResearch();
    return say("Not asked: the server does not take one of the limits.");
  }
  const repeat = () => {
    if (box.value.trim() === question) box.value = "";
    start(question);
  };
  if (error.code === "thread_busy") {
    const asked = { question: "The question under way", mode: "fast", thread, ...underway.of(thread) };
    const follow = () => watch(error.running, asked);
    const message = "This conversation is still answering another question. Wait for it, or look at it.";
    return showError({ message }, repeat, ["Show that answer", follow]);
  }
  const elsewhere = () => open(null).then(repeat);
  if (error.field === "thread_id") return showError(error, repeat, ["Ask in a new conversation", elsewhere]);
  showError(error, repeat);
}

/** Open a conversation, or with null none: its last turn as if it had just been asked, the others above. */
async function open(threadId, { push = true } = {}) {
  const mine = beginNothing(threadId);
  conversations.markConversation(threadId);
  leadToThread(threadId, { push });
  if (threadId === null) return byId("question").focus();
  try {
    const { turns, title, next } = await getThread(threadId);
    if (mine !== run) return;
    drawTurns(turns.slice(0, -1), next, (after) => getThread(threadId, { after }));
    if (turns.length) restore(turns.at(-1), threadId);
    else say(title === null ? "A new conversation." : "Nothing was asked in this conversation yet.");
    const asked = underway.of(threadId);
    if (asked && asked.requestId !== turns.at(-1)?.request_id) await goOn(asked, mine);
  } catch (error) {
    if (mine === run) showError(error, () => open(threadId, { push: false }), ["New conversation", () => open(null)]);
  }
}

/** What was being answered when the page was left is picked up, if it is still there. */
async function goOn({ requestId, ...asked }, before) {
  const found = await getRun(requestId).catch(() => null);
  if (found?.state !== "running") return underway.forget({ requestId, ...asked });
  if (run === before || run.thread === asked.thread) await watch(requestId, asked);
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
  if (addressedThread() !== conversations.currentThread()) open(addressedThread(), { push: false });
});
again.ask = start;
if (!NARROW.matches) byId("question").focus();
acceptChoices();
acceptReading();
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
conversations.acceptConversations({
  opened: (threadId) => open(threadId),
  removed: (threadId) => threadId === conversations.currentThread() && open(null),
});
if (addressedThread()) {
  open(addressedThread(), { push: false });
  listCollections();
} else {
  await listCollections(); // the address may name one
  if (askedBefore()) pickUp(askedBefore());
  else if (addressedQuestion()) start(addressedQuestion());
}
