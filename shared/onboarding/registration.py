"""The functions of onboarding, by their names on the host. The names are a contract with running instances."""

import azure.durable_functions as df

from shared.hosting import register_activity, register_orchestrator, register_timer
from shared.onboarding import (
    access_activities,
    activities,
    adopted_activities,
    analyst_activities,
    checking_activities,
    provisioning_activities,
    sync_activities,
)
from shared.running import acts, lifecycle, sweeper
from shared.running.orchestrator import follow_plan
from shared.tenants.record import Goal


def blueprint() -> df.Blueprint:
    """Everything that onboarding registers, but its HTTP operations."""
    app = df.Blueprint()
    register_timer(app, "sweep_runs", "15 * * * * *", sweeper.sweep_runs)
    register_timer(app, "purge_histories", "0 40 3 * * *", sweeper.purge_histories)
    register_orchestrator(app, acts.ORCHESTRATORS[Goal.ONBOARDING], follow_plan)
    register_activity(app, acts.BEGIN, lifecycle.begin_onboarding_run)
    register_activity(app, acts.END, lifecycle.end_onboarding_run)
    register_activity(app, acts.PROVE_CONSENT, activities.prove_consent)
    register_activity(app, acts.RUN_PREFLIGHT, activities.run_preflight)
    register_activity(app, acts.TRUST_SOURCE, activities.trust_source)
    register_activity(app, acts.ALLOW_INBOUND_SYNC, activities.allow_inbound_sync)
    register_activity(app, acts.TRUST_TARGET, activities.trust_target)
    register_activity(app, acts.ENSURE_SYNCHRONIZATION, sync_activities.ensure_synchronization)
    register_activity(app, acts.CHECK_SCOPE, adopted_activities.check_scope)
    register_activity(app, acts.ASSIGN_ANALYSTS, sync_activities.assign_analysts)
    register_activity(app, acts.START_SYNCHRONIZATION, sync_activities.start_synchronization)
    register_activity(app, acts.PROVISION_ANALYST, provisioning_activities.provision_analyst)
    register_activity(app, acts.PROVE_ACCOUNTS, provisioning_activities.prove_accounts)
    register_activity(app, acts.ENSURE_OTHER_ACCESS, access_activities.ensure_other_access)
    register_activity(app, acts.ENSURE_SECURITY_READER, analyst_activities.ensure_security_reader)
    register_activity(app, acts.DIAGNOSE_SIGN_IN, checking_activities.diagnose_sign_in)
    register_activity(app, acts.PROVE_HUNTING, checking_activities.prove_hunting)
    register_activity(app, acts.WRITE_CHECKLIST, analyst_activities.write_checklist)
    return app
