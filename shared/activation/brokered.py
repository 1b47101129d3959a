"""What becomes of a request for the broker by what was said of it: approved, denied, stopped, expired, or waiting. Pure.

It changes the record alone: granting.py carries an approval out.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec.structs import replace

from shared.activation.quorum import Said, denial, missing, terms_of
from shared.activation.record import Decision, Request, State, Voice, moved
from shared.activation.rulings import Judgement
from shared.subscriptions.lockdown import ApprovalMode, LockDown

GRANTED_WITHIN = timedelta(hours=1)
"""After an approval: what could not be made so by then is asked for again, by somebody who still wants it."""

REMOVABLE_AFTER = timedelta(minutes=5, seconds=10)
"""PIM takes nothing back in the first five minutes (Entra, ActiveDurationTooShort)."""


def is_waiting(record: Request) -> bool:
    """Whether the approvers may still say something."""
    return record.brokered and record.state is State.PENDING and record.decision is None


def is_to_grant(record: Request) -> bool:
    """Whether it was approved, and is not known to be granted."""
    return (
        record.brokered and record.state is State.PENDING and record.decision is not None and record.decision.approved
    )


def is_to_take_back(record: Request, now: datetime) -> bool:
    """Whether the engineer gives it back, and PIM takes it by now. What ends by itself is left to."""
    gives = record.brokered and record.state is State.APPROVED and record.in_force and record.released is None
    old_enough = now >= record.since + REMOVABLE_AFTER
    return gives and record.wants_back is not None and old_enough and (record.end is None or now < record.end)


def said_of(record: Request, lock_down: LockDown) -> tuple[Said, ...]:
    """Everybody's latest word, by each way: whom the webhook named counts only while finance's."""
    return (*_in_person(record), *_by_webhook(record, lock_down))


def lacks(record: Request, lock_down: LockDown, judgement: Judgement, ceiling: Decimal) -> str:
    """What is still missing for its approval, in words; empty where nothing is."""
    estimate = None if record.priced is None else record.priced.estimate
    return missing(terms_of(lock_down, judgement, estimate, ceiling), said_of(record, lock_down))


def with_voice(record: Request, voice: Voice) -> Request:
    """With somebody's word, in the place of what they said before."""
    others = tuple(one for one in record.voices if one.by != voice.by)
    return replace(record, voices=(*others, voice))


def ruled(
    record: Request, lock_down: LockDown | None, judgement: Judgement | None, ceiling: Decimal, now: datetime
) -> Request:
    """The record as it is decided by now. `lock_down` None: there is no broker's mode (any more)."""
    if not is_waiting(record):
        return record
    if now >= record.expires:
        return moved(record, State.EXPIRED, now)
    if lock_down is None or judgement is None or lock_down.mode is not ApprovalMode.BROKER:
        return _stopped(record, "the subscription is not in the mode broker any more", now)
    said = said_of(record, lock_down)
    if (against := denial(said)) is not None:
        return replace(moved(record, State.DENIED, now), decision=_decision(against, now))
    if judgement.cancel is not None:
        return _stopped(record, judgement.cancel.reason, now)
    if lacks(record, lock_down, judgement, ceiling):
        return record
    people = [one for one in said if one.in_person] or list(said)
    return replace(record, decision=_decision(people[-1], now))


def _in_person(record: Request) -> Iterator[Said]:
    for one in record.voices:
        yield Said(
            by=one.by, approves=one.approves, in_person=True, finance=one.finance, senior=one.senior, reason=one.reason
        )


def _by_webhook(record: Request, lock_down: LockDown) -> Iterator[Said]:
    latest = {one.by: one for one in record.verdicts if one.by in lock_down.money.finance}
    for one in latest.values():
        if one.approves and record.priced is not None and one.at < record.priced.at:
            continue  # who agreed to another price has not agreed to this one
        yield Said(by=one.by, approves=one.approves, in_person=False, finance=True, reason=one.reason)


def _decision(said: Said, now: datetime) -> Decision:
    return Decision(approved=said.approves, at=now, by=said.by, reason=said.reason)


def _stopped(record: Request, reason: str, now: datetime) -> Request:
    return replace(moved(record, State.CANCELLED, now), stopped_for=reason)
