"""The functions of renewal, by their names on the host. The names are a contract with running instances."""

import azure.durable_functions as df

from shared.hosting import register_activity, register_child, register_orchestrator, register_timer
from shared.renewal import messages, night_activities, night_triggers, tenant_activities
from shared.renewal.orchestrator import renew_eligibilities, renew_tenant
from shared.running import acts


def blueprint() -> df.Blueprint:
    """Everything that renewal registers, but its HTTP operations."""
    app = df.Blueprint()
    # Half an hour after the nightly comparison: a tenant whose analysts it changes is busy for a while.
    register_timer(app, "begin_renewals", "0 35 * * * *", night_triggers.begin_renewals)
    register_orchestrator(app, acts.ORCHESTRATORS[messages.KIND], renew_eligibilities)
    register_child(app, messages.RENEW_ONE, renew_tenant)
    register_activity(app, messages.PLAN, night_activities.plan_renewals)
    register_activity(app, messages.RENEW, tenant_activities.renew_eligibilities_of_tenant)
    register_activity(app, messages.END, night_activities.end_renewals)
    return app
