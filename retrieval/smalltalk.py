"""Messages that are for whoever answers, not for the documents: greetings, thanks, the weather."""

from collections.abc import Collection

from language.words import stem

_WORDS = frozenset(
    stem(word)
    for word in "afternoon alarm birthday bored bot bye chat clock day doing evening feeling fine forecast friend "
    "funny good goodbye great happy hello hey hi human joke jokes later lol love morning nice night oh ok okay old "
    "rain real robot see sing sleep song sorry speak sunny talk thank thanks thx time today tomorrow tonight weather "
    "welcome well yes how's i'm it's what's".split()
)


def is_small_talk(words: Collection[str]) -> bool:
    """Whether the stemmed content words of a message are all of this kind: one other word, and it is a question."""
    return _WORDS.issuperset(words)
