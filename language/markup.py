"""Text without the marks of Markdown: two wordings that only look different are the same."""

import re

_LINK = re.compile(r"!?\[([^\]]+)\]\([^)\s]*(?:\s+\"[^\"]*\")?\)")
_AT_LINE = re.compile(r"^[ \t]*(?:(?:>+|[-*+•]|#{1,6})[ \t]+)+", re.MULTILINE)
_EMPHASIS = (
    ("**", re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*")),
    ("__", re.compile(r"(?<!\w)__(?=\S)(.+?)(?<=\S)__(?!\w)")),
    ("*", re.compile(r"(?<![\w*])\*(?=[^\s*])([^*]+?)(?<=\S)\*(?![\w*])")),
    ("_", re.compile(r"(?<!\w)_(?=[^\s_])([^_]+?)(?<=\S)_(?!\w)")),
    ("~~", re.compile(r"~~(?=\S)(.+?)(?<=\S)~~")),
)
_RULE = re.compile(r"\|[\s:|-]*-{3}[\s:|-]*\|")
_CELL = re.compile(r"\s*\|\s*")


def unmarked(text: str) -> str:
    """`text` without emphasis, backticks, bullets and the borders of cells; of a link only its words."""
    if "\n" in text or not text[:1].isalnum():
        text = _AT_LINE.sub("", text)
    if "](" in text:
        text = _LINK.sub(r"\1", text)
    if "`" in text:
        text = text.replace("`", "")
    for sign, emphasis in _EMPHASIS:
        if sign in text:
            text = emphasis.sub(r"\1", text)
    return _CELL.sub(" ", _RULE.sub(" ", text)) if "|" in text else text
