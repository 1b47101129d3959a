"""What went wrong with a lock-down, and what a person should do about it, in words. Pure."""

from shared.errors import Conflict, Forbidden, NotConsented, NotFound, PimUnavailable, RemoteError, RoleNotAllowed
from shared.subscriptions.findings import ApproversSeen
from shared.tenants.record import Problem

AGAIN = "Then send the same PUT /api/subscriptions/{subscriptionId} again."

_LEAST = 2
"""Who can approve: one of them may be the one who asks, or away."""

_RULES = {
    "MfaAndAcrsConflict": "MFA and an authentication context exclude each other.",
    "InvalidPolicy": "Azure takes the policy as it is wanted in no part that it names.",
    "InvalidPolicyRule": "Azure takes one of the policy's rules not as it is wanted.",
}

TOO_FEW = Problem(
    code="TooFewApprovers",
    what="Fewer than two of the approvers can approve, and nobody approves their own request.",
    do="Name further approvers, or fill the approvers' groups: the record's `approvers` says of each what is wrong. Direct "
    f"members count, and accounts that are enabled. {AGAIN}",
)
UNREACHED = Problem(
    code="ApproversNotProven",
    what="Of fewer than two approvers it is proven that PIM's mail about a request reaches them.",
    do="The record's `approvers` says of each what is wrong: an enabled account, a mail address and an Exchange plan are "
    "needed. Until then they look into PIM by themselves.",
)
NO_PIM = Problem(
    code="NoPim",
    what="The source tenant has no Entra ID P2 or Governance licence, so there is no PIM and no approval.",
    do=f"The tenant buys Entra ID P2 or Governance for those who activate and approve. {AGAIN}",
)
INTERRUPTED = Problem(
    code="Interrupted",
    what="The run of the lock-down did not come to its end.",
    do="Send the same PUT /api/subscriptions/{subscriptionId} again. If it happens again, look at the app's log.",
)


def of_approvers(seen: ApproversSeen) -> tuple[Problem, ...]:
    """What is wrong with who approves."""
    if seen.able < _LEAST:
        return (TOO_FEW,)
    return (UNREACHED,) if seen.reached < _LEAST else ()


def role_failed(role: str, error: Exception) -> Problem:
    """A role's policy could not be made so."""
    return _problem(f"The policy of {role} is not as it is declared", error)


def holder_failed(principal_id: str, role: str, error: Exception) -> Problem:
    """Somebody could not be made eligible."""
    return _problem(f"{principal_id} is not eligible for {role}", error)


def holder_gone(principal_id: str, role: str) -> Problem:
    """Who is declared is not there any more, or is not to hold anything."""
    return Problem(
        code="HolderGone",
        what=f"{principal_id} is declared for {role}, and is not in the source's directory any more, or is disabled.",
        do="Declare somebody else, or leave it out.",
    )


def holder_waits(principal_id: str, role: str) -> Problem:
    """Somebody is not made eligible for a role whose policy is not as it is declared."""
    return Problem(
        code="RoleOpen",
        what=f"{principal_id} was not made eligible for {role}: its policy is not as it is declared.",
        do=f"Heal what keeps the policy from it. {AGAIN}",
    )


def is_soft(problem: Problem) -> bool:
    """Whether the roles are locked down all the same."""
    return problem.code in (TOO_FEW.code, UNREACHED.code)


def not_in_time(what: str, reason: str) -> Problem:
    """Something did not come to an end in time."""
    return Problem(
        code="Deadline",
        what=f"{what} did not come to an end in time. Last seen: {reason or 'no answer'}",
        do=f"Look at the subscription, and at the app's log for this time. {AGAIN}",
    )


def approvers_unread(error: Exception) -> Problem:
    """Who can approve could not be looked at."""
    return Problem(
        code="ApproversNotRead",
        what=f"Whether the approvers can approve, and be reached, could not be looked at: {error}",
        do="An administrator of the source tenant gives Tenantry Lookup the permissions it is registered with. "
        + AGAIN,
    )


def _problem(what: str, error: Exception) -> Problem:
    match error:
        case PimUnavailable():
            return NO_PIM
        case RoleNotAllowed():
            return Problem(
                code="RoleNotAllowed",
                what=f"{what}: this deployment does not allow that role to be written.",
                do="Declare another role, or change TENANTRY_AZURE_ROLES.",
            )
        case NotConsented():
            return Problem(
                code="NotConsented",
                what=f"{what}: {error.registration} is not present in the source tenant.",
                do=f"An administrator of the source tenant registers it as README says. {AGAIN}",
            )
        case Forbidden():
            return Problem(
                code=error.call.code or "Forbidden",
                what=f"{what}: {error.call.registration} may not. {_said(error)}",
                do="An owner of the subscription gives it the custom role with every action that README lists: to change who "
                f"approves takes roleManagementPolicies/approvalRule/action beside roleManagementPolicies/write. {AGAIN}",
            )
        case RemoteError():
            return _refused(what, error)
        case _:
            return Problem(code=type(error).__name__, what=f"{what}: {error}", do=AGAIN)


def _refused(what: str, error: RemoteError) -> Problem:
    code = error.call.code or str(error.call.status)
    gone = isinstance(error, NotFound | Conflict)
    do = (
        "Look whether the subscription is there, and unlocked."
        if gone
        else "Look at what is declared, and at PIM there."
    )
    return Problem(
        code=code, what=f"{what}: {_RULES.get(code, '')} {_said(error)}".replace("  ", " "), do=f"{do} {AGAIN}"
    )


def _said(error: RemoteError) -> str:
    return f"Azure said {error.call.status or ''} {error.call.code}: {error.call.message[:300]}".strip()
