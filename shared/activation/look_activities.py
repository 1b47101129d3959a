"""One look at a request: what PIM shows, what it costs, what money's rules ask for, who is to be told. Safe twice.

It keeps nothing between two looks but the row: what a killed look did is found by looking.
"""

import logging

from shared.activation import telling
from shared.activation.cancelling import cancel
from shared.activation.following import Seen, after, claimed, pause
from shared.activation.messages import Look, LookOutcome, Over
from shared.activation.record import Request, RequestId, State, with_violations
from shared.activation.weighing import judged, order_of, violations_of, with_price
from shared.arm.activation_shapes import Standing
from shared.errors import RemoteError, StoreConflict, StoreUnavailable
from shared.privileged import RunStopped
from shared.running.messages import Again
from shared.services import Services
from shared.subscriptions.lockdown import LockDown
from shared.writes.activation import active, close_activation_intents

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
    record = await _seen(services, record)
    subscription = await services.subscriptions.read(record.subscription_id)
    lock_down = None if subscription is None else subscription.record.lock_down
    if record.state is State.PENDING:
        record = await _weighed(services, record, lock_down)
    record = await _judged_after(services, record, lock_down)
    record = await telling.told(services, record, lock_down)
    if not record.is_open or record.in_force:
        return await _over(services, call, record.state)
    return Again(pause(record, services.clock.now()), record.state)


async def _over(services: Services, call: Look, state: str) -> Over:
    await services.runs.close(call.run, state)
    return Over(state)


async def _seen(services: Services, record: Request) -> Request:
    """The record as PIM shows it now."""
    if not record.is_open:
        return record
    asked = await services.azure_activations.read(record.subscription_id, record.asked.below, record.request_id)
    granted = record.state is State.APPROVED or (asked is not None and asked.standing is Standing.GRANTED)
    seen = Seen(
        now=services.clock.now(),
        asked=asked,
        active=await active(services, record) if granted else None,
    )
    if after(record, seen) == record:
        return record  # it was read in this look, and nothing is new: to read it again tells no more
    return (await services.activations.change(record.request_id, lambda found: after(found, seen))).record


async def _weighed(services: Services, record: Request, lock_down: LockDown | None) -> Request:
    """Priced, and cancelled where finance, or the budget, says so."""
    record = await with_price(services, record, lock_down)
    if lock_down is None:
        return record
    order = order_of(record, judged(record, lock_down))
    if order is None or record.asked.standing is not Standing.WAITING:
        return record
    return await _seen(services, await cancel(services, record, order))


async def _judged_after(services: Services, record: Request, lock_down: LockDown | None) -> Request:
    """What was approved although a rule says otherwise, and not to be put right by us, is written down."""
    if lock_down is None or record.decision is None or not record.decision.approved:
        return record
    found = await violations_of(services, record, lock_down)
    if not found:
        return record
    return (await services.activations.change(record.request_id, lambda one: with_violations(one, found))).record
