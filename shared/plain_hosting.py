"""Registering functions with the host where the app has no orchestrations: they are another app's. As in hosting.py."""

from collections.abc import Awaitable, Callable
from typing import Any

import azure.functions as func

from shared.operations import Operation
from shared.orchestrations import Orchestrations
from shared.problems import guarded
from shared.services import Services, current
from shared.wakes import Elsewhere


def register_operation(app: func.FunctionApp, operation: Operation) -> None:
    """Register an HTTP function."""
    function = guarded(operation.function, operation.pages)

    async def run(req: func.HttpRequest) -> func.HttpResponse:
        services = await current()
        return await function(services, Elsewhere(services.wakes), req)

    run.__name__ = operation.name
    at_route(app, operation, run)


def register_timer(
    app: func.FunctionApp, name: str, schedule: str, function: Callable[[Services, Orchestrations], Awaitable[None]]
) -> None:
    """Register a timer. `schedule` is six-field NCRONTAB, in UTC."""

    async def run(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the host binds it by name
        services = await current()
        await function(services, Elsewhere(services.wakes))

    run.__name__ = name
    at_times(app, name, schedule, run)


def at_route(app: Any, operation: Operation, run: Any) -> None:
    """Register under its name and route. Anonymous to the host: the app itself checks tokens. `run`: `req` is the request."""
    routed = app.route(
        route=operation.path, methods=[operation.method], auth_level=func.AuthLevel.ANONYMOUS, trigger_arg_name="req"
    )
    app.function_name(operation.name)(routed(run))


def at_times(app: Any, name: str, schedule: str, run: Any) -> None:
    """Register under its name and schedule. `run`: `timer` is what the host binds."""
    timed = app.timer_trigger(arg_name="timer", schedule=schedule, run_on_startup=False)
    app.function_name(name)(timed(run))
