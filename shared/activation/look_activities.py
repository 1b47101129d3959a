"""One look at a request: what PIM shows, what it costs, what money's rules ask for, who is to be told. Safe twice.

It keeps nothing between two looks but the row: what a killed look did is found by looking.
"""

import logging

from shared.activation import telling
from shared.activation.cancelling import NOT_CANCELLED, cancel
from shared.activation.following import claimed, pause
from shared.activation.messages import Look, LookOutcome, Over
from shared.activation.record import Request, RequestId, State, with_violations
from shared.activation.seeing import seen_now
from shared.activation.weighing import judged, order_of, violations_of, with_budget, with_price
from shared.arm.activation_shapes import Standing
from shared.errors import RemoteError, StoreConflict, StoreUnavailable
from shared.privileged import RunStopped
from shared.running.messages import Again
from shared.services import Services
from shared.subscriptions.lockdown import LockDown
from shared.writes.activation import close_activation_intents

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
    found = await services.activations.read(request_id)
    if found is None:
        return await _over(services, call, "gone")
    record = found.record
    is_free = claimed(record, services.clock.now()) is None
    if is_free and found.has_open_intents and (wait := await close_activation_intents(services, request_id)):
        return Again(wait, "an earlier write cannot be judged yet")
    record = await seen_now(services, record)
    subscription = await services.subscriptions.read(record.subscription_id)
    lock_down = None if subscription is None else subscription.record.lock_down
    if record.state is State.PENDING:
        record = await _weighed(services, record, lock_down)
    record = await _judged_after(services, record, lock_down)
    record = await telling.told(services, record, lock_down)
    if not record.is_open or (record.in_force and record.released is None):
        return await _over(services, call, record.state)
    seconds = pause(record, services.clock.now())
    # What is to be cancelled, and somebody was at, does not wait for the next look.
    return Again(min(seconds, _PAUSE_SECONDS) if _is_to_be_cancelled(record, lock_down) else seconds, record.state)


def _is_to_be_cancelled(record: Request, lock_down: LockDown | None) -> bool:
    waits = record.state is State.PENDING and record.asked.standing is Standing.WAITING
    if lock_down is None or not waits or any(one.code == NOT_CANCELLED for one in record.violations):
        return False
    return order_of(record, judged(record, lock_down)) is not None


async def _over(services: Services, call: Look, state: str) -> Over:
    await services.runs.close(call.run, state)
    return Over(state)


async def _weighed(services: Services, record: Request, lock_down: LockDown | None) -> Request:
    """Priced, and cancelled where finance, or the budget, says so."""
    record = await with_price(services, record, lock_down)
    if lock_down is None:
        return record
    record = await with_budget(services, record, lock_down)
    order = order_of(record, judged(record, lock_down))
    if order is None or record.asked.standing is not Standing.WAITING:
        return record
    return await seen_now(services, await cancel(services, record, order))


async def _judged_after(services: Services, record: Request, lock_down: LockDown | None) -> Request:
    """What was approved although a rule says otherwise, and not to be put right by us, is written down."""
    if lock_down is None or record.decision is None or not record.decision.approved:
        return record
    found = await violations_of(services, record, lock_down)
    if not found:
        return record
    return (await services.activations.change(record.request_id, lambda one: with_violations(one, found))).record
