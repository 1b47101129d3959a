"""The history of an orchestration as the SDK reads it, and the actions that it answers with. Pure.

The SDK numbers what it schedules (activities, sub-orchestrations, timers) in the order of its actions; the driver has
to come to the same numbers. Retries are numbered when their failure or timer is read, which is why such an event gets
an episode of its own: within it, the retry's number comes before those of the new actions.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any

type Event = dict[str, Any]


class EventType(IntEnum):
    """The kinds of history events."""

    EXECUTION_STARTED = 0
    EXECUTION_COMPLETED = 1
    EXECUTION_TERMINATED = 3
    TASK_SCHEDULED = 4
    TASK_COMPLETED = 5
    TASK_FAILED = 6
    SUB_ORCHESTRATION_CREATED = 7
    SUB_ORCHESTRATION_COMPLETED = 8
    SUB_ORCHESTRATION_FAILED = 9
    TIMER_CREATED = 10
    TIMER_FIRED = 11
    ORCHESTRATOR_STARTED = 12
    ORCHESTRATOR_COMPLETED = 13
    EVENT_RAISED = 15


class ActionType(IntEnum):
    """The kinds of actions."""

    CALL_ACTIVITY = 0
    CALL_ACTIVITY_WITH_RETRY = 1
    CALL_SUB_ORCHESTRATION = 2
    CALL_SUB_ORCHESTRATION_WITH_RETRY = 3
    CONTINUE_AS_NEW = 4
    CREATE_TIMER = 5
    WAIT_FOR_EXTERNAL_EVENT = 6
    CALL_ENTITY = 7
    CALL_HTTP = 8
    SIGNAL_ENTITY = 9


_NAMES = {
    ActionType.CALL_ENTITY: "entities",
    ActionType.SIGNAL_ENTITY: "entities",
    ActionType.CALL_HTTP: "durable HTTP",
}
_UNNUMBERED = {ActionType.WAIT_FOR_EXTERNAL_EVENT, ActionType.CONTINUE_AS_NEW}


def stamp(moment: datetime) -> str:
    """A time as the history writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def unstamp(text: str) -> datetime:
    """The time that a history or an action wrote."""
    return datetime.fromisoformat(text)


def event(kind: EventType, moment: datetime, number: int = -1, **fields: object) -> Event:
    """A history event."""
    return {"EventType": int(kind), "EventId": number, "IsPlayed": False, "Timestamp": stamp(moment), **fields}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """An action with the number that the SDK gave it; waits and continue-as-new have none."""

    number: int | None
    action: dict[str, Any]

    @property
    def kind(self) -> ActionType:
        return ActionType(self.action["actionType"])

    @property
    def canceled(self) -> bool:
        return bool(self.action.get("isCanceled"))

    def same_as(self, other: "Scheduled") -> bool:
        """Whether a replay asked for the same thing; a timer may have been cancelled since."""
        return _without_cancel(self.action) == _without_cancel(other.action)


def _without_cancel(action: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in action.items() if key != "isCanceled"}


def flat(actions: Sequence[Any]) -> Iterator[dict[str, Any]]:
    """The single actions in the order of their numbers. Raises NotImplementedError for what the driver doesn't run."""
    for action in actions:
        if isinstance(action, list):
            yield from flat(action)
        elif "compoundActions" in action:
            yield from flat(action["compoundActions"])
        else:
            kind = ActionType(action["actionType"])
            if kind in _NAMES:
                raise NotImplementedError(f"the driver runs no {_NAMES[kind]}")
            yield action


def number_new(known: Sequence[Scheduled], actions: Sequence[Any], next_number: int) -> tuple[list[Scheduled], int]:
    """All actions with their numbers; new ones take the next. Raises ValueError if the past changed."""
    asked = list(flat(actions))
    if len(asked) < len(known):
        raise ValueError(f"a replay asked for {len(asked)} actions, before it were {len(known)}")
    numbered: list[Scheduled] = []
    for position, action in enumerate(asked):
        if position < len(known):
            again = Scheduled(number=known[position].number, action=action)
            if not again.same_as(known[position]):
                raise ValueError(f"a replay asked for {json.dumps(action)}, before it was {known[position].action}")
            numbered.append(again)
        elif ActionType(action["actionType"]) in _UNNUMBERED:
            numbered.append(Scheduled(number=None, action=action))
        else:
            numbered.append(Scheduled(number=next_number, action=action))
            next_number += 1
    return numbered, next_number


def retry_interval(action: dict[str, Any]) -> timedelta | None:
    """How long to wait before a retry, if the action has a retry policy."""
    options = action.get("retryOptions")
    return timedelta(milliseconds=options["firstRetryIntervalInMilliseconds"]) if options else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """A task or timer that belongs to a call with a retry policy."""

    action: dict[str, Any]
    attempt: int

    @property
    def exhausted(self) -> bool:
        return self.attempt >= int(self.action["retryOptions"]["maxNumberOfAttempts"])


def is_retried(happened: Event, retries: dict[int, Retry]) -> int | None:
    """The number of the retry that the event concerns: a failed task of it, or its timer."""
    kind = happened["EventType"]
    if kind in {EventType.TASK_FAILED, EventType.SUB_ORCHESTRATION_FAILED}:
        number = happened["TaskScheduledId"]
    elif kind == EventType.TIMER_FIRED:
        number = happened["TimerId"]
    else:
        return None
    return number if number in retries else None


def next_batch(waiting: Sequence[Event], retries: dict[int, Retry]) -> int:
    """How many of the waiting events the next episode takes."""
    for position, happened in enumerate(waiting):
        if is_retried(happened, retries) is not None:
            return max(position, 1)
    return len(waiting)


def unconsumed(events: Sequence[Event], numbered: Sequence[Scheduled]) -> list[Event]:
    """The raised events that no wait has taken: continue-as-new hands them on."""
    waits: dict[str, int] = {}
    for each in numbered:
        if each.kind is ActionType.WAIT_FOR_EXTERNAL_EVENT:
            name = each.action["externalEventName"]
            waits[name] = waits.get(name, 0) + 1
    left = []
    for happened in events:
        if happened["EventType"] == EventType.EVENT_RAISED:
            name = happened["Name"]
            waits[name] = waits.get(name, 0) - 1
            if waits[name] < 0:
                left.append(happened)
    return left
