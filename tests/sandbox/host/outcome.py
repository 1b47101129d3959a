"""Reads the worker's answer to an episode: how it ended and what it asks for. Pure but for naming violations."""

import json
from dataclasses import dataclass
from typing import Any

from tests.sandbox.host.history import ActionType, number_new
from tests.sandbox.host.hub import Instance
from tests.sandbox.host.messages import Answer

_OUT_OF_PROCESS_DATA = "$OutOfProcData$:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an episode ended. No ending means that the orchestration goes on."""

    actions: list[Any]
    custom_status: str | None = None
    ending: str | None = None
    output: str | None = None


def outcome(instance: Instance, answer: Answer | None, violations: list[str], *, terminated: str = "") -> Outcome:
    """Read the answer. Two runs that differ end the instance, loudly."""
    if answer is None:
        return Outcome(
            actions=[each.action for each in instance.actions], ending="Terminated", output=json.dumps(terminated)
        )
    if answer.error is None and answer.result is not None:
        if answer.second is None or json.loads(answer.result) != _parsed(answer.second):
            return _not_deterministic(instance, violations, f"{answer.result} and then {answer.second}")
        state, failure = json.loads(answer.result), None
    else:
        message, _, data = (answer.error or "no result").partition(_OUT_OF_PROCESS_DATA)
        again, _, second = (answer.second or "").partition(_OUT_OF_PROCESS_DATA)
        if message != again or data != second:
            return _not_deterministic(instance, violations, f"{answer.error} and then {answer.second}")
        state = json.loads(data) if data else {"actions": [each.action for each in instance.actions]}
        failure = message.strip().removeprefix("Exception: ")
    custom = json.dumps(state["customStatus"]) if "customStatus" in state else None
    try:
        number_new(instance.actions, state["actions"], 0)
    except ValueError as changed:
        return _not_deterministic(instance, violations, str(changed))
    except NotImplementedError as unknown:
        violations.append(f"{instance.name} {instance.id}: {unknown}")
        return Outcome(actions=[], ending="Failed", output=json.dumps(str(unknown)))
    if failure is not None:
        text = f"Orchestrator function '{instance.name}' failed: {failure}"
        return Outcome(actions=state["actions"], custom_status=custom, ending="Failed", output=json.dumps(text))
    ending = None
    if state["isDone"]:
        last = state["actions"][-1][-1:] if state["actions"] else []
        ending = "ContinuedAsNew" if last and last[0]["actionType"] == ActionType.CONTINUE_AS_NEW else "Completed"
    return Outcome(
        actions=state["actions"], custom_status=custom, ending=ending, output=json.dumps(state.get("output"))
    )


def _parsed(text: str) -> object:
    try:
        parsed: object = json.loads(text)
    except ValueError:
        return None
    return parsed


def _not_deterministic(instance: Instance, violations: list[str], what: str) -> Outcome:
    text = f"NonDeterministic: {instance.name} {instance.id}: {what}"
    violations.append(text)
    actions = [each.action for each in instance.actions]
    return Outcome(actions=actions, ending="Failed", output=json.dumps(text))
