"""What a look at PIM makes of a request: its next state, and when to look again. Pure.

PIM is right: whatever it says took place, also where our own record says something else.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from shared.activation.record import OUTLIVED, Claim, Decision, Deed, Request, State, Violation, moved, with_violations
from shared.arm.activation_shapes import ActiveAssignment, AskedActivation, Standing
from shared.arm.approval_shapes import Stage

CLAIM_LASTS = timedelta(minutes=5)
"""Longer than any invocation: whose process died is not waited for any more."""

_TAKEN_WITHIN = timedelta(minutes=10)
_SHOWS_WITHIN = timedelta(minutes=30)
"""How long PIM may take to show what it took, or granted (seconds are usual)."""

_OVERDUE = timedelta(hours=1)
_A_MOMENT = timedelta(minutes=1)
"""What Azure's own clocks may differ by."""

_ENDS_WITHIN = timedelta(minutes=10)

_OVER = {"Denied": State.DENIED, "AdminDenied": State.DENIED, "Canceled": State.CANCELLED, "TimedOut": State.EXPIRED}

_NEVER_BEGAN = frozenset({"Failed", "FailedAsResourceIsLocked", "Invalid"})

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


def active_of(
    asked: AskedActivation, found: Iterable[ActiveAssignment], *, assigned: bool = False
) -> ActiveAssignment | None:
    """The active assignment that a request led to: of its schedule; where that is not told, at its scope, and no older.

    Somebody activated it, or it was `assigned` by the broker.
    """
    mine = (asked.principal_id, asked.role_definition_id, asked.below.lower())
    for one in found:
        if (one.principal_id, one.role_definition_id, one.below.lower()) != mine or one.is_activated is assigned:
            continue
        if asked.schedule_id and one.schedule_id:
            if asked.schedule_id == one.schedule_id:
                return one
        elif one.start is None or one.start >= asked.created - _A_MOMENT:
            return one
    return None


def after(record: Request, seen: Seen) -> Request:
    """The record as PIM shows it now."""
    if not record.is_open:
        return record
    record = replace(record, claim=claimed(record, seen.now))
    if record.state is State.APPROVED:
        found = _of_grant(record, seen) if record.brokered else _of_approved(record, seen)
        # What the broker was to take back is gone: a process that died at it keeps no claim.
        return _without(found, Deed.RELEASE) if found.brokered and not found.is_open else found
    return _of_broker(record, seen) if record.brokered else _of_pim(record, seen)


def _of_pim(record: Request, seen: Seen) -> Request:
    if seen.asked is None and seen.active is None:
        return _unseen(record, seen.now)
    if seen.asked is None:
        return _granted(record, seen)  # PIM forgets old requests, and not what came of them
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


def _of_approved(record: Request, seen: Seen) -> Request:
    """What an approver's own look has shown first: PIM may still be at it, or fail."""
    if seen.asked is None or record.in_force or record.released is not None:
        return _of_grant(record, seen)
    record = replace(record, asked=seen.asked)
    if seen.asked.status in _NEVER_BEGAN:
        return moved(record, State.FAILED, seen.now, problem=f"It was approved, and PIM says {seen.asked.status}.")
    under_way = seen.asked.standing in (Standing.WAITING, Standing.IN_FLIGHT)
    if under_way and seen.active is None and seen.now < record.since + _OVERDUE:
        return record
    return _of_grant(record, seen)


def reviewed(record: Request, stage: Stage, now: datetime) -> Request:
    """The record as its approval shows it to an approver: decided, by whom. Who is known already stays."""
    if stage.approved is None:
        return record
    if record.decision is None or record.decision.by is None:
        decision = Decision(
            approved=stage.approved, at=stage.reviewed_at or now, by=stage.reviewed_by, reason=stage.justification
        )
        record = replace(record, decision=decision)
    if record.state is not State.PENDING:
        return record
    return _granted(record, Seen(now=now, asked=None)) if stage.approved else moved(record, State.DENIED, now)


def _of_broker(record: Request, seen: Seen) -> Request:
    """What PIM shows by its name is the broker's grant; until it is sent the request is ours alone."""
    if record.decision is None:
        return moved(record, State.EXPIRED, seen.now) if seen.now >= record.expires else record
    if seen.asked is None:
        return record
    if seen.asked.standing is Standing.GRANTED:
        asked = replace(record.asked, schedule_id=seen.asked.schedule_id, start=seen.asked.start)
        return _granted(_without(replace(record, asked=asked), Deed.GRANT), seen)
    if seen.asked.standing is Standing.OVER:
        told = f"PIM took the broker's grant, and says {seen.asked.status} of it. Ask again."
        return moved(_without(record, Deed.GRANT), State.FAILED, seen.now, problem=told)
    return record


def _taken(record: Request, now: datetime) -> Request:
    """PIM has it: whoever was submitting it, in a process that may have died, keeps nobody from deciding."""
    return _without(moved(record, State.PENDING, now), Deed.SUBMIT)


def _without(record: Request, deed: Deed) -> Request:
    """Without a claim for that deed: it is done."""
    return replace(record, claim=None) if record.claim is not None and record.claim.deed is deed else record


def _unseen(record: Request, now: datetime) -> Request:
    if record.state is State.SUBMITTING and now - record.since > _TAKEN_WITHIN:
        return moved(record, State.FAILED, now, problem="PIM never took the request. Ask again.")
    if now >= record.expires:
        return moved(record, State.EXPIRED, now)
    # Nobody is reminded of what PIM does not know, and nothing is cancelled or decided.
    return replace(record, asked=replace(record.asked, status=""))


def _granted(record: Request, seen: Seen) -> Request:
    """Granted: it ends when its active assignment says; until that shows, when it was asked to, if we know the moment."""
    known, minutes = record.decision, record.asked.minutes
    decision = known or Decision(approved=True, at=_granted_at(record, seen))
    record = _with_unasked(replace(record, decision=decision), seen.now)
    if seen.active is None and minutes is not None and seen.now >= record.expires + timedelta(minutes=minutes):
        return moved(record, State.ENDED, seen.now)  # it has come and gone unseen
    begins = max(known.at if known else seen.now, record.asked.start or record.asked.created)
    until = None if minutes is None or known is None else begins + timedelta(minutes=minutes)
    approved = replace(moved(record, State.APPROVED, seen.now), end=until)
    return _of_grant(approved, seen)


def _granted_at(record: Request, seen: Seen) -> datetime:
    """When it was approved, which PIM tells no application: no later than when it came into force."""
    begun = None if seen.active is None else seen.active.start
    return begun if begun is not None and record.asked.created <= begun < seen.now else seen.now


def _with_unasked(record: Request, now: datetime) -> Request:
    """What PIM granted without asking anybody is written down: the role is not locked down as it should be."""
    if record.asked.approval_id or record.brokered:
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
        found = replace(record, in_force=True, released=None, end=seen.active.end)
        return with_violations(found, list(_overstayed(found, seen.now)))
    if record.in_force or (record.end is not None and seen.now >= record.end):
        return moved(record, State.ENDED, seen.now)
    begins = max(record.since, record.asked.start or record.since)
    if seen.now - begins < _SHOWS_WITHIN:
        return record
    ended = moved(record, State.ENDED, seen.now, problem="PIM granted it, but it is not in force (any more).")
    minutes = record.asked.minutes
    if minutes is not None and seen.now >= record.asked.created + timedelta(minutes=minutes):
        return ended  # it may have been, for as long as it was asked for
    told = "It was approved, but no active assignment shows."
    return with_violations(ended, [Violation(code="decisionWithoutAccess", what=told, at=seen.now)])


def _overstayed(record: Request, now: datetime) -> Iterator[Violation]:
    """What is in force for longer than was asked for."""
    minutes, begins = record.asked.minutes, record.asked.start or record.asked.created
    decided = begins if record.decision is None else max(begins, record.decision.at)
    longest = None if minutes is None else decided + timedelta(minutes=minutes) + _SHOWS_WITHIN
    if longest is not None and (record.end is None or record.end > longest):
        until = "for good" if record.end is None else f"until {record.end:%Y-%m-%d %H:%M} UTC"
        yield Violation(code="extended", what=f"{minutes} minutes were asked for, and it is active {until}.", at=now)
    if record.end is not None and now >= record.end + _ENDS_WITHIN:
        told = f"It was to end at {record.end:%Y-%m-%d %H:%M} UTC, and is still in force."
        yield Violation(code=OUTLIVED, what=told, at=now)


def pause(record: Request, now: datetime) -> float:
    """Seconds until it is looked at again, where nothing wakes it before."""
    if record.state is State.APPROVED:
        since = (now - (record.released or record.wants_back or record.since)).total_seconds()
        return min(_LATER_SECONDS, max(_SOON_SECONDS, since / 4))
    if record.state is State.PENDING and not record.asked.status:
        return _LATER_SECONDS
    if (
        record.state is not State.PENDING
        or record.asked.standing is not Standing.WAITING
        or record.decision is not None
    ):
        return _SOON_SECONDS
    marks = [record.expires, *([record.remind_at] if record.remind_at else [])]
    ahead = [(one - now).total_seconds() for one in marks if one > now]
    return max(_SOON_SECONDS, min([*ahead, _LATER_SECONDS]))


def is_to_remind(record: Request, now: datetime) -> bool:
    """Whether the approvers are to be reminded: it still waits, its time has come, and nobody is at it."""
    waits = record.state is State.PENDING and record.asked.standing is Standing.WAITING and record.decision is None
    due = record.remind_at is not None and now >= record.remind_at
    return waits and due and now < record.expires and claimed(record, now) is None


def reminded(record: Request, now: datetime) -> Request:
    """With the next reminder twice as far ahead as the last one."""
    count = record.reminded + 1
    return replace(record, reminded=count, remind_at=now + _FIRST_REMINDER * 2**count)


def first_reminder(record: Request, now: datetime) -> Request:
    """Once the approvers were told, they are reminded after an hour."""
    return replace(record, remind_at=now + _FIRST_REMINDER)
