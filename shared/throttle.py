"""What we know of throttling: until when not to call, by registration, called tenant or subscription, and API family.

In memory, one per process: it only spares calls that would be refused. The shared scarce limits are `slots.py`.
"""

from datetime import datetime, timedelta

from shared.clock import Clock
from shared.permissions import Family, Registration

type Lane = tuple[Registration | None, str, Family]
"""None: nobody's token goes along."""

PACES = {Family.CONDITIONAL_ACCESS: 1.1}
"""Seconds between two calls where the limit is too low to be met by answers: conditional access takes one a second for a
tenant, over all apps, and does not say how long to wait (Graph throttling limits reference)."""


class Throttle:
    """Remembers the waits that the vendor asked for."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[Lane, datetime] = {}

    def note(self, lane: Lane, seconds: float) -> None:
        """The vendor said how long to wait."""
        until = self._clock.now() + timedelta(seconds=seconds)
        self._until[lane] = max(until, self._until.get(lane, until))

    def called(self, lane: Lane) -> None:
        """A call is over: where calls have a pace, the next one waits."""
        if (pace := PACES.get(lane[2])) is not None:
            self.note(lane, pace)

    def wait(self, lane: Lane) -> float:
        """Seconds to wait before the next call; 0 when the way is free."""
        until = self._until.get(lane)
        if until is None:
            return 0.0
        left = (until - self._clock.now()).total_seconds()
        if left <= 0:
            del self._until[lane]
            return 0.0
        return left
