/** Files dropped or chosen: each shows how far it has come until it is searchable. */

import { byId, element } from "./dom.js";
import { addDocuments } from "./groundswell.js";

const STAGES = ["received", "parsed", "chunked", "embedded", "indexed", "ready"];
const WORDS = {
  waiting: "on its way",
  received: "received",
  parsed: "read",
  chunked: "cut into passages",
  embedded: "embedding",
  indexed: "in the index",
  ready: "searchable",
  failed: "failed",
};

/**
 * Take files from the picker and from anywhere on the page.
 * @param {{collection: () => string, onAdded: (collection: string) => void, onError: (error: any, retry: () => void) => void}} page
 */
export function acceptDocuments(page) {
  const picker = byId("files");
  picker.onchange = () => {
    add([...picker.files], page);
    picker.value = "";
  };
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    document.body.dataset.dragging = "";
  });
  addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) delete document.body.dataset.dragging;
  });
  addEventListener("drop", (event) => {
    delete document.body.dataset.dragging;
    if (!carriesFiles(event)) return;
    event.preventDefault();
    const folders = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()?.isDirectory ?? false);
    add([...event.dataTransfer.files].filter((_, at) => !folders[at]), page);
    if (folders.includes(true)) say("Folders are not taken here: drop the files in them, or use the command line.");
  });
}

async function add(files, page) {
  if (files.length === 0) return;
  const collection = page.collection();
  const rows = files.map(row);
  const unclaimed = [...rows];
  const byDocument = new Map();
  const onEvent = ({ event_type: type, payload }) => {
    if (type !== "document_stage") return;
    const { document_id: id, stage } = payload;
    if (stage === "received") byDocument.set(id, [...(byDocument.get(id) ?? []), unclaimed.shift()]);
    for (const one of byDocument.get(id) ?? []) one?.advance(payload);
  };
  try {
    const { indexed, failed } = await addDocuments(files, { collection, byName: true, onEvent });
    const done = `${count(indexed, "document")} now searchable in “${collection}”.`;
    say(failed ? `${done} ${count(failed, "document")} could not be added.` : done);
  } catch (error) {
    for (const one of rows) one.advance({ stage: "failed", error });
    page.onError(error, () => {
      for (const one of rows) one.item.remove();
      add(files, page);
    });
  }
  page.onAdded(collection);
}

function row(file) {
  const words = element("span.stage", {}, WORDS.waiting);
  const bar = element("progress", { max: STAGES.length, value: 0, ariaLabel: `Progress of ${file.name}` });
  const item = element("li", { data: { stage: "waiting" } }, element("span.name", { dir: "auto" }, file.name), words, bar);
  byId("documents").append(item);
  let passages = 0;
  const advance = ({ stage, done, total, error }) => {
    if (stage === "chunked") passages = total;
    item.dataset.stage = stage;
    bar.value = STAGES.indexOf(stage) + (total ? done / total : 0);
    bar.hidden = stage === "ready" || stage === "failed";
    words.textContent = WORDS[stage] ?? stage;
    if (stage === "embedded") words.textContent += ` ${done} of ${total}`;
    if (stage === "ready" && passages) words.textContent += `, ${count(passages, "passage")}`;
    if (error) words.textContent = error.message;
  };
  return { item, advance };
}

const say = (text) => (byId("documents-status").textContent = text);
const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
