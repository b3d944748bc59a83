/** One question for a person: its draft, its sources, why it is here, and the decision. */

import { fillAnswer } from "./answer.js";
import { element } from "./dom.js";
import { quotesIn } from "./spans.js";

const DECIDED = { approve: "Approved", edit: "Edited", reject: "Rejected" };
const FLAGS = { instructions: "reads like instructions" };
const GATE = { open: "The gate would open", verify_first: "The gate would check first", fallback: "The gate would close" };

/** A question that waits. `decide` gets the decision as `POST /reviews` takes it. */
export function waitingReview(review, decide) {
  const { draft, no_draft: none } = review;
  const sources = sourceList(review, draft?.citations ?? []);
  const body = draft
    ? answerElement(draft.answer, draft.sentences, draft.citations, sources)
    : element("p.reason", {}, `No draft: ${none}.`);
  const cut = draft?.truncated ? [element("p.reason", {}, "The draft was cut short before its end.")] : [];
  const without = review.sources.length ? [] : [element("p.reason", {}, "No sources were found.")];
  return frame(review, body, ...cut, why(review), ...without, sources, decisionForm(review, decide));
}

/** A question that was decided. */
export function decidedReview(review) {
  const { final_answer: final, reviewed } = review;
  const citations = final?.citations ?? [];
  const cited = review.sources.filter(({ index }) => citations.some((citation) => citation.index === index));
  const sources = sourceList({ sources: cited }, citations);
  const body = final
    ? answerElement(final.answer, final.sentences ?? [], citations, sources)
    : element("p.reason", {}, "Decided; the answer is being released.");
  const note = reviewed.note ? [element("p.reason", { dir: "auto" }, `Note: ${reviewed.note}`)] : [];
  const said = element("p.reason", {}, `${DECIDED[reviewed.decision]} ${time(reviewed.at)}`);
  const made = frame(review, said, body, ...note, sources);
  made.dataset.decision = reviewed.decision;
  return made;
}

function frame({ request_id: id, question, domain, rule, created }, ...children) {
  const place = [domain, ...(rule ? [`rule “${rule}”`] : []), `asked ${time(created)}`].join(" · ");
  const title = element("h3", { id: `title-${id}`, dir: "auto" }, question);
  const number = element("p.reason", {}, `${place} · `, element("code", {}, id));
  return element("article.review", { data: { id }, aria: { labelledby: title.id } }, title, number, ...children);
}

function answerElement(answer, sentences, citations, sources) {
  const marker = (text, [{ index, source }]) => {
    const label = `Source ${index}, ${source}: show the quote`;
    return element("button.citation", { type: "button", aria: { label }, onclick: () => open(sources, index) }, text);
  };
  const place = element("div.answer", { dir: "auto" });
  fillAnswer(place, answer, sentences, citations, marker);
  return place;
}

function open(sources, index) {
  const details = sources.querySelector(`[data-index="${index}"] details`);
  if (!details) return;
  details.open = true;
  details.querySelector("summary").focus();
}

/** The sources by number; those that are cited stand open, with the quotes marked. */
function sourceList({ sources }, citations) {
  const items = sources.map((source) => {
    const cited = citations.filter(({ index }) => index === source.index);
    const { context, beyond } = quotesIn({ ...source, snippet: source.text }, cited);
    const place = [source.section && ` › ${source.section}`, source.page !== null && `, page ${source.page}`];
    return element("li", { data: { index: source.index } },
      element("details", { open: cited.length > 0 },
        element("summary", {},
          element("span.index", {}, String(source.index)),
          element("span.name", { dir: "auto" }, source.source,
            element("span.section", {}, ...place.filter(Boolean)),
            ...(source.flags ?? []).map((flag) => element("span.later", {}, FLAGS[flag] ?? flag))),
          element("span.score", { title: "How likely this passage holds the answer" }, source.score.toFixed(2))),
        element("div.passage", { dir: "auto" },
          ...context.map(({ text, marked }) => (marked ? element("mark", {}, text) : text)),
          ...beyond.map((quote) => element("blockquote", {}, element("mark", {}, quote))))));
  });
  return element("ol.sources", { ariaLabel: "Sources" }, ...items);
}

function why({ why: known }) {
  if (!known) return element("p.reason", {}, "Nothing could be searched, so the gate has nothing to say.");
  const lacks = known.missing.length ? [`nothing found about ${known.missing.join(", ")}`] : [];
  const gate = element("p.reason", {}, `${GATE[known.verdict] ?? known.verdict}: ${[...known.reasons, ...lacks].join(" · ")}`);
  if (!known.changed?.length) return gate;
  return element("div", {}, gate, element("p.reason", {}, `Mended before you see it: ${known.changed.join("; ")}.`));
}

/** Approve, edit or reject; a note goes with any of them. */
function decisionForm({ request_id: id, draft }, decide) {
  const answer = element("textarea", { id: `answer-${id}`, rows: 6, dir: "auto", value: draft?.answer ?? "" });
  const hint = "Cite the sources by their numbers, like [1]. A sentence without one gets the source that supports it.";
  const editor = element("div.editor", { id: `editor-${id}`, hidden: true },
    element("label", { htmlFor: answer.id }, "The answer as it shall be"), answer, element("p.reason", {}, hint));
  const note = element("textarea", { id: `note-${id}`, rows: 1, dir: "auto" });
  const problem = element("p.problem", { role: "alert", hidden: true });
  const button = (text, choice, properties = {}) => element("button", { type: "button", ...properties,
    onclick: () => send({ decision: choice, ...(choice === "edit" && { answer: answer.value }) }) }, text);
  const approve = button("Approve", "approve", { hidden: !draft, className: "primary" });
  const release = button("Release this text", "edit", { hidden: true, className: "primary" });
  const edit = element("button", { type: "button", onclick: () => toggle(editor.hidden),
    aria: { expanded: "false", controls: editor.id } }, draft ? "Edit" : "Write an answer");
  const reject = button("Reject", "reject");
  const form = element("div.decision", {},
    editor, element("label", { htmlFor: note.id }, "Note to the asker (optional)"), note, problem,
    element("div.controls", {}, reject, edit, approve, release));

  function toggle(editing) {
    editor.hidden = release.hidden = !editing;
    approve.hidden = editing || !draft;
    edit.setAttribute("aria-expanded", String(editing));
    edit.textContent = editing ? "Do not edit" : draft ? "Edit" : "Write an answer";
    (editing ? answer : edit).focus();
  }

  async function send(decision) {
    const all = [approve, release, edit, reject];
    for (const one of all) one.disabled = true;
    problem.hidden = true;
    try {
      await decide({ ...decision, ...(note.value.trim() && { note: note.value.trim() }) });
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
      for (const one of all) one.disabled = false;
      if (error.field === "answer") answer.focus();
    }
  }
  return form;
}

const time = (text) => new Date(text).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
