"""When a night's look at what is locked down begins."""

from shared.lockdown.messages import NIGHT_KIND
from shared.orchestrations import Orchestrations
from shared.running import nights
from shared.services import Services


async def begin_subscription_night(services: Services, orchestrations: Orchestrations) -> None:
    """Every hour: today's night, if its hour has come and it is not there yet."""
    await nights.begin(services, orchestrations, NIGHT_KIND, services.settings.nightly_hour)
