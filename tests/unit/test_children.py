"""Sub-orchestrations beside an orchestrator's own steps, as the SDK replays them from a history."""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import azure.durable_functions as df
import msgspec
import pytest

from shared.durable import Children, Context, Steps, call
from shared.renewal.messages import Page, Wish
from shared.renewal.orchestrator import renew_eligibilities
from shared.run import RunKey
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
    """Two looks; what the first finds is mended beside the second, and what the second finds is told."""
    children = Children(context)
    yield from call(context, _LOOK, Number(1), children)
    children.add(_MEND, {"one": Number(1), "two": Number(2)})
    looked = yield from call(context, _LOOK, Number(2), children)
    children.add(_TELL, {"three": Number(3)})
    mended = yield from children.outcomes(_MEND)
    told = yield from children.outcomes(_TELL)
    return [looked.value, *([one.value, outcome and outcome.value] for one, outcome in (*mended, *told))]


def replayed(*episodes: Sequence[Event], orchestrator: Any = story) -> dict[str, Any]:
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
    handled = df.Orchestrator(orchestrator).handle(df.DurableOrchestrationContext.from_json(json.dumps(context)))
    told: dict[str, Any] = json.loads(handled)
    return told


def done(kind: EventType, scheduled: int, outcome: object) -> Event:
    return kind, {"TaskScheduledId": scheduled, "Result": msgspec.json.encode(outcome).decode()}


_BEGINS: Event = (EventType.EXECUTION_STARTED, {"Name": "story", "Input": None, "Version": None})
_FIRST = done(EventType.TASK_COMPLETED, 0, Number(10))
_SECOND = done(EventType.TASK_COMPLETED, 1, Number(20))
_LOST: Event = (EventType.SUB_ORCHESTRATION_FAILED, {"TaskScheduledId": 2, "Reason": "lost", "Details": ""})
_MENDED = done(EventType.SUB_ORCHESTRATION_COMPLETED, 3, Number(200))
_TOLD = done(EventType.SUB_ORCHESTRATION_COMPLETED, 4, Number(300))
_BESIDE: list[Event] = [
    (EventType.TASK_SCHEDULED, {"EventId": 1, "Name": "look"}),
    *((EventType.SUB_ORCHESTRATION_CREATED, {"EventId": number, "Name": "mend"}) for number in (2, 3)),
]
_AFTER: Event = (EventType.SUB_ORCHESTRATION_CREATED, {"EventId": 4, "Name": "tell"})
_SCHEDULED: Event = (EventType.TASK_SCHEDULED, {"EventId": 0, "Name": "look"})


def asked(told: dict[str, Any]) -> list[list[str]]:
    """What the host is asked for, action by action."""
    return [[one["functionName"] for one in action.get("compoundActions", [action])] for action in told["actions"][0]]


def test_children_begin_with_the_next_call_in_one_action() -> None:
    told = replayed([_BEGINS, _SCHEDULED], [_FIRST])

    assert asked(told) == [["look"], ["look", "mend", "mend"]]
    assert not told["isDone"]


def test_a_child_that_ends_first_wakes_nobody_before_the_call_is_over() -> None:
    told = replayed([_BEGINS, _SCHEDULED], [_FIRST, *_BESIDE], [_MENDED])

    assert len(asked(told)) == 2
    assert not told["isDone"]


def test_those_that_no_call_follows_begin_before_others_are_waited_for() -> None:
    told = replayed([_BEGINS, _SCHEDULED], [_FIRST, *_BESIDE], [_SECOND])

    assert asked(told) == [["look"], ["look", "mend", "mend"], ["tell"]]
    assert not told["isDone"]


def test_outcomes_come_by_kind_in_order_and_of_one_that_raised_there_is_none() -> None:
    for before, after in (
        ([_MENDED], [_LOST, _TOLD]),
        ([_LOST, _MENDED], [_TOLD]),
        ([], [_TOLD, _MENDED, _LOST]),
        ([], [_LOST, _TOLD, _MENDED]),
    ):
        began = [[_BEGINS, _SCHEDULED], [_FIRST, *_BESIDE], *([one] for one in before)]
        told = replayed(*began, [_SECOND, _AFTER], *([one] for one in after))

        assert told["isDone"], (before, after)
        assert told["output"] == [20, [1, None], [2, 200], [3, 300]]


def test_while_one_is_still_running_it_is_waited_for_also_where_another_raised() -> None:
    told = replayed([_BEGINS, _SCHEDULED], [_FIRST, *_BESIDE], [_SECOND, _AFTER], [_TOLD], [_LOST])

    assert not told["isDone"]


def test_a_tenant_that_two_pages_list_is_renewed_once() -> None:
    run = RunKey(subject="renewal-2026-03-02", number=1, nonce="n")
    wish = Wish(date=date(2026, 3, 2))
    first = done(EventType.TASK_COMPLETED, 0, Page(wish=wish, cursor={"a": "b"}, looked_at=1, due=("t",)))
    second = done(EventType.TASK_COMPLETED, 1, Page(wish=wish, looked_at=2, due=("t", "u")))

    told = replayed(
        [_BEGINS, _SCHEDULED],
        [first, _BESIDE[0], _BESIDE[1]],
        [second],
        orchestrator=lambda context: renew_eligibilities(context, run),
    )

    assert asked(told) == [
        ["plan_renewals"],
        ["plan_renewals", "renew_tenant"],
        ["plan_subscription_renewals", "renew_tenant"],
    ]
