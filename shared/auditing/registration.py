"""The functions of the audit trail, by their names on the host."""

import azure.durable_functions as df

from shared.auditing import triggers
from shared.hosting import register_route
from shared.problems import guarded


def blueprint() -> df.Blueprint:
    """Everything that reading the audit registers."""
    app = df.Blueprint()
    register_route(app, "get_audit", "GET", "audit", guarded(triggers.get_audit))
    return app
