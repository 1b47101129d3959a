"""Replays a recorded history through a current orchestrator, as the host would after an upgrade of the app."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import azure.durable_functions as df

from shared.activation.orchestrator import follow_activation
from shared.activation.record import RUN_KIND
from shared.hosting import as_generator
from shared.lockdown import messages as lockdown
from shared.lockdown.night_orchestrator import look_after_subscriptions
from shared.lockdown.orchestrator import lock_down_subscription
from shared.renewal import messages as renewal
from shared.renewal.orchestrator import renew_eligibilities, renew_subscription, renew_tenant
from shared.run import RunKey
from shared.running.acts import ORCHESTRATORS
from shared.running.orchestrator import follow_plan
from shared.tenants.record import Goal
from shared.upkeep.messages import KIND
from shared.upkeep.orchestrator import look_after_tenants
from tests.sandbox.host.history import ActionType, EventType, flat

HISTORIES = Path(__file__).with_name("histories")

CURRENT: dict[str, tuple[Any, Any]] = {
    **{ORCHESTRATORS[goal]: (follow_plan, RunKey) for goal in Goal if goal in ORCHESTRATORS},
    ORCHESTRATORS[KIND]: (look_after_tenants, RunKey),
    ORCHESTRATORS[renewal.KIND]: (renew_eligibilities, RunKey),
    ORCHESTRATORS[RUN_KIND]: (follow_activation, RunKey),
    ORCHESTRATORS[lockdown.KIND]: (lock_down_subscription, RunKey),
    ORCHESTRATORS[lockdown.NIGHT_KIND]: (look_after_subscriptions, RunKey),
    renewal.RENEW_ONE.name: (renew_tenant, renewal.RENEW_ONE.payload),
    renewal.RENEW_ONE_SUBSCRIPTION.name: (renew_subscription, renewal.RENEW_ONE_SUBSCRIPTION.payload),
}
"""The orchestrators of today, with what they are called with, by their registered names."""

_SCHEDULED = (EventType.TASK_SCHEDULED, EventType.TIMER_CREATED, EventType.SUB_ORCHESTRATION_CREATED)
_UNNUMBERED = (ActionType.WAIT_FOR_EXTERNAL_EVENT,)


def recorded(name: str) -> dict[str, Any]:
    """A recorded run: which orchestrator, its id, and its history."""
    found: dict[str, Any] = json.loads((HISTORIES / f"{name}.json").read_text(encoding="utf-8"))
    return found


def scheduled(history: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """What the run asked for, in order: activities with their payloads, timers with their times."""
    return [
        (str(each.get("Name") or "timer"), str(each.get("Input") or each.get("FireAt")))
        for each in history
        if each["EventType"] in _SCHEDULED
    ]


def replayed(run: Mapping[str, Any], *, events: int | None = None) -> tuple[list[tuple[str, str]], bool]:
    """What the current orchestrator asks for on that history, or on its first events, and whether it then ends.

    Raises what the orchestrator or the SDK raises.
    """
    history = run["history"][:events]
    context = json.dumps(
        {
            "history": history,
            "input": run["input"],
            "instanceId": run["id"],
            "isReplaying": True,
            "parentInstanceId": None,
            "upperSchemaVersion": 2,
            "longRunningTimerIntervalDuration": "3.00:00:00",
            "maximumShortTimerDuration": "6.00:00:00",
        }
    )
    orchestrator = df.Orchestrator(as_generator(*CURRENT[run["orchestrator"]]))
    told = json.loads(orchestrator.handle(df.DurableOrchestrationContext.from_json(context)))
    asked = [
        (str(action.get("functionName") or "timer"), str(action.get("input") or action.get("fireAt")))
        for action in flat(told["actions"])
        if ActionType(action["actionType"]) not in _UNNUMBERED
    ]
    return asked, bool(told["isDone"])
