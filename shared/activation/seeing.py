"""One look at PIM: a request's record as PIM shows it now. Whoever acts on a request looks first: it may be decided there."""

from shared.activation.brokered import is_waiting
from shared.activation.following import Seen, after
from shared.activation.record import Request, State
from shared.arm.activation_shapes import Standing
from shared.services import Services
from shared.writes.activation import active, asked_for


async def seen_now(services: Services, record: Request) -> Request:
    """The record as PIM shows it now. Raises the RemoteErrors of Azure."""
    if not record.is_open:
        return record
    asked = None if is_waiting(record) else await asked_for(services, record)
    shows = asked is None and not record.brokered
    granted = record.state is State.APPROVED or shows or (asked is not None and asked.standing is Standing.GRANTED)
    seen = Seen(
        now=services.clock.now(),
        asked=asked,
        active=await active(services, record) if granted else None,
    )
    if after(record, seen) == record:
        return record  # nothing is new: to read the row again tells no more
    return (await services.activations.change(record.request_id, lambda found: after(found, seen))).record
