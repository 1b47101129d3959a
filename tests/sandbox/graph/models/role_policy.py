"""The PIM policy of one directory role: its 17 rules on the wire, and what an app's eligibility request fails (6.5)."""

from dataclasses import dataclass, field
from datetime import datetime

from tests.sandbox.graph.wire import Wire, parse_duration

_ADMIN_ELIGIBILITY = ("Admin", "Eligibility")
_LEVELS = (_ADMIN_ELIGIBILITY, ("Admin", "Assignment"), ("EndUser", "Assignment"))


@dataclass(slots=True, kw_only=True)
class RolePolicy:
    """What can differ between tenants. `eligibility_rules` may hold MultiFactorAuthentication, the hidden rule."""

    expiration_required: bool = False
    maximum_duration: str = "P365D"
    eligibility_rules: list[str] = field(default_factory=list)
    activation_rules: list[str] = field(default_factory=lambda: ["MultiFactorAuthentication", "Justification"])
    activation_maximum: str = "PT8H"
    approval_required: bool = False
    authentication_context: str | None = None

    def failures(
        self, *, start: datetime, end: datetime | None, justification: str | None, has_ticket: bool
    ) -> list[str]:
        """The rules that an app-only request of an administrator fails, as the service names them."""
        failed = []
        if self.expiration_required and (
            end is None or end - start > parse_duration(self.maximum_duration, "maximumDuration")
        ):
            failed.append("ExpirationRule")
        if "MultiFactorAuthentication" in self.eligibility_rules:
            failed.append("MfaRule")
        if "Justification" in self.eligibility_rules and not (justification or "").strip():
            failed.append("JustificationRule")
        if "Ticketing" in self.eligibility_rules and not has_ticket:
            failed.append("TicketingRule")
        return failed

    def rules(self) -> list[Wire]:
        """All 17, as the expanded policy shows them."""
        expiration = {
            _ADMIN_ELIGIBILITY: (self.expiration_required, self.maximum_duration),
            ("Admin", "Assignment"): (False, "P180D"),
            ("EndUser", "Assignment"): (True, self.activation_maximum),
        }
        enablement = {
            _ADMIN_ELIGIBILITY: list(self.eligibility_rules),
            ("Admin", "Assignment"): ["Justification"],
            ("EndUser", "Assignment"): list(self.activation_rules),
        }
        found: list[Wire] = []
        for level in _LEVELS:
            required, maximum = expiration[level]
            found.append(
                _rule("Expiration", level, "Expiration", isExpirationRequired=required, maximumDuration=maximum)
            )
            found.append(_rule("Enablement", level, "Enablement", enabledRules=enablement[level]))
            found.extend(_notification(recipient, level) for recipient in ("Admin", "Requestor", "Approver"))
        approval = {
            "isApprovalRequired": self.approval_required,
            "isApprovalRequiredForExtension": False,
            "isRequestorJustificationRequired": True,
            "approvalMode": "SingleStage",
            "approvalStages": [],
        }
        end_user = ("EndUser", "Assignment")
        found.append(_rule("Approval", end_user, "Approval", setting=approval))
        found.append(
            _rule(
                "AuthenticationContext",
                end_user,
                "AuthenticationContext",
                isEnabled=self.authentication_context is not None,
                claimValue=self.authentication_context or "",
            )
        )
        return found


def _rule(type_part: str, level: tuple[str, str], id_part: str, **properties: object) -> Wire:
    caller, kind = level
    return {
        "@odata.type": f"#microsoft.graph.unifiedRoleManagementPolicy{type_part}Rule",
        "id": f"{id_part}_{caller}_{kind}",
        **properties,
        "target": {
            "caller": caller,
            "operations": ["all"],
            "level": kind,
            "inheritableSettings": [],
            "enforcedSettings": [],
        },
    }


def _notification(recipient: str, level: tuple[str, str]) -> Wire:
    return _rule(
        "Notification",
        level,
        f"Notification_{recipient}",
        notificationType="Email",
        recipientType=recipient,
        notificationLevel="All",
        isDefaultRecipientsEnabled=True,
        notificationRecipients=[],
    )
