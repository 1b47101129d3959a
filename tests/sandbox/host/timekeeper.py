"""Fires a host's durable timers and timer functions as the clock passes them, and moves the clock when all only wait.

A jump goes to the earliest durable timer, never to a timer function's time; those fire when a jump passes them.
"""

import asyncio
import contextlib
from collections.abc import Callable

from tests.sandbox.host.circle import Circle
from tests.sandbox.host.history import EventType, event, stamp
from tests.sandbox.host.runtime import Runtime
from tests.sandbox.host.schedules import Schedules

# How long all must be quiet before a jump, so that a client that polls over HTTP gets its turn.
_SETTLE_SECONDS = 0.01
_LONGEST_WAIT_SECONDS = 3600.0
# A timer due within this is due: times pass through floats.
_TOLERANCE_SECONDS = 1e-5


class Timekeeper:
    """One task that waits for the next time, or for a reason to look again."""

    def __init__(self, runtime: Runtime, schedules: Schedules, wake: Callable[[str], object], circle: Circle) -> None:
        self._runtime = runtime
        self._schedules = schedules
        self._wake_instance = wake
        self._circle = circle

    def fire_due(self) -> None:
        """Fire whatever the clock has passed."""
        runtime = self._runtime
        now = runtime.clock.now()
        for timer in runtime.hub.timers(due_by=now.timestamp() + _TOLERANCE_SECONDS):
            due = runtime.clock.moment(timer.due)
            with runtime.hub.transaction():
                runtime.hub.drop_timer(timer.id, timer.task)
                fired = event(EventType.TIMER_FIRED, now, TimerId=timer.task, FireAt=stamp(due))
                runtime.hub.send(timer.id, timer.execution, fired)
            self._wake_instance(timer.id)
        self._schedules.fire_due(now)

    async def run(self) -> None:
        """Until cancelled."""
        runtime, circle = self._runtime, self._circle
        while True:
            runtime.wake.clear()
            circle.fire_due()
            due = circle.jump_of(runtime)
            if due is not None:
                entered = circle.entered
                if not await self._woken(_SETTLE_SECONDS) and circle.entered == entered:
                    runtime.clock.advance_to(runtime.clock.moment(due))
                continue
            upcoming = [timer.due for timer in runtime.hub.timers()[:1]] + self._schedules.upcoming()
            ahead = min(upcoming, default=float("inf")) - runtime.clock.timestamp()
            await self._woken(min(max(ahead, 0.0), _LONGEST_WAIT_SECONDS))

    async def _woken(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._runtime.wake.wait()
                return True
        return False
