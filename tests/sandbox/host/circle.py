"""The hosts that live by one clock: whether all of them rest, and whose timer the clock jumps to when they only wait.

A host whose app was killed, and is not to come back yet, holds nobody up: in Azure the others go on as well.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from tests.sandbox.host.hub import Timer
from tests.sandbox.host.runtime import Runtime


@dataclass(frozen=True, slots=True)
class _Member:
    runtime: Runtime
    fire_due: Callable[[], None]


class Circle:
    """One host alone, or several. `auto_advance`: the clock jumps to the next durable timer when everybody only waits."""

    def __init__(self, *, auto_advance: bool = True) -> None:
        self.patient: tuple[str, ...] = ()
        """How the ids of orchestrations begin that wait for people: no jump is made for their timers."""
        self._auto_advance = auto_advance
        self._members: list[_Member] = []
        self._turn = asyncio.Event()

    def join(self, runtime: Runtime, fire_due: Callable[[], None]) -> Callable[[], None]:
        """One more; gives the function by which it leaves."""
        member = _Member(runtime, fire_due)
        self._members.append(member)

        def leave() -> None:
            self._members.remove(member)
            self.turned()

        return leave

    @property
    def auto_advance(self) -> bool:
        return self._auto_advance

    @auto_advance.setter
    def auto_advance(self, wanted: bool) -> None:
        self._auto_advance = wanted
        self.turned()

    @property
    def under_way(self) -> int:
        """How much runs or is queued."""
        return sum(each.busy.count for each in self._awake)

    @property
    def entered(self) -> int:
        """How much has ever begun: who finds it unchanged knows that nothing did meanwhile."""
        return sum(each.runtime.busy.entered for each in self._members)

    @property
    def rests(self) -> bool:
        """Whether nothing runs, and nothing will run by itself but timer functions."""
        return self.under_way == 0 and not any(each.hub.timers() for each in self._awake)

    def turned(self) -> None:
        """Something began, ended, or went away: whoever waits for that looks again."""
        turn, self._turn = self._turn, asyncio.Event()
        turn.set()
        if not self.under_way:
            for member in self._members:
                member.runtime.wake.set()

    def fire_due(self) -> None:
        """Fire whatever the clock has passed, in all of them."""
        for member in list(self._members):
            member.fire_due()

    def jump_of(self, runtime: Runtime) -> float | None:
        """The time to jump to, if it is this host's to do so: all rest, and the earliest timer is its own."""
        waiting = self._jumps()
        if not waiting or self.under_way or not self._auto_advance or runtime.worker is None:
            return None
        timer, owner = min(waiting, key=lambda each: each[0].due)
        return timer.due if owner is runtime else None

    async def idle(self) -> None:
        """Until nothing runs, is queued or is due, and no jump is to come. Raises what broke an app."""
        while True:
            for each in self._awake:
                if each.broken is not None:
                    raise each.broken
            self.fire_due()
            if not self.under_way and not (self._auto_advance and self._jumps()):
                return
            await self._turn.wait()

    @contextlib.asynccontextmanager
    async def still(self) -> AsyncIterator[bool]:
        """A moment in which nothing runs and the clock does not jump. True if nothing will run by itself after it."""
        while self.under_way:
            await self._turn.wait()
        rests = self.rests
        with contextlib.ExitStack() as held:
            for member in self._members:
                held.enter_context(member.runtime.busy)
            yield rests

    def told(self) -> str:
        """What has not come to rest, for people."""
        running = [
            f"{each.name} {each.id} {each.status}"
            for member in self._members
            for each in member.runtime.hub.instances()
            if each.live
        ]
        return f"under way: {self.under_way}; live: {running}"

    @property
    def _awake(self) -> list[Runtime]:
        return [each.runtime for each in self._members if not each.runtime.down]

    def _jumps(self) -> list[tuple[Timer, Runtime]]:
        patient = self.patient or ("\0",)
        return [(one, each) for each in self._awake for one in each.hub.timers() if not one.id.startswith(patient)]
