/** Which questions are being answered, by conversation, so that a page that comes back can pick them up. */

const KEY = "groundswell.underway";

/** @returns {{requestId: string, question: string, mode: string, thread: string} | undefined} */
export const of = (threadId) => all()[threadId];

/** Take a note of a run; one that belongs to no conversation cannot be come back to. */
export function note({ thread, question, mode }, requestId) {
  if (thread !== null) keep({ ...all(), [thread]: { requestId, question, mode, thread } });
}

/** A run has ended, or is not there any more. */
export function forget({ thread, requestId }) {
  const { [thread]: known, ...others } = all();
  if (known?.requestId === requestId) keep(others);
}

/** Storage may be forbidden: then nothing is picked up. */
function all() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}

function keep(runs) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(runs));
  } catch {
    // it is not picked up
  }
}
