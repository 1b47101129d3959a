"""The role management policy of one role at one scope: its rules on the wire, and what a request fails (section 2)."""

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from datetime import datetime

from tests.sandbox.arm.models.records import HARD_CAP, Requestor, Wanted, Window
from tests.sandbox.graph.wire import Wire, parse_duration
from tests.sandbox.switches import Switches

ADMIN_ELIGIBILITY = "Admin_Eligibility"
ADMIN_ASSIGNMENT = "Admin_Assignment"
END_USER_ASSIGNMENT = "EndUser_Assignment"
LEVELS = (ADMIN_ELIGIBILITY, ADMIN_ASSIGNMENT, END_USER_ASSIGNMENT)
RECIPIENTS = ("Admin", "Requestor", "Approver")
PIM_ONLY = f"PIMOnlyMode_{ADMIN_ASSIGNMENT}"
"""A further rule, of a preview version only (section 2.3)."""
MFA, JUSTIFICATION, TICKET = "MultiFactorAuthentication", "Justification", "Ticketing"


class Policy:
    """Rules as they are on the wire; tests change them through the methods, callers through PATCH.

    What a fresh policy holds is UNCONFIRMED: a year at most for an eligibility and a reason for an assignment.
    """

    def __init__(self, policy_id: str, role_id: str) -> None:
        self.id = policy_id
        self.role_id = role_id
        self.rules: dict[str, Wire] = {str(rule["id"]): rule for rule in _default_rules()}
        self.modified_at: datetime | None = None
        self.modified_by: Mapping[str, str | None] = {"id": None, "displayName": None, "type": None, "email": None}

    def longest(self, maximum: str | None, level: str = ADMIN_ELIGIBILITY) -> None:
        """How long it may last at most, as P180D; None lets it be permanent."""
        rule = self.rules[f"Expiration_{level}"]
        rule["isExpirationRequired"] = maximum is not None
        if maximum is not None:
            parse_duration(maximum, "maximumDuration")
            rule["maximumDuration"] = maximum

    def demand(self, *enabled: str, level: str = ADMIN_ELIGIBILITY) -> None:
        """What a request must bring: MFA, JUSTIFICATION, TICKET, or nothing."""
        self.rules[f"Enablement_{level}"]["enabledRules"] = list(enabled)

    def approve_by(self, *, groups: Iterable[str] = (), users: Iterable[str] = ()) -> None:
        """Activations need one of these from now on; nobody means that none is needed."""
        named = [("Group", one) for one in groups] + [("User", one) for one in users]
        rule = _approval(END_USER_ASSIGNMENT, named)
        self.rules[str(rule["id"])] = rule

    def maximum(self, level: str) -> str | None:
        """The longest duration where an end is demanded."""
        rule = self.rules[f"Expiration_{level}"]
        return str(rule["maximumDuration"]) if rule["isExpirationRequired"] else None

    def demanded(self, level: str) -> list[str]:
        """What a request must bring."""
        found = self.rules[f"Enablement_{level}"]["enabledRules"]
        return [str(one) for one in found] if isinstance(found, list) else []

    def failures(self, wanted: Wanted, *, level: str, requestor: Requestor, switches: Switches) -> list[str]:
        """The rules that a request fails, as the service names them (section 11)."""
        failed = []
        if not self._is_short_enough(wanted.window, level, switches):
            failed.append("ExpirationRule")
        demanded = self.demanded(level)
        spared = requestor.has_mfa or (requestor.is_application and switches.is_flipped("arm-mfa-spares-applications"))
        if MFA in demanded and not spared:
            failed.append("MfaRule")
        if JUSTIFICATION in demanded and not (wanted.justification or "").strip():
            failed.append("JustificationRule")
        if TICKET in demanded and not wanted.ticket.is_whole:
            failed.append("TicketingRule")
        return failed

    def _is_short_enough(self, window: Window, level: str, switches: Switches) -> bool:
        maximum = self.maximum(level)
        if maximum is None:
            return True
        if window.end is None:
            return False
        allowed = parse_duration(maximum, "maximumDuration")
        if switches.is_flipped("arm-eligibility-capped-at-a-year"):
            allowed = min(allowed, HARD_CAP)
        return window.end - window.start <= allowed

    def wire_rules(self, *, with_pim_only: bool = False) -> list[Wire]:
        """All of them, in the order of the specification's example."""
        return [deepcopy(rule) for rule in self.rules.values() if with_pim_only or rule["id"] != PIM_ONLY]


def _target(level: str) -> Wire:
    caller, _, kind = level.partition("_")
    return {
        "caller": caller,
        "operations": ["All"],
        "level": kind,
        "targetObjects": None,
        "inheritableSettings": None,
        "enforcedSettings": None,
    }


def target_of(rule_id: str) -> Wire:
    """The target that a rule of this id carries."""
    return _target(next(level for level in LEVELS if rule_id.endswith(level)))


def _rule(rule_id: str, kind: str, level: str, **properties: object) -> Wire:
    return {**properties, "id": rule_id, "ruleType": f"RoleManagementPolicy{kind}Rule", "target": _target(level)}


def _default_rules() -> list[Wire]:
    enabled: dict[str, list[str]] = {
        ADMIN_ELIGIBILITY: [],
        ADMIN_ASSIGNMENT: [JUSTIFICATION],
        END_USER_ASSIGNMENT: [JUSTIFICATION],
    }
    longest = {ADMIN_ELIGIBILITY: "P365D", ADMIN_ASSIGNMENT: "P180D", END_USER_ASSIGNMENT: "PT8H"}
    found: list[Wire] = []
    for level in LEVELS:
        if level == END_USER_ASSIGNMENT:
            found.extend((_approval(level), _authentication_context(level)))
        found.append(_rule(f"Enablement_{level}", "Enablement", level, enabledRules=enabled[level]))
        found.append(
            _rule(
                f"Expiration_{level}",
                "Expiration",
                level,
                isExpirationRequired=True,
                maximumDuration=longest[level],
                exceptionMembers=None,
            )
        )
        found.extend(_notification(recipient, level) for recipient in RECIPIENTS)
    off: Wire = {"mode": "Disabled", "excludes": None, "excludedAssignmentTypes": None}
    found.append(_rule(PIM_ONLY, "PimOnlyMode", ADMIN_ASSIGNMENT, pimOnlyModeSettings=off))
    return found


def _approval(level: str, approvers: Sequence[tuple[str, str]] = ()) -> Wire:
    named = [{"id": one, "description": None, "isBackup": False, "userType": kind} for kind, one in approvers]
    setting: Wire = {
        "isApprovalRequired": bool(named),
        "isApprovalRequiredForExtension": False,
        "isRequestorJustificationRequired": True,
        "approvalMode": "SingleStage",
        "approvalStages": [
            {
                "approvalStageTimeOutInDays": 1,
                "isApproverJustificationRequired": True,
                "escalationTimeInMinutes": 0,
                "primaryApprovers": named,
                "isEscalationEnabled": False,
                "escalationApprovers": None,
            }
        ],
    }
    return _rule(f"Approval_{level}", "Approval", level, setting=setting)


def _authentication_context(level: str) -> Wire:
    return _rule(f"AuthenticationContext_{level}", "AuthenticationContext", level, isEnabled=False, claimValue="")


def _notification(recipient: str, level: str) -> Wire:
    nobody = recipient == "Approver" and level == END_USER_ASSIGNMENT
    return _rule(
        f"Notification_{recipient}_{level}",
        "Notification",
        level,
        notificationType="Email",
        recipientType=recipient,
        isDefaultRecipientsEnabled=True,
        notificationLevel="All",
        notificationRecipients=None if nobody else [],
    )
