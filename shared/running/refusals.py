"""What a refused call lacks. The call alone tells little: a fresh token tells whether the permission is there."""

from shared.errors import Forbidden, NotConsented
from shared.identifiers import TenantId
from shared.permissions import Registration, needed
from shared.services import Services


async def lacking(services: Services, error: Forbidden) -> NotConsented | None:
    """The permission that was missing where a call was refused; None where all are there. Raises as a token does."""
    if not error.call.registration:
        return None
    registration, tenant_id = Registration(error.call.registration), TenantId(error.call.tenant_id)
    try:
        held = await services.credentials.fresh_roles(registration, tenant_id)
    except NotConsented as gone:
        return gone
    missing = tuple(sorted(set(needed(registration, services.settings.source_mode)) - held))
    return NotConsented(registration.value, tenant_id, missing) if missing else None
