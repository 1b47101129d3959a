"""The functions of activation, by their names on the host. The names are a contract with running instances."""

import azure.durable_functions as df

from shared.activation import look_activities, messages, timers
from shared.activation.orchestrator import follow_activation
from shared.activation.record import RUN_KIND
from shared.hosting import register_activity, register_orchestrator, register_timer
from shared.running import acts


def blueprint() -> df.Blueprint:
    """Everything that activation registers, but its HTTP operations."""
    app = df.Blueprint()
    register_timer(app, "watch_activations", "20 */2 * * * *", timers.watch_activations)
    register_timer(app, "reconcile_activations", "0 10 4 * * *", timers.reconcile_activations)
    register_timer(app, "read_budgets", "0 25 * * * *", timers.read_budgets)
    register_timer(app, "purge_webhook_ids", "0 55 3 * * *", timers.purge_webhook_ids)
    register_orchestrator(app, acts.ORCHESTRATORS[RUN_KIND], follow_activation)
    register_activity(app, messages.LOOK, look_activities.look_at_activation)
    return app
