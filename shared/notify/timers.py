"""When the outbox is delivered and tidied up."""

from shared.orchestrations import Orchestrations
from shared.services import Services


async def deliver_notices(services: Services, _: Orchestrations) -> None:
    """Every minute: what is due is sent."""
    await services.courier.deliver()


async def purge_notices(services: Services, _: Orchestrations) -> None:
    """Every night: what was told long ago is forgotten."""
    await services.courier.purge()
