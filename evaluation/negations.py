"""Denying what a sentence says, by its first verb: `was` to `was not`, `never won` to `won`."""

import re

import numpy as np

_AUXILIARY = re.compile(r"(?<!\bto )\b(is|are|was|were|will|would|can|could|should|must|did|does|do|has|have|had)\b")
_CONTRACTED = {"will": "won't", "can": "can't"}
_BASE = {"has": "does not have", "have": "do not have", "had": "did not have"}
_PARTICIPLE = re.compile(
    r"\s(?:(?:also|since|already|long|recently|previously|later|once|ever)\s)?(?:\w+(?:ed|wn|en)|been|had|become|come|run|"
    r"made|won|led|held|left|built|sold|told|taught|brought|bought|kept|lost|met|said|sung|spent|found|put|set|cut)\b"
)
_KEPT = re.compile(r"\s(?:only|just|merely|simply|necessarily|solely|exclusively)\b")
"""After these a negation adds rather than denies."""
_REMOVABLE = re.compile(r"\b(is|are|was|were|will|would|could|should|must|did|does|do|has|have|had)(?: not|n['’]t)\b")
_NEVER = re.compile(r"\bnever ")
_NEGATIVE = re.compile(r"\b(?:no|not|never|none|nor|neither|nobody|nothing|without|cannot|unable|\w+n['’]t)\b", re.I)
_ASIDE = re.compile(r"\b(?:if|that|which|who|whom|whose|what|when|where|while|because|although|though|as|than)\b", re.I)
_PAST = re.compile(
    r"(?<=[a-z\d)] )(?:became|began|won|wrote|made|took|went|came|gave|left|led|met|saw|said|held|built|ran|lost|grew|"
    r"fought|taught|sold|found|spent|received|played|worked|lived|died|moved|served|appeared|released|married|joined|"
    r"opened|started|directed|produced|published|recorded|graduated|attended|returned|retired|signed|scored)\b"
)
_BEFORE_ATTRIBUTE = re.compile(
    r"\b(?:the|a|an|his|her|their|its|of|and|or|is|are|was|were|be|been|being|has|have|had)\s$"
)


def deny(text: str, rng: np.random.Generator) -> str | None:
    """The opposite: one negation taken out, or put to the verb of the main clause. None where this is not safe."""
    if _NEGATIVE.search(text):
        return _affirmed(text)
    verb = _AUXILIARY.search(text)
    aside = _ASIDE.search(text)
    if verb is not None and (aside is None or verb.start() < aside.start()):
        return None if _KEPT.match(text, verb.end()) else _with(text, verb, rng)
    past = _PAST.search(text)
    if past is None or _BEFORE_ATTRIBUTE.search(text[: past.start()]):
        return None
    if aside is not None and aside.start() < past.start():
        return None
    return f"{text[: past.start()]}never {text[past.start() :]}"


def _affirmed(text: str) -> str | None:
    if len(_NEGATIVE.findall(text)) > 1:
        return None
    affirmed, removed = _REMOVABLE.subn(r"\1", text, count=1)
    if not removed:
        affirmed, removed = _NEVER.subn("", text, count=1)
    return affirmed if removed else None


def _with(text: str, verb: re.Match[str], rng: np.random.Generator) -> str:
    word = verb.group()
    if word in _BASE and not _PARTICIPLE.match(text, verb.end()):
        denied = _BASE[word]
    else:
        contracted = _CONTRACTED.get(word, f"{word}n't")
        forms = ["cannot" if word == "can" else f"{word} not", contracted]
        forms += [] if word in ("do", "does", "did") else [f"{word} never"]
        denied = forms[rng.integers(len(forms))]
    return text[: verb.start()] + denied + text[verb.end() :]
