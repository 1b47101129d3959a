"""The table of renewals: what a day's runs have to say of tenants and subscriptions, and which alarms went off. By date."""

import hashlib
from collections.abc import Collection
from datetime import date

from shared.errors import StoreConflict
from shared.identifiers import NewId
from shared.renewal.report import Report, merged
from shared.rows import Row, encode
from shared.tables import Stale, Table

_TRIES = 12


class Renewals:
    """Reports by date and subject; alarms by date and fact."""

    def __init__(self, table: Table, new_id: NewId) -> None:
        self._table = table
        self._new_id = new_id

    async def add(self, day: date, report: Report, *, looked: bool = False) -> None:
        """Add what was found of a subject to the day's report. Safe twice. Raises StoreConflict.

        `looked`: all of it was looked at; nothing to say is then a word too, where there was something to say before.
        """
        for _ in range(_TRIES):
            row = await self._table.get(day.isoformat(), report.subject_id)
            if not report and (row is None or not looked):
                return
            known = None if row is None else row.decode(Report)
            try:
                if await self._write(day, merged(known, report, looked=looked), "" if row is None else row.etag):
                    return
            except Stale:
                continue
        raise StoreConflict(f"the report of {report.subject_id} kept changing")

    async def of(self, day: date) -> list[Report]:
        """The day's reports that say anything, by subject."""
        found = (row.decode(Report) for row in await self._table.partition(day.isoformat()))
        return [report for report in found if report]

    async def told_of(self, day: date, subject_ids: Collection[str]) -> frozenset[str]:
        """Those of them that the day's reports have a row of."""
        if not subject_ids:
            return frozenset()
        rows = await self._table.partition(day.isoformat(), first=min(subject_ids), before=f"{max(subject_ids)}~")
        return frozenset(row.key for row in rows).intersection(subject_ids)

    async def is_first(self, day: date, *fact: str) -> bool:
        """Whether nobody was alarmed of this fact on this day. From now on somebody was."""
        key = hashlib.sha256("|".join(fact).encode()).hexdigest()
        row = Row(partition=f"alarm-{day.isoformat()}", key=key, body=encode(fact), nonce=self._new_id())
        return await self._table.insert(row) is None

    async def _write(self, day: date, report: Report, etag: str) -> bool:
        row = Row(
            partition=day.isoformat(), key=report.subject_id, body=encode(report), nonce=self._new_id(), etag=etag
        )
        if not etag:
            return await self._table.insert(row) is None
        await self._table.replace(row)
        return True
