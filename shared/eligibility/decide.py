"""How long an eligibility is to last, and which request makes it so. Pure."""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

_TOLERANCE = timedelta(days=1)
_TOLERATED_PART = 10
"""An end this close to the wanted one is the wanted one: a repeat on the same day must not write again. Of a short
eligibility a tenth at most.
"""


NOT_THERE = "RoleAssignmentDoesNotExist"
POLICY_REFUSED = "RoleAssignmentRequestPolicyValidationFailed"
"""PIM's codes for what is not there, and for what the role's policy does not allow."""


RENEWAL = "eligibility_renewal"
"""The kind of the write that lets an eligibility last on, as its intent names it."""


class Action(StrEnum):
    """PIM's words for the acts on an eligibility."""

    ASSIGN = "adminAssign"
    UPDATE = "adminUpdate"
    EXTEND = "adminExtend"
    RENEW = "adminRenew"


class Length(msgspec.Struct, frozen=True, kw_only=True):
    """How long it will last, and the cap where the tenant's policy made it shorter than asked."""

    days: int
    capped_to: int | None


def length(wanted_days: int, maximum_days: int | None) -> Length:
    """As asked, or the longest that the policy allows."""
    if maximum_days is not None and wanted_days > maximum_days:
        return Length(days=maximum_days, capped_to=maximum_days)
    return Length(days=wanted_days, capped_to=None)


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What is there now. No end: permanent."""

    schedule_id: str
    end: datetime | None
    in_force: bool


def is_satisfied(held: Held | None, now: datetime, days: int, *, ours_too_long: datetime | None = None) -> bool:
    """In force, and ending no earlier than wanted. A longer one that a person made is left alone.

    `ours_too_long`: the end that we gave it when more was wanted; one that still ends then is to be shortened.
    """
    if held is None or not held.in_force:
        return False
    if held.end is None:
        return True
    wanted = timedelta(days=days)
    slack = min(_TOLERANCE, wanted / _TOLERATED_PART)
    if held.end == ours_too_long and held.end > now + wanted + slack:
        return False
    return held.end >= now + wanted - slack


def is_taken(held: Held | None, left: datetime | None, now: datetime, *, removed: bool) -> bool:
    """Whether a person took away or shortened what we had left lasting until then. One that came to its end was not taken.

    `removed`: a night missed it before its end.
    """
    if held is None or not held.in_force:
        return removed or left is None or now < left
    return held.end is not None and (left is None or held.end < left - _TOLERANCE)


def lasts_until(held: Held | None, end: datetime) -> bool:
    """In force until then, or longer."""
    return held is not None and held.in_force and (held.end is None or held.end >= end)


def instead(asked: Action, code: str) -> Action | None:
    """What is asked where an act was refused for what it is, and not for the policy. What was to be extended and is gone is
    not made again: somebody took it away.
    """
    if asked is Action.RENEW:
        return Action.ASSIGN if code == NOT_THERE else None
    if code in (NOT_THERE, POLICY_REFUSED):
        return None
    return {Action.EXTEND: Action.UPDATE, Action.UPDATE: Action.EXTEND}.get(asked)


def action(held: Held | None) -> Action:
    """Assign where there is nothing; change the window where something is there."""
    return Action.ASSIGN if held is None else Action.UPDATE
