"""Business time: Durable timestamps, schedules, deadlines, PIM ends.

Tokens, certificates and signatures live on machine time and never ask this clock.
"""

import asyncio
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where business time comes from. The sandbox installs one that can run fast."""

    def now(self) -> datetime:
        """The time now, aware, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait. For seconds only: minutes belong to durable timers."""
        ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """The time now, aware, in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait on the event loop."""
        await asyncio.sleep(seconds)
