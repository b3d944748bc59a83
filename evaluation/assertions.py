"""What a final answer asserts, what it tells as the word of another source, and what it kept of the draft."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evaluation.corrections import Case
from language.sentences import sentence_spans

_MARKER = re.compile(r"\s*(?:\[\d+\])+")
_QUOTED = re.compile(r"[“\"«„]([^“”\"«»„]+)[”\"»“]")
_SOURCE = re.compile(
    r"\b(?:documents?|sources?|another|other|others|disagree[sd]?|differs?|differently|according to|says?|states?|"
    r"gives?|older|newer|earlier|later|previous|however|whereas)\b",
    re.IGNORECASE,
)
_OLDER = frozenset(
    "older earlier previous previously former formerly superseded supersedes replaced replaces outdated".split()
)


def plain(text: str) -> str:
    """A text on one line, without citation markers, with quotation marks of one kind."""
    line = " ".join(_MARKER.sub("", text).split())
    return re.sub(r"\s+([.,;:!?])", r"\1", line.replace("’", "'"))


def finds(phrase: str, text: str) -> list[re.Match[str]]:
    """Where a phrase of a case stands in a text."""
    pattern = phrase[3:] if phrase.startswith("re:") else rf"(?<!\w){re.escape(phrase)}(?!\w)"
    return list(re.finditer(pattern, text, re.IGNORECASE))


@dataclass(frozen=True, slots=True)
class Heard:
    """A final answer, read against its case."""

    case: Case
    answer: str

    @property
    def says_all(self) -> bool:
        """Whether everything expected is said; of two sides, whether one is marked as what a source says."""
        sentences = self._sentences()
        said = all(any(any(finds(p, s) for s in sentences) for p in each) for each in self.case.expect.says)
        return said and (not self.case.undecided or any(self._a_side(sentence) for sentence in sentences))

    @property
    def asserts(self) -> list[str]:
        """What is wrong and said in the answer's own voice."""
        return [
            phrase
            for phrase in self.case.expect.wrong
            for sentence in self._sentences()
            for found in finds(phrase, sentence)
            if not self._told(sentence, found)
        ]

    @property
    def lost(self) -> list[int]:
        """The right sentences of the draft that no longer stand word for word."""
        whole = plain(self.answer)
        return [at for at in self.case.keeps if not finds(plain(self.case.draft[at].text).rstrip(".!?"), whole)]

    @property
    def lost_outright(self) -> list[int]:
        """Those of them that are not there in the words of the sentence they cite either."""
        whole = plain(self.answer)
        return [at for at in self.lost if not self._cited_stands(self.case.draft[at].cites, whole)]

    def _cited_stands(self, cited: str | None, whole: str) -> bool:
        return cited is not None and bool(finds(plain(cited).rstrip(".!?"), whole))

    def _sentences(self) -> list[str]:
        whole = plain(self.answer)
        return [whole[start:end] for start, end in sentence_spans(whole)]

    def _told(self, sentence: str, found: re.Match[str]) -> bool:
        """Whether a phrase stands as the word of another source, rather than of the answer.

        Either within a quotation of a document, in a sentence that speaks of sources outside it; or, where documents
        disagree, in a sentence that calls what it tells older, in words that no document and no draft has.
        """
        for quoted in _QUOTED.finditer(sentence):
            if quoted.start() < found.start() and found.end() <= quoted.end():
                outside = sentence[: quoted.start()] + sentence[quoted.end() :]
                return self._of_a_document(quoted[1]) and _SOURCE.search(outside) is not None
        own = {word for text in self._given() for word in re.findall(r"\w+", text.casefold())}
        older = (_OLDER - own) & set(re.findall(r"\w+", sentence.casefold()))
        return self.case.kind == "documents" and bool(older)

    def _a_side(self, sentence: str) -> bool:
        """Whether a sentence tells one of the sides as what a source says, not in the words of the draft."""
        sides = any(any(finds(p, sentence)) for each in self.case.expect.says for p in each)
        return sides and any(_SOURCE.search(part) for part in self._unquoted(sentence))

    def _unquoted(self, sentence: str) -> Sequence[str]:
        return _QUOTED.split(sentence)[::2]

    def _of_a_document(self, quoted: str) -> bool:
        wanted = plain(quoted).rstrip(".!?…").casefold()
        return any(wanted in plain(paper.content).casefold() for paper in self.case.documents)

    def _given(self) -> Iterator[str]:
        yield from (sentence.text for sentence in self.case.draft)
        yield from (paper.content for paper in self.case.documents)
