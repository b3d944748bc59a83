"""What of a document a summary may tell: nothing that the policy would not answer a question about."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from graph.context import Collaborators
from graph.domains import applied
from graph.policy import DEFAULT_DOMAIN, Policy
from retrieval.outline import headings_of
from retrieval.passages import Passage
from retrieval.records import StoredDocument

_MOST_HEADINGS = 30
"""Headings of a document that are classified before it is summarised."""


@dataclass(frozen=True, slots=True)
class Permission:
    """The policy of a summary, which is that of the general domain, asked of the text rather than of a question."""

    collaborators: Collaborators

    @property
    def policy(self) -> Policy:
        """Of every summary."""
        return self.collaborators.policies[DEFAULT_DOMAIN]

    @property
    def classifies(self) -> bool:
        """Whether a text may belong to another domain than the general one."""
        return self.collaborators.classify_always or self.policy.precheck == "classify"

    def ruled_out(self, text: str | None) -> bool:
        """Whether a rule of the policy applies to a text. That is cheap, and can be asked of every sentence."""
        return bool(text) and self.policy.rule_for(str(text)) is not None

    def refuses(self, text: str) -> bool:
        """The same, or whether it is of a domain that is answered more carefully: one vector for each clause of it."""
        if self.ruled_out(text):
            return True
        if not self.classifies:
            return False
        found = self._domain_of(text)
        strict = found.precheck in ("full_slow_path", "human_review") and found.precheck != self.policy.precheck
        return strict or found.rule_for(text) is not None

    def lawful(self, passages: Sequence[Passage]) -> list[Passage]:
        """The passages that stand under no heading, and in no document, that a rule is about."""
        known: dict[str | None, bool] = {}
        for text in {text for passage in passages for text in (passage.title, passage.section)}:
            known[text] = self.ruled_out(text)
        return [passage for passage in passages if not known[passage.title] and not known[passage.section]]

    def for_people(self, document: StoredDocument) -> bool:
        """Whether people answer what a document is about: everything, its title, or half of its headings."""
        if self.policy.precheck == "human_review":
            return True
        if not self.classifies:
            return False
        if self._people_answer([document.title]):
            return True
        headings = headings_of(self.collaborators.library.stored.passages_in(document.key))[:_MOST_HEADINGS]
        return 2 * self._people_answer(headings) >= max(1, len(headings))

    def _people_answer(self, texts: Iterable[str]) -> int:
        return sum(self._domain_of(text).precheck == "human_review" for text in texts)

    def _domain_of(self, text: str) -> Policy:
        near = self.collaborators.descriptions.nearest(text, self.collaborators.policies)
        return applied(None, near, self.collaborators.policies)[1]
