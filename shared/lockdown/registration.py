"""The functions of lock-downs, by their names on the host. The names are a contract with running instances."""

import azure.durable_functions as df

from shared.hosting import register_activity, register_orchestrator, register_timer
from shared.lockdown import activities, ending, messages, night_activities, night_triggers
from shared.lockdown.night_orchestrator import look_after_subscriptions
from shared.lockdown.orchestrator import lock_down_subscription
from shared.running import acts


def blueprint() -> df.Blueprint:
    """Everything that lock-downs register, but their HTTP operations."""
    app = df.Blueprint()
    register_orchestrator(app, acts.ORCHESTRATORS[messages.KIND], lock_down_subscription)
    register_activity(app, messages.BEGIN, activities.begin_lock_down)
    register_activity(app, messages.LOCK_ROLE, activities.lock_role_down)
    register_activity(app, messages.MAKE_ELIGIBLE, activities.make_eligible)
    register_activity(app, messages.CHECK_APPROVERS, activities.check_approvers)
    register_activity(app, messages.END, ending.end_lock_down)
    # Before renewal, which holds a subscription for a while.
    register_timer(app, "begin_subscription_night", "0 20 * * * *", night_triggers.begin_subscription_night)
    register_orchestrator(app, acts.ORCHESTRATORS[messages.NIGHT_KIND], look_after_subscriptions)
    register_activity(app, messages.LOOK, night_activities.look_at_locked_page)
    register_activity(app, messages.END_LOOK, night_activities.end_subscription_night)
    return app
