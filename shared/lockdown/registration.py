"""The functions of lock-downs, by their names on the host. The names are a contract with running instances."""

import azure.durable_functions as df

from shared.hosting import register_activity, register_orchestrator
from shared.lockdown import activities, ending, messages
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
    return app
