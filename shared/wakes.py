"""Wakes that one app leaves for another, whose sweeper raises them. As every wake they carry no facts: rows tell those."""

import logging

import msgspec

from shared.errors import StoreConflict, StoreUnavailable
from shared.identifiers import NewId
from shared.rows import Row, encode
from shared.run import StartOrchestration
from shared.tables import Stale, Table

_log = logging.getLogger(__name__)

_ALL = "wakes"


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """A wake that waits to be raised."""

    orchestration_id: str
    etag: str


class Wakes:
    """The table of wakes: one row for each orchestration that is to be woken."""

    def __init__(self, table: Table, new_id: NewId) -> None:
        self._table = table
        self._new_id = new_id

    async def leave(self, orchestration_id: str) -> None:
        """Leave one. Safe twice."""
        await self._table.upsert(Row(partition=_ALL, key=orchestration_id, body=encode(""), nonce=self._new_id()))

    async def left(self) -> list[Left]:
        """All that wait."""
        return [Left(orchestration_id=row.key, etag=row.etag) for row in await self._table.partition(_ALL)]

    async def raised(self, one: Left) -> None:
        """It was raised. One that was left again meanwhile stays."""
        try:
            await self._table.delete(_ALL, one.orchestration_id, etag=one.etag)
        except Stale:
            return


class Elsewhere:
    """Orchestrations of another app: none is started from here."""

    start: StartOrchestration | None = None

    def __init__(self, wakes: Wakes) -> None:
        self._wakes = wakes

    async def wake(self, orchestration_id: str) -> None:
        """Leave a wake. What was done before is done, whether that can be left or not: the run looks by itself, too."""
        try:
            await self._wakes.leave(orchestration_id)
        except (StoreConflict, StoreUnavailable) as error:
            _log.info("orchestration.not_woken orchestration_id=%s reason=%s", orchestration_id, type(error).__name__)
