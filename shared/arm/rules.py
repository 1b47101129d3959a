"""The rules of a role management policy on the wire: read into settings, and written from them. Pure.

A rule is always sent whole, with the target that belongs to it: Azure refuses parts.
"""

import msgspec

from shared.identifiers import ObjectId
from shared.subscriptions.lockdown import Principals
from shared.subscriptions.roles import (
    ACTIVATION,
    APPROVAL,
    APPROVERS_MAIL,
    CONTEXT,
    ELIGIBILITY,
    ENABLEMENT,
    LONGEST,
    RoleSettings,
)

_KINDS = {
    APPROVAL: "Approval",
    ACTIVATION: "Expiration",
    ENABLEMENT: "Enablement",
    CONTEXT: "AuthenticationContext",
    LONGEST: "Expiration",
    ELIGIBILITY: "Enablement",
    APPROVERS_MAIL: "Notification",
}


class _Approver(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    id: str
    user_type: str = ""
    is_backup: bool = False


class _Stage(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    primary_approvers: list[_Approver] | None = None
    is_approver_justification_required: bool = True
    is_escalation_enabled: bool = False


class _Setting(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    is_approval_required: bool = False
    approval_mode: str = "SingleStage"
    approval_stages: list[_Stage] | None = None


class PolicyRule(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A rule, with the fields of every kind that we read."""

    id: str
    is_expiration_required: bool = False
    maximum_duration: str | None = None
    enabled_rules: list[str] | None = None
    is_enabled: bool = False
    claim_value: str | None = None
    is_default_recipients_enabled: bool = True
    notification_level: str = "All"
    setting: _Setting | None = None


_NONE = PolicyRule(id="")


def settings_of(rules: list[PolicyRule]) -> RoleSettings:
    """What the rules of a policy say. A rule that is not there asks for nothing."""
    by_id = {one.id: one for one in rules}
    activation, longest = by_id.get(ACTIVATION, _NONE), by_id.get(LONGEST, _NONE)
    context, mail = by_id.get(CONTEXT, _NONE), by_id.get(APPROVERS_MAIL, _NONE)
    setting = by_id.get(APPROVAL, _NONE).setting or _Setting()
    stages = setting.approval_stages or []
    return RoleSettings(
        approval=setting.is_approval_required,
        approvers=_principals([one for stage in stages for one in stage.primary_approvers or []]),
        plain_approval=not setting.is_approval_required or _is_plain(setting, stages),
        longest=(activation.maximum_duration or "") if activation.is_expiration_required else "",
        enabled=tuple(sorted(by_id.get(ENABLEMENT, _NONE).enabled_rules or ())),
        context=(context.claim_value or "") if context.is_enabled else "",
        longest_eligibility=(longest.maximum_duration or "") if longest.is_expiration_required else "",
        enabled_for_eligibility=tuple(sorted(by_id.get(ELIGIBILITY, _NONE).enabled_rules or ())),
        tells_approvers=mail.is_default_recipients_enabled and mail.notification_level != "None",
    )


def rule_of(rule_id: str, settings: RoleSettings) -> dict[str, object]:
    """A rule as the settings want it."""
    caller, level = rule_id.split("_")[-2:]
    return {
        "id": rule_id,
        "ruleType": f"RoleManagementPolicy{_KINDS[rule_id]}Rule",
        **_fields(rule_id, settings),
        "target": {
            "caller": caller,
            "operations": ["All"],
            "level": level,
            "targetObjects": None,
            "inheritableSettings": None,
            "enforcedSettings": None,
        },
    }


def _fields(rule_id: str, settings: RoleSettings) -> dict[str, object]:
    if rule_id == APPROVAL:
        return {"setting": _setting(settings.approvers)}
    if rule_id == APPROVERS_MAIL:
        # It takes no recipients of its own: null, and not an empty list.
        return {
            "notificationType": "Email",
            "recipientType": "Approver",
            "isDefaultRecipientsEnabled": settings.tells_approvers,
            "notificationLevel": "All",
            "notificationRecipients": None,
        }
    if rule_id == CONTEXT:
        return {"isEnabled": bool(settings.context), "claimValue": settings.context or None}
    if rule_id in (ENABLEMENT, ELIGIBILITY):
        return {"enabledRules": settings.enabled if rule_id == ENABLEMENT else settings.enabled_for_eligibility}
    longest = settings.longest if rule_id == ACTIVATION else settings.longest_eligibility
    return {"isExpirationRequired": bool(longest), "maximumDuration": longest, "exceptionMembers": None}


def _setting(approvers: Principals) -> dict[str, object]:
    """One stage of one day is all that the product supports; `userType` is case-sensitive (EasyPIM #28)."""
    named = [("Group", one) for one in approvers.groups] + [("User", one) for one in approvers.users]
    return {
        "isApprovalRequired": True,
        "isApprovalRequiredForExtension": False,
        "isRequestorJustificationRequired": True,
        "approvalMode": "SingleStage",
        "approvalStages": [
            {
                "approvalStageTimeOutInDays": 1,
                "isApproverJustificationRequired": True,
                "escalationTimeInMinutes": 0,
                "isEscalationEnabled": False,
                "escalationApprovers": None,
                "primaryApprovers": [
                    {"id": one, "description": None, "isBackup": False, "userType": kind} for kind, one in named
                ],
            }
        ],
    }


def _is_plain(setting: _Setting, stages: list[_Stage]) -> bool:
    if setting.approval_mode != "SingleStage" or len(stages) != 1:
        return False
    [stage] = stages
    backups = any(one.is_backup for one in stage.primary_approvers or [])
    return stage.is_approver_justification_required and not stage.is_escalation_enabled and not backups


def _principals(approvers: list[_Approver]) -> Principals:
    groups = sorted({ObjectId(one.id.lower()) for one in approvers if one.user_type == "Group"})
    users = sorted({ObjectId(one.id.lower()) for one in approvers if one.user_type != "Group"})
    return Principals(groups=tuple(groups), users=tuple(users))
