"""One look at PIM: a request's record as PIM shows it now. Whoever acts on a request looks first: it may be decided there."""

from shared.activation.following import Seen, after
from shared.activation.record import Request, State
from shared.arm.activation_shapes import Standing
from shared.services import Services
from shared.writes.activation import active


async def seen_now(services: Services, record: Request) -> Request:
    """The record as PIM shows it now. Raises the RemoteErrors of Azure."""
    if not record.is_open:
        return record
    asked = await services.azure_activations.read(record.subscription_id, record.asked.below, record.request_id)
    granted = record.state is State.APPROVED or asked is None or asked.standing is Standing.GRANTED
    seen = Seen(
        now=services.clock.now(),
        asked=asked,
        active=await active(services, record) if granted else None,
    )
    if after(record, seen) == record:
        return record  # nothing is new: to read the row again tells no more
    return (await services.activations.change(record.request_id, lambda found: after(found, seen))).record
