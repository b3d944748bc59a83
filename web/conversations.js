/** The conversations at the side: open one, begin another, rename, delete. */

import { byId, element, show } from "./dom.js";
import { createThread, listThreads, removeThread, renameThread } from "./groundswell.js";

const WIDE = matchMedia("(min-width: 64rem)");
const UNNAMED = "New conversation";
const page = { opened: (threadId) => {}, removed: (threadId) => {} };
let current = null;
let next = null;

/** The conversation that is open; null for none. */
export const currentThread = () => current;

/**
 * Heed the list. `opened` is called with the conversation that was chosen, null for a new one; `removed` with one that
 * was deleted.
 * @param {{opened: (threadId: string | null) => void, removed: (threadId: string) => void}} listeners
 */
export async function acceptConversations(listeners) {
  Object.assign(page, listeners);
  byId("open-conversations").addEventListener("click", () => toggle(byId("conversations").hidden));
  byId("close-conversations").addEventListener("click", () => toggle(false));
  byId("new-conversation").addEventListener("click", () => choose(null));
  byId("more-conversations").addEventListener("click", () => more());
  byId("keep").checked = recalled("keep") !== "no";
  byId("keep").addEventListener("change", () => remember("keep", byId("keep").checked ? "yes" : "no"));
  addEventListener("keydown", ({ key, target }) => {
    if (key === "Escape" && overlaid() && target.nodeName !== "INPUT") toggle(false);
  });
  addEventListener("pointerdown", ({ target }) => {
    if (overlaid() && target.isConnected && !byId("conversations").contains(target)) toggle(false);
  });
  WIDE.addEventListener("change", () => toggle(WIDE.matches && wanted(), { focus: false }));
  await drawConversations();
  toggle(WIDE.matches && wanted(), { focus: false });
}

const wanted = () => {
  const known = recalled("conversations");
  return known === null ? byId("conversation-list").hasChildNodes() : known === "open";
};
const overlaid = () => !WIDE.matches && !byId("conversations").hidden;

/** Which conversation is open, as the list shows it. */
export function markConversation(threadId) {
  current = threadId;
  for (const item of byId("conversation-list").children) mark(item);
}

/** The conversation that a question goes into: the open one, else a new one; null where none is wanted. */
export async function threadToAskIn() {
  if (current !== null || !byId("keep").checked) return current;
  const { thread_id: id } = await createThread();
  return id;
}

/** Read the list anew; what is being renamed or deleted stays as it is. */
export async function drawConversations() {
  const place = byId("conversation-list");
  if (place.querySelector("[data-editing]")) return;
  const found = await listThreads().catch((error) => tell(error.message));
  if (!found) return;
  place.replaceChildren(...found.threads.filter(worthShowing).map(row));
  follow(found);
}

async function more() {
  const found = await listThreads({ after: next }).catch((error) => tell(error.message));
  if (!found) return;
  byId("conversation-list").append(...found.threads.filter(worthShowing).map(row));
  follow(found);
}

/** What was begun and never asked in is not worth a row, unless it is the one that is open. */
const worthShowing = ({ thread_id: id, turns, title }) => turns > 0 || title !== null || id === current;

function follow(found) {
  next = found.next;
  byId("more-conversations").hidden = next === null;
  tell(byId("conversation-list").hasChildNodes() ? "" : "No conversations yet: ask something.");
}

function row(thread) {
  const { thread_id: id, title, turns, updated } = thread;
  const name = title ?? UNNAMED;
  const chosen = element("button.title", { type: "button", dir: "auto", title: name, onclick: () => choose(id) }, name);
  const count = `${turns} ${turns === 1 ? "question" : "questions"}`;
  const about = element("span.about", { title: count },
    ago(updated), element("span.visually-hidden", {}, `, ${count}`));
  const act = (text, onclick) => {
    const aria = { label: `${text} “${name}”` };
    return element("button.link", { type: "button", onclick, aria }, text);
  };
  const actions = element("span.actions", {},
    act("Rename", () => rename(item, thread)), act("Delete", () => askToDelete(item, thread)));
  const item = element("li", { data: { id } }, chosen, about, actions);
  mark(item);
  return item;
}

function mark(item) {
  item.toggleAttribute("data-current", item.dataset.id === current);
  const button = item.querySelector(".title");
  if (item.dataset.id === current) button?.setAttribute("aria-current", "true");
  else button?.removeAttribute("aria-current");
}

function rename(item, thread) {
  const about = { type: "text", maxLength: 200, value: thread.title ?? "", aria: { label: "Title" }, dir: "auto" };
  const name = element("input", about);
  const save = element("button", { type: "submit" }, "Save");
  const form = element("form.editing", {}, name, save, keep(item, thread));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (name.value.trim() === "") return name.focus();
    try {
      restore(item, await renameThread(thread.thread_id, name.value.trim()));
    } catch (error) {
      tell(error.message);
    }
  });
  edit(item, form, name);
  name.select();
}

function askToDelete(item, thread) {
  const sure = element("button.danger", { type: "button" }, "Delete");
  const question = `Delete “${thread.title ?? UNNAMED}” and all that was said in it?`;
  sure.onclick = async () => {
    sure.disabled = true;
    try {
      await removeThread(thread.thread_id);
    } catch (error) {
      if (error.status !== 404) {
        restore(item, thread);
        const busy = "This conversation is still answering: stop that first.";
        return tell(error.code === "thread_busy" ? busy : error.message);
      }
    }
    const after = item.nextElementSibling ?? item.previousElementSibling;
    item.remove();
    (after?.querySelector(".title") ?? byId("new-conversation")).focus();
    tell("The conversation is deleted.");
    page.removed(thread.thread_id);
  };
  const text = element("p", { dir: "auto" }, question);
  edit(item, element("div.editing", { role: "group" }, text, sure, keep(item, thread)), sure);
}

const keep = (item, thread) => element("button", { type: "button", onclick: () => restore(item, thread) }, "Cancel");

function edit(item, editor, first) {
  item.dataset.editing = "";
  item.replaceChildren(editor);
  editor.addEventListener("keydown", ({ key }) => {
    if (key === "Escape") editor.querySelector("button:last-child").click();
  });
  first.focus();
}

function restore(item, thread) {
  const made = row(thread);
  item.replaceWith(made);
  made.querySelector(".title").focus();
}

function choose(threadId) {
  if (overlaid()) toggle(false);
  page.opened(threadId);
}

function toggle(open, { focus = true } = {}) {
  const place = byId("conversations");
  const was = !place.hidden;
  place.hidden = !open;
  byId("open-conversations").setAttribute("aria-expanded", String(open));
  for (const other of document.querySelectorAll("body > :not(#conversations)")) other.inert = open && !WIDE.matches;
  if (!focus) return;
  if (WIDE.matches) remember("conversations", open ? "open" : "closed");
  if (open) (place.querySelector("[aria-current]") ?? byId("new-conversation")).focus();
  else if (was) byId("open-conversations").focus();
}

const tell = (text) => void show(byId("conversations-status"), ...(text ? [text] : []));

function ago(time) {
  const minutes = Math.round((Date.now() - Date.parse(time)) / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 24 * 60) return `${Math.round(minutes / 60)} h ago`;
  return new Date(time).toLocaleDateString([], { dateStyle: "medium" });
}

/** Storage may be forbidden: then nothing is remembered. */
function recalled(name) {
  try {
    return localStorage.getItem(`groundswell.${name}`);
  } catch {
    return null;
  }
}

function remember(name, value) {
  try {
    localStorage.setItem(`groundswell.${name}`, value);
  } catch {
    // it holds until the page is left
  }
}
