"""A pending request is cancelled at PIM, on finance's word or for the budget. What PIM refuses to cancel is a violation."""

import logging

import msgspec
from msgspec.structs import replace

from shared.activation.acting import claim, fence_of, without_claim
from shared.activation.record import Deed, Request, Violation, with_violations
from shared.arm.activation_shapes import Standing
from shared.errors import Forbidden, Rejected
from shared.identifiers import ObjectId
from shared.services import Services
from shared.writes.activation import cancelling

_log = logging.getLogger(__name__)

NOT_CANCELLED = "notCancelled"


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """That a request is to be cancelled: on whose word, and why."""

    by: ObjectId
    reason: str


async def cancel(services: Services, record: Request, order: Order) -> Request:
    """Cancel it, unless somebody else is at it, or PIM has refused that before. Gives the record as it is then.

    Raises the RemoteError of a failure that heals.
    """
    if any(one.code == NOT_CANCELLED for one in record.violations):
        return record
    mine = await claim(services, record.request_id, Deed.CANCEL, order.by, order.reason)
    if mine is None or mine.claim is None:
        return record
    nonce, refused = mine.claim.nonce, ""
    try:
        await services.activation_intents.ensure(mine.request_id, fence_of(mine), cancelling(services, mine))
    except (Forbidden, Rejected) as error:
        if await _waits(services, mine):  # else somebody was faster: it is decided, or over
            refused = error.call.code or str(error.call.status)
            _log.warning("activation.not_cancelled request_id=%s reason=%s", record.request_id, refused)
    finally:
        record = await _over(services, mine, nonce, order, refused)
    return record


async def _waits(services: Services, record: Request) -> bool:
    asked = await services.azure_activations.read(record.subscription_id, record.asked.below, record.request_id)
    return asked is not None and asked.standing is Standing.WAITING


async def _over(services: Services, mine: Request, nonce: str, order: Order, refused: str) -> Request:
    now = services.clock.now()

    def decide(found: Request) -> Request | None:
        record = without_claim(found, nonce)
        if record is None:
            return None
        if not refused:
            return replace(record, stopped_for=order.reason)
        told = f"It was to be cancelled ({order.reason}), and PIM refused that: {refused}."
        return with_violations(record, [Violation(code=NOT_CANCELLED, what=told, at=now)])

    return (await services.activations.change(mine.request_id, decide)).record
