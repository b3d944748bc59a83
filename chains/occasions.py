"""Occasions: what happened at one meeting, and who was there, another meeting does not make any less true."""

import re

from chains.recency import Account, dated_alike
from chains.rivals import bygone

_ATTENDANCE = re.compile(
    r"\W*(?:(?:also|those|members|board members) )?(?:present|in attendance|attend(?:ees|ing|ance)|participants|"
    r"apologies|absent|absentees|excused|guests|chair|chaired by|minutes(?: taken)? by)\b[^.;:]{0,30}:",
    re.IGNORECASE,
)
"""Heads a list of who was there, or was not."""
_RECORD = re.compile(
    r"\b(?:minutes|meetings?|sessions?|sittings?|assembly|assemblies|hearings?|proceedings|conference|workshop|"
    r"inspection|visit|log|diary)\b",
    re.IGNORECASE,
)
_OPENING = 200
"""Characters of a document, in which it says what it is a record of."""


def of_other_occasions(one: Account, other: Account) -> bool:
    """Whether the sentences of two sources tell what happened on different occasions.

    So do two lists of who was there, unless both are known to be of one day; and two sentences of what was, in the
    records of meetings and the like of different days.
    """
    if _ATTENDANCE.match(one.sentence) and _ATTENDANCE.match(other.sentence):
        return dated_alike(one, other) is not True
    told = bygone(one.sentence) and bygone(other.sentence) and _is_record(one) and _is_record(other)
    return told and dated_alike(one, other) is False


def _is_record(account: Account) -> bool:
    return _RECORD.search(f"{account.title}\n{account.text[:_OPENING]}") is not None
