"""Sub-orchestrations beside an orchestrator's own steps, as the SDK replays them from a history."""

import json
from collections.abc import Sequence
from typing import Any

import azure.durable_functions as df
import msgspec
import pytest

from shared.durable import Children, Context, Steps, call
from shared.wire import Activity, Child
from tests.sandbox.host.history import EventType

pytestmark = pytest.mark.filterwarnings("ignore:azure.functions df_loads was called without expected_type")


class Number(msgspec.Struct, frozen=True):
    """A payload, and an outcome."""

    value: int


_LOOK: Activity[Number, Number] = Activity(name="look", payload=Number, outcome=Number)
_MEND, _TELL = Child(name="mend", payload=Number, outcome=Number), Child(name="tell", payload=Number, outcome=Number)
_AT = "2026-03-02T20:00:00Z"

type Event = tuple[EventType, dict[str, Any]]


def story(context: Context) -> Steps[list[Any]]:
    """Two looks; what the first finds is mended, and told, beside the second."""
    children = Children(context)
    yield from call(context, _LOOK, Number(1), children)
    children.add(_MEND, {"one": Number(1), "two": Number(2)})
    children.add(_TELL, {"three": Number(3)})
    looked = yield from call(context, _LOOK, Number(2), children)
    told = yield from children.outcomes(_TELL)
    mended = yield from children.outcomes(_MEND)
    return [looked.value, *([one.value, outcome and outcome.value] for one, outcome in (*told, *mended))]


def replayed(*episodes: Sequence[Event]) -> dict[str, Any]:
    """What the host is told after these episodes."""
    history = [
        {"EventType": kind, "EventId": -1, "IsPlayed": False, "Timestamp": _AT, **more}
        for episode in episodes
        for kind, more in ((EventType.ORCHESTRATOR_STARTED, {}), *episode, (EventType.ORCHESTRATOR_COMPLETED, {}))
    ]
    context = {
        "history": history[:-1],
        "input": None,
        "instanceId": "id",
        "isReplaying": False,
        "parentInstanceId": None,
        "upperSchemaVersion": 2,
        "longRunningTimerIntervalDuration": "3.00:00:00",
        "maximumShortTimerDuration": "6.00:00:00",
    }
    orchestrator = df.Orchestrator(story)
    told: dict[str, Any] = json.loads(
        orchestrator.handle(df.DurableOrchestrationContext.from_json(json.dumps(context)))
    )
    return told


def done(kind: EventType, scheduled: int, value: int) -> Event:
    return kind, {"TaskScheduledId": scheduled, "Result": json.dumps({"value": value})}


_BEGINS: Event = (EventType.EXECUTION_STARTED, {"Name": "story", "Input": None, "Version": None})
_FIRST = done(EventType.TASK_COMPLETED, 0, 10)
_SECOND = done(EventType.TASK_COMPLETED, 1, 20)
_LOST: Event = (EventType.SUB_ORCHESTRATION_FAILED, {"TaskScheduledId": 2, "Reason": "lost", "Details": ""})
_MENDED = done(EventType.SUB_ORCHESTRATION_COMPLETED, 3, 200)
_TOLD = done(EventType.SUB_ORCHESTRATION_COMPLETED, 4, 300)
_CREATED: list[Event] = [
    (EventType.TASK_SCHEDULED, {"EventId": 1, "Name": "look"}),
    *((EventType.SUB_ORCHESTRATION_CREATED, {"EventId": number, "Name": "mend"}) for number in (2, 3, 4)),
]
_SCHEDULED: Event = (EventType.TASK_SCHEDULED, {"EventId": 0, "Name": "look"})


def test_children_begin_with_the_next_call_in_one_action() -> None:
    told = replayed([_BEGINS, _SCHEDULED], [_FIRST])

    [_, beside] = told["actions"][0]
    assert [one["functionName"] for one in beside["compoundActions"]] == ["look", "mend", "mend", "tell"]
    assert not told["isDone"]


def test_a_child_that_ends_first_wakes_nobody_before_the_call_is_over() -> None:
    told = replayed([_BEGINS, _SCHEDULED], [_FIRST, *_CREATED], [_MENDED], [_TOLD])

    assert len(told["actions"][0]) == 2
    assert not told["isDone"]


def test_outcomes_come_by_kind_in_order_and_of_one_that_raised_there_is_none() -> None:
    for after in ([_MENDED, _SECOND, _LOST, _TOLD], [_LOST, _TOLD, _MENDED, _SECOND], [_SECOND, _LOST, _TOLD, _MENDED]):
        told = replayed([_BEGINS, _SCHEDULED], [_FIRST, *_CREATED], *([one] for one in after))

        assert told["isDone"], after
        assert told["output"] == [20, [3, 300], [1, None], [2, 200]]


def test_while_one_is_still_running_it_is_waited_for_also_where_another_raised() -> None:
    told = replayed([_BEGINS, _SCHEDULED], [_FIRST, *_CREATED], [_SECOND], [_TOLD], [_LOST])

    assert not told["isDone"]
