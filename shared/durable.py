"""The typed seam to azure-functions-durable: with hosting.py, the only place that touches its untyped API.

Only plain JSON crosses: payloads and outcomes are msgspec types, converted here. A failed activity is `ActivityFailed`.
Moving to another version of the SDK changes this file.
"""

import logging
from collections.abc import Generator, Mapping
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


def call[P, R](context: Context, activity: Activity[P, R], payload: P) -> Steps[R]:
    """Call an activity and give its outcome. Raises ActivityFailed."""
    try:
        outcome = yield context.call_activity(activity.name, msgspec.to_builtins(payload))
    except Exception as error:  # the SDK raises nothing narrower (functions-host facts)
        raise ActivityFailed(str(error)[:500]) from error
    return msgspec.convert(outcome, type=activity.outcome)


def call_children[P, R](context: Context, child: Child[P, R], payloads: Mapping[str, P]) -> Steps[list[R]]:
    """Run sub-orchestrations side by side, by their ids. Raises ActivityFailed where one raised."""
    if not payloads:
        return []
    tasks = [
        context.call_sub_orchestrator(child.name, msgspec.to_builtins(payload), orchestration_id)
        for orchestration_id, payload in payloads.items()
    ]
    try:
        outcomes = yield context.task_all(tasks)
    except Exception as error:  # the SDK raises nothing narrower (functions-host facts)
        raise ActivityFailed(str(error)[:500]) from error
    return [msgspec.convert(outcome, type=child.outcome) for outcome in outcomes]


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


class Orchestrations(msgspec.Struct, frozen=True):
    """What triggers may do with orchestrations."""

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
