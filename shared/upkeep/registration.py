"""The functions of upkeep, by their names on the host. The names are a contract with running instances."""

import azure.durable_functions as df

from shared.hosting import register_activity, register_orchestrator, register_timer
from shared.running import acts
from shared.upkeep import leaving_activities, messages, night_activities, night_triggers, seal_activities
from shared.upkeep.orchestrator import look_after_tenants


def blueprint() -> df.Blueprint:
    """Everything that upkeep registers, but its HTTP operations."""
    app = df.Blueprint()
    register_activity(app, acts.REMOVE_ELIGIBILITIES, leaving_activities.remove_eligibilities)
    register_activity(app, acts.REMOVE_OTHER_ELIGIBILITIES, leaving_activities.remove_other_eligibilities)
    register_activity(app, acts.REMOVE_FROM_SCOPE, leaving_activities.remove_from_scope)
    register_activity(app, acts.FORGET_LEAVERS, leaving_activities.forget_leavers)
    register_timer(app, "begin_night", "0 5 * * * *", night_triggers.begin_night)
    register_orchestrator(app, acts.ORCHESTRATORS[messages.KIND], look_after_tenants)
    register_activity(app, messages.LOOK_AFTER, night_activities.look_after_page)
    register_activity(app, messages.SEAL_AUDIT, seal_activities.seal_audit)
    register_activity(app, messages.END_NIGHT, night_activities.end_night)
    return app
