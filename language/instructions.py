"""Sentences that speak to a language model rather than to a reader: what a document has no business saying.

Precision comes first: a manual that says "ignore the warning" must stay a manual. What is told here is a wording, not
an intention, so that whoever words it anew goes unnoticed, and other guards must hold.
"""

import base64
import binascii
import re
import string
from collections.abc import Iterator
from functools import lru_cache

from language.injections import CRAMPED, MASKED, SPOKEN, TOKENS
from language.invisible import visible
from language.words import fold

_LONGEST = 20_000
"""Characters of a sentence that are looked at; a passage is shorter."""
_SPACED = re.compile(r"(?<![^\W_])(?:[^\W_][ .·_*-]{1,3}){7,}[^\W_](?![^\W_])")
_CUT_UP = re.compile(r"(?<=[a-z])[-·_*.](?=[a-z])")
_WITH_DIGITS = re.compile(r"(?<![a-z013457@$])(?:[a-z]+[013457@$]|[013457@$]+[a-z])[a-z013457@$]*")
_READ_AS = str.maketrans("013457@$", "oieastas")
_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{24,4000}={0,2}")
_MOST_ENCODED = 8
_ENTITIES = re.compile(r"&#(\d{2,5});|&#x([0-9a-f]{2,4});", re.IGNORECASE)
_FRAMED = (0x1F150, 0x1F170, 0x1F1E6)
"""Where alphabets in frames begin."""
_ALIKE = str.maketrans(
    "аеорсухіјѕԁһӏгкмтвнпԛԝ"
    "αεικνορτυχβηωγ"
    "օոսցհ"
    "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢıɡɑɩ" + "".join(chr(start + at) for start in _FRAMED for at in range(26)),
    "aeopcyxijsdhlrkmtbhnqwaeiknoptuxbnwyonughabcdefghijklmnoprstuvwyzigai" + 3 * string.ascii_lowercase,
)
"""Letters of other scripts, and framed ones, by the Latin letter they look like."""


@lru_cache(maxsize=20_000)
def speaks_to_a_model(sentence: str) -> bool:
    """Whether a sentence reads as though it instructed a language model.

    Accents, invisible characters, wide, framed and foreign letters, spaced out ones, digits in place of letters and
    Base64 hide nothing. English, and the usual phrases in German, French and Spanish.
    """
    shown = visible(sentence[:_LONGEST])
    return _instructs(shown) or any(_instructs(said) for said in _decoded(shown))


def _instructs(text: str) -> bool:
    plain = _ENTITIES.sub(_character, text) if "&#" in text else text
    folded = " ".join(_folded(plain).split())
    if TOKENS.search(folded) or SPOKEN.search(folded):
        return True
    return MASKED.search(folded) is not None and any(map(_hidden, _unmasked(folded)))


def _folded(text: str) -> str:
    if text.isascii():
        return fold(text)
    writable = text.encode("utf-8", "replace").decode()  # RE2 reads UTF-8, which has no half surrogates
    return fold(fold(writable).translate(_ALIKE))


def _hidden(text: str) -> bool:
    return bool(SPOKEN.search(text) or CRAMPED.search(text))


def _unmasked(folded: str) -> Iterator[str]:
    """Other readings of a text, for those that need one."""
    if _SPACED.search(folded):
        yield _SPACED.sub(lambda found: re.sub(r"[^\w]|_", "", found.group()), folded)
    if _CUT_UP.search(folded):
        yield _CUT_UP.sub("", folded)
    if _WITH_DIGITS.search(folded):
        yield _WITH_DIGITS.sub(lambda found: found.group().translate(_READ_AS), folded)


def _decoded(text: str) -> Iterator[str]:
    """What its pieces of Base64 say, if they say anything."""
    for at, found in enumerate(_ENCODED.finditer(text)):
        if at == _MOST_ENCODED:
            return
        written = found.group().rstrip("=").replace("-", "+").replace("_", "/")
        try:
            said = base64.b64decode(written + "=" * (-len(written) % 4), validate=True).decode("utf-8")
        except (binascii.Error, ValueError):
            continue
        if said.isprintable() or said.isascii():
            yield said


def _character(found: re.Match[str]) -> str:
    code = int(found[1]) if found[1] else int(found[2], 16)
    return chr(code) if 32 <= code < 0xD800 else " "
