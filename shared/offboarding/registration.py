"""The functions of offboarding, by their names on the host. The names are a contract with running instances."""

import azure.durable_functions as df

from shared.hosting import register_activity, register_orchestrator
from shared.offboarding import account_activities, synchronization_activities, trust_activities
from shared.running import acts
from shared.running.orchestrator import follow_plan
from shared.tenants.record import Goal


def blueprint() -> df.Blueprint:
    """Everything that offboarding registers, but its HTTP operations. Acts 21 and 22 are upkeep's, for whoever leaves."""
    app = df.Blueprint()
    register_orchestrator(app, acts.ORCHESTRATORS[Goal.OFFBOARDING], follow_plan)
    register_activity(app, acts.AWAIT_DEPARTURES, account_activities.await_departures)
    register_activity(app, acts.REMOVE_SYNCHRONIZATION, synchronization_activities.remove_synchronization)
    register_activity(app, acts.DISTRUST_TARGET, trust_activities.distrust_target)
    register_activity(app, acts.DISTRUST_SOURCE, trust_activities.distrust_source)
    return app
