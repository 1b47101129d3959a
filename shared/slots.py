"""Slots: a scarce vendor limit shared by all runs and all instances of the app, as one row advanced by ETag.

A caller reserves the next free moment. One that lies further off than an activity should wait is given back as the time
to come again; the reservation stays its own.
"""

from datetime import datetime, timedelta

import msgspec

from shared.clock import Clock
from shared.errors import StoreConflict
from shared.identifiers import NewId
from shared.rows import Row, encode
from shared.tables import Stale, Table

SPACING = timedelta(seconds=2.1)
"""Time between two slots: provisionOnDemand and the provisioning logs allow 5 calls in 10 s (graph limits), with a
margin."""

_TRIES = 50


class _Next(msgspec.Struct, frozen=True):
    free: datetime


class Slots:
    """The table of slots."""

    def __init__(self, table: Table, clock: Clock, new_id: NewId) -> None:
        self._table = table
        self._clock = clock
        self._new_id = new_id

    async def reserve(self, tenant_id: str, family: str) -> datetime:
        """The moment at which the caller may make one call. Raises StoreConflict when the row cannot be won."""
        for _ in range(_TRIES):
            row = await self._table.get(tenant_id, family)
            now = self._clock.now()
            slot = now if row is None else max(now, row.decode(_Next).free)
            wanted = Row(
                partition=tenant_id,
                key=family,
                body=encode(_Next(slot + SPACING)),
                nonce=self._new_id(),
                etag="" if row is None else row.etag,
            )
            try:
                if row is not None:
                    await self._table.replace(wanted)
                    return slot
                if await self._table.insert(wanted) is None:
                    return slot
            except Stale:
                await self._clock.sleep(0.05)
        raise StoreConflict(f"no slot for {family} in {_TRIES} tries")
