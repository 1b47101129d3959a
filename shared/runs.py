"""Run rows: a run exists when its row was inserted, and at most one is open per subject, whatever its kind.

The row carries what the run is for, so a process that dies right after the insert loses nothing: the sweeper starts it.
When a run ends its row is copied to the subject's own partition (newest first) and deleted from `open`.
"""

import msgspec

from shared.clock import Clock
from shared.rows import Row, encode
from shared.run import Run, RunKey
from shared.tables import Stale, Table

OPEN = "open"
_NUMBERS = 10**12


class Runs:
    """The table of runs."""

    def __init__(self, table: Table, clock: Clock, *, starts: bool = True) -> None:
        """`starts`: whether what is opened from here is started from here."""
        self._table = table
        self._clock = clock
        self._starts = starts

    async def insert(self, run: Run) -> Run | None:
        """Open a run. None means that it is open now; else the run that holds the subject."""
        run = msgspec.structs.replace(run, left=not self._starts)
        there = await self._table.insert(_row(OPEN, run.subject, run))
        return None if there is None else there.decode(Run)

    async def open_run(self, subject: str) -> Run | None:
        """The subject's open run."""
        row = await self._table.get(OPEN, subject)
        return None if row is None else row.decode(Run)

    async def is_known(self, subject: str) -> bool:
        """Whether a run of the subject is open, or was."""
        return await self.latest(subject) is not None

    async def latest(self, subject: str) -> Run | None:
        """The subject's open run; else the last one that ended."""
        if (run := await self.open_run(subject)) is not None:
            return run
        row = await self._table.first(subject)
        return None if row is None else row.decode(Run)

    async def list_open(self) -> list[Run]:
        """Every open run."""
        return [row.decode(Run) for row in await self._table.partition(OPEN)]

    async def mark_started(self, run: Run) -> None:
        """Note that the orchestration of an open run was started."""
        row = await self._table.get(OPEN, run.subject)
        if row is None or row.decode(Run).nonce != run.nonce or row.decode(Run).started:
            return
        started = msgspec.structs.replace(row.decode(Run), started=self._clock.now())
        try:
            await self._table.replace(_row(OPEN, run.subject, started, etag=row.etag))
        except Stale:
            return  # the run ended, or the sweeper noted it first

    async def cancel(self, subject: str, by: str) -> Run | None:
        """Note that the subject's open run is to go no further. Gives it; None: none is open. Safe twice."""
        while (row := await self._table.get(OPEN, subject)) is not None:
            run = row.decode(Run)
            if run.is_cancelled:
                return run
            cancelled = msgspec.structs.replace(run, cancelled_by=by)
            try:
                await self._table.replace(_row(OPEN, subject, cancelled, etag=row.etag))
            except Stale:
                continue  # marked as started meanwhile, or it ended
            return cancelled
        return None

    async def is_cancelled(self, key: RunKey) -> bool:
        """Whether an open run is to go no further."""
        run = await self.open_run(key.subject)
        return run is not None and run.nonce == key.nonce and run.is_cancelled

    async def close(self, key: RunKey, outcome: str) -> None:
        """End a run: copied to the subject's partition, then deleted from `open`. Safe twice."""
        while (row := await self._table.get(OPEN, key.subject)) is not None and row.nonce == key.nonce:
            ended = msgspec.structs.replace(row.decode(Run), ended=self._clock.now(), outcome=outcome)
            await self._table.upsert(_row(key.subject, f"{_NUMBERS - key.number:012d}", ended))
            try:
                # With the ETag, or a late repeat would delete the open row of the next run.
                await self._table.delete(OPEN, key.subject, etag=row.etag)
            except Stale:
                continue  # marked as started meanwhile
            return


def _row(partition: str, key: str, run: Run, *, etag: str = "") -> Row:
    return Row(partition=partition, key=key, body=encode(run), nonce=run.nonce, etag=etag)
