"""Business time, shared by the world and the app's process.

Now is machine time plus an offset; the offset is eight bytes in a small mapped file, so both processes see a move at
once. Waiting is nearly free: a sleep takes a moment of real time and then moves the offset. Time never goes back.
Tokens and certificates don't live here: they are on machine time.
"""

import asyncio
import fcntl
import mmap
import os
import struct
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

# Where the app's process finds the file.
PATH_VARIABLE = "TENANTRY_SANDBOX_CLOCK"

_OFFSET = struct.Struct("d")
_LONGEST_REAL_SLEEP_SECONDS = 0.01


class SharedClock:
    """A clock whose offset every process that opened the same file shares."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self._mapped = mmap.mmap(self._descriptor, _OFFSET.size)
        self._listeners: list[Callable[[], None]] = []

    @classmethod
    def create(cls, path: Path, start: datetime | None = None) -> Self:
        """Make the file; the clock shows `start` now, or machine time."""
        offset = 0.0 if start is None else start.timestamp() - time.time()
        path.write_bytes(_OFFSET.pack(offset))
        return cls(path)

    def close(self) -> None:
        """Let go of the file; the clock can't be used afterwards."""
        if not self._mapped.closed:
            self._mapped.close()
            os.close(self._descriptor)

    def timestamp(self) -> float:
        """Seconds since 1970, business time."""
        return time.time() + self._offset()

    def now(self) -> datetime:
        """Business time, aware UTC."""
        return self.moment(self.timestamp())

    @staticmethod
    def moment(timestamp: float) -> datetime:
        """Seconds since 1970 as an aware UTC time."""
        return datetime.fromtimestamp(timestamp, UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait for business seconds that cost next to no real time."""
        until = self.timestamp() + seconds
        await asyncio.sleep(max(0.0, min(seconds, _LONGEST_REAL_SLEEP_SECONDS)))
        self._move(until)

    def advance(self, seconds: float | timedelta) -> None:
        """Jump ahead."""
        if isinstance(seconds, timedelta):
            seconds = seconds.total_seconds()
        self._move(self.timestamp() + seconds)

    def advance_to(self, moment: datetime) -> None:
        """Jump to a moment; one that has passed changes nothing."""
        self._move(moment.timestamp())

    def on_move(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call the listener after each jump made by this process; gives the function that ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _offset(self) -> float:
        offset: float = _OFFSET.unpack_from(self._mapped)[0]
        return offset

    def _move(self, until: float) -> None:
        # Each move opens the file anew: a lock belongs to the open file, which a forked process would share.
        with self.path.open("rb") as guard:
            fcntl.flock(guard, fcntl.LOCK_EX)
            ahead = until - self.timestamp()
            if ahead <= 0:
                return
            _OFFSET.pack_into(self._mapped, 0, self._offset() + ahead)
        for listener in list(self._listeners):
            listener()
