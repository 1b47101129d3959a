"""When a night begins."""

from shared.orchestrations import Orchestrations
from shared.running import nights
from shared.services import Services
from shared.upkeep.messages import KIND


async def begin_night(services: Services, orchestrations: Orchestrations) -> None:
    """Every hour: today's night, if its hour has come and it is not there yet."""
    await nights.begin(services, orchestrations, KIND, services.settings.nightly_hour)
