"""The names and routes that the app registers: a contract with running instances, callers and Entra."""

from functools import cache
from typing import Any

import function_app
from shared.permissions import MULTI_TENANT, Registration
from shared.running.acts import (
    ACTS,
    BEGIN,
    BY_NUMBER,
    END,
    LEAVING,
    OFFBOARDING,
    ORCHESTRATORS,
    SUPERSEDED,
    asked_of,
    needed_in_target,
)
from tests.unit.making import HUNTING, WANTED

# Removing or renaming one is a decision: instances that wait on a timer call these by name when they wake.
_ACTIVITIES = {
    "begin_onboarding_run",
    "end_onboarding_run",
    "prove_consent",
    "run_preflight",
    "seal_audit",
    "trust_source",
    "allow_inbound_sync",
    "trust_target",
    "ensure_synchronization",
    "assign_analysts",
    "start_synchronization",
    "provision_analyst",
    "prove_accounts",
    "ensure_security_reader",
    "diagnose_sign_in",
    "prove_hunting",
    "write_checklist",
    "remove_eligibilities",
    "remove_from_scope",
    "forget_leavers",
    "remove_other_eligibilities",
    "check_scope",
    "ensure_other_access",
    "await_departures",
    "remove_synchronization",
    "distrust_target",
    "distrust_source",
    "look_after_page",
    "end_night",
    "plan_renewals",
    "renew_eligibilities_of_tenant",
    "end_renewals",
    "plan_subscription_renewals",
    "renew_eligibilities_on_subscription",
    "look_at_activation",
    "begin_lock_down",
    "lock_role_down",
    "make_eligible",
    "check_approvers",
    "end_lock_down",
    "look_at_locked_page",
    "end_subscription_night",
}
_NIGHTLY = {
    "look_after_page",
    "seal_audit",
    "end_night",
    "plan_renewals",
    "renew_eligibilities_of_tenant",
    "end_renewals",
    "plan_subscription_renewals",
    "renew_eligibilities_on_subscription",
    "look_at_activation",
    "begin_lock_down",
    "lock_role_down",
    "make_eligible",
    "check_approvers",
    "end_lock_down",
    "look_at_locked_page",
    "end_subscription_night",
}
_ORCHESTRATORS = {
    "onboard_tenant",
    "offboard_tenant",
    "look_after_tenants",
    "renew_eligibilities",
    "renew_tenant",
    "renew_subscription",
    "follow_activation",
    "lock_down_subscription",
    "look_after_subscriptions",
}
TIMERS = {
    "sweep_runs": "15 * * * * *",
    "purge_histories": "0 40 3 * * *",
    "begin_night": "0 5 * * * *",
    "begin_renewals": "0 35 * * * *",
    "begin_subscription_night": "0 20 * * * *",
    "deliver_notices": "45 * * * * *",
    "purge_notices": "0 50 3 * * *",
    "forget_visits": "0 40 * * * *",
    "watch_activations": "20 */2 * * * *",
    "reconcile_activations": "0 10 4 * * *",
    "purge_webhook_ids": "0 55 3 * * *",
    "read_budgets": "0 25 * * * *",
}
_ROUTES = {
    "post_activation_request": ("POST", "activation-requests"),
    "get_activation_requests": ("GET", "activation-requests"),
    "get_activation_request": ("GET", "activation-requests/{id}"),
    "post_plan": ("POST", "activation-requests/{id}/plan"),
    "post_decision": ("POST", "activation-requests/{id}/decision"),
    "post_cancel": ("POST", "activation-requests/{id}/cancel"),
    "post_release": ("POST", "activation-requests/{id}/release"),
    "post_verdict": ("POST", "webhooks/finance"),
    "post_tenant": ("POST", "tenants"),
    "get_tenants": ("GET", "tenants"),
    "get_tenant": ("GET", "tenants/{tenantId}"),
    "cancel_tenant": ("POST", "tenants/{tenantId}/cancel"),
    "retry_tenant": ("POST", "tenants/{tenantId}/retry"),
    "get_consent_page": ("GET", "consent/{state}"),
    "get_consent": ("GET", "consent"),
    "get_health": ("GET", "health"),
    "confirm_checklist_item": ("POST", "tenants/{tenantId}/checklist/{analyst}"),
    "get_kit": ("GET", "tenants/{tenantId}/kit"),
    "get_audit": ("GET", "audit"),
    "put_analysts": ("PUT", "tenants/{tenantId}/analysts"),
    "patch_tenant": ("PATCH", "tenants/{tenantId}"),
    "delete_tenant": ("DELETE", "tenants/{tenantId}"),
    "confirm_leavers": ("POST", "tenants/{tenantId}/analysts/confirm"),
    "post_renewal": ("POST", "renewals"),
    "get_renewal": ("GET", "renewals/{date}"),
    "cancel_renewal": ("POST", "renewals/{date}/cancel"),
    "get_eligibilities": ("GET", "eligibilities"),
    "review_tenant": ("POST", "tenants/{tenantId}/review"),
    "get_outbox": ("GET", "outbox"),
    "retry_outbox": ("POST", "outbox/retry"),
    "put_subscription": ("PUT", "subscriptions/{subscriptionId}"),
    "get_subscriptions": ("GET", "subscriptions"),
    "get_subscription": ("GET", "subscriptions/{subscriptionId}"),
    "cancel_subscription": ("POST", "subscriptions/{subscriptionId}/cancel"),
    "review_subscription": ("POST", "subscriptions/{subscriptionId}/review"),
    "get_approvals": ("GET", "approvals"),
    "get_approval": ("GET", "approvals/{id}"),
    "post_approval": ("POST", "approvals/{id}"),
    "get_sign_in": ("GET", "sign-in"),
    "get_sign_in_callback": ("GET", "sign-in/callback"),
    "post_sign_out": ("POST", "sign-out"),
    "get_openapi": ("GET", "openapi.json"),
}


@cache
def functions() -> list[Any]:
    """All functions; the app gives them out once."""
    return list(function_app.app.get_functions())


def registered(kind: str) -> dict[str, dict[str, Any]]:
    """Functions with a trigger of that kind, and the trigger as the host sees it."""
    found = {}
    for function in functions():
        trigger = function.get_trigger()
        if trigger is not None and trigger.get_binding_name() == kind:
            found[function.get_function_name()] = trigger.get_dict_repr()
    return found


def test_activities_and_orchestrators_have_their_names() -> None:
    assert set(registered("activityTrigger")) == _ACTIVITIES
    assert set(registered("orchestrationTrigger")) == _ORCHESTRATORS


def test_timers_run_by_their_schedules() -> None:
    assert {name: trigger["schedule"] for name, trigger in registered("timerTrigger").items()} == TIMERS


def test_routes_are_as_documented_and_open_to_the_host() -> None:
    """The app itself checks tokens, so a function key would only be one more secret."""
    found = registered("httpTrigger")

    assert {name: ([method], route) for name, (method, route) in _ROUTES.items()} == {
        name: ([str(getattr(method, "value", method)) for method in trigger["methods"]], trigger["route"])
        for name, trigger in found.items()
    }
    assert {"anonymous"} == {str(getattr(t["authLevel"], "value", t["authLevel"])).lower() for t in found.values()}


def test_nothing_else_is_registered() -> None:
    assert len(functions()) == len(_ACTIVITIES) + len(_ORCHESTRATORS) + len(TIMERS) + len(_ROUTES)


def test_every_step_of_an_act_is_a_registered_activity_and_used_once() -> None:
    steps = [step.activity.name for act in BY_NUMBER.values() for step in act.steps]

    assert {*steps, BEGIN.name, END.name} == _ACTIVITIES - _NIGHTLY
    assert len(steps) == len(set(steps))
    assert set(ORCHESTRATORS.values()) == _ORCHESTRATORS


def test_acts_are_numbered_in_their_order_and_ask_only_for_what_is_left() -> None:
    letting_go = [act for act in OFFBOARDING if act not in LEAVING]
    assert sorted(BY_NUMBER) == [act.number for act in (*ACTS, SUPERSEDED, *LEAVING, *letting_go)]
    assert [act.number for act in OFFBOARDING] == [21, 22, 24, 25, 26, 27]
    assert needed_in_target(BY_NUMBER, WANTED) == (Registration.SETUP, Registration.ACCESS)
    assert needed_in_target([8, 9, 12], WANTED) == (Registration.ACCESS,)
    assert needed_in_target([12], WANTED) == ()


def test_hunt_is_asked_for_only_where_hunting_is_wanted() -> None:
    assert asked_of(HUNTING) == MULTI_TENANT
    assert needed_in_target([10, 11, 12], HUNTING) == (Registration.HUNT,)
    assert Registration.HUNT not in asked_of(WANTED)


def test_a_diagnosis_asks_for_no_consent() -> None:
    """An administrator who removed Tenantry Setup after act 4 is not asked to bring it back."""
    assert needed_in_target([10], WANTED) == ()
