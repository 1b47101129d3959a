"""Delivers queued activities to the app, at least once, at most so many at a time."""

import asyncio
from collections.abc import Callable

from tests.sandbox.host.history import EventType, event
from tests.sandbox.host.hub import Activity
from tests.sandbox.host.runtime import Runtime


class Activities:
    """The dispatcher of the activity queue."""

    def __init__(self, runtime: Runtime, wake: Callable[[str], asyncio.Task[None]]) -> None:
        self._runtime = runtime
        self._wake = wake
        self._under_way: set[int] = set()
        self._twice: dict[str, asyncio.Event | None] = {}
        self._slots = asyncio.Semaphore(runtime.settings.activities_at_once)

    def deliver_twice(self, name: str, until: asyncio.Event | None) -> None:
        """Deliver the next activity of that name again, after its orchestration has read the first result."""
        self._twice[name] = until

    def dispatch(self) -> None:
        """Hand out what the queue holds and is not under way."""
        for activity in self._runtime.hub.activities():
            if activity.number not in self._under_way:
                self._under_way.add(activity.number)
                self._runtime.spawn(self._run(activity))

    async def _run(self, activity: Activity) -> None:
        try:
            await self._deliver(activity)
        finally:
            self._under_way.discard(activity.number)
        if activity.name in self._twice:
            until = self._twice.pop(activity.name)
            self._runtime.spawn(self._late(activity, until), counts=until is None)

    async def _late(self, activity: Activity, until: asyncio.Event | None) -> None:
        await asyncio.wait([self._wake(activity.id)])
        if until is not None:
            await until.wait()
        with self._runtime.busy:
            await self._deliver(activity)

    async def _deliver(self, activity: Activity) -> None:
        async with self._slots:
            happened = await self._result(activity)
        hub = self._runtime.hub
        with hub.transaction():
            if hub.finish_activity(activity.number):
                hub.send(activity.id, activity.execution, happened)
        self._wake(activity.id)

    async def _result(self, activity: Activity) -> dict[str, object]:
        runtime = self._runtime
        function = runtime.durable("activityTrigger", activity.name)
        if function is None:
            reason = f"The function '{activity.name}' doesn't exist, is disabled, or is not an activity function."
            runtime.violations.append(reason)
            return self._failed(activity, reason, "")
        parameter = str(function.trigger["name"])
        answer = await runtime.deliver(function, "activity", activity.name, json={parameter: activity.input})
        if answer.error is not None:
            runtime.failures.append((activity.name, answer.error))
            return self._failed(activity, f"Activity function '{activity.name}' failed: {answer.error}", answer.trace)
        return event(
            EventType.TASK_COMPLETED,
            runtime.clock.now(),
            TaskScheduledId=activity.task,
            Result=answer.result if answer.result is not None else "null",
        )

    def _failed(self, activity: Activity, reason: str, details: str) -> dict[str, object]:
        now = self._runtime.clock.now()
        return event(EventType.TASK_FAILED, now, TaskScheduledId=activity.task, Reason=reason, Details=details)
