"""The functions of the approval pages beside their HTTP operations, by their names on the host."""

import azure.durable_functions as df

from shared.hosting import register_timer
from shared.orchestrations import Orchestrations
from shared.services import Services


async def forget_visits(services: Services, _: Orchestrations) -> None:
    """Every hour: visits to Entra that are over are forgotten."""
    await services.visits.forget()


def blueprint() -> df.Blueprint:
    """Everything that the pages register, but their HTTP operations."""
    app = df.Blueprint()
    register_timer(app, "forget_visits", "0 40 * * * *", forget_visits)
    return app
