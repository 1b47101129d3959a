"""What went wrong with a tenant, and what a person should do about it, in words. Pure."""

from shared.errors import Conflict, Forbidden, NotConsented, Rejected
from shared.permissions import MULTI_TENANT
from shared.tenants.record import Goal, Problem

RETRY = "Look at the problem, then POST /api/tenants/{tenantId}/retry."

NO_PIM = Problem(
    code="NoPim",
    what="The target tenant has no Entra ID P2 or Governance licence, so there is no PIM and no eligibility.",
    do="The target buys Entra ID P2 or Governance for the analysts, or is looked after in another way; then "
    "POST .../retry.",
)


_OR_KIT = {
    Goal.OFFBOARDING: " Or DELETE /api/tenants/{tenantId}?target=kit: what lacks the consent is left to them, with the kit."
}


def is_for_target(error: NotConsented) -> bool:
    """Whether it is the target's administrator who consents; the others are registrations of the source."""
    return error.registration in MULTI_TENANT


def not_consented(error: NotConsented, goal: Goal = Goal.ONBOARDING) -> Problem:
    """A registration, or a permission of it, is not there."""
    lacks = f" lacks {', '.join(error.missing)}" if error.missing else " is not present"
    if is_for_target(error):
        return Problem(
            code="ConsentMissing",
            what=f"{error.registration}{lacks} in the target tenant.",
            do="The target's administrator opens the consent link and accepts." + _OR_KIT.get(goal, ""),
        )
    return Problem(
        code="PermissionMissing",
        what=f"{error.registration}{lacks} in the source tenant.",
        do=f"An administrator of the source tenant gives {error.registration} the permissions it is registered with; "
        "then POST .../retry.",
    )


def ambiguous(name: str) -> Problem:
    """More than one enterprise application has the name that only ours should have."""
    return Problem(
        code="AmbiguousApplication",
        what=f"More than one enterprise application is called '{name}'.",
        do="An administrator of the source tenant deletes the ones that are not in use; then POST .../retry.",
    )


def deleted_partner(object_name: str, where: str, error: Conflict) -> Problem:
    """A partner that was deleted in the last 30 days keeps another one from being made."""
    return Problem(
        code="DeletedPartner",
        what=f"In the tenant {where}, {object_name} is refused as being there ({error.call.code}), and does not show: one "
        "that was deleted within the last 30 days is still kept among the deleted items.",
        do="An administrator of that tenant deletes it for good, or restores it (Microsoft Graph beta, "
        "policies/deletedItems/crossTenantPartners; Security Administrator); or wait until the 30 days are over. "
        "Then POST .../retry.",
    )


def refused(error: Forbidden | Rejected) -> Problem:
    """The vendor said no, for a reason of its own."""
    call = error.call
    told = f": {call.message[:300]}" if call.message else ""
    return Problem(
        code=call.code or str(call.status),
        what=f"{call.method} {call.path} was refused: {call.status} {call.code}{told}",
        do=RETRY,
    )
