"""What a night reads of one tenant: its tokens, both sides' settings as far as they are visible, the job, eligibilities."""

import msgspec

from shared.eligibility.record import Eligibility
from shared.errors import NotConsented
from shared.graph.shapes import IdentitySynchronization, Partner
from shared.graph.sync_shapes import Job
from shared.identifiers import TenantId
from shared.permissions import SECURITY_READER, Registration, needed
from shared.running.acts import asked_of
from shared.services import Services
from shared.subjects import intent_key
from shared.tenants.record import Tenant
from shared.upkeep.health import Observed, Settings


async def lost_access(services: Services, tenant: Tenant) -> NotConsented | None:
    """What a standing registration lacks by now, told by a fresh token; None while each has all that it needs."""
    tenant_id = tenant.record.tenant_id
    for registration in asked_of(tenant.record.wanted):
        if registration is Registration.SETUP:
            continue
        try:
            held = await services.credentials.fresh_roles(registration, tenant_id)
        except NotConsented as gone:
            return gone
        if missing := tuple(sorted(set(needed(registration)) - held)):
            return NotConsented(registration.value, tenant_id, missing)
    return None


async def observe(services: Services, tenant: Tenant) -> Observed:
    """Read it all, one call after the other: a night has time, and the limits are shared."""
    target, source = tenant.record.tenant_id, services.settings.source_tenant_id
    here = services.cross_tenant(Registration.SOURCE, source)
    application, job, credentials = await _synchronization(services, tenant)
    partner_in_target, sync_in_target = await _target(services, tenant)
    by_pim: dict[str, Eligibility] = {one.principal_id: one for one in tenant.eligibilities.values() if not one.plain}
    in_force = await services.pim.in_force(target, SECURITY_READER) if by_pim else []
    return Observed(
        partner_in_source=Settings(
            left=_left(tenant, source, f"partner settings {target}", Partner), now=await here.partner(target)
        ),
        application=application,
        job=job,
        credentials=credentials,
        partner_in_target=partner_in_target,
        sync_in_target=sync_in_target,
        eligibilities=by_pim,
        in_force={one.principal_id: one.end_date_time for one in in_force if one.direct},
    )


async def _synchronization(services: Services, tenant: Tenant) -> tuple[bool, Job | None, str | None]:
    """Whether the application is there, its job, and what is wrong with the credentials."""
    known = tenant.record.synchronization
    if known is None or await services.applications.service_principal(known.service_principal_id) is None:
        return False, None, None
    job = await services.synchronizations.job(known.service_principal_id, known.job_id)
    if job is None:
        return True, None, None
    problem = await services.synchronizations.validate_saved_credentials(known.service_principal_id, known.job_id)
    return True, job, problem


async def _target(
    services: Services, tenant: Tenant
) -> tuple[Settings[Partner] | None, Settings[IdentitySynchronization] | None]:
    """The target's own settings, while Setup is consented there."""
    target, source = tenant.record.tenant_id, services.settings.source_tenant_id
    try:
        held = await services.credentials.fresh_roles(Registration.SETUP, target)
    except NotConsented:
        return None, None
    if not set(needed(Registration.SETUP)) <= held:
        return None, None
    there = services.cross_tenant(Registration.SETUP, target)
    partner = Settings(
        left=_left(tenant, target, f"partner settings {source}", Partner), now=await there.partner(source)
    )
    sync = Settings(
        left=_left(tenant, target, f"identity synchronization {source}", IdentitySynchronization),
        now=await there.identity_synchronization(source),
    )
    return partner, sync


def _left[Image](tenant: Tenant, where: TenantId, object_name: str, kind: type[Image]) -> Image | None:
    """An object as our latest write left it; None where we wrote nothing."""
    intent = tenant.intents.get(intent_key(where, object_name))
    return None if intent is None else msgspec.json.decode(intent.after, type=kind | None)
