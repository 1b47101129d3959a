"""What a refusal means: who lacks which permission, and what a person should do about it.

A refused call alone tells little: a fresh token tells whether the permission is there.
"""

from shared.errors import Forbidden, NotConsented, Rejected
from shared.identifiers import TenantId
from shared.permissions import MULTI_TENANT, Registration, needed
from shared.services import Services
from shared.tenants.record import Problem

RETRY = "Look at the problem, then POST /api/tenants/{tenantId}/retry."


async def lacking(services: Services, error: Forbidden) -> NotConsented | None:
    """The permission that was missing where a call was refused; None where all are there. Raises as a token does."""
    if not error.call.registration:
        return None
    registration, tenant_id = Registration(error.call.registration), TenantId(error.call.tenant_id)
    try:
        held = await services.credentials.fresh_roles(registration, tenant_id)
    except NotConsented as gone:
        return gone
    missing = tuple(sorted(set(needed(registration)) - held))
    return NotConsented(registration.value, tenant_id, missing) if missing else None


def is_for_target(error: NotConsented) -> bool:
    """Whether it is the target's administrator who consents; the others are registrations of the source."""
    return error.registration in MULTI_TENANT


def not_consented(error: NotConsented) -> Problem:
    """A registration, or a permission of it, is not there."""
    lacks = f" lacks {', '.join(error.missing)}" if error.missing else " is not present"
    if is_for_target(error):
        return Problem(
            code="ConsentMissing",
            what=f"{error.registration}{lacks} in the target tenant.",
            do="The target's administrator opens the consent link and accepts.",
        )
    return Problem(
        code="PermissionMissing",
        what=f"{error.registration}{lacks} in the source tenant.",
        do=f"An administrator of the source tenant gives {error.registration} the permissions it is registered with; "
        "then POST .../retry.",
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
