"""The functions of onboarding, by their names on the host. The names are a contract with running instances."""

import azure.durable_functions as df

from shared.hosting import register_activity, register_orchestrator, register_route, register_timer
from shared.onboarding import (
    activities,
    analyst_activities,
    checking_activities,
    checklist_triggers,
    consent_triggers,
    kit_triggers,
    sync_activities,
    triggers,
)
from shared.problems import Route, guarded
from shared.running import acts, lifecycle, sweeper
from shared.running.orchestrator import onboard_tenant


def blueprint() -> df.Blueprint:
    """Everything that onboarding registers."""
    app = df.Blueprint()
    _routes(app)
    register_timer(app, "sweep_runs", "15 * * * * *", sweeper.sweep_runs)
    register_timer(app, "purge_histories", "0 40 3 * * *", sweeper.purge_histories)
    register_orchestrator(app, acts.ORCHESTRATOR, onboard_tenant)
    register_activity(app, acts.BEGIN, lifecycle.begin_onboarding_run)
    register_activity(app, acts.END, lifecycle.end_onboarding_run)
    register_activity(app, acts.PROVE_CONSENT, activities.prove_consent)
    register_activity(app, acts.RUN_PREFLIGHT, activities.run_preflight)
    register_activity(app, acts.TRUST_SOURCE, activities.trust_source)
    register_activity(app, acts.ALLOW_INBOUND_SYNC, activities.allow_inbound_sync)
    register_activity(app, acts.TRUST_TARGET, activities.trust_target)
    register_activity(app, acts.ENSURE_SYNCHRONIZATION, sync_activities.ensure_synchronization)
    register_activity(app, acts.ASSIGN_ANALYST, sync_activities.assign_analyst)
    register_activity(app, acts.START_SYNCHRONIZATION, sync_activities.start_synchronization)
    register_activity(app, acts.PROVISION_ANALYST, analyst_activities.provision_analyst)
    register_activity(app, acts.ENSURE_SECURITY_READER, analyst_activities.ensure_security_reader)
    register_activity(app, acts.DIAGNOSE_SIGN_IN, checking_activities.diagnose_sign_in)
    register_activity(app, acts.PROVE_HUNTING, checking_activities.prove_hunting)
    register_activity(app, acts.WRITE_CHECKLIST, analyst_activities.write_checklist)
    return app


def _routes(app: df.Blueprint) -> None:
    register_route(app, "post_tenant", "POST", "tenants", guarded(triggers.post_tenant))
    register_route(app, "get_tenants", "GET", "tenants", guarded(triggers.get_tenants))
    register_route(app, "get_tenant", "GET", "tenants/{tenantId}", guarded(triggers.get_tenant))
    register_route(app, "cancel_tenant", "POST", "tenants/{tenantId}/cancel", guarded(triggers.cancel_tenant))
    register_route(app, "retry_tenant", "POST", "tenants/{tenantId}/retry", guarded(triggers.retry_tenant))
    register_route(app, "get_kit", "GET", "tenants/{tenantId}/kit", guarded(kit_triggers.get_kit))
    register_route(
        app,
        "confirm_checklist_item",
        "POST",
        "tenants/{tenantId}/checklist/{analyst}",
        guarded(checklist_triggers.confirm_checklist_item),
    )
    register_route(app, "get_consent_page", "GET", "consent/{state}", _page(consent_triggers.get_consent_page))
    register_route(app, "get_consent", "GET", "consent", _page(consent_triggers.get_consent))
    register_route(app, "get_health", "GET", "health", guarded(triggers.get_health))


def _page(route: Route) -> Route:
    return guarded(route, unanswered=consent_triggers.unanswered)
