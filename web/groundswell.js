/**
 * Asks a Groundswell server from a browser: streams events, picks up after a broken connection, cancels.
 *
 *     import { ask, createThread } from "/web/groundswell.js";
 *     const { outcome, final } = await ask("What opens the gate?", { onEvent: (event) => console.log(event) });
 *
 *     const { thread_id } = await createThread(); // a conversation: later questions may refer to earlier ones
 *     await ask("Compare both plans.", { thread_id, mode: "deep", budget: { seconds: 60 }, onThinking: console.log });
 *
 * Positions in events are code points, not UTF-16 units: slice `Array.from(text)`, not `text`.
 *
 * @module
 */

/**
 * One event. New types and new payload keys may appear at any time: ignore what you do not know.
 * @typedef {object} Envelope
 * @property {string} v
 * @property {string} event_type `status_update`, `source`, `gate_decision`, `token`, `partial_answer`, ...
 * @property {string} request_id The run, or the job.
 * @property {number} seq From 1, without gaps.
 * @property {string} timestamp RFC 3339.
 * @property {any} payload One of the types below, by `event_type`.
 *
 * @typedef {{index: number, source_id: string, document_id: string, source: string, section: string | null,
 *   page: number | null, start: number, end: number, score: number, snippet: string, wave: number,
 *   uri?: string, branch?: string}} Source
 * @typedef {"supported" | "partial" | "unsupported" | "contradicted" | "uncited"} Support
 * @typedef {{sentence: number, text: string, revision: number, start: number, end: number, support: Support,
 *   score: number, method: string}} PartialAnswer
 * @typedef {{index: number, source_id: string, source: string, section: string | null, page: number | null,
 *   confidence: number, quote: string, source_start: number, source_end: number, revision: number, start: number,
 *   end: number, sentence: number}} Citation
 * @typedef {{sentence: number, before: string, after: string}} Change
 * @typedef {{message: string, action: "confirm" | "patch" | "replace" | "retract", revision: number,
 *   refined_answer: string, additional_citations: Citation[], reasons: string[], changes: Change[]}} Refinement
 * @typedef {{complete: true, answer: string, revision: number, outcome: string, citations: Citation[],
 *   sources: Source[], groundedness_score: number, truncated: boolean, standalone?: string, stopped_by?: BudgetName[],
 *   sentences?: PartialAnswer[],
 *   budget?: Record<BudgetName, {spent: number, limit: number}>}} FinalAnswer
 * @typedef {{document_id: string, section: string | null, index: number, total: number, text: string,
 *   citations: Citation[], method?: "extracted" | "written", dropped?: number}} SummarySection
 * @typedef {{code: string, message: string, fatal: boolean, retryable: boolean, reason?: string}} Failure
 * @typedef {{text: string, kind: "raw" | "summary" | "derived", step?: number, branch?: string}} Thinking
 * @typedef {"seconds" | "model_calls" | "tokens" | "sources"} BudgetName
 * @typedef {{stage: string, message: string, progress?: number, branch?: string, standalone?: string,
 *   budget?: Record<BudgetName, {spent: number, limit: number}>}} Status
 * @typedef {{document_id: string, stage: string, done: number, total: number,
 *   error?: {code: string, message: string}}} DocumentStage
 *
 * @typedef {{thread_id: string, title: string | null, created: string, updated: string, turns: number,
 *   collection: string | null}} Thread A conversation, as it is listed.
 * @typedef {{request_id: string, created: string, mode: string, collection: string, question: string,
 *   standalone: string, answer: string, outcome: string, citations: Citation[], sources: Partial<Source>[],
 *   sentences?: PartialAnswer[],
 *   reviewed?: {decision: "approve" | "edit" | "reject", note: string | null, at: string}}} Turn
 *   A question and its answer in a conversation; `standalone` is the question as it was understood.
 *
 * @typedef {object} Connection
 * @property {string} [base] The server's address, ending in `/`; by default the one this module came from.
 * @property {Record<string, string>} [headers] Sent with every request, an API key for example.
 * @property {AbortSignal} [signal] Stops listening. The run itself ends after the server's grace; see `cancel`.
 * @property {(attempt: number) => void} [onReconnect] Called before each attempt to pick up a broken stream.
 *
 * @typedef {object} Wishes
 * @property {"fast" | "deep"} [mode] `deep` plans, researches in branches and writes a report; see `finish`.
 * @property {Partial<Record<BudgetName, number>>} [budget] What `deep` may spend.
 * @property {string} [thread_id] The conversation that this question belongs to.
 * @property {boolean} [include_thinking] By default in `deep` alone.
 * @property {"cancel" | "continue"} [on_disconnect]
 * @property {string} [collection]
 * @property {string} [domain]
 * @property {number} [top_k]
 * @property {Record<string, unknown>} [filters]
 *
 * @typedef {object} Listeners
 * @property {(event: Envelope) => void} [onEvent] Every event as it comes.
 * @property {(thought: Thinking) => void} [onThinking] The thoughts alone; they are never a part of the answer.
 *
 * @typedef {{id: string | null, seq: number, outcome: string | null}} Position
 */

const ROOT = new URL("..", import.meta.url).href;
const PAUSES_MS = [250, 750, 2000, 4000];
const PASSING = new Set([429, 502, 503, 504]);

/**
 * A request the server refused, or a stream that broke for good. `code` is stable, `field` names what is wrong,
 * `running` the run that a conversation waits for (`thread_busy`).
 */
export class GroundswellError extends Error {
  /** @param {string} message
   * @param {{code: string, field?: string, status?: number, running?: string, cause?: unknown}} about */
  constructor(message, { code, field, status = 0, running, cause }) {
    super(message, { cause });
    this.name = "GroundswellError";
    this.code = code;
    this.field = field;
    this.status = status;
    this.running = running;
  }
}

/** Server-sent events out of text that arrives split anywhere. No I/O. */
export class FrameParser {
  #rest = "";
  #skipLineFeed = false;
  #event = "";
  #data = /** @type {string[]} */ ([]);

  /** @param {string} chunk @returns {{event: string, data: string}[]} The frames that this chunk completes. */
  push(chunk) {
    if (chunk === "") return [];
    const text = this.#skipLineFeed && chunk[0] === "\n" ? chunk.slice(1) : chunk;
    this.#skipLineFeed = chunk.endsWith("\r");
    const lines = (this.#rest + text).split(/\r\n|\r|\n/);
    this.#rest = lines.pop() ?? "";
    return lines.flatMap((line) => this.#line(line));
  }

  /** @param {string} line */
  #line(line) {
    if (line === "") {
      const frame = { event: this.#event || "message", data: this.#data.join("\n") };
      const complete = this.#data.length > 0;
      this.#event = "";
      this.#data = [];
      return complete ? [frame] : [];
    }
    const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (field === "data") this.#data.push(value);
    if (field === "event") this.#event = value;
    return [];
  }
}

/**
 * Ask, and be told every event as it comes.
 *
 * Resolves when the run has ended, also when it ended in a fatal `error` event. Rejects with `GroundswellError` when
 * the question is refused or the connection cannot be mended, with an `AbortError` when `signal` fires.
 * @param {string} query
 * @param {Connection & Wishes & Listeners} [options]
 * @returns {Promise<Ending>}
 */
export function ask(query, { onEvent, onThinking, ...options } = {}) {
  const position = begin();
  return listen(questionEvents(query, options, position), position, { onEvent, onThinking });
}

/**
 * Follow a run that was asked before: everything from its first event on, or from behind event number `after`.
 * @param {string} requestId
 * @param {Connection & Listeners & {after?: number}} [options]
 * @returns {Promise<Ending>}
 */
export function resume(requestId, { after = 0, onEvent, onThinking, ...connection } = {}) {
  const position = { id: requestId, seq: after, outcome: null };
  const events = follow(() => pickUp("runs", connection, position), "runs", connection, position);
  return listen(events, position, { onEvent, onThinking });
}

/**
 * The same as an async iterable: `for await (const event of stream("..."))`. Leaving the loop stops listening.
 * @param {string} query
 * @param {Connection & Wishes} [options]
 * @returns {AsyncGenerator<Envelope, void, void>}
 */
export async function* stream(query, options = {}) {
  yield* questionEvents(query, options, begin());
}

/**
 * Stop a run; its stream then ends with `error {code: "cancelled"}`.
 * @param {string} requestId
 * @param {Connection} [options]
 */
export async function cancel(requestId, options = {}) {
  await send(`runs/${encodeURIComponent(requestId)}/cancel`, { method: "POST" }, options);
}

/**
 * Have deep research write its report now, from what it has found. Rejects with `not_deep` for another run.
 * @param {string} requestId
 * @param {Connection} [options]
 */
export async function finish(requestId, options = {}) {
  await send(`runs/${encodeURIComponent(requestId)}/finish`, { method: "POST" }, options);
}

/**
 * Where a run stands. A question for a person goes from `waiting_review` to `done`, with what was `reviewed`.
 * @param {string} requestId
 * @param {Connection} [options]
 * @returns {Promise<{request_id: string, state: string, final_answer?: FinalAnswer, error?: Failure,
 *   reviewed?: {decision: "approve" | "edit" | "reject", note: string | null, at: string}}>}
 */
export async function getRun(requestId, options = {}) {
  return (await send(`runs/${encodeURIComponent(requestId)}`, {}, options)).json();
}

/**
 * Questions for people: those that wait, the oldest first, or those that were decided, the newest first.
 * @param {Connection & {state?: "waiting" | "decided", after?: string, limit?: number}} [options]
 * @returns {Promise<{reviews: any[], next: string | null, waiting: number}>}
 */
export async function listReviews({ state = "waiting", after = "", limit = 50, ...connection } = {}) {
  const wanted = new URLSearchParams({ state, after, limit: String(limit) });
  return (await send(`reviews?${wanted}`, {}, connection)).json();
}

/**
 * Decide. Rejects with the code `already_decided` if somebody was first.
 * @param {string} requestId
 * @param {{decision: "approve" | "edit" | "reject", answer?: string, note?: string}} decision
 * @param {Connection} [options]
 * @returns {Promise<any>} The review as it is listed now.
 */
export async function decideReview(requestId, decision, options = {}) {
  return (await send(`reviews/${encodeURIComponent(requestId)}`, json("POST", decision), options)).json();
}

/**
 * Begin a conversation; ask in it with its `thread_id`. Without a title it is called by its first question.
 * @param {Connection & {title?: string}} [options]
 * @returns {Promise<Thread>}
 */
export async function createThread({ title, ...connection } = {}) {
  return (await send("threads", json("POST", { title }), connection)).json();
}

/**
 * The conversations, the one used last first, some at a time: `next` is the `after` of the following page.
 * @param {Connection & {after?: string, limit?: number}} [options]
 * @returns {Promise<{threads: Thread[], next: string | null}>}
 */
export async function listThreads({ after = "", limit = 50, ...connection } = {}) {
  const wanted = new URLSearchParams({ after, limit: String(limit) });
  return (await send(`threads?${wanted}`, {}, connection)).json();
}

/**
 * A conversation with what was said in it last: `next` is the `after` of the page with the turns before these.
 * @param {string} threadId
 * @param {Connection & {after?: string, limit?: number}} [options]
 * @returns {Promise<Thread & {turns: Turn[], next: string | null}>}
 */
export async function getThread(threadId, { after = "", limit = 100, ...connection } = {}) {
  const wanted = new URLSearchParams({ after, limit: String(limit) });
  return (await send(`threads/${encodeURIComponent(threadId)}?${wanted}`, {}, connection)).json();
}

/**
 * Give a conversation another title.
 * @param {string} threadId @param {string} title
 * @param {Connection} [options]
 * @returns {Promise<Thread>}
 */
export async function renameThread(threadId, title, options = {}) {
  return (await send(`threads/${encodeURIComponent(threadId)}`, json("PATCH", { title }), options)).json();
}

/**
 * Forget a conversation and all that was said in it. Rejects with `thread_busy` while it is being answered in.
 * @param {string} threadId
 * @param {Connection} [options]
 */
export async function removeThread(threadId, options = {}) {
  await send(`threads/${encodeURIComponent(threadId)}`, { method: "DELETE" }, options);
}

/**
 * Hand in files and be told how far each has come (`document_stage`), until all are searchable or have failed.
 *
 * The first `received` events come in the order of `files`; from then on a file goes by its `document_id`.
 * @param {Iterable<File>} files
 * With `byName` a file's name is its id: added again, it replaces its former version.
 * @param {Connection & {collection?: string, byName?: boolean, onEvent?: (event: Envelope) => void}} [options]
 * @returns {Promise<{jobId: string | null, outcome: string, indexed: number, failed: number}>}
 */
export async function addDocuments(files, { collection, byName = false, onEvent, ...connection } = {}) {
  const form = new FormData();
  if (collection) form.append("collection", collection);
  for (const file of files) form.append("files", file, file.name);
  for (const file of byName ? files : []) form.append("id", file.name);
  const position = begin();
  const result = { indexed: 0, failed: 0 };
  const post = () => send("documents", { method: "POST", body: form }, connection);
  for await (const event of follow(post, "jobs", connection, position)) {
    if (event.event_type === "pipeline_metric") {
      result.indexed = event.payload.indexed ?? 0;
      result.failed = event.payload.failed ?? 0;
    }
    onEvent?.(event);
  }
  return { jobId: position.id, outcome: position.outcome ?? (result.failed ? "failed" : "done"), ...result };
}

/**
 * The documents of a collection by id, some at a time: `next` is the `after` of the following page.
 * @param {Connection & {collection?: string, after?: string, limit?: number}} [options]
 * @returns {Promise<{documents: any[], next: string | null, counts: Record<string, number>}>}
 */
export async function listDocuments({ collection = "default", after = "", limit = 100, ...connection } = {}) {
  const wanted = new URLSearchParams({ collection, after, limit: String(limit) });
  return (await send(`documents?${wanted}`, {}, connection)).json();
}

/**
 * Remove a document: no later search finds it.
 * @param {string} id
 * @param {Connection & {collection?: string}} [options]
 */
export async function removeDocument(id, { collection = "default", ...connection } = {}) {
  const wanted = new URLSearchParams({ collection });
  await send(`documents/${encodeURIComponent(id)}?${wanted}`, { method: "DELETE" }, connection);
}

/**
 * Summarise a document, and be told every event as it comes: a `summary_section` for each section in the order of the
 * document, then the abstract as `token`s. Resolves and rejects as `ask` does.
 * @param {string} id
 * @param {Connection & Listeners & {collection?: string, max_sections?: number}} [options]
 * @returns {Promise<Ending>}
 */
export function summarise(id, { onEvent, base, headers, signal, onReconnect, ...wishes } = {}) {
  const connection = { base, headers, signal, onReconnect };
  const position = begin();
  const { headers: types, ...request } = json("POST", wishes);
  const keyed = { ...request, headers: { ...types, "Idempotency-Key": uniqueKey() } };
  const start = () => send(`documents/${encodeURIComponent(id)}/summary`, keyed, connection);
  return listen(follow(start, "runs", connection, position), position, { onEvent });
}

/**
 * What the server holds and which models it uses.
 * @param {Connection} [options]
 * @returns {Promise<{collections: Record<string, number>}>}
 */
export async function health(options = {}) {
  return (await send("health", {}, options)).json();
}

/** @returns {Position} */
const begin = () => ({ id: null, seq: 0, outcome: null });

/**
 * How a run ended.
 * @typedef {{requestId: string | null, outcome: string, final: FinalAnswer | null, error: Failure | null}} Ending
 */

/** @param {AsyncIterable<Envelope>} events @param {Position} position @param {Listeners} listeners
 * @returns {Promise<Ending>} */
async function listen(events, position, { onEvent, onThinking }) {
  let final = null;
  let error = null;
  for await (const event of events) {
    if (event.event_type === "final_answer") final = event.payload;
    if (event.event_type === "error" && event.payload.fatal) error = event.payload;
    if (event.event_type === "thinking") onThinking?.(event.payload);
    onEvent?.(event);
  }
  const outcome = position.outcome ?? final?.outcome ?? (error?.code === "cancelled" ? "cancelled" : "error");
  return { requestId: position.id, outcome, final, error };
}

/** @param {string} query @param {Connection & Wishes} options @param {Position} position */
function questionEvents(query, { base, headers, signal, onReconnect, ...wishes }, position) {
  const connection = { base, headers, signal, onReconnect };
  const request = {
    method: "POST",
    // With the key, a request repeated because its response never came joins the run instead of starting another.
    headers: { "Content-Type": "application/json", "Idempotency-Key": uniqueKey() },
    body: JSON.stringify({ query, ...wishes }),
  };
  return follow(() => send("query", request, connection), "runs", connection, position);
}

/**
 * Every event of a run or a job once and in order, over as many connections as it takes.
 * @param {() => Promise<Response>} start @param {"runs" | "jobs"} kind
 * @param {Connection} connection @param {Position} position
 * @returns {AsyncGenerator<Envelope, void, void>}
 */
async function* follow(start, kind, connection, position) {
  for (let failures = 0; ; ) {
    let broken;
    try {
      const response = await (position.id === null ? start() : pickUp(kind, connection, position));
      position.id ??= response.headers.get("X-Request-ID");
      if (response.status === 204) return;
      for await (const { event, data } of frames(response)) {
        const envelope = JSON.parse(data);
        if (event === "end") {
          position.outcome = envelope.outcome;
          return;
        }
        if (event !== "message" || envelope.seq <= position.seq) continue;
        position.id = envelope.request_id;
        position.seq = envelope.seq;
        failures = 0;
        yield envelope;
      }
    } catch (error) {
      if (!mendable(error, kind, position)) throw error;
      broken = error;
    }
    if (failures === PAUSES_MS.length) {
      throw new GroundswellError("The server cannot be reached.", { code: "disconnected", cause: broken });
    }
    await pause(PAUSES_MS[failures], connection.signal);
    failures += 1;
    connection.onReconnect?.(failures);
  }
}

/** @param {"runs" | "jobs"} kind @param {Connection} connection @param {Position} position */
function pickUp(kind, connection, { id, seq }) {
  const headers = { "Last-Event-ID": `${id}:${seq}` };
  return send(`${kind}/${encodeURIComponent(id ?? "")}/events`, { headers }, connection);
}

/** Whether trying again can help. Uploads without an answer are not repeated: their size may be what broke them.
 * @param {unknown} error @param {"runs" | "jobs"} kind @param {Position} position */
function mendable(error, kind, position) {
  if (error instanceof GroundswellError) return position.id !== null && PASSING.has(error.status);
  return error instanceof TypeError && (kind === "runs" || position.id !== null);
}

/** @param {Response} response */
async function* frames(response) {
  if (response.body === null) return;
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  const parser = new FrameParser();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* parser.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** @param {string} path @param {RequestInit} request @param {Connection} connection */
async function send(path, request, { base = ROOT, headers, signal }) {
  const all = { Accept: "text/event-stream, application/json", ...headers, ...request.headers };
  const response = await fetch(new URL(path, base), { ...request, headers: all, signal });
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  throw new GroundswellError(problem.detail ?? problem.title ?? `The server answered ${response.status}.`, {
    code: problem.code ?? "http_error",
    field: problem.field,
    status: response.status,
    running: problem.running,
  });
}

/** @param {number} ms @param {AbortSignal} [signal] @returns {Promise<void>} */
function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    const stop = () => (clearTimeout(timer), reject(signal?.reason));
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** @param {string} method @param {object} body */
const json = (method, body) => ({
  method,
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
});

/** `crypto.randomUUID` exists on secure origins alone; a server on a home network is not one. */
function uniqueKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
