/** What the address says: the open conversation behind `#`, or a question that belongs to none. */

const parameter = (name) => new URLSearchParams(location.search).get(name);

/** The conversation that the address names, if it names one. */
export const addressedThread = () => new URLSearchParams(location.hash.slice(1)).get("thread");

/** A question to ask at once. */
export const addressedQuestion = () => parameter("q");

/** Lead to a conversation, or with null to none; `push` makes a step that the back button takes back. */
export function leadToThread(threadId, { push = false } = {}) {
  const address = new URL(location.href);
  for (const name of ["q", "run"]) address.searchParams.delete(name);
  address.hash = threadId === null ? "" : String(new URLSearchParams({ thread: threadId }));
  if (address.href !== location.href) history[push ? "pushState" : "replaceState"](null, "", address);
}

/** Lead to a question, or to a run, outside any conversation. */
export function leadTo(parameters) {
  const address = new URL(location.href);
  address.search = String(new URLSearchParams(parameters));
  address.hash = "";
  history.replaceState(null, "", address);
}
