"""The functions of upkeep, by their names on the host. The names are a contract with running instances."""

import azure.durable_functions as df

from shared.hosting import register_activity
from shared.running import acts
from shared.upkeep import leaving_activities


def blueprint() -> df.Blueprint:
    """Everything that upkeep registers."""
    app = df.Blueprint()
    register_activity(app, acts.REMOVE_ELIGIBILITIES, leaving_activities.remove_eligibilities)
    register_activity(app, acts.REMOVE_FROM_SCOPE, leaving_activities.remove_from_scope)
    register_activity(app, acts.FORGET_LEAVERS, leaving_activities.forget_leavers)
    return app
