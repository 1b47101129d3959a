"""A renewal's hold on a tenant: the run row keeps every other run out, and the record shows the fence. The state stays."""

from msgspec.structs import replace

from shared.renewal.looking import is_looked_after
from shared.renewal.messages import BY_HAND, BY_NIGHT, TENANT_KIND, TenantCall
from shared.run import Run, key_of
from shared.services import Services
from shared.subjects import Renewing
from shared.tenants.change import Change
from shared.tenants.record import Tenant


async def take(services: Services, call: TenantCall) -> Tenant | None:
    """Take the tenant, or keep hold of it. Safe twice. None: another run holds it, or it is not at rest."""
    tenant = await services.tenants.read(call.tenant_id)
    if tenant is None or not is_looked_after(tenant):
        return None
    now, record = services.clock.now(), tenant.record
    word = call.wish.asked_by or record.reviewed.by
    run = Run(
        subject=call.tenant_id,
        kind=TENANT_KIND,
        number=record.run if _holds(tenant, call) else record.run + 1,
        orchestration_id=call.orchestration_id,
        nonce=call.nonce,
        opened=now,
        requested_by=word,
        started=now,
    )
    holder = await services.runs.insert(run)
    if holder is not None:
        return None
    renewing = Renewing(
        nonce=call.nonce, since=now, on_whose_word=word, reason=BY_HAND if call.wish.asked_by else BY_NIGHT
    )

    def decide(found: Tenant) -> Change | None:
        if not is_looked_after(found) or found.record.run >= run.number:
            return None
        return Change(record=replace(found.record, run=run.number, renewing=renewing))

    tenant = await services.tenants.update(call.tenant_id, decide)
    if not _holds(tenant, call):
        await services.runs.close(key_of(run), "followed")
        return None
    return tenant


async def let_go(services: Services, call: TenantCall) -> int:
    """Let go of the tenant. Gives how much was changed. Safe twice; a hold that another run took over is over already."""
    changes = 0

    def decide(found: Tenant) -> Change | None:
        nonlocal changes
        renewing = found.record.renewing
        if renewing is None or renewing.nonce != call.nonce:
            return None
        changes = renewing.changes
        return Change(record=replace(found.record, renewing=None))

    await services.tenants.update(call.tenant_id, decide)
    run = await services.runs.open_run(call.tenant_id)
    if run is not None and run.nonce == call.nonce:
        await services.runs.close(key_of(run), f"{changes} renewed")
    return changes


def _holds(tenant: Tenant, call: TenantCall) -> bool:
    return tenant.record.renewing is not None and tenant.record.renewing.nonce == call.nonce
