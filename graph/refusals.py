"""Honest refusals: what was searched, what is missing, what comes nearest, and what to try."""

from collections.abc import Mapping, Sequence

from langchain_core.documents import Document

from callbacks.events import GateDecision
from graph.gate import telling_words
from graph.policy import Policy, Rule
from retrieval.library import DOCS_COLLECTION

_NEAREST_SHOWN = 3
_WORDS_KEPT = 5
_TRY = "Try naming a topic the documents cover, or ask about one thing at a time."
_NEAR_AT_ALL = 0.05
_ENGLISH = " The embedded models know English: ask in English, of English documents."


def fallback_text(
    *,
    sizes: Mapping[str, int],
    missing: Sequence[str],
    too_few: GateDecision | None,
    nearest: Sequence[Document],
    policy: Policy,
    suggestion: str | None,
    english: bool,
    partly: bool = False,
) -> str:
    """The answer where the evidence does not carry one. Written by nobody but this function: no model is asked.

    `too_few` is the decision where the evidence is good and only stands in too few places; `suggestion` a question
    that would be answered; `partly` that the search was ended before all of the question was looked into.
    """
    size = sum(sizes.values())
    names = ["the documentation" if name == DOCS_COLLECTION else f"“{name}”" for name in sizes]
    place = _listed(names, "and")
    passages = "1 passage" if size == 1 else f"{size} passages"
    if not size:
        advice = f" {policy.fallback_message}" if policy.fallback_message else ""
        return f"There is nothing to search in {place} for this question: add documents, or change the filters.{advice}"
    if too_few is not None:
        speak = "1 passage that speaks" if too_few.chunks == 1 else f"{too_few.chunks} passages that speak"
        wants = f"the domain {too_few.domain} answers only from {too_few.min_chunks} or more"
        found = f"I searched {passages} in {place} and found {speak} of this, but {wants}."
    elif partly:
        found = f"I searched {passages} in {place} for a part of this only, and found no passage that answers it."
    elif missing:
        found = f"I searched {passages} in {place} and found nothing about {_listed(missing, 'or')}."
    else:
        found = f"I searched {passages} in {place} and found no passage that answers this."
    advice = policy.fallback_message or (f"You could ask: {suggestion}" if suggestion else _TRY)
    return f"{found}{_near(nearest)} {advice}{'' if english else _ENGLISH}"


def retraction_text(*, nearest: Sequence[Document], unsafe: bool = False) -> str:
    """The answer where a draft had to be withdrawn: the passages did not say what it said, or it must not be said."""
    if unsafe:
        return f"An answer was drafted, but it held what must not be shown, so it was withdrawn.{_near(nearest)}"
    return (
        "An answer was drafted, but the passages found do not support what it said, so it was withdrawn."
        f"{_near(nearest)} Try asking for one fact at a time, in the words the documents use."
    )


def silence_text(*, nearest: Sequence[Document]) -> str:
    """The answer where passages were found and the model made nothing of them."""
    return f"Passages were found, but the model wrote no answer from them.{_near(nearest)} Try asking in other words."


def review_text(domain: str, rule: Rule | None, request_id: str) -> str:
    """What the reader is told when a person has to answer."""
    why = f"Questions of the domain “{domain}” are answered by a person, never automatically."
    if rule is not None:
        why = f"{_sentence(rule.message or 'A person answers this question.')} (Rule: {rule.name}.)"
    where = f"The answer can be read at GET /runs/{request_id} as soon as there is one"
    return f"{why} A person will look at this one. {where}; its number is {request_id}."


def rejected_text(note: str | None) -> str:
    """The answer where a person has decided against one."""
    text = "A person looked at this question and rejected it: there is no answer."
    return text if note is None else f"{text} Their note: {_sentence(note)}"


def blocked_text(rule: Rule) -> str:
    """The answer where a rule of the policy has it."""
    if rule.message is None:
        return f"This question is not answered here, by the rule “{rule.name}”. Nothing was searched for it."
    return f"{_sentence(rule.message)} (Rule: {rule.name}.)"


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def reformulation(question: str, missing: Sequence[str], nearest: Sequence[Document]) -> str | None:
    """A question about what the documents do hold of this one, where they come nearest to it."""
    best = max(nearest, key=lambda document: document.metadata["score"], default=None)
    held = [word for word in telling_words(question) if not any(word in gone for gone in missing)]
    if best is None or best.metadata["score"] < _NEAR_AT_ALL or not held:
        return None
    place = best.metadata["section"] or best.metadata["source"]
    return f"What does “{place}” say about {' '.join(held[:_WORDS_KEPT])}?"


def _near(nearest: Sequence[Document]) -> str:
    best_first = sorted(nearest, key=lambda document: -document.metadata["score"])
    near = [document for document in best_first if document.metadata["score"] >= _NEAR_AT_ALL] or best_first[:1]
    titles = list(dict.fromkeys(document.metadata["source"] for document in near))[:_NEAREST_SHOWN]
    if not titles:
        return ""
    verb = "The nearest is" if len(titles) == 1 else "The nearest are"
    return f" {verb} {_listed([f'“{title}”' for title in titles], 'and')}."


def _listed(items: Sequence[str], word: str) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {word} {items[-1]}"
