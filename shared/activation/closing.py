"""What a process did not live to see of its writes is closed by reading back, before anything else is done of a request."""

from shared.activation.brokered import is_to_grant
from shared.activation.following import claimed
from shared.activation.record import Activation
from shared.services import Services
from shared.writes.activation import close_activation_intents

_SLOWEST_SECONDS = 60.0
"""Between two looks for what the broker sent."""


async def closing(services: Services, found: Activation) -> float:
    """Close what is open, unless somebody is at it, or a grant is to be sent under its name again. Gives the wait, if any."""
    record = found.record
    if not found.has_open_intents or claimed(record, services.clock.now()) is not None or is_to_grant(record):
        return 0.0
    wait = await close_activation_intents(services, record.request_id)
    return min(wait, _SLOWEST_SECONDS) if record.brokered else wait
