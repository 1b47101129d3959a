"""The functions of renewal, by their names on the host. The names are a contract with running instances."""

import azure.durable_functions as df

from shared.hosting import register_activity, register_child, register_orchestrator, register_timer
from shared.renewal import messages, night_activities, night_triggers, renewing_activities
from shared.renewal.orchestrator import renew_eligibilities, renew_subscription, renew_tenant
from shared.running import acts


def blueprint() -> df.Blueprint:
    """Everything that renewal registers, but its HTTP operations."""
    app = df.Blueprint()
    # Half an hour after the nightly comparison: a tenant whose analysts it changes is busy for a while.
    register_timer(app, "begin_renewals", "0 35 * * * *", night_triggers.begin_renewals)
    register_orchestrator(app, acts.ORCHESTRATORS[messages.KIND], renew_eligibilities)
    register_child(app, messages.RENEW_ONE, renew_tenant)
    register_child(app, messages.RENEW_ONE_SUBSCRIPTION, renew_subscription)
    register_activity(app, messages.PLAN, night_activities.plan_renewals)
    register_activity(app, messages.RENEW, renewing_activities.renew_eligibilities_of_tenant)
    register_activity(app, messages.PLAN_SUBSCRIPTIONS, night_activities.plan_subscription_renewals)
    register_activity(app, messages.RENEW_ON_SUBSCRIPTION, renewing_activities.renew_eligibilities_on_subscription)
    register_activity(app, messages.END, night_activities.end_renewals)
    return app
