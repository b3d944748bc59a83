"""What becomes a heading of a report: one short line of plain words, whatever was put into it."""

import re

from chains.prompts import readable
from language.sentences import sentence_spans
from language.words import words

LONGEST_HEADING = 160
"""Characters."""
_LAID_OUT = re.compile(
    r"<?\b(?:[a-z][a-z0-9+.-]{1,12}://|www\.|mailto:)[^\s>]*>?|</?[a-z!][^<>]*>|(?:^|(?<=\s))#+(?=\s|$)"
    r"|[`|\\]+|\*\*+|__+|~~+",
    re.IGNORECASE,
)
"""Addresses, tags, and marks of layout."""
_BRACKETS = str.maketrans("[]【】", "()()")
"""A number in them would be read as a citation."""
_EMPTY = re.compile(r"\(\s*\)")
_ASKED_AFTER = re.compile(r"; (?:What|Which|Who|Whose|When|Where|Why|How|Is|Are|Was|Were|Do|Does|Did|Can|Must)\b")
_STOPS_WITHIN = re.compile(r"[.!?…:]+\W*\s")
_FRONT = re.compile(r"^(?:[#>*+•=\s]+|[-–—]+\s)+")


def heading(text: str) -> str:
    """A text as it may stand behind `##`; empty if it has no word.

    Of several lines it is the first one with words. It is one sentence, for what follows a full stop is read as a
    sentence of its own: of several, those that ask.
    """
    first = next(filter(words, text.splitlines()), "")
    plain = _LAID_OUT.sub(" ", readable(first)).translate(_BRACKETS)
    plain = _FRONT.sub("", " ".join(_EMPTY.sub(" ", plain).split()) + " ", count=1).strip()
    line = _shortened(_one_sentence(plain))
    return line if words(line) else ""


def _one_sentence(line: str) -> str:
    sentences = [line[start:end] for start, end in sentence_spans(line)]
    asking = [sentence for sentence in sentences if sentence.endswith("?")] or sentences
    joined = "; ".join([*(sentence.rstrip(".!?…: ") for sentence in asking[:-1]), *asking[-1:]])
    if len(sentence_spans(joined)) > 1:
        joined = _STOPS_WITHIN.sub(" ", joined)
    start, end = next(iter(sentence_spans(joined)), (0, 0))
    return _ASKED_AFTER.sub(lambda asks: asks.group().lower(), joined[start:end])


def _shortened(line: str) -> str:
    if len(line) <= LONGEST_HEADING:
        return line
    cut = line[: LONGEST_HEADING - 1]
    return f"{(cut.rpartition(' ')[0] or cut).rstrip(' ,;:')}…"
