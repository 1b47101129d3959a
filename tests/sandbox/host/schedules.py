"""Timer functions: run when the clock passes their time, never twice at once.

A jump over several occurrences runs the function once, past due. When a run's process dies, the function runs again.
"""

import asyncio
import json
from datetime import datetime

from tests.sandbox.host.bindings import FunctionInfo
from tests.sandbox.host.cron import Schedule
from tests.sandbox.host.history import stamp
from tests.sandbox.host.runtime import Runtime

# Less is only the machine being slow.
_PAST_DUE_AFTER_SECONDS = 60.0


class TimerFunctionFailed(Exception):
    """The timer function raised; the text is its message."""


class Schedules:
    """The timer functions of the app and when each is next."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._schedules: dict[str, Schedule] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    def load(self) -> None:
        """Read the schedules of the app; those that the hub knows keep their times."""
        now = self._runtime.clock.now()
        for function in self._runtime.functions.values():
            if function.kind != "timerTrigger":
                continue
            schedule = Schedule.parse(self._expression(function))
            known = self._schedules.get(function.name)
            self._schedules[function.name] = schedule
            self._locks.setdefault(function.name, asyncio.Lock())
            stored = self._runtime.hub.schedule(function.name)
            if stored is None or (known is not None and known != schedule):
                self._runtime.hub.set_schedule(function.name, None, schedule.after(now).timestamp())
            if known is None and function.trigger.get("runOnStartup"):
                self._runtime.spawn(self._quietly(function.name, past_due=False))

    def upcoming(self) -> list[float]:
        """The next times of the functions that aren't running."""
        stored = [self._runtime.hub.schedule(name) for name, lock in self._locks.items() if not lock.locked()]
        return [each[1] for each in stored if each is not None]

    def fire_due(self, now: datetime) -> None:
        """Start every function whose time has come and that isn't running."""
        for name, lock in self._locks.items():
            stored = self._runtime.hub.schedule(name)
            if stored is not None and stored[1] <= now.timestamp() and not lock.locked():
                following = self._schedules[name].after(now).timestamp()
                self._runtime.hub.set_schedule(name, stored[0], following)
                late = now.timestamp() - stored[1] > _PAST_DUE_AFTER_SECONDS
                self._runtime.spawn(self._quietly(name, past_due=late))

    async def run(self, name: str, *, past_due: bool = False) -> None:
        """Run the function now; waits while it is running. Raises TimerFunctionFailed."""
        runtime = self._runtime
        function = runtime.functions[name]
        async with self._locks[name]:
            stored = runtime.hub.schedule(name)
            last, following = stored if stored is not None else (None, runtime.clock.timestamp())
            status = {
                "Last": stamp(runtime.clock.moment(last)) if last else "0001-01-01T00:00:00",
                "Next": stamp(runtime.clock.moment(following)),
                "LastUpdated": stamp(runtime.clock.moment(last)) if last else "0001-01-01T00:00:00",
            }
            request = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": past_due}
            parameter = str(function.trigger["name"])
            answer = await runtime.deliver(function, "timer", name, json={parameter: json.dumps(request)})
            runtime.hub.set_schedule(name, runtime.clock.timestamp(), following)
        runtime.wake.set()
        if answer.error is not None:
            runtime.failures.append((name, answer.error))
            raise TimerFunctionFailed(f"{name}: {answer.error}\n{answer.trace}")

    async def _quietly(self, name: str, *, past_due: bool) -> None:
        try:
            await self.run(name, past_due=past_due)
        except TimerFunctionFailed:
            return  # recorded; as in Azure, the next occurrence comes

    def _expression(self, function: FunctionInfo) -> str:
        text = str(function.trigger["schedule"])
        if text.startswith("%") and text.endswith("%"):
            return self._runtime.environment[text[1:-1]]
        return text
