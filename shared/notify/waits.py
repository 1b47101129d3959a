"""What an answer to a message means, and when it is tried again. Pure.

Waits grow to six hours, so that a receiver that comes back after days has everything within six; after five days it ends.
"""

from datetime import datetime, timedelta

import msgspec

_WAITS = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
)
TRIED_FOR = timedelta(days=5)
"""How long a message is tried (Standard Webhooks asks for several days)."""

_LONGEST_TOLD = timedelta(days=1)
"""A receiver may ask for a longer wait than this, and does not get it."""

_GONE = 410
_LATER = frozenset({408, 425, 429})


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """What came back. No status: no answer, and `problem` says what happened. `wait`: what the receiver asked for."""

    status: int | None
    problem: str = ""
    wait: timedelta | None = None

    @property
    def told(self) -> str:
        """It in a word, for people."""
        return self.problem if self.status is None else f"HTTP {self.status}"


class Delivered(msgspec.Struct, frozen=True):
    """It is there."""


class Again(msgspec.Struct, frozen=True):
    """It may be there, or not; it is sent again then."""

    due: datetime


class GivenUp(msgspec.Struct, frozen=True):
    """It was tried for as long as it may be."""


class Refused(msgspec.Struct, frozen=True):
    """The receiver does not take this message."""


class Gone(msgspec.Struct, frozen=True):
    """The receiver takes none any more at this address."""


type Verdict = Delivered | Again | GivenUp | Refused | Gone


def pause(tries: int) -> timedelta:
    """How long to wait after so many tries."""
    return _WAITS[min(max(tries, 1), len(_WAITS)) - 1]


def is_late(since: datetime, now: datetime) -> bool:
    """Whether a message that is undelivered since then has had its time."""
    return now - since >= TRIED_FOR


def judge(answered: Answered, tries: int, since: datetime, now: datetime) -> Verdict:
    """What becomes of a message that was tried so often, since then. There is a last try when its time is over."""
    status = answered.status
    if status is not None and 200 <= status < 300:
        return Delivered()
    if status == _GONE:
        return Gone()
    if status is not None and status < 500 and status not in _LATER:
        return Refused()
    if is_late(since, now):
        return GivenUp()
    asked = min(answered.wait or timedelta(), _LONGEST_TOLD)
    return Again(min(now + max(pause(tries), asked), since + TRIED_FOR))
