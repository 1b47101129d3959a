"""Act 25: the synchronization that the onboarding made is removed from the source. Safe to repeat."""

from shared.claims import SYNCHRONIZATION
from shared.errors import Ambiguous
from shared.privileged import NotYet
from shared.running.advice import ambiguous
from shared.running.messages import ActCall, ActOutcome, Again, Done, Ended
from shared.running.performing import ensure, perform
from shared.services import Services
from shared.tenants.record import Tenant
from shared.tenants.states import State
from shared.writes import synchronization_removal as removal
from shared.writes.synchronization import held, remember


async def remove_synchronization(services: Services, call: ActCall) -> ActOutcome:
    """Act 25: no job, no enterprise application, no application object of ours is left in the source."""
    return await perform(services, call, 25, _remove_synchronization)


async def _remove_synchronization(services: Services, call: ActCall, tenant: Tenant) -> ActOutcome:
    if tenant.record.synchronization is None:
        return Done("there is none")
    if held(tenant).adopted:
        return await _without_job(services, call, tenant)
    if not removal.is_ours(services, tenant):
        return Done("the enterprise application is not ours: it is left as it is")
    try:
        application = await removal.enterprise_application(services, tenant)
        if application is not None:
            tenant = await remember(
                services, tenant.record.tenant_id, service_principal_id=application.id, app_id=application.app_id
            )
            for builder in (removal.pause, removal.job_removal):
                result = await ensure(services, call, builder(services, tenant, {}))
                if isinstance(result, NotYet):
                    return Again(result.seconds, result.reason)
        return await _without_application(services, call, tenant)
    except Ambiguous:
        return Ended(State.BLOCKED, ambiguous(held(tenant).name))


async def _without_job(services: Services, call: ActCall, tenant: Tenant) -> ActOutcome:
    """An adopted application is left to whoever made it, and so is a job that was there before; ours goes, or stands still
    as it did.
    """
    known = held(tenant)
    builders = [removal.pause, removal.job_removal] if removal.made_job(services, tenant) else []
    if not builders and removal.started_job(services, tenant):
        builders = [removal.pause]
    if await removal.enterprise_application(services, tenant) is not None:
        for builder in builders:
            result = await ensure(services, call, builder(services, tenant, {}))
            if isinstance(result, NotYet):
                return Again(result.seconds, result.reason)
    await services.claims.release(SYNCHRONIZATION, known.service_principal_id, tenant.record.tenant_id)
    return Done("the adopted enterprise application is left as it is")


async def _without_application(services: Services, call: ActCall, tenant: Tenant) -> ActOutcome:
    if app_id := held(tenant).app_id:
        result = await ensure(services, call, removal.registration_removal(services, tenant, {"app_id": app_id}))
        if isinstance(result, NotYet):
            return Again(result.seconds, result.reason)
        # What is read next is judged by what was just written.
        tenant = await services.tenants.update(tenant.record.tenant_id, lambda _: None)
    gone = await ensure(services, call, removal.application_removal(services, tenant, {}))
    return Again(gone.seconds, gone.reason) if isinstance(gone, NotYet) else Done("job, application and its object")
