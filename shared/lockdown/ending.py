"""How a lock-down's run ends: the subscription comes to rest, and says how; the run row is closed."""

import logging
from datetime import datetime

from msgspec.structs import replace

from shared.errors import StoreConflict, StoreUnavailable
from shared.identifiers import SubscriptionId
from shared.lockdown import advice
from shared.lockdown.messages import LockEnd, LockOver
from shared.lockdown.performing import STORE_PAUSE_SECONDS
from shared.running.messages import Again
from shared.services import Services
from shared.subscriptions.record import Change, Lock, LockState, Record, Subscription
from shared.writes.azure_eligibility import close_subscription_intents

_log = logging.getLogger(__name__)


async def end_lock_down(services: Services, call: LockEnd) -> Again | LockOver:
    """The last activity of a run. Safe twice. What was sent and cannot be judged yet is waited for."""
    subscription_id = SubscriptionId(call.run.subject)
    try:
        subscription = await services.subscriptions.read(subscription_id)
        if subscription is None or subscription.record.run_nonce != call.run.nonce:
            await services.runs.close(call.run, "followed")
            return LockOver()
        if wait := await _unjudged(services, subscription):
            return Again(min(wait, 60.0), "a write that was under way cannot be judged yet")
        cancelled, now = subscription.record.cancel, services.clock.now()

        def decide(found: Subscription) -> Change | None:
            if found.record.run_nonce != call.run.nonce or not found.record.under_way:
                return None
            return Change(record=_at_rest(found.record, call, now)) if found.record.cancel is cancelled else None

        subscription = await services.subscriptions.update(subscription_id, decide)
        record = subscription.record
        if record.run_nonce == call.run.nonce and record.under_way:
            return Again(1.0, "cancelled at the last moment: what was under way is looked at first")
        state = record.lock.state.value if record.lock is not None else ""
        await services.runs.close(call.run, state)
    except (StoreConflict, StoreUnavailable) as error:
        _log.warning("lock.postponed subscription_id=%s reason=%s", subscription_id, error)
        return Again(STORE_PAUSE_SECONDS, str(error))
    codes = ",".join(one.code for one in record.lock.problems) if record.lock is not None else ""
    _log.info("subscription.locked subscription_id=%s state=%s problems=%s", subscription_id, state, codes)
    return LockOver()


async def _unjudged(services: Services, subscription: Subscription) -> float:
    wait = await close_subscription_intents(services, subscription.record.subscription_id)
    lock = subscription.record.lock
    if not wait or lock is None:
        return 0.0
    # One replication more than an act waits: its last write may have been sent at its own deadline.
    return wait if services.clock.now() < lock.since + 3 * services.settings.deadlines.replication else 0.0


def _at_rest(record: Record, call: LockEnd, now: datetime) -> Record:
    problems = tuple(dict.fromkeys(call.problems))
    failed = call.failed or not all(advice.is_soft(one) for one in problems)
    state = LockState.CANCELLED if record.cancel else LockState.FAILED if failed else LockState.LOCKED
    if state is LockState.FAILED and not problems:
        problems = (advice.INTERRUPTED,)
    return replace(record, cancel=False, renewing=None, lock=Lock(state=state, since=now, problems=problems))
