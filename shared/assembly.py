"""The function app of a role: which functions are registered. Each loads what it registers, and nothing else."""

import azure.functions as func

from shared.roles import Role


def app_of(role: Role) -> func.FunctionApp:
    """The app, as the host reads it."""
    match role:
        case Role.FRONT:
            return _front()
        case Role.BROKER:
            return _broker()
        case Role.ALL | Role.WORKER:
            return _worker(answers=role.answers)


def _front() -> func.FunctionApp:
    from shared import api  # noqa: PLC0415 - each app loads its own part
    from shared.plain_hosting import register_operation  # noqa: PLC0415

    app = func.FunctionApp()
    for operation in api.OPERATIONS:
        register_operation(app, operation)
    return app


def _broker() -> func.FunctionApp:
    from shared.activation import serving  # noqa: PLC0415 - as above
    from shared.plain_hosting import register_timer  # noqa: PLC0415

    app = func.FunctionApp()
    register_timer(app, "serve_broker", "*/20 * * * * *", serving.serve_broker)
    return app


def _worker(*, answers: bool) -> func.FunctionApp:
    import azure.durable_functions as df  # noqa: PLC0415 - as above

    from shared.activation import registration as activation  # noqa: PLC0415
    from shared.approvals import registration as approvals  # noqa: PLC0415
    from shared.lockdown import registration as lockdown  # noqa: PLC0415
    from shared.notify import registration as notify  # noqa: PLC0415
    from shared.offboarding import registration as offboarding  # noqa: PLC0415
    from shared.onboarding import registration as onboarding  # noqa: PLC0415
    from shared.renewal import registration as renewal  # noqa: PLC0415
    from shared.upkeep import registration as upkeep  # noqa: PLC0415

    app: func.FunctionApp = df.DFApp()
    for part in (onboarding, upkeep, renewal, lockdown, activation, approvals, notify, offboarding):
        app.register_functions(part.blueprint())
    if answers:
        from shared import api  # noqa: PLC0415
        from shared.hosting import register_operation  # noqa: PLC0415

        for operation in api.OPERATIONS:
            register_operation(app, operation)
    return app
