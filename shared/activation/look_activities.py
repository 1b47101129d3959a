"""One look at a request: what PIM shows, what it costs, what money's rules ask for, who is to be told. Safe twice.

It keeps nothing between two looks but the row: what a killed look did is found by looking.
"""

import logging

from shared.activation import granting, telling
from shared.activation.brokered import is_to_grant, is_to_take_back, is_waiting
from shared.activation.budgeting import budget_now, with_budget
from shared.activation.cancelling import NOT_CANCELLED, cancel
from shared.activation.closing import closing
from shared.activation.following import claimed, pause
from shared.activation.messages import Look, LookOutcome, Over
from shared.activation.record import Request, RequestId, State, with_violations
from shared.activation.seeing import seen_now
from shared.activation.weighing import judged, order_of, violations_of, with_price
from shared.arm.activation_shapes import Standing
from shared.errors import RemoteError, StoreConflict, StoreUnavailable
from shared.privileged import RunStopped
from shared.running.messages import Again
from shared.services import Services
from shared.subscriptions.lockdown import LockDown
from shared.subscriptions.record import Subscription
from shared.writes.sight import OfAccess

_log = logging.getLogger(__name__)

_PAUSE_SECONDS = 20.0


async def look_at_activation(services: Services, call: Look) -> LookOutcome:
    """Look at a request. Gives when to look again, or that nothing is left to be followed."""
    try:
        return await _looked(services, call, RequestId(call.run.subject))
    except (StoreConflict, StoreUnavailable, RunStopped) as error:
        _log.warning("activation.postponed request_id=%s reason=%s", call.run.subject, type(error).__name__)
        return Again(_PAUSE_SECONDS, str(error))
    except RemoteError as error:
        _log.warning("activation.postponed request_id=%s reason=%s", call.run.subject, error)
        return Again(max(_PAUSE_SECONDS, getattr(error, "seconds", 0.0)), str(error))


async def _looked(services: Services, call: Look, request_id: RequestId) -> LookOutcome:
    run = await services.runs.open_run(request_id)
    if run is None or run.nonce != call.run.nonce:
        return Over("followed")
    found = await services.activations.read(request_id)
    if found is None:
        return await _over(services, call, "gone")
    record = found.record
    if wait := await closing(services, found):
        return Again(wait, "an earlier write cannot be judged yet")
    record = await seen_now(services, record, OfAccess(services))
    subscription = await services.subscriptions.read(record.subscription_id)
    lock_down = None if subscription is None else subscription.record.lock_down
    if record.brokered:
        record = await _brokered(services, record, subscription)
    elif record.state is State.PENDING:
        record = await _weighed(services, record, lock_down)
    record = await _judged_after(services, record, lock_down)
    record = await telling.told(services, record, lock_down)
    if not record.is_open or (record.in_force and record.released is None and record.wants_back is None):
        if wait := await _unclosed(services, request_id):
            return Again(wait, "an earlier write cannot be judged yet")
        return await _over(services, call, record.state)
    seconds = pause(record, services.clock.now())
    # What is to be cancelled, and somebody was at, does not wait for the next look.
    return Again(min(seconds, _PAUSE_SECONDS) if _is_to_be_cancelled(record, lock_down) else seconds, record.state)


async def _unclosed(services: Services, request_id: RequestId) -> float:
    """Close what a process did not live to see, before anything is over: nobody looks again. Gives the wait, if any."""
    found = await services.activations.read(request_id)
    if found is None:
        return 0.0
    if claimed(found.record, services.clock.now()) is not None:
        return _PAUSE_SECONDS  # whoever is at it closes it, or died, which shows when the claim is over
    return await closing(services, found)


def _is_to_be_cancelled(record: Request, lock_down: LockDown | None) -> bool:
    waits = record.state is State.PENDING and record.asked.standing is Standing.WAITING
    if lock_down is None or not waits or record.brokered or any(one.code == NOT_CANCELLED for one in record.violations):
        return False
    return order_of(record, judged(record, lock_down)) is not None


async def _over(services: Services, call: Look, state: str) -> Over:
    await services.runs.close(call.run, state)
    return Over(state)


async def _brokered(services: Services, record: Request, subscription: Subscription | None) -> Request:
    """Decided, granted, taken back: each where it is due, and then seen again."""
    lock_down = None if subscription is None else subscription.record.lock_down
    if is_waiting(record) and lock_down is not None:
        record = await _priced(services, record, lock_down)
    record = await granting.decided(services, record, subscription)
    if is_to_grant(record):
        return await seen_now(services, await granting.granted(services, record, subscription), OfAccess(services))
    if is_to_take_back(record, services.clock.now()):
        return await seen_now(services, await granting.taken_back(services, record), OfAccess(services))
    return record


async def _priced(services: Services, record: Request, lock_down: LockDown) -> Request:
    """With its price, and the budget as it is now."""
    priced = await with_price(services, record, lock_down)
    if priced.priced is None or not lock_down.budget.azure_name or priced is not record:
        return priced  # just priced, it has the budget of this moment
    return await with_budget(services, priced, await budget_now(services, record.subscription_id, lock_down))


async def _weighed(services: Services, record: Request, lock_down: LockDown | None) -> Request:
    """Priced, and cancelled where finance, or the budget, says so."""
    if lock_down is None:
        return record
    record = await _priced(services, record, lock_down)
    order = order_of(record, judged(record, lock_down))
    if order is None or record.asked.standing is not Standing.WAITING:
        return record
    return await seen_now(services, await cancel(services, record, order), OfAccess(services))


async def _judged_after(services: Services, record: Request, lock_down: LockDown | None) -> Request:
    """What was approved although a rule says otherwise, and not to be put right by us, is written down."""
    if lock_down is None or record.decision is None or not record.decision.approved:
        return record
    found = await violations_of(services, record, lock_down)
    if not found:
        return record
    return (await services.activations.change(record.request_id, lambda one: with_violations(one, found))).record
