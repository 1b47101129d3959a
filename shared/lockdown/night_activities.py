"""A night's look at what is locked down: drift is kept and told, and of the policies put right where that is declared.

A subscription that fails never stops the others: it is looked at again in the same night, then reported.
"""

import logging
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from shared.errors import StoreConflict
from shared.identifiers import SubscriptionId
from shared.lockdown.looking import Looked, look
from shared.lockdown.messages import LockedNightEnd, LockedNightOver, LockedPage, LockWish
from shared.lockdown.opening import BY_NIGHT, open_lock_run
from shared.notify.notices import Kind, Notice
from shared.running.messages import PageCall
from shared.running.pages import each, subscriptions_of
from shared.services import Services
from shared.subscriptions.findings import Drift
from shared.subscriptions.record import Change, LockState, Subscription

_log = logging.getLogger(__name__)

_NOT_LOOKED_AT = "the subscription: it could not be looked at in this night, or not to its end"


class Came(StrEnum):
    """What a look at one subscription came to."""

    DONE = "done"
    DRIFTED = "drifted"
    POSTPONED = "postponed"


async def look_at_locked_page(services: Services, call: PageCall) -> LockedPage:
    """Look at one page of subscriptions, a few at a time. One that is not locked down takes no call."""
    ids, following = await subscriptions_of(services, call)
    found = await each(ids, lambda one: _looked(services, one), failed=Came.POSTPONED, of="subscription")
    return LockedPage(
        cursor=following,
        looked_at=sum(one is not Came.POSTPONED for one in found),
        drifted=found.count(Came.DRIFTED),
        postponed=tuple(one for one, came in zip(ids, found, strict=True) if came is Came.POSTPONED),
    )


async def end_subscription_night(services: Services, call: LockedNightEnd) -> LockedNightOver:
    """Close the night's run; tell of those that were given up. Safe twice."""
    for subscription_id in call.given_up:
        await _give_up(services, subscription_id)
    outcome = f"{call.looked_at} looked at, {call.drifted} drifted, {len(call.given_up)} given up"
    if call.failed:
        outcome = f"not everything could be looked at: {outcome}"
        _log.error("subscription_night.failed subject=%s", call.run.subject)
    await services.runs.close(call.run, outcome)
    _log.info("subscription_night.over subject=%s looked_at=%s", call.run.subject, call.looked_at)
    return LockedNightOver()


async def _looked(services: Services, subscription_id: SubscriptionId) -> Came:
    subscription = await services.subscriptions.read(subscription_id)
    if subscription is None or subscription.record.lock_down is None:
        return Came.DONE
    if subscription.record.under_way:
        return Came.POSTPONED
    lock = subscription.record.lock_down
    seen = await look(services, subscription, lock)
    if not await _kept(services, subscription, seen):
        return Came.POSTPONED
    if not seen.drift.findings and not seen.drift.unread:
        return Came.DONE
    await _tell(services, subscription_id, seen.drift)
    if seen.changed and lock.repair and not _was_cancelled(subscription):
        await _repair(services, subscription)
    return Came.DRIFTED


async def _kept(services: Services, subscription: Subscription, seen: Looked) -> bool:
    """Whether what was seen is of what is declared still, and is kept."""
    record = subscription.record

    def decide(found: Subscription) -> Change | None:
        same = (found.record.lock_down, found.record.declared, found.record.run_nonce)
        if same != (record.lock_down, record.declared, record.run_nonce) or found.record.under_way:
            return None
        return Change(
            record=replace(found.record, drifted=_count(seen.drift)),
            roles=seen.roles,
            approvers=seen.approvers,
            drift=seen.drift,
        )

    kept = await services.subscriptions.update(record.subscription_id, decide)
    return kept.drift == seen.drift


async def _repair(services: Services, subscription: Subscription) -> None:
    """A run puts the policies right, on the latest word that they are needed. Raises StoreConflict while a renewal holds the
    subscription: it is looked at again in this night.
    """
    record = subscription.record
    wish = LockWish(reason=BY_NIGHT)
    holder = await open_lock_run(services, None, record.subscription_id, record.run + 1, record.reviewed.by, wish)
    if holder is not None:
        raise StoreConflict(f"{record.subscription_id} is held by run {holder.number}")


async def _tell(services: Services, subscription_id: SubscriptionId, drift: Drift) -> None:
    """Once a day, whatever is found."""
    kinds = sorted({one.kind.value for one in drift.findings} | ({"unread"} if drift.unread else set()))
    now = services.clock.now()
    notice = Notice(kind=Kind.DRIFTED, at=now, subscription_id=subscription_id, why=",".join(kinds))
    await services.outbox.tell(now.date(), notice)
    _log.warning("subscription.drifted subscription_id=%s count=%s", subscription_id, _count(drift))


async def _give_up(services: Services, subscription_id: SubscriptionId) -> None:
    """What was tried all night is tried again the next: till then what stood there is told as it was last seen."""
    now = services.clock.now()

    def decide(found: Subscription) -> Change | None:
        if found.record.lock_down is None:
            return None
        drift = replace(found.drift or Drift(looked=now), unread=(_NOT_LOOKED_AT,))
        return Change(record=replace(found.record, drifted=_count(drift)), drift=drift)

    _log.error("subscription_night.given_up subscription_id=%s", subscription_id)
    try:
        if await services.subscriptions.read(subscription_id) is None:
            return
        kept = await services.subscriptions.update(subscription_id, decide)
    except msgspec.DecodeError:
        # Without the error's text, which holds what could not be read.
        _log.error("row.unreadable partition=%s key=", subscription_id)
        return
    if kept.record.lock_down is not None and kept.drift is not None:
        await _tell(services, subscription_id, kept.drift)


def _count(drift: Drift) -> int:
    return len(drift.findings) + drift.more + len(drift.unread)


def _was_cancelled(subscription: Subscription) -> bool:
    """Whether a person stopped the latest run: then only a person begins another."""
    lock = subscription.record.lock
    return lock is not None and lock.state is LockState.CANCELLED
