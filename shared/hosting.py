"""Registering functions with the host, by call: the plain functions stay what they are, for tests and for mypy.

The wrappers get this process's services and convert payloads. Annotations are what the worker can read: plain
classes only.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import azure.durable_functions as df
import azure.functions as func
import msgspec

from shared.durable import Context, Hosted, Steps
from shared.operations import Operation
from shared.plain_hosting import at_route, at_times
from shared.problems import guarded
from shared.run import RunKey
from shared.services import Services, current
from shared.wire import Activity, Child


def register_activity[P, R](
    app: df.Blueprint, activity: Activity[P, R], function: Callable[[Services, P], Awaitable[R]]
) -> None:
    """Register an async activity under its wire name."""

    async def run(payload: dict) -> dict:  # type: ignore[type-arg]  # the worker refuses subscripted annotations
        outcome = await function(await current(), msgspec.convert(payload, type=activity.payload))
        answer: dict[str, Any] = msgspec.to_builtins(outcome)
        return answer

    run.__name__ = activity.name
    app.function_name(activity.name)(app.activity_trigger(input_name="payload")(run))


def register_orchestrator(app: df.Blueprint, name: str, function: Callable[[Context, RunKey], Steps[None]]) -> None:
    """Register an orchestrator that is started with the key of a run."""
    _register(app, name, as_generator(function, RunKey))


def register_child[P, R](app: df.Blueprint, child: Child[P, R], function: Callable[[Context, P], Steps[R]]) -> None:
    """Register an orchestrator that others call."""
    _register(app, child.name, as_generator(function, child.payload))


def _register(app: df.Blueprint, name: str, generator: Callable[[df.DurableOrchestrationContext], Steps[Any]]) -> None:
    generator.__name__ = name
    app.function_name(name)(app.orchestration_trigger(context_name="context")(generator))


def as_generator[P](
    function: Callable[[Context, P], Steps[Any]], payload: type[P]
) -> Callable[[df.DurableOrchestrationContext], Steps[Any]]:
    """An orchestrator as the SDK runs it: a generator of its context alone."""

    def generator(context: df.DurableOrchestrationContext) -> Steps[Any]:
        outcome = yield from function(context, msgspec.convert(context.get_input(), type=payload))
        return msgspec.to_builtins(outcome)

    return generator


def register_timer(
    app: df.Blueprint, name: str, schedule: str, function: Callable[[Services, Hosted], Awaitable[None]]
) -> None:
    """Register a timer that may start orchestrations. `schedule` is six-field NCRONTAB, in UTC."""

    async def run(timer: func.TimerRequest, client) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001, ARG001 - the host binds them by name
        await function(await current(), Hosted(client))

    run.__name__ = name
    at_times(app, name, schedule, app.durable_client_input(client_name="client")(run))


def register_operation(app: df.Blueprint, operation: Operation) -> None:
    """Register an HTTP function that may start and wake orchestrations."""
    function = guarded(operation.function, operation.pages)

    async def run(req: func.HttpRequest, client) -> func.HttpResponse:  # type: ignore[no-untyped-def]  # noqa: ANN001 - as above
        return await function(await current(), Hosted(client), req)

    run.__name__ = operation.name
    at_route(app, operation, app.durable_client_input(client_name="client")(run))
