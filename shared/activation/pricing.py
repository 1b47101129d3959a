"""What a plan costs today: the pure estimate, with prices fetched.

Within one HTTP invocation: it ends after a deadline, and says so. What is not sold is a value; a service that does not
answer, and of whose prices none is kept, is an error.
"""

import asyncio
from collections.abc import Mapping, Sequence

from shared.activation.cost import Estimate, estimate
from shared.activation.dearest import Dearest, dearest_of, expected_queries
from shared.activation.meters import meters, parts_of
from shared.activation.plan import Plan
from shared.arm.price_shapes import PATH, PriceList, PriceQuery
from shared.errors import RemoteCall, Unavailable
from shared.services import Services
from shared.side_by_side import each_of
from shared.subscriptions.lockdown import ExpectedSizes

_AT_ONCE = 4
"""Queries under way together: the service tells no limit, so we are modest."""

_DEADLINE_SECONDS = 60.0
"""Of machine time, for all of a plan's prices: an HTTP invocation ends at 230 s whatever we do."""


async def priced(services: Services, plan: Plan, hours: int, currency: str) -> Estimate:
    """The estimate of a plan, by prices of today or, where no newer come, of the last 30 days: it tells which.

    Raises Throttled, Unavailable and Rejected where a price cannot be asked for, and none is kept.
    """
    parts = parts_of(plan)
    first = await _prices(services, [part.queries[0] for part in parts], currency)
    # Only where the likelier product is not sold is the other asked for.
    others = [query for part in parts if not meters(part, first[part.queries[0]].prices) for query in part.queries[1:]]
    prices = {**first, **await _prices(services, others, currency)}
    return estimate(plan, hours, prices, currency=currency, now=services.clock.now())


async def dearest(services: Services, expected: Sequence[ExpectedSizes], currency: str) -> Dearest | None:
    """The dearest of the expected sizes by the hour, or None where none is expected or sold. Raises as `priced`."""
    prices = await _prices(services, expected_queries(expected), currency)
    return dearest_of(expected, prices, currency=currency, now=services.clock.now())


async def _prices(services: Services, queries: Sequence[PriceQuery], currency: str) -> Mapping[PriceQuery, PriceList]:
    wanted = list(dict.fromkeys(queries))
    try:
        async with asyncio.timeout(_DEADLINE_SECONDS):
            found = await each_of(wanted, lambda query: services.prices.look_up(query, currency), at_once=_AT_ONCE)
    except TimeoutError as error:
        raise Unavailable(_slow(), uncertain=False) from error
    return dict(zip(wanted, found, strict=True))


def _slow() -> RemoteCall:
    return RemoteCall(service="prices", method="GET", path=PATH, tenant_id="", code="TooSlow")
