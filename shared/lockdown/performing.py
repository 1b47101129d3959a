"""How every act of a lock-down runs: the hold, the deadline, and what each failure means."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from shared.errors import (
    Conflict,
    Forbidden,
    NotConsented,
    NotFound,
    PimUnavailable,
    Rejected,
    RemoteError,
    RoleNotAllowed,
    StoreConflict,
    StoreUnavailable,
    Throttled,
    Unavailable,
)
from shared.identifiers import SubscriptionId
from shared.lockdown.messages import LockCall, Went
from shared.privileged import Fence, RunStopped, check_fence
from shared.run import RunKey
from shared.running.messages import Again
from shared.services import Services
from shared.subscriptions.record import Subscription
from shared.tenants.record import Problem

_log = logging.getLogger(__name__)

STORE_PAUSE_SECONDS = 20.0
_VENDOR_PAUSE_SECONDS = 15.0
_SLOWEST_SECONDS = 60.0

type Work = Callable[[Services, LockCall, Subscription], Awaitable[Again | Went]]
type Explained = Callable[[Exception], Problem]


def fence_of(run: RunKey) -> Fence:
    """The fence of a run."""
    return Fence(run=run.number, nonce=run.nonce)


async def perform(
    services: Services, call: LockCall, work: Work, explained: Explained, too_late: Callable[[str], Problem]
) -> Again | Went:
    """Run one act. Safe twice; answers a value for all that is foreseen. A refusal leaves the other acts to be done: each of
    them makes the subscription safer, or says what is wrong.
    """
    try:
        subscription = await held(services, call.run)
        outcome = await _worked(services, call, subscription, work, explained)
    except RunStopped:
        return Went(stops=True)
    except (StoreConflict, StoreUnavailable) as error:
        _log.warning("lock.postponed subscription_id=%s reason=%s", call.run.subject, error)
        return Again(STORE_PAUSE_SECONDS, str(error))
    if not isinstance(outcome, Again):
        return outcome
    now, until = services.clock.now(), deadline(services, subscription)
    if now >= until:
        return Went(problems=(too_late(outcome.reason),))
    age = (now - since_of(subscription)).total_seconds()
    paced = max(outcome.seconds, min(_SLOWEST_SECONDS, age / 4))
    return Again(min(paced, (until - now).total_seconds() + 1.0), outcome.reason)


async def held(services: Services, run: RunKey) -> Subscription:
    """The subscription, which the run holds. Raises RunStopped where it does not, or was cancelled."""
    subscription = await services.subscriptions.read(SubscriptionId(run.subject))
    if subscription is None:
        raise RunStopped
    check_fence(subscription.record, fence_of(run))
    return subscription


def deadline(services: Services, subscription: Subscription) -> datetime:
    """Until when a run waits: for a lost answer to come to light, and for principals that are not replicated."""
    return since_of(subscription) + 2 * services.settings.deadlines.replication


def since_of(subscription: Subscription) -> datetime:
    """Since when the run holds it: what a repeat asks for must be the same. Raises RunStopped where it does not."""
    hold = subscription.record.renewing
    if hold is None:
        raise RunStopped
    return hold.since


async def _worked(
    services: Services, call: LockCall, subscription: Subscription, work: Work, explained: Explained
) -> Again | Went:
    try:
        return await work(services, call, subscription)
    except Throttled as error:
        return Again(error.seconds, "Azure asked us to wait")
    except (Unavailable, NotFound, Conflict) as error:
        return Again(max(_VENDOR_PAUSE_SECONDS, _seconds(error)), str(error))
    except (NotConsented, PimUnavailable, Forbidden, Rejected, RoleNotAllowed) as error:
        _log.warning("lock.refused subscription_id=%s reason=%s", call.run.subject, error)
        return Went(problems=(explained(error),))


def _seconds(error: RemoteError) -> float:
    return error.seconds if isinstance(error, Unavailable) else 0.0
