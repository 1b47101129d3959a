"""One look at PIM: a request's record as it shows there, to whoever may look. It may be decided there."""

from shared.activation.acting import without_claim
from shared.activation.brokered import is_waiting
from shared.activation.following import Seen, after, reviewed
from shared.activation.record import Request, State
from shared.arm.activation_shapes import AskedActivation, Standing
from shared.arm.approval_shapes import Stage
from shared.services import Services
from shared.writes.sight import Sight


async def seen_now(services: Services, record: Request, sight: Sight) -> Request:
    """The record as PIM shows it now. Raises the RemoteErrors of Azure."""
    if not record.is_open:
        return record
    asked = None if is_waiting(record) else await sight.asked(record)
    return await seen_as(services, record, asked, sight)


async def seen_as(services: Services, record: Request, asked: AskedActivation | None, sight: Sight) -> Request:
    """The record as the request shows, which was just read."""
    if asked is not None and asked.principal_id != record.asked.principal_id:
        asked = None  # who asks chooses the name: one of somebody else is another request
    if asked is None and not sight.is_whole and record.state is not State.APPROVED:
        return record
    shows = asked is None and not record.brokered
    granted = record.state is State.APPROVED or shows or (asked is not None and asked.standing is Standing.GRANTED)
    seen = Seen(
        now=services.clock.now(),
        asked=asked,
        active=await sight.active(record) if granted else None,
    )
    if after(record, seen) == record:
        return record  # nothing is new: to read the row again tells no more
    return (await services.activations.change(record.request_id, lambda found: after(found, seen))).record


async def reviewed_now(services: Services, record: Request, stage: Stage, nonce: str = "") -> Request:
    """The record with what a stage says that somebody decided, and without the claim of that nonce."""
    now = services.clock.now()

    def put(found: Request) -> Request:
        return reviewed(without_claim(found, nonce) or found, stage, now)

    return (await services.activations.change(record.request_id, put)).record
