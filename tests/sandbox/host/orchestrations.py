"""Runs orchestrations by their history: one episode after another, each committed as one transaction.

Every episode is run twice and compared. The rules of the service that matter to callers (an id that runs, an id that
ended) are here as well.
"""

import asyncio
import json
import uuid
from collections.abc import Callable

from tests.sandbox.host.episode import apply, begin
from tests.sandbox.host.history import Event, EventType, event, next_batch, stamp
from tests.sandbox.host.hub import Instance
from tests.sandbox.host.outcome import outcome
from tests.sandbox.host.runtime import Runtime


class AlreadyRunning(Exception):
    """An orchestration with this id is under way."""


class Orchestrations:
    """Starts, wakes and ends instances."""

    def __init__(self, runtime: Runtime) -> None:
        self.on_activities: Callable[[], None] = lambda: None
        self._runtime = runtime
        self._pumps: dict[str, asyncio.Task[None]] = {}
        self._dirty: set[str] = set()
        self._slots = asyncio.Semaphore(runtime.settings.episodes_at_once)
        self._ended: dict[str, asyncio.Event] = {}

    def resume_all(self) -> None:
        """After a start of the host: go on with what the hub holds."""
        for instance_id in self._runtime.hub.with_waiting():
            self.wake(instance_id)

    def start(self, name: str, instance_id: str | None, payload: str | None) -> str:
        """Start an instance; an ended one of the same id is overwritten. Raises AlreadyRunning, LookupError."""
        if self._runtime.durable("orchestrationTrigger", name) is None:
            raise LookupError(name)
        instance_id = instance_id or uuid.uuid4().hex
        with self._runtime.hub.transaction():
            existing = self._runtime.hub.instance(instance_id)
            if existing is not None and existing.live:
                raise AlreadyRunning(instance_id)
            begin(self._runtime, name, instance_id, payload)
        self.wake(instance_id)
        return instance_id

    def raise_event(self, instance_id: str, name: str, payload: str) -> str | None:
        """Send an event; gives the instance's status, None if there is none. Ended ones never see it."""
        instance = self._runtime.hub.instance(instance_id)
        if instance is not None and instance.live:
            raised = event(EventType.EVENT_RAISED, self._runtime.clock.now(), Name=name, Input=payload)
            self._send(instance, raised)
        return None if instance is None else instance.status

    def terminate(self, instance_id: str, reason: str) -> str | None:
        """End it as soon as the episode under way is over; running activities run on. Gives the status before."""
        instance = self._runtime.hub.instance(instance_id)
        if instance is not None and instance.live:
            self._send(instance, event(EventType.EXECUTION_TERMINATED, self._runtime.clock.now(), Input=reason))
        return None if instance is None else instance.status

    def suspend(self, instance_id: str, *, resume: bool = False) -> str | None:
        """Stop reading messages, or go on. Gives the status before."""
        before = None
        with self._runtime.hub.transaction():
            instance = self._runtime.hub.instance(instance_id)
            if instance is not None:
                before = instance.status
                if instance.live:
                    instance.status = "Running" if resume else "Suspended"
                    self._runtime.hub.put(instance)
        self.wake(instance_id)
        self._runtime.wake.set()
        return before

    def purge(self, instance_id: str) -> bool:
        """Delete an ended instance with its history; False if there is none."""
        instance = self._runtime.hub.instance(instance_id)
        if instance is None or instance.live:
            return False
        with self._runtime.hub.transaction():
            self._runtime.hub.forget(instance_id)
        return True

    async def ended(self, instance_id: str) -> Instance:
        """Wait until the instance has ended."""
        while (instance := self._runtime.hub.instance(instance_id)) is None or instance.live:
            await self._ended.setdefault(instance_id, asyncio.Event()).wait()
        return instance

    def wake(self, instance_id: str) -> asyncio.Task[None]:
        """See to it that the instance's messages are read; the task ends when there are none left."""
        self._dirty.add(instance_id)
        pump = self._pumps.get(instance_id)
        if pump is None or pump.done():
            pump = self._pumps[instance_id] = self._runtime.spawn(self._pump(instance_id))
        return pump

    def _send(self, instance: Instance, happened: Event) -> None:
        self._runtime.hub.send(instance.id, instance.execution, happened)
        self.wake(instance.id)

    async def _pump(self, instance_id: str) -> None:
        # No await between the last look at the dirty mark and the end: a message can't slip in unseen.
        while instance_id in self._dirty:
            self._dirty.discard(instance_id)
            while await self._step(instance_id):
                pass
        del self._pumps[instance_id]

    async def _step(self, instance_id: str) -> bool:
        """Read some messages; False when there is nothing to do."""
        hub = self._runtime.hub
        instance = hub.instance(instance_id)
        waiting = hub.waiting(instance_id)
        stale = [
            n for n, execution, _ in waiting if instance is None or execution != instance.execution or not instance.live
        ]
        hub.read(stale)
        waiting = [each for each in waiting if each[0] not in stale]
        if instance is None or not waiting:
            return False
        for number, _, happened in waiting:
            if happened["EventType"] == EventType.EXECUTION_TERMINATED:
                self._terminate(instance, number, happened)
                return True
        if instance.status == "Suspended":
            return False
        taken = waiting[: next_batch([happened for _, _, happened in waiting], instance.retries)]
        async with self._slots:
            await self._episode(instance, [number for number, _, _ in taken], [happened for _, _, happened in taken])
        return True

    async def _episode(self, instance: Instance, numbers: list[int], happened: list[Event]) -> None:
        runtime = self._runtime
        function = runtime.durable("orchestrationTrigger", instance.name)
        if function is None:
            raise LookupError(f"the app has no orchestrator {instance.name} any more")
        # Never before the timer that fired: the SDK would take a long timer for unfinished.
        moment = max([stamp(runtime.clock.now()), *(each["FireAt"] for each in happened if "FireAt" in each)])
        started = {**event(EventType.ORCHESTRATOR_STARTED, runtime.clock.now()), "Timestamp": moment}
        new = [started, *happened]
        context = (
            '{"history":[' + ",".join([*runtime.hub.history(instance.id), *map(json.dumps, new)]) + '],"input":'
            + json.dumps(instance.input) + ',"instanceId":' + json.dumps(instance.id)
            + ',"isReplaying":false,"parentInstanceId":' + json.dumps(instance.parent)
            + ',"upperSchemaVersion":2,"longRunningTimerIntervalDuration":"3.00:00:00"'
            + ',"maximumShortTimerDuration":"6.00:00:00"}'
        )  # fmt: skip
        parameter = str(function.trigger["name"])
        answer = await runtime.deliver(function, "episode", instance.name, json={parameter: context}, twice=True)
        woken: list[str] = []
        with runtime.hub.transaction():
            # Suspended or resumed meanwhile: the row's word counts.
            current = runtime.hub.instance(instance.id)
            if current is not None and current.execution == instance.execution:
                instance.status = current.status
                runtime.hub.read(numbers)
                result = outcome(instance, answer, runtime.violations)
                woken = apply(runtime, instance, new, result)
        for each in woken:
            self.wake(each)
        self._after(instance)

    def _terminate(self, instance: Instance, number: int, happened: Event) -> None:
        runtime = self._runtime
        with runtime.hub.transaction():
            runtime.hub.read([number])
            result = outcome(instance, None, runtime.violations, terminated=str(happened.get("Input", "")))
            woken = apply(runtime, instance, [happened], result)
        for each in woken:
            self.wake(each)
        self._after(instance)

    def _after(self, instance: Instance) -> None:
        self.on_activities()
        self._runtime.wake.set()
        if not instance.live and (ended := self._ended.pop(instance.id, None)) is not None:
            ended.set()
