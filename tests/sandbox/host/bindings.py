"""What the app told about its functions, and what host.json says about running them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.sandbox.host.messages import Function


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionInfo:
    """One function of the app."""

    name: str
    function_id: str
    bindings: list[dict[str, Any]]

    @property
    def trigger(self) -> dict[str, Any]:
        """The binding that starts the function."""
        return next(each for each in self.bindings if str(each["type"]).lower().endswith("trigger"))

    @property
    def kind(self) -> str:
        """The trigger's type, for example httpTrigger."""
        return str(self.trigger["type"])

    @property
    def durable_name(self) -> str:
        """The name by which orchestrations call it."""
        return str(self.trigger.get("orchestration") or self.trigger.get("activity") or self.name)

    @property
    def clients(self) -> list[str]:
        """The parameters that take a durable client."""
        return [str(each["name"]) for each in self.bindings if each["type"] == "durableClient"]


_KINDS = {"httptrigger": "httpTrigger", "timertrigger": "timerTrigger"}


def read_functions(found: list[Function]) -> list[FunctionInfo]:
    """Decode the worker's metadata. Entities and other triggers are refused loudly."""
    functions = []
    for each in found:
        bindings = [json.loads(text) for text in each.bindings]
        for binding in bindings:
            binding["type"] = _KINDS.get(str(binding["type"]).lower(), binding["type"])
        function = FunctionInfo(name=each.name, function_id=each.function_id, bindings=bindings)
        if function.kind not in {"httpTrigger", "timerTrigger", "orchestrationTrigger", "activityTrigger"}:
            raise NotImplementedError(f"{each.name}: the driver knows no {function.kind}")
        functions.append(function)
    return functions


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSettings:
    """The part of host.json that the driver obeys; the defaults are Azure's on one core of the Consumption plan."""

    route_prefix: str = "api"
    task_hub: str = "TestHubName"
    activities_at_once: int = 10
    episodes_at_once: int = 10

    @classmethod
    def read(cls, directory: Path) -> "HostSettings":
        """Read host.json of the app, if it has one."""
        path = directory / "host.json"
        extensions = json.loads(path.read_text()).get("extensions", {}) if path.exists() else {}
        durable = extensions.get("durableTask", {})
        return cls(
            route_prefix=str(extensions.get("http", {}).get("routePrefix", "api")).strip("/"),
            task_hub=str(durable.get("hubName", "TestHubName")),
            activities_at_once=int(durable.get("maxConcurrentActivityFunctions", 10)),
            episodes_at_once=int(durable.get("maxConcurrentOrchestratorFunctions", 10)),
        )
