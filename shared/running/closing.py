"""What is forgotten of a tenant that was let go: nothing of it is there any more, or the record says what. Pure.

The record stays, with its acts, and so does the audit trail.
"""

from msgspec.structs import replace

from shared.tenants.change import Change
from shared.tenants.record import Tenant


def forgotten(tenant: Tenant) -> Change | None:
    """The change that forgets analysts, eligibilities, intents (their before-images are used), the synchronization, and
    what was seen of the tenant. None where nothing is left to be forgotten.
    """
    record = replace(tenant.record, synchronization=None, role_policy=None, warnings=())
    seen = (tenant.proofs, tenant.sign_in, tenant.health)
    if record == tenant.record and not any((tenant.analysts, tenant.eligibilities, tenant.intents, *seen)):
        return None
    return Change(
        record=record,
        forgotten_analysts=sorted(tenant.analysts),
        forgotten_eligibilities=sorted(tenant.eligibilities),
        forgotten_intents=sorted(tenant.intents),
        forgotten_proofs=sorted(tenant.proofs),
        forgets_sign_in=tenant.sign_in is not None,
        forgets_health=tenant.health is not None,
    )
