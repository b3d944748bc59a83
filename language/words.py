"""Words as search and verdicts see them: folded, stemmed, without the ones that carry no meaning."""

import re
import threading
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import pairwise

import Stemmer

from language.invisible import visible

WORD = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+(?:['’][^\W\d_]{1,2})?|[^\W_]+")
_NUMBER = re.compile(r"(?<![\w.])[-−]?\d+(?:,\d{3})*(?:\.\d+)?(?![\d])")
_WORD_NUMBERS = {
    word: str(value)
    for value, word in enumerate("zero one two three four five six seven eight nine ten eleven twelve".split())
}
_NEGATIONS = frozenset(
    "no not never none nor neither nobody nothing nowhere without cannot isn't aren't wasn't weren't don't doesn't "
    "didn't won't wouldn't can't couldn't shouldn't hasn't haven't hadn't".split()
)
STOPWORDS = frozenset(
    "a about above after again all also am an and any are as at be because been before being below between both but by "
    "can could did do does doing done down during each either else ever every few for from further get give had has "
    "have having he her here hers him his how i if in into is it its itself just kind let like made make many may me "
    "might more most much must my no nor not of off on once one only onto or other our ours out over own please same "
    "shall she should since so some still such tell than that the their theirs them then there these they this those "
    "through thus to too under until up upon us very was way we were what when where whether which while who whom "
    "whose why will with within without would yet you your yours s t explain describe mean called name "
    "say says said know find show happen happens happened take takes took".split()
)
_stemmers = threading.local()


def fold(text: str) -> str:
    """`text` in lower case without accents, compatibility forms or invisible characters, so that spellings meet."""
    if text.isascii():
        return text.lower() if text.isprintable() else visible(text).lower()
    decomposed = unicodedata.normalize("NFKD", visible(text))
    return "".join(char for char in decomposed if not unicodedata.combining(char)).lower()


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """The Snowball English stem of a folded word; digits stay as they are, without thousands commas."""
    if word[0].isdigit():
        return word.replace(",", "")
    stemmer = getattr(_stemmers, "english", None)
    if stemmer is None:  # a Stemmer must not be shared between threads
        stemmer = _stemmers.english = Stemmer.Stemmer("english")
    stemmed: str = stemmer.stemWord(word.replace("’", "'").removesuffix("'s"))
    return stemmed


def words(text: str) -> list[str]:
    """The words of `text` as they stand."""
    return WORD.findall(text)


def terms(text: str) -> list[str]:
    """Every stemmed word of `text`, in order: what is indexed."""
    return [stem(word) for word in WORD.findall(fold(text))]


def content_terms(text: str) -> list[str]:
    """The stemmed words of `text` that carry meaning, in order, with repetitions."""
    return [stem(word) for word in WORD.findall(fold(text)) if word not in STOPWORDS]


def word_pairs(text: str) -> list[tuple[str, str]]:
    """The stemmed neighbouring words of `text`, at least one of each two carrying meaning, in order, each pair once."""
    words = WORD.findall(fold(text))
    telling = [(a, b) for a, b in pairwise(words) if a not in STOPWORDS or b not in STOPWORDS]
    return list(dict.fromkeys((stem(a), stem(b)) for a, b in telling))


def numbers(text: str) -> set[str]:
    """The numbers of `text` in a canonical form: `1,000` is `1000`, `2.50` is `2.5`, `two` is `2`."""
    found = {_canonical(match.group()) for match in _NUMBER.finditer(text)}
    return found | {_WORD_NUMBERS[word] for word in fold(text).split() if word in _WORD_NUMBERS}


def _canonical(number: str) -> str:
    plain = number.replace(",", "").replace("−", "-")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def negated(text: str) -> bool:
    """Whether `text` denies something."""
    return any(word.replace("’", "'") in _NEGATIONS for word in re.findall(r"[\w'’]+", fold(text)))


def names(text: str) -> list[str]:
    """Capitalised words, numbers and quoted strings of `text`: what a question cannot do without."""
    found = re.findall(
        r"\"([^\"]{2,60})\"|“([^”]{2,60})”|(?<!^)(?<![.?!] )\b([A-Z][\w.&-]*[\w])|\b(\d[\d,.]*\d|\d)\b", text
    )
    return list(dict.fromkeys(next(part for part in groups if part) for groups in found))


def coverage(wanted: Iterable[str], present: frozenset[str] | set[str], weights: Mapping[str, float]) -> float:
    """The share of `wanted`, weighted by `weights` (idf, >= 0), that is `present`: 0..1; 0 of nothing."""
    total = found = 0.0
    for term in set(wanted):
        weight = weights.get(term, 1.0)
        total += weight
        if term in present:
            found += weight
    return found / total if total else 0.0


def sounds_english(text: str) -> bool:
    """Whether a text of three words or more has one of the small words that no English sentence goes without."""
    words = re.findall(r"[^\W\d_]+", fold(text))
    return len(words) < 3 or any(word in STOPWORDS for word in words)
