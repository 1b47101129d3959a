"""What a change of a policy may hold, rule by rule, and which policies the service refuses (section 2.2)."""

from collections.abc import Collection, Mapping
from datetime import timedelta

from tests.sandbox.arm.errors import bad_request, malformed
from tests.sandbox.arm.models.policy import END_USER_ASSIGNMENT, JUSTIFICATION, MFA, TICKET, Policy, target_of
from tests.sandbox.graph.models.tenant import Tenant
from tests.sandbox.graph.wire import (
    Check,
    Wire,
    a_duration,
    a_flag,
    a_guid,
    a_list,
    a_text,
    an_object,
    nullable,
    one_of,
    parse_duration,
)

_SHORTEST, _LONGEST = timedelta(hours=1), timedelta(hours=24)
"""Of an activation."""


def _nothing(value: object, at: str) -> None:
    if value is not None:
        raise malformed(f"'{at}' must be null.")


def _a_number(value: object, at: str) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise malformed(f"'{at}' must be a number.")


_TARGET = an_object(
    {
        "caller": a_text,
        "operations": a_list(a_text),
        "level": a_text,
        "targetObjects": nullable(a_list(a_text)),
        "inheritableSettings": nullable(a_list(a_text)),
        "enforcedSettings": nullable(a_list(a_text)),
    },
    required=("caller", "operations", "level"),
)
_APPROVER = an_object(
    {"id": a_guid, "description": nullable(a_text), "isBackup": a_flag, "userType": one_of(("User", "Group"))},
    required=("id", "userType"),
)
_STAGE = an_object(
    {
        "approvalStageTimeOutInDays": _a_number,
        "isApproverJustificationRequired": a_flag,
        "escalationTimeInMinutes": _a_number,
        "isEscalationEnabled": a_flag,
        "primaryApprovers": nullable(a_list(_APPROVER)),
        "escalationApprovers": nullable(a_list(_APPROVER)),
    }
)
_SETTING = an_object(
    {
        "isApprovalRequired": a_flag,
        "isApprovalRequiredForExtension": a_flag,
        "isRequestorJustificationRequired": a_flag,
        "approvalMode": one_of(("SingleStage", "Serial", "Parallel", "NoApproval")),
        "approvalStages": nullable(a_list(_STAGE)),
    },
    required=("isApprovalRequired", "approvalMode"),
)
_EXCLUDED = an_object({"id": a_guid, "type": one_of(("User", "Group", "ServicePrincipal"))}, required=("id", "type"))
_PIM_ONLY = an_object(
    {
        "mode": one_of(("Enabled", "Disabled", "ReportOnly")),
        "excludes": nullable(a_list(_EXCLUDED)),
        "excludedAssignmentTypes": nullable(
            a_list(one_of(("ServicePrincipalsAsTarget", "ServicePrincipalsAsRequestor")))
        ),
    },
    required=("mode",),
)
_FIELDS: Mapping[str, tuple[Mapping[str, Check], Collection[str]]] = {
    "Approval": ({"setting": _SETTING}, ("setting",)),
    "Expiration": (
        {"isExpirationRequired": a_flag, "maximumDuration": a_duration, "exceptionMembers": _nothing},
        ("isExpirationRequired", "maximumDuration"),
    ),
    "Enablement": ({"enabledRules": a_list(one_of((MFA, JUSTIFICATION, TICKET)))}, ("enabledRules",)),
    "PIMOnlyMode": ({"pimOnlyModeSettings": _PIM_ONLY}, ("pimOnlyModeSettings",)),
    "AuthenticationContext": ({"isEnabled": a_flag, "claimValue": nullable(a_text)}, ("isEnabled",)),
    "Notification": (
        {
            "notificationType": one_of(("Email",)),
            "recipientType": one_of(("Admin", "Requestor", "Approver")),
            "isDefaultRecipientsEnabled": a_flag,
            "notificationLevel": one_of(("None", "Critical", "All")),
            "notificationRecipients": nullable(a_list(a_text)),
        },
        ("notificationType", "recipientType", "notificationLevel"),
    ),
}
_TYPES = {"PIMOnlyMode": "PimOnlyMode"}
"""Where the type is not spelt as the id."""
_SHAPES: Mapping[str, Check] = {
    kind: an_object(
        {
            "id": a_text,
            "ruleType": one_of((f"RoleManagementPolicy{_TYPES.get(kind, kind)}Rule",)),
            "target": _TARGET,
            **fields,
        },
        required=("id", "ruleType", "target", *required),
    )
    for kind, (fields, required) in _FIELDS.items()
}


def a_rule(value: object, at: str) -> None:
    """One of those that a policy has, whole, with the target that belongs to it."""
    rule_id = str(value.get("id")) if isinstance(value, dict) else ""
    if not isinstance(value, dict) or rule_id not in Policy("", "").rules:
        raise malformed(f"'{at}' has the id '{rule_id}', which no rule has.")
    _SHAPES[rule_id.partition("_")[0]](value, at)
    target, expected = value["target"], target_of(rule_id)
    if {name: target.get(name) for name in expected} != expected:
        raise malformed(f"'{at}.target' is not the target of {rule_id}.")


def apply(policy: Policy, rules: list[Wire], tenant: Tenant) -> None:
    """Only the rules sent are changed. All or nothing, and the refusal doesn't say which."""
    merged = {**policy.rules, **{str(rule["id"]): rule for rule in rules}}
    authentication = merged[f"AuthenticationContext_{END_USER_ASSIGNMENT}"]
    enabled = merged[f"Enablement_{END_USER_ASSIGNMENT}"]["enabledRules"]
    if authentication["isEnabled"] and isinstance(enabled, list) and MFA in enabled:
        raise bad_request("MfaAndAcrsConflict", "MFA and an authentication context cannot both be enabled.")
    for rule in rules:
        if not _holds(rule, tenant):
            raise bad_request("InvalidPolicyRule", "The policy rule is invalid.")
    policy.rules = merged


def _holds(rule: Wire, tenant: Tenant) -> bool:
    match str(rule["id"]):
        case "Approval_EndUser_Assignment":
            return _has_approvers(rule["setting"], tenant)
        case "Expiration_EndUser_Assignment":
            longest = parse_duration(str(rule["maximumDuration"]), "maximumDuration")
            return bool(rule["isExpirationRequired"]) and _SHORTEST <= longest <= _LONGEST
        case "AuthenticationContext_EndUser_Assignment":
            return not rule["isEnabled"] or bool(rule.get("claimValue"))
        case "Enablement_Admin_Assignment":
            demanded = rule["enabledRules"]
            return isinstance(demanded, list) and TICKET not in demanded
        case "Notification_Approver_EndUser_Assignment":
            return not rule.get("notificationRecipients")
        case _:
            return True


def _has_approvers(setting: object, tenant: Tenant) -> bool:
    """At least one, of the directory; one stage of one day without escalation is all that the product supports."""
    if not isinstance(setting, dict) or not setting["isApprovalRequired"]:
        return True
    stages = setting.get("approvalStages")
    if setting["approvalMode"] != "SingleStage" or not isinstance(stages, list) or len(stages) != 1:
        return False
    [stage] = stages
    approvers = stage.get("primaryApprovers") or []
    known = {"User": set(tenant.directory.users), "Group": set(tenant.directory.groups)}
    return (
        bool(approvers)
        and not stage.get("isEscalationEnabled")
        and stage.get("approvalStageTimeOutInDays", 1) == 1
        and all(one["id"].lower() in known[one["userType"]] for one in approvers)
    )
