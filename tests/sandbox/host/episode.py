"""Writes the consequences of an episode: history, actions and state, within the caller's transaction."""

import json
import uuid
from typing import Any

from tests.sandbox.host.history import (
    ActionType,
    Event,
    EventType,
    Retry,
    Scheduled,
    event,
    is_retried,
    number_new,
    retry_interval,
    stamp,
    unconsumed,
    unstamp,
)
from tests.sandbox.host.hub import Instance
from tests.sandbox.host.outcome import Outcome
from tests.sandbox.host.runtime import Runtime


def begin(
    runtime: Runtime,
    name: str,
    instance_id: str,
    payload: str | None,
    *,
    parent: Instance | None = None,
    task: int | None = None,
    carried: list[Event] | None = None,
) -> None:
    """Put a fresh instance and its first message into the hub, over whatever had the id."""
    now = runtime.clock.now()
    created = Instance(
        id=instance_id,
        execution=uuid.uuid4().hex,
        name=name,
        status="Pending",
        input=payload,
        created=now.timestamp(),
        updated=now.timestamp(),
        parent=parent.id if parent else None,
        parent_execution=parent.execution if parent else None,
        parent_task=task,
    )
    runtime.hub.forget(instance_id)
    runtime.hub.put(created)
    _send_start(runtime, created, carried or [])


def _send_start(runtime: Runtime, instance: Instance, carried: list[Event]) -> None:
    first = event(
        EventType.EXECUTION_STARTED, runtime.clock.now(), Name=instance.name, Input=instance.input, Version=None
    )
    for each in (first, *carried):
        runtime.hub.send(instance.id, instance.execution, each)


def apply(runtime: Runtime, instance: Instance, new: list[Event], result: Outcome) -> list[str]:
    """Write history, actions and state; gives the instances that have got a message."""
    woken: list[str] = []
    now = runtime.clock.now()
    scheduled = _retry(runtime, instance, new, woken)
    before = instance.actions
    if result.actions:
        instance.actions, instance.next_number = number_new(before, result.actions, instance.next_number)
    for earlier, later in zip(before, instance.actions, strict=False):
        if later.canceled and not earlier.canceled and later.number is not None:
            runtime.hub.drop_timer(instance.id, later.number)
    for each in instance.actions[len(before) :]:
        scheduled += _schedule(runtime, instance, each, woken)
    events = [*new, *scheduled, event(EventType.ORCHESTRATOR_COMPLETED, now)]
    instance.updated = now.timestamp()
    instance.custom_status = result.custom_status if result.custom_status is not None else instance.custom_status
    if instance.status == "Pending":
        instance.status = "Running"
    if result.ending == "ContinuedAsNew":
        _continue_as_new(runtime, instance, events)
        return [*woken, instance.id]
    if result.ending is not None:
        instance.status, instance.output = result.ending, result.output
        events.append(
            event(EventType.EXECUTION_COMPLETED, now, OrchestrationStatus=result.ending, Result=result.output)
        )
        runtime.hub.drop_timers(instance.id)
        woken += _tell_parent(runtime, instance)
    runtime.hub.append(instance.id, events)
    runtime.hub.put(instance)
    return woken


def _retry(runtime: Runtime, instance: Instance, new: list[Event], woken: list[str]) -> list[Event]:
    """A failed call with a retry policy is followed by a timer, its timer by another try. Takes the next number."""
    number = is_retried(new[-1], instance.retries)
    if number is None:
        return []
    retry = instance.retries.pop(number)
    now = runtime.clock.now()
    if new[-1]["EventType"] == EventType.TIMER_FIRED:
        if retry.exhausted:
            return []
        again = Scheduled(number=_take_number(instance), action=retry.action)
        return _schedule(runtime, instance, again, woken, attempt=retry.attempt + 1)
    # Also after the last try: the SDK counts the tries only when this timer has fired.
    interval = retry_interval(retry.action)
    due = unstamp(new[0]["Timestamp"]) + interval if interval else now
    timer = _take_number(instance)
    instance.retries[timer] = retry
    runtime.hub.add_timer(instance, timer, due.timestamp())
    return [event(EventType.TIMER_CREATED, now, timer, FireAt=stamp(due))]


def _take_number(instance: Instance) -> int:
    number = instance.next_number
    instance.next_number += 1
    return number


def _schedule(
    runtime: Runtime, instance: Instance, what: Scheduled, woken: list[str], *, attempt: int = 1
) -> list[Event]:
    number, action, now = what.number, what.action, runtime.clock.now()
    if number is None:
        return []
    if retry_interval(action) is not None:
        instance.retries[number] = Retry(action=action, attempt=attempt)
    match what.kind:
        case ActionType.CALL_ACTIVITY | ActionType.CALL_ACTIVITY_WITH_RETRY:
            name = action["functionName"]
            runtime.hub.queue_activity(instance, number, name, action["input"])
            return [event(EventType.TASK_SCHEDULED, now, number, Name=name, Input=action["input"])]
        case ActionType.CREATE_TIMER:
            if not what.canceled:
                runtime.hub.add_timer(instance, number, unstamp(action["fireAt"]).timestamp())
            return [event(EventType.TIMER_CREATED, now, number, FireAt=action["fireAt"])]
        case _:
            name, child = action["functionName"], action.get("instanceId") or f"{instance.execution}:{number}"
            woken.append(_start_child(runtime, instance, number, child, action))
            fields = {"Name": name, "InstanceId": child, "Input": action["input"]}
            return [event(EventType.SUB_ORCHESTRATION_CREATED, now, number, **fields)]


def _start_child(runtime: Runtime, parent: Instance, task: int, child: str, action: dict[str, Any]) -> str:
    """Start a sub-orchestration; gives the instance that got a message: the child, or the parent if that can't be."""
    name = action["functionName"]
    existing = runtime.hub.instance(child)
    refusal = ""
    if runtime.durable("orchestrationTrigger", name) is None:
        refusal = f"the app has no orchestrator {name}"
    elif existing is not None and existing.live:
        refusal = f"an orchestration with the id {child} is running"
    if refusal:
        runtime.violations.append(f"{parent.name} {parent.id}: {refusal}")
        failed = event(
            EventType.SUB_ORCHESTRATION_FAILED,
            runtime.clock.now(),
            TaskScheduledId=task,
            Reason=refusal,
            Details=refusal,
        )
        runtime.hub.send(parent.id, parent.execution, failed)
        return parent.id
    begin(runtime, name, child, action["input"], parent=parent, task=task)
    return child


def _tell_parent(runtime: Runtime, instance: Instance) -> list[str]:
    if instance.parent is None or instance.parent_execution is None:
        return []
    now = runtime.clock.now()
    if instance.status == "Completed":
        told = event(
            EventType.SUB_ORCHESTRATION_COMPLETED, now, TaskScheduledId=instance.parent_task, Result=instance.output
        )
    else:
        reason = f"The sub-orchestrator function '{instance.name}' ended as {instance.status}: {instance.output}"
        told = event(
            EventType.SUB_ORCHESTRATION_FAILED, now, TaskScheduledId=instance.parent_task, Reason=reason, Details=reason
        )
    runtime.hub.send(instance.parent, instance.parent_execution, told)
    return [instance.parent]


def _continue_as_new(runtime: Runtime, instance: Instance, events: list[Event]) -> None:
    history = [json.loads(text) for text in runtime.hub.history(instance.id)] + events
    carried = unconsumed(history, instance.actions)
    unread = runtime.hub.waiting(instance.id)
    kept = {EventType.EVENT_RAISED, EventType.EXECUTION_TERMINATED}
    carried += [each for _, _, each in unread if each["EventType"] in kept]
    runtime.hub.read([number for number, _, _ in unread])
    runtime.hub.clear_history(instance.id)
    runtime.hub.drop_timers(instance.id)
    instance.input = instance.actions[-1].action["input"]
    instance.execution = uuid.uuid4().hex
    instance.next_number, instance.actions, instance.retries = 0, [], {}
    runtime.hub.put(instance)
    _send_start(runtime, instance, carried)
