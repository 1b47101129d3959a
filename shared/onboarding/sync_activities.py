"""The acts of onboarding around the synchronization: application, job, secrets (6), scope (7), start (8)."""

import msgspec

from shared.errors import Ambiguous, NotFound
from shared.graph.sync_shapes import Job
from shared.identifiers import ObjectId, TenantId
from shared.onboarding.adopted_activities import adopt
from shared.permissions import SourceMode
from shared.privileged import Ensured, NotYet, check_fence
from shared.running.advice import ambiguous
from shared.running.messages import ActCall, ActOutcome, Again, Done, Ended
from shared.running.performing import ensure, fence, perform
from shared.services import Services
from shared.tenants.change import Change
from shared.tenants.record import ActState, Problem, Synchronization, Tenant
from shared.tenants.states import State
from shared.writes import synchronization
from shared.writes.provisioned import GONE, quarantined
from shared.writes.provisioning import keep_provisioned
from shared.writes.synchronization import held, is_gone, remember


async def ensure_synchronization(services: Services, call: ActCall) -> ActOutcome:
    """Act 6: one enterprise application, its job and its secrets; the trust of both sides proved by validation."""
    return await perform(services, call, 6, _ensure_synchronization)


async def assign_analysts(services: Services, call: ActCall) -> ActOutcome:
    """Act 7: the analysts are in scope, by user id."""
    return await perform(services, call, 7, _assign_analysts)


async def start_synchronization(services: Services, call: ActCall) -> ActOutcome:
    """Act 8, first: the job runs by schedule."""
    return await perform(services, call, 8, _start_synchronization)


async def _ensure_synchronization(services: Services, call: ActCall, tenant: Tenant) -> ActOutcome:
    target = tenant.record.tenant_id
    if services.settings.source_mode is SourceMode.ADOPTED:
        return await _ensure_adopted(services, call, tenant)
    tenant = await _named(services, tenant)
    try:
        application = await ensure(
            services, call, synchronization.enterprise_application(services, tenant, {"name": held(tenant).name})
        )
    except Ambiguous:
        return Ended(State.BLOCKED, ambiguous(held(tenant).name))
    if isinstance(application, NotYet):
        return Again(application.seconds, application.reason)
    image = application.image
    if image is None:
        raise LookupError("an ensured application has an image")
    role = next((role for role in image.app_roles if role.provisions), None)
    if role is None:
        return Again(15.0, "the enterprise application shows no app role that analysts could be assigned to")
    tenant = await remember(services, target, service_principal_id=image.id, app_id=image.app_id, app_role_id=role.id)
    return await _ensure_job(services, call, tenant)


async def _ensure_adopted(services: Services, call: ActCall, tenant: Tenant) -> ActOutcome:
    adopted = await adopt(services, call, tenant)
    return adopted if isinstance(adopted, Ended) else await _ensure_job(services, call, adopted)


async def _ensure_job(services: Services, call: ActCall, tenant: Tenant) -> ActOutcome:
    target = tenant.record.tenant_id
    problem = await services.synchronizations.validate_credentials(held(tenant).service_principal_id, target)
    if problem is not None:
        return Again(15.0, f"the trust of both sides does not validate yet: {problem}")
    job = await ensure(services, call, synchronization.synchronization_job(services, tenant, {}))
    if isinstance(job, NotYet) or job.image is None:
        return Again(15.0, "the job is not to be seen yet")
    tenant = await remember(services, target, job_id=job.image.id)
    stored = await ensure(services, call, synchronization.secrets(services, tenant, {}))
    if isinstance(stored, NotYet):
        return Again(stored.seconds, stored.reason)
    rule_id = await services.synchronizations.rule_id(held(tenant).service_principal_id, held(tenant).job_id)
    if rule_id is None:
        return Again(15.0, "the job's schema has no rule for users yet")
    await remember(services, target, rule_id=rule_id)
    return Done("application, job, secrets; validated")


async def _named(services: Services, tenant: Tenant) -> Tenant:
    """The name is fixed before the first try, with a part nobody can guess: what is found by it is ours."""
    name = f"{tenant.record.wanted.display_name} ({tenant.record.tenant_id}) Tenantry {services.new_id()[:8]}"

    def decide(found: Tenant) -> Change | None:
        if found.record.synchronization is not None:
            return None
        return Change(record=msgspec.structs.replace(found.record, synchronization=Synchronization(name=name)))

    return await services.tenants.update(tenant.record.tenant_id, decide)


async def _assign_analysts(services: Services, call: ActCall, tenant: Tenant) -> ActOutcome:
    staying = tuple(tenant.staying)
    writes = [synchronization.assignment(services, tenant, {"analyst": analyst}) for analyst in staying]
    try:
        results = await services.intents.ensure_each(tenant.record.tenant_id, fence(call), writes)
        for analyst, result in zip(staying, results, strict=True):
            if isinstance(result, NotFound):
                await _left_out(services, tenant, analyst, result)
    except NotFound:
        if await is_gone(services, tenant):
            return await _made_again_by_a_retry(services, call)
        raise
    for result in results:
        if isinstance(result, NotYet):
            return Again(result.seconds, result.reason)
    there = sum(isinstance(result, Ensured) for result in results)
    return Done(f"{there} of {len(staying)} analysts in scope")


async def _left_out(services: Services, tenant: Tenant, analyst: ObjectId, error: NotFound) -> None:
    """An analyst who is gone from the source is left out. Raises what was not found where it was something else."""
    if await services.directory.source_user(analyst) is not None:
        raise error
    await keep_provisioned(services, tenant, analyst, GONE)


async def _start_synchronization(services: Services, call: ActCall, tenant: Tenant) -> ActOutcome:
    job = await services.synchronizations.job(held(tenant).service_principal_id, held(tenant).job_id)
    if job is None:
        if await is_gone(services, tenant):
            return await _made_again_by_a_retry(services, call)
        return Again(15.0, "the job is not to be seen yet")
    if job.quarantine is not None:
        return Ended(State.FAILED, quarantined(job.quarantine))
    seen = Ensured[Job | None](image=job, changed=False)
    result = await ensure(services, call, synchronization.start(services, tenant, {}), just_read=seen)
    if isinstance(result, NotYet):
        return Again(result.seconds, result.reason)
    return Done("job started", more=True)


async def _made_again_by_a_retry(services: Services, call: ActCall) -> Ended:
    def decide(found: Tenant) -> Change:
        check_fence(found.record, fence(call))
        again = [found.acts[number] for number in (6, 7) if number in found.acts]
        return Change(record=found.record, acts=[msgspec.structs.replace(act, state=ActState.PENDING) for act in again])

    await services.tenants.update(TenantId(call.run.subject), decide)
    what = "The synchronization's enterprise application, or its job, was deleted in the source tenant."
    return Ended(State.FAILED, Problem(code="SynchronizationGone", what=what, do="POST .../retry: it is made again."))
