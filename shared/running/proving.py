"""The proof of consents: a fresh token of each registration tells what it may do in the target."""

from collections.abc import Iterable, Mapping

import msgspec

from shared.errors import NotConsented
from shared.identifiers import TenantId
from shared.permissions import Registration, needed
from shared.privileged import check_fence
from shared.running.consents import after_proof
from shared.running.messages import ActCall
from shared.running.needs import must_be_proved
from shared.running.performing import fence
from shared.services import Services
from shared.tenants.change import Change
from shared.tenants.record import Tenant


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """The tenant with its consents as they are proved now, and what each registration holds or lacks."""

    tenant: Tenant
    granted: Mapping[Registration, tuple[str, ...]]
    lacking: Mapping[Registration, tuple[str, ...]]


async def prove(services: Services, call: ActCall, tenant: Tenant, registrations: Iterable[Registration]) -> Proof:
    """Look, and keep what was seen."""
    granted: dict[Registration, tuple[str, ...]] = {}
    lacking: dict[Registration, tuple[str, ...]] = {}
    for registration in registrations:
        held = await _held(services, registration, tenant.record.tenant_id)
        missing = tuple(sorted(set(needed(registration)) - held))
        if missing:
            lacking[registration] = missing
        else:
            granted[registration] = tuple(sorted(held))
    now = services.clock.now()

    def decide(found: Tenant) -> Change | None:
        check_fence(found.record, fence(call))
        waits = bool(must_be_proved(found, lacking))
        return after_proof(found, granted, lacking, now, services.new_id, waits=waits)

    proved = await services.tenants.update(tenant.record.tenant_id, decide)
    return Proof(tenant=proved, granted=granted, lacking=lacking)


async def _held(services: Services, registration: Registration, tenant_id: TenantId) -> frozenset[str]:
    try:
        return await services.credentials.fresh_roles(registration, tenant_id)
    except NotConsented:
        return frozenset()
