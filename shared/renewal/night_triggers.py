"""When a night's renewal begins."""

from shared.orchestrations import Orchestrations
from shared.renewal.messages import KIND, Wish
from shared.running import nights
from shared.services import Services


async def begin_renewals(services: Services, orchestrations: Orchestrations) -> None:
    """Every hour: today's renewal, if its hour has come and it is not there yet."""
    wish = Wish(date=services.clock.now().date())
    await nights.begin(services, orchestrations, KIND, services.settings.renewal.hour, wish)
