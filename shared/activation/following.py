"""What a look at PIM makes of a request: its next state, and when to look again. Pure.

PIM is right: whatever it says took place, also where our own record says something else.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from shared.activation.record import Claim, Decision, Deed, Request, State, Violation, moved, with_violations
from shared.arm.activation_shapes import ActiveAssignment, AskedActivation, Standing

CLAIM_LASTS = timedelta(minutes=5)
"""Longer than any invocation: whose process died is not waited for any more."""

_TAKEN_WITHIN = timedelta(minutes=10)
_SHOWS_WITHIN = timedelta(minutes=30)
"""How long PIM may take to show what it took, or granted (seconds are usual)."""

_OVERDUE = timedelta(hours=1)
_ENDS_WITHIN = timedelta(minutes=10)

_OVER = {"Denied": State.DENIED, "AdminDenied": State.DENIED, "Canceled": State.CANCELLED, "TimedOut": State.EXPIRED}

_SOON_SECONDS, _LATER_SECONDS = 10.0, 900.0
_FIRST_REMINDER = timedelta(hours=1)


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What PIM shows of a request now: itself, and the active assignment that came of it."""

    now: datetime
    asked: AskedActivation | None
    active: ActiveAssignment | None = None


def claimed(record: Request, now: datetime) -> Claim | None:
    """Who is at it just now."""
    return record.claim if record.claim is not None and now - record.claim.at < CLAIM_LASTS else None


def active_of(asked: AskedActivation, found: Iterable[ActiveAssignment]) -> ActiveAssignment | None:
    """The active assignment that a request led to: at its very scope."""
    mine = (asked.principal_id, asked.role_definition_id, asked.below.lower())
    for one in found:
        if (one.principal_id, one.role_definition_id, one.below.lower()) == mine and one.is_activated:
            return one
    return None


def after(record: Request, seen: Seen) -> Request:
    """The record as PIM shows it now."""
    if not record.is_open:
        return record
    record = replace(record, claim=claimed(record, seen.now))
    if record.state is State.APPROVED:
        return _of_grant(record, seen)
    if seen.asked is None:
        return _unseen(record, seen.now)
    record = replace(record, asked=seen.asked)
    match seen.asked.standing:
        case Standing.WAITING:
            if seen.now >= record.expires + _OVERDUE:
                return moved(record, State.EXPIRED, seen.now)
            return record if record.state is State.PENDING else _taken(record, seen.now)
        case Standing.IN_FLIGHT:
            return record
        case Standing.GRANTED:
            return _granted(record, seen)
        case Standing.OVER:
            return _over(record, seen.asked.status, seen.now)


def _taken(record: Request, now: datetime) -> Request:
    """PIM has it: whoever was submitting it, in a process that may have died, keeps nobody from deciding."""
    claim = None if record.claim is not None and record.claim.deed is Deed.SUBMIT else record.claim
    return replace(moved(record, State.PENDING, now), claim=claim)


def _unseen(record: Request, now: datetime) -> Request:
    if record.state is State.SUBMITTING and now - record.since > _TAKEN_WITHIN:
        return moved(record, State.FAILED, now, problem="PIM never took the request. Ask again.")
    return moved(record, State.EXPIRED, now) if now >= record.expires else record


def _granted(record: Request, seen: Seen) -> Request:
    """Granted: it ends when its active assignment says; until that shows, when it was asked to."""
    decision = record.decision or Decision(approved=True, at=seen.now)
    record = _with_unasked(replace(record, decision=decision), seen.now)
    minutes = record.asked.minutes
    if seen.active is None and minutes is not None and seen.now >= record.expires + timedelta(minutes=minutes):
        return moved(record, State.ENDED, seen.now)  # it has come and gone unseen
    asked_until = None if minutes is None else decision.at + timedelta(minutes=minutes)
    approved = replace(moved(record, State.APPROVED, seen.now), end=asked_until)
    return approved if seen.active is None else _of_grant(approved, seen)


def _with_unasked(record: Request, now: datetime) -> Request:
    """What PIM granted without asking anybody is written down: the role is not locked down as it should be."""
    if record.asked.approval_id:
        return record
    told = "PIM granted it without an approval: the role's policy did not ask for one."
    return with_violations(record, [Violation(code="unapproved", what=told, at=now)])


def _over(record: Request, status: str, now: datetime) -> Request:
    late = now >= record.expires and record.decision is None
    state = _OVER.get(status, State.EXPIRED if late else State.FAILED)
    problem = f"PIM says {status}." if state is State.FAILED else ""
    decision = record.decision
    if state is State.DENIED and decision is None:
        decision = Decision(approved=False, at=now)
    return replace(moved(record, state, now, problem=problem), decision=decision)


def _of_grant(record: Request, seen: Seen) -> Request:
    """It was granted: it is in force, or will be, or has ended, by itself or sooner."""
    if seen.active is not None and record.released is not None and seen.now - record.released < _SHOWS_WITHIN:
        return record  # given back, and a list still shows it
    if seen.active is not None:
        record = replace(record, in_force=True, released=None, end=seen.active.end)
        if record.end is not None and seen.now >= record.end + _ENDS_WITHIN:
            told = f"It was to end at {record.end:%Y-%m-%d %H:%M} UTC, and is still in force."
            return with_violations(record, [Violation(code="outlived", what=told, at=seen.now)])
        return record
    if record.in_force or (record.end is not None and seen.now >= record.end):
        return moved(record, State.ENDED, seen.now)
    if seen.now - record.since < _SHOWS_WITHIN:
        return record
    ended = moved(record, State.ENDED, seen.now, problem="PIM granted it, but it is not in force (any more).")
    told = "It was approved, but no active assignment shows."
    return with_violations(ended, [Violation(code="decisionWithoutAccess", what=told, at=seen.now)])


def pause(record: Request, now: datetime) -> float:
    """Seconds until it is looked at again, where nothing wakes it before."""
    if record.state is State.APPROVED:
        return max(_SOON_SECONDS, (now - (record.released or record.since)).total_seconds() / 4)
    if record.state is not State.PENDING or record.asked.standing is not Standing.WAITING:
        return _SOON_SECONDS
    marks = [record.expires, *([record.remind_at] if record.remind_at else [])]
    ahead = [(one - now).total_seconds() for one in marks if one > now]
    return max(_SOON_SECONDS, min([*ahead, _LATER_SECONDS]))


def is_to_remind(record: Request, now: datetime) -> bool:
    """Whether the approvers are to be reminded: it still waits, its time has come, and nobody is at it."""
    waits = record.state is State.PENDING and record.asked.standing is Standing.WAITING
    due = record.remind_at is not None and now >= record.remind_at
    return waits and due and now < record.expires and claimed(record, now) is None


def reminded(record: Request, now: datetime) -> Request:
    """With the next reminder twice as far ahead as the last one."""
    count = record.reminded + 1
    return replace(record, reminded=count, remind_at=now + _FIRST_REMINDER * 2**count)


def first_reminder(record: Request, now: datetime) -> Request:
    """Once the approvers were told, they are reminded after an hour."""
    return replace(record, remind_at=now + _FIRST_REMINDER)
