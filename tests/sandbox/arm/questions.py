"""The facts about Azure that no source settles, one switch each, with the sections of the Azure contract."""

from tests.sandbox.switch import Switch

AZURE: tuple[Switch, ...] = (
    Switch(
        id="arm-pim-needs-owner",
        question="Is a custom role with the documented actions enough for PIM's calls (a page names Owner or UAA)?",
        default="yes",
        other="no: 403 without Owner or User Access Administrator",
        section="RBAC",
    ),
    Switch(
        id="arm-policy-filter-ignored",
        question="Does roleManagementPolicyAssignments take $filter=roleDefinitionId eq '...' (not in the swagger)?",
        default="yes",
        other="it is ignored, every role's policy comes",
        section="2.1",
    ),
    Switch(
        id="arm-mfa-spares-applications",
        question="Does an MFA rule on eligibilities refuse an application?",
        default="yes, MfaRule",
        other="no, an application passes",
        section="4.3",
    ),
    Switch(
        id="arm-eligibility-capped-at-a-year",
        question="Is there a hard limit of 365 days where an end is demanded, whatever the policy says?",
        default="no",
        other="yes: ExpirationRule",
        section="11",
    ),
    Switch(
        id="arm-extend-names-schedule",
        question="Must AdminExtend carry targetRoleEligibilityScheduleId?",
        default="no",
        other="yes: 400 without it",
        section="3.3",
    ),
    Switch(
        id="arm-extension-keeps-schedule",
        question="Does an extension yield a new schedule id (a runbook says so), or does the schedule stay?",
        default="a new one, the old one is retired",
        other="the same one with another window",
        section="3.3",
    ),
    Switch(
        id="arm-lapsed-schedules-stay-listed",
        question="Are lapsed eligibilities listed for 30 days (so the portal), or only current and future ones (swagger)?",
        default="current and future ones only",
        other="yes, with an end in the past",
        section="3.1",
    ),
    Switch(
        id="arm-lists-show-group-members",
        question="Do lists without assignedTo() show the members of an eligible group?",
        default="no, the group only",
        other="yes, with memberType Group",
        section="3.1",
    ),
    Switch(
        id="arm-extend-window-enforced",
        question="Does the API keep the portal's window of 14 days for AdminExtend?",
        default="no",
        other="yes: 400",
        section="3.3",
    ),
    Switch(
        id="arm-renew-needs-expired",
        question="What does AdminRenew do with an eligibility that is still active?",
        default="it sets the new end",
        other="400 RoleAssignmentExists",
        section="3.3",
    ),
    Switch(
        id="arm-requests-answer-pending",
        question="Does a new request answer before it is effective?",
        default="no, status is Provisioned",
        other="yes, PendingProvisioning until schedules show it",
        section="0",
    ),
    Switch(
        id="arm-unknown-principal-is-subject",
        question="Which code has a principal that the directory does not know (two are in circulation)?",
        default="PrincipalNotFound",
        other="SubjectNotFound",
        section="11",
    ),
    Switch(
        id="arm-lock-fails-the-request",
        question="How does a lock on the scope refuse?",
        default="409 ResourceIsLocked",
        other="201, and status FailedAsResourceIsLocked",
        section="11",
    ),
)
