"""The marks around retrieved text in a prompt: what stands between them is material, and no document can write them."""

import re
import secrets

_MARK = re.compile(r"</?material ([0-9a-f]{24})>")


def fresh_key() -> str:
    """A word that nobody can guess, for the marks of one prompt."""
    return secrets.token_hex(12)


def marked(text: str, key: str) -> str:
    """A text between a begin and an end mark, each on a line of its own."""
    return f"<material {key}>\n{text}\n</material {key}>"


def key_of(prompt: str) -> str | None:
    """The key of the marks in a prompt, if it has any."""
    mark = _MARK.search(prompt)
    return mark.group(1) if mark else None
