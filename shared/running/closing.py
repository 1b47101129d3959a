"""What is forgotten of a tenant that was let go: nothing of it is there any more, or the record says what. Pure.

The record stays, with its acts, and so does the audit trail.
"""

from msgspec.structs import replace

from shared.tenants.change import Change
from shared.tenants.record import Tenant


def forgotten(tenant: Tenant) -> Change | None:
    """The change that forgets analysts, eligibilities, intents (their before-images are used) and the synchronization.

    None where nothing is left to be forgotten.
    """
    record = replace(tenant.record, synchronization=None, role_policy=None, warnings=())
    analysts, eligibilities, intents = sorted(tenant.analysts), sorted(tenant.eligibilities), sorted(tenant.intents)
    if record == tenant.record and not (analysts or eligibilities or intents):
        return None
    return Change(
        record=record,
        forgotten_analysts=analysts,
        forgotten_eligibilities=eligibilities,
        forgotten_intents=intents,
    )
