"""Messages that are for whoever answers, not for the documents: greetings, thanks, goodbyes."""

from collections.abc import Collection

from language.words import stem

_WORDS = frozenset(
    stem(word)
    for word in "afternoon bye doing evening fine good goodbye great hello hey hi how's i'm it's later lol love "
    "morning nice night oh ok okay please sorry thank thanks thx today tonight welcome well what's yes".split()
)


def is_small_talk(words: Collection[str]) -> bool:
    """Whether the stemmed content words of a message are all of this kind: one other word, and it is a question."""
    return _WORDS.issuperset(words)
