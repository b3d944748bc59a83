/** Which questions are being answered, by conversation, so that a page that comes back can pick them up. */

import { recalled, remember } from "./session.js";

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

function all() {
  try {
    return JSON.parse(recalled("underway") ?? "{}");
  } catch {
    return {}; // somebody has written there who is not this page
  }
}

const keep = (runs) => remember("underway", JSON.stringify(runs));
