"""Occasions: who was at one meeting, another meeting does not make any less true."""

import re

from chains.recency import Account, dated_alike

_ATTENDANCE = re.compile(
    r"\W*(?:(?:also|those|members|board members) )?(?:present|in attendance|attend(?:ees|ing|ance)|participants|"
    r"apologies|absent|absentees|excused|guests|chair|chaired by|minutes(?: taken)? by)\b[^.;:]{0,30}:",
    re.IGNORECASE,
)
"""Heads a list of who was there, or was not."""
_ATTENDED = re.compile(r"\b(?:present|in attendance|attended|absent|excused|chaired|presided)\b", re.IGNORECASE)
_MEETING = re.compile(r"\b(?:meeting|session|sitting|assembly|hearing)\b", re.IGNORECASE)


def of_other_occasions(one: Account, other: Account) -> bool:
    """Whether the sentences of two sources tell who was at different meetings.

    So do two lists, unless both are known to be of one day, and two sentences in sources of different days.
    """
    if _ATTENDANCE.match(one.sentence) and _ATTENDANCE.match(other.sentence):
        return dated_alike(one, other) is not True
    return _tells_who_came(one) and _tells_who_came(other) and dated_alike(one, other) is False


def _tells_who_came(account: Account) -> bool:
    return _ATTENDED.search(account.sentence) is not None and _MEETING.search(account.sentence) is not None
