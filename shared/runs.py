"""Run rows: a run exists when its row was inserted, and at most one is open per subject, whatever its kind.

The row carries what the run is for, so a process that dies right after the insert loses nothing: the sweeper starts it.
When a run ends its row is copied to the subject's own partition (newest first) and deleted from `open`.
"""

import msgspec

from shared.clock import Clock
from shared.identifiers import NewId
from shared.rows import Row, encode
from shared.run import Run, RunKey
from shared.tables import Stale, Table

OPEN = "open"
_NUMBERS = 10**12


class Runs:
    """The table of runs."""

    def __init__(self, table: Table, clock: Clock, new_id: NewId, *, starts: bool = True) -> None:
        """`starts`: whether what is opened from here is started from here."""
        self._table = table
        self._clock = clock
        self._new_id = new_id
        self._starts = starts

    async def insert(self, run: Run) -> Run | None:
        """Open a run. None means that it is open now; else the run that holds the subject."""
        run = msgspec.structs.replace(run, left=not self._starts)
        there = await self._table.insert(self._row(OPEN, run.subject, run))
        holder = None if there is None else there.decode(Run)
        # Our own, when the insert's answer was lost and the sweeper noted something on the row meanwhile.
        return None if holder is None or holder.nonce == run.nonce else holder

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
            await self._table.replace(self._row(OPEN, run.subject, started, etag=row.etag))
        except Stale:
            return  # it ended, or was cancelled meanwhile: then the sweeper notes it

    async def cancel(self, subject: str, by: str) -> Run | None:
        """Note that the subject's open run is to go no further. Gives it; None: none is open. Safe twice."""
        while (row := await self._table.get(OPEN, subject)) is not None:
            run = row.decode(Run)
            if run.is_cancelled:
                return run
            cancelled = msgspec.structs.replace(run, cancelled_by=by)
            try:
                await self._table.replace(self._row(OPEN, subject, cancelled, etag=row.etag))
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
        while (row := await self._table.get(OPEN, key.subject)) is not None:
            run = row.decode(Run)
            if run.nonce != key.nonce:
                return
            ended = msgspec.structs.replace(run, ended=self._clock.now(), outcome=outcome)
            await self._table.upsert(self._row(key.subject, f"{_NUMBERS - key.number:012d}", ended))
            try:
                # With the ETag, or a late repeat would delete the open row of the next run.
                await self._table.delete(OPEN, key.subject, etag=row.etag)
            except Stale:
                continue  # marked as started meanwhile
            return

    def _row(self, partition: str, key: str, run: Run, *, etag: str = "") -> Row:
        # Not the run's own nonce: with that, a write that came second would take the first one's for its own.
        return Row(partition=partition, key=key, body=encode(run), nonce=self._new_id(), etag=etag)
