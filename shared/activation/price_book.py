"""What the price list said, kept in a table with its age: a price serves for a day, and for a month where no newer comes.

It stands between pricing and the Retail Prices API, which names no limit of its own for how often it may be asked.
"""

import hashlib
import logging
from datetime import timedelta

from shared.arm.price_shapes import PATH, PriceList, PriceQuery
from shared.arm.prices import Prices
from shared.clock import Clock
from shared.errors import Rejected, RemoteCall, RemoteError
from shared.identifiers import NewId
from shared.rows import Row, encode
from shared.tables import Table, readable

_log = logging.getLogger(__name__)

FRESH = timedelta(hours=24)
LONGEST_KEPT = timedelta(days=30)
NOTHING_KEPT = timedelta(hours=1)
"""That something is not sold is believed for an hour: what was asked for may have been new, or written wrongly."""

_MOST_ROWS = 400
"""Of one query: far more than it finds, and still within a row of the table."""


class PriceBook:
    """Prices by query and currency. The partition is currency and region, the key a hash of the query."""

    def __init__(self, table: Table, prices: Prices, clock: Clock, new_id: NewId) -> None:
        self._table = table
        self._prices = prices
        self._clock = clock
        self._new_id = new_id

    async def look_up(self, query: PriceQuery, currency: str) -> PriceList:
        """The prices of a query, with the time at which they were asked for. Raises the RemoteErrors of the price list."""
        partition, key = f"{currency}|{query.region}", hashlib.sha256(query.filter.encode()).hexdigest()
        row = await self._table.get(partition, key)
        known = None if row is None else readable(row, PriceList)
        now = self._clock.now()
        age = timedelta.max if known is None else now - known.at
        if known is not None and age < (FRESH if known.prices else NOTHING_KEPT):
            return known
        try:
            prices = await self._prices.find(query, currency)
            if len(prices) > _MOST_ROWS:
                raise Rejected(_too_many())
        except RemoteError as error:
            if known is None or not known.prices or age > LONGEST_KEPT:
                raise
            _log.warning("prices.old age_hours=%d code=%s", age.total_seconds() // 3600, error.call.code)
            return known
        found = PriceList(prices=prices, at=now)
        # Whoever comes last writes the same: what the list says now.
        await self._table.upsert(Row(partition=partition, key=key, body=encode(found), nonce=self._new_id()))
        return found


def _too_many() -> RemoteCall:
    return RemoteCall(service="prices", method="GET", path=PATH, tenant_id="", code=f"MoreThan{_MOST_ROWS}Rows")
