"""The functions of the outbox, by their names on the host."""

import azure.durable_functions as df

from shared.hosting import register_timer
from shared.notify import timers


def blueprint() -> df.Blueprint:
    """Everything that the outbox registers, but its HTTP operations."""
    app = df.Blueprint()
    register_timer(app, "deliver_notices", "45 * * * * *", timers.deliver_notices)
    register_timer(app, "purge_notices", "0 50 3 * * *", timers.purge_notices)
    return app
