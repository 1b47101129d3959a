"""The typed seam to azure-functions-durable: with hosting.py, the only place that touches its untyped API.

Only plain JSON crosses: payloads and outcomes are msgspec types, converted here. A failed activity is `ActivityFailed`.
Moving to another version of the SDK changes this file.
"""

import logging
from collections.abc import Generator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import azure.durable_functions as df
import msgspec

from shared.errors import NotStarted
from shared.run import RunKey
from shared.wire import Activity, Child

_log = logging.getLogger(__name__)

WAKE = "wake"
"""The one external event. It carries nothing: who is woken reads the row."""

type Context = df.DurableOrchestrationContext
type Steps[T] = Generator[Any, Any, T]


class ActivityFailed(Exception):
    """Raised in an orchestrator when an activity raised. The text is for people."""


class Standing(StrEnum):
    """How an orchestration stands, as the sweeper needs to know it."""

    RUNNING = "running"
    ENDED = "ended"
    GONE = "gone"


def call[P, R](context: Context, activity: Activity[P, R], payload: P, beside: "Children | None" = None) -> Steps[R]:
    """Call an activity and give its outcome; children that are to begin are begun with it. Raises ActivityFailed."""
    task = context.call_activity(activity.name, msgspec.to_builtins(payload))
    try:
        if beside is not None:
            yield from beside.begun_with(task)
        outcome = yield task
    except Exception as error:  # the SDK raises nothing narrower (functions-host facts)
        raise ActivityFailed(str(error)[:500]) from error
    return msgspec.convert(outcome, type=activity.outcome)


class _Running(msgspec.Struct, frozen=True, kw_only=True):
    child: Child[Any, Any]
    payload: Any
    task: Any


class Children:
    """Sub-orchestrations that run beside what an orchestrator goes on with, until it asks for their outcomes.

    A task only exists for Durable once it was yielded: those that were added begin with the next call, in one `task_any` with
    it. The host awaits each action of an orchestrator in turn, so a `task_any` of the children alone would hold up the call.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._added: list[Any] = []
        self._running: list[_Running] = []

    def add[P: msgspec.Struct, R](self, child: Child[P, R], payloads: Mapping[str, P]) -> None:
        """Add some, by their orchestrations' ids."""
        for orchestration_id, payload in payloads.items():
            task = self._context.call_sub_orchestrator(child.name, msgspec.to_builtins(payload), orchestration_id)
            self._added.append(task)
            self._running.append(_Running(child=child, payload=payload, task=task))

    def begun_with(self, task: Any) -> Steps[None]:
        """Begin those that were added, beside a task."""
        if self._added:
            tasks, self._added = [task, *self._added], []
            yield self._context.task_any(tasks)

    def outcomes[P, R](self, child: Child[P, R]) -> Steps[list[tuple[P, R | None]]]:
        """Wait for all of a kind that were added since this was asked: their payloads and outcomes. None: it raised.

        Those of other kinds that no call has begun yet begin with it.
        """
        mine = [one for one in self._running if one.child is child]
        self._running = [one for one in self._running if one.child is not child]
        if self._added:
            begin, self._added = self._added, []
            yield self._context.task_any(begin)
        while left := [one.task for one in mine if not one.task.is_completed]:
            with suppress(Exception):  # the SDK raises nothing narrower; whose it was shows below
                yield self._context.task_all(left)
        return [(one.payload, _outcome(one)) for one in mine]


def _outcome(one: _Running) -> Any:
    # The SDK keeps what a task raised as its result.
    result = one.task.result
    return None if isinstance(result, Exception) else msgspec.convert(result, type=one.child.outcome)


class Sleeper:
    """Waits on durable timers that an external event cuts short.

    One wait for the event is kept over all sleeps: an abandoned one would swallow the next event.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._woken: Any = None

    def sleep(self, seconds: float) -> Steps[bool]:
        """Wait, or until somebody wakes the orchestration: then True."""
        if self._woken is None:
            self._woken = self._context.wait_for_external_event(WAKE)
        timer = self._context.create_timer(self._context.current_utc_datetime + timedelta(seconds=max(seconds, 1.0)))
        first = yield self._context.task_any([timer, self._woken])
        if first is self._woken:
            self._woken = None
            # The SDK keeps an event that came before anybody waited for it, and would give it to every later wait too.
            self._context.deferred_tasks.pop(WAKE, None)
            timer.cancel()
            return True
        return False


class Hosted(msgspec.Struct, frozen=True):
    """The orchestrations of this app, through its Durable client."""

    client: df.DurableOrchestrationClient

    async def start(self, name: str, orchestration_id: str, payload: RunKey) -> None:
        """Start one. An id that runs already counts as started. Raises NotStarted."""
        if await self.standing(orchestration_id) is Standing.RUNNING:
            return
        try:
            await self.client.start_new(name, instance_id=orchestration_id, client_input=msgspec.to_builtins(payload))
        except Exception as error:  # the SDK raises bare Exceptions for every refusal
            if await self.standing(orchestration_id) is Standing.RUNNING:
                return
            raise NotStarted(f"{orchestration_id}: {type(error).__name__}") from error

    async def wake(self, orchestration_id: str) -> None:
        """Wake one. One that is not there needs no waking."""
        try:
            await self.client.raise_event(orchestration_id, WAKE, {})
        except Exception as error:  # noqa: BLE001 - as above; the row tells the truth, waking only makes it sooner
            _log.info("orchestration.not_woken orchestration_id=%s reason=%s", orchestration_id, type(error).__name__)

    async def standing(self, orchestration_id: str) -> Standing:
        """Whether it runs, ended, or is not there."""
        status = await self.client.get_status(orchestration_id)
        if status is None or status.runtime_status is None:
            return Standing.GONE
        running = (df.OrchestrationRuntimeStatus.Running, df.OrchestrationRuntimeStatus.Pending)
        alive = (*running, df.OrchestrationRuntimeStatus.ContinuedAsNew, df.OrchestrationRuntimeStatus.Suspended)
        return Standing.RUNNING if status.runtime_status in alive else Standing.ENDED

    async def purge_before(self, moment: datetime) -> None:
        """Delete the histories of instances that ended and are older than a moment."""
        ended = [
            df.OrchestrationRuntimeStatus.Completed,
            df.OrchestrationRuntimeStatus.Failed,
            df.OrchestrationRuntimeStatus.Terminated,
        ]
        await self.client.purge_instance_history_by(
            created_time_from=datetime(2000, 1, 1, tzinfo=moment.tzinfo), created_time_to=moment, runtime_status=ended
        )
