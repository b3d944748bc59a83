/** The documents of a collection: what is searchable, what failed, and a way to summarise and to remove them. */

import { byId, element, show } from "./dom.js";
import { listDocuments, removeDocument } from "./groundswell.js";
import { drawSummary } from "./summary.js";

const STATUS = { ready: "", processing: "on its way", failed: "failed" };
const SHOWN = 100;

/**
 * Draw the documents of a collection; nothing where there are none.
 * @param {string} collection
 * @param {() => void} onRemoved
 */
export async function drawLibrary(collection, onRemoved) {
  const place = byId("library");
  const { documents, counts } = await listDocuments({ collection, limit: SHOWN }).catch(() => ({ documents: [] }));
  if (documents.length === 0) return show(place);
  const total = counts.ready + counts.processing + counts.failed;
  const wasOpen = place.querySelector("details")?.open ?? false;
  const title = element("summary", {}, `${total} ${total === 1 ? "document" : "documents"} in “${collection}”`);
  const rows = documents.map((one) => row(one, collection, onRemoved));
  if (total > rows.length) rows.push(element("li", {}, `and ${total - rows.length} more`));
  show(place, element("details", { open: wasOpen }, title, element("ul", {}, ...rows)));
}

function row({ id, title, status, passages, error }, collection, onRemoved) {
  const size = passages === undefined ? "" : `${passages} ${passages === 1 ? "passage" : "passages"}`;
  const button = element("button.link", { type: "button", aria: { label: `Remove ${title}` } }, "remove");
  button.onclick = async () => {
    button.disabled = true;
    await removeDocument(id, { collection }).catch((problem) => button.replaceWith(problem.message));
    onRemoved();
  };
  const summarise = element("button.link", { type: "button", aria: { label: `Summarise ${title}` } }, "summarise");
  summarise.onclick = () => drawSummary({ id, title, collection }, summarise);
  const state = error?.message ?? STATUS[status] ?? status;
  return element(
    "li",
    { data: { status } },
    element("span.name", { dir: "auto", title: id }, title),
    element("span.stage", {}, state || size),
    ...(status === "ready" ? [summarise] : []),
    button,
  );
}
