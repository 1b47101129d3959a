"""Which eligibility is due tonight, by which act, and until when. Pure.

Judged from what is in force and from the end as we left it, never from requests. Everything is counted from the night's date
at 00:00 UTC, so that two hosts, and a repeat, come to the same.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from shared.eligibility.decide import Action, length

WINDOW_DAYS = 21
MOST_CHANGES = 50
"""Changes in one tenant in one night: a mistake of ours must not run away."""

_REVIEW_ALARM = timedelta(days=30)

_EXTEND_WITHIN = timedelta(days=14)
"""Nearer to the end than this it is extended, as the portal does; earlier its window is updated (PIM, renew and extend)."""

_RENEWABLE_FOR = timedelta(days=30)
"""How long after its end one can be renewed (PIM, renew and extend)."""

_TWO_NIGHTS = timedelta(days=2)
"""One that ends before the night after next is due, however short the policy: a night may fail."""

_SHORTEST_DAYS = 2
"""What ends within a day ends before the next night has come."""

_SAME_END = timedelta(days=1)


class Why(StrEnum):
    """Why an eligibility is not renewed, by the name that the API tells."""

    REVIEW_OVER = "ReviewOver"
    NOT_TO_HOLD = "NoLongerAnalyst"
    GONE = "PrincipalGone"
    DISABLED = "PrincipalDisabled"
    MFA = "MfaOnEligibility"
    TOO_SHORT = "EligibilityTooShort"
    REMOVED = "RemovedByHand"
    SHORTENED = "ShortenedByHand"
    LAPSED = "LapsedLongAgo"


_A_PERSON_S = frozenset({Why.NOT_TO_HOLD, Why.GONE, Why.DISABLED, Why.REMOVED})
"""What ends as it should: somebody took it away, or who held it is not to hold it any more."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One eligibility of ours. `left`: the end as it was last known, None for one without; `end`: the one that is in force.

    `removed`: an earlier night missed it before its end. `obstacle`: what keeps this principal from having it renewed.
    """

    left: datetime | None
    in_force: bool
    end: datetime | None
    wanted_days: int
    removed: bool = False
    obstacle: Why | None = None


class Tonight(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for every eligibility of a tenant in one night."""

    date: date
    now: datetime
    review_by: datetime
    maximum_days: int | None = None
    mfa: bool = False
    window_days: int = WINDOW_DAYS

    @property
    def midnight(self) -> datetime:
        """What ends are counted from."""
        return datetime.combine(self.date, time(), tzinfo=UTC)


class Fine(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing is to be done. No end: permanent, and not ours to touch."""

    end: datetime | None


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """To be written: by this act, until then."""

    action: Action
    end: datetime


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """Left as it is: the policy would allow no more than `allowed`, which is earlier."""

    end: datetime
    allowed: datetime


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """Not renewed. `end`: of what is in force, or of what lapsed. `alarming`: it is lost soon, or is lost."""

    why: Why
    end: datetime | None
    alarming: bool


type Verdict = Fine | Due | Kept | Refused


def window(days: int, window_days: int) -> timedelta:
    """How long before its end an eligibility that lasts so long is due."""
    return max(min(timedelta(days=window_days), timedelta(days=days) / 3), _TWO_NIGHTS)


def alarm_time(days: int, window_days: int) -> timedelta:
    """How long before its end one that could not be renewed is worth an alarm: a third of the window is tried in silence."""
    return window(days, window_days) * 2 / 3


def is_at_risk(seen: Seen, tonight: Tonight) -> bool:
    """Whether one that is not renewed tonight is lost, or may be before a person has seen to it."""
    days = length(seen.wanted_days, tonight.maximum_days).days
    if not seen.in_force:
        return True
    return seen.end is not None and seen.end - tonight.now <= alarm_time(days, tonight.window_days)


def is_near(seen: Seen, tonight: Tonight) -> bool:
    """Whether one must be looked at closely: the policy, and whose it is. The others cost no call."""
    if seen.in_force and seen.end is None:
        return False
    return not seen.in_force or _shortened(seen) or _until(seen, tonight) <= _widest(tonight)


def judge(seen: Seen, tonight: Tonight) -> Verdict:
    """What becomes of one eligibility tonight. Once what is due was done, it is due no more in that night."""
    if not seen.in_force:
        return _absent(seen, tonight)
    if seen.end is None:
        return Fine(end=None)
    if _shortened(seen):
        alarming = is_at_risk(seen, tonight) and seen.obstacle not in _A_PERSON_S
        return Refused(why=Why.SHORTENED, end=seen.end, alarming=alarming)
    days = length(seen.wanted_days, tonight.maximum_days).days
    until = tonight.midnight + timedelta(days=days)
    left = _until(seen, tonight)
    if days >= _SHORTEST_DAYS and until < seen.end and left <= _widest(tonight):
        return Kept(end=seen.end, allowed=until)
    if left > window(days, tonight.window_days) or until == seen.end:
        return Fine(end=seen.end)
    if (why := _obstacle(seen, tonight, days)) is not None:
        alarming = is_at_risk(seen, tonight) and why not in _A_PERSON_S
        return Refused(why=why, end=seen.end, alarming=alarming)
    near = seen.end - tonight.now <= _EXTEND_WITHIN
    return Due(action=Action.EXTEND if near else Action.UPDATE, end=until)


def is_holder_asked_for(verdict: Verdict) -> bool:
    """Whether it matters if its holder is still to hold it: before it is written, or somebody alarmed by a person's word."""
    if isinstance(verdict, Refused):
        return verdict.why is Why.SHORTENED and verdict.alarming
    return isinstance(verdict, Due)


def ends_early(seen: Seen) -> bool:
    """Whether it ends before the end that we left it. One that was made again after it was gone, or had no end before, is as
    a person wants it: its end is the one to go by from now on.
    """
    return not seen.removed and seen.left is not None and seen.end is not None and seen.end < seen.left


def capped[T](due: Iterable[T], changes: int, most: int) -> tuple[tuple[T, ...], int]:
    """Those that may still be changed after so many changes, and how many are left out."""
    found = tuple(due)
    allowed = found[: max(0, most - changes)]
    return allowed, len(found) - len(allowed)


def is_review_due(since: datetime, until: datetime, now: datetime) -> bool:
    """Whether a review is to be reminded of: its last 30 days, of a short one the last third."""
    return now >= until - min(_REVIEW_ALARM, (until - since) / 3)


def _absent(seen: Seen, tonight: Tonight) -> Verdict:
    """One that is not in force: a person removed it, or it lapsed."""
    if seen.removed or seen.left is None or tonight.now < seen.left:
        return Refused(why=Why.REMOVED, end=seen.left, alarming=False)
    if tonight.now - seen.left > _RENEWABLE_FOR:
        return Refused(why=Why.LAPSED, end=seen.left, alarming=True)
    days = length(seen.wanted_days, tonight.maximum_days).days
    if (why := _obstacle(seen, tonight, days)) is not None:
        return Refused(why=why, end=seen.left, alarming=why not in _A_PERSON_S)
    return Due(action=Action.RENEW, end=tonight.midnight + timedelta(days=days))


def _obstacle(seen: Seen, tonight: Tonight, days: int) -> Why | None:
    if tonight.now >= tonight.review_by:
        return Why.REVIEW_OVER
    if seen.obstacle is not None:
        return seen.obstacle
    if tonight.mfa:
        return Why.MFA
    return Why.TOO_SHORT if days < _SHORTEST_DAYS else None


def _shortened(seen: Seen) -> bool:
    """Whether somebody let it end earlier than we had left it, by a day at least: that is a person's word."""
    return ends_early(replace(seen, left=seen.left - _SAME_END if seen.left is not None else None))


def _until(seen: Seen, tonight: Tonight) -> timedelta:
    return timedelta() if seen.end is None else seen.end - tonight.midnight


def _widest(tonight: Tonight) -> timedelta:
    return max(timedelta(days=tonight.window_days), _TWO_NIGHTS)
