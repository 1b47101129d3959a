"""Act 24: the leavers' accounts in the target are gone, or it is known why not, and they are left to the kit. Safe to
repeat.
"""

from shared.errors import Forbidden, NotConsented
from shared.identifiers import ObjectId, TenantId
from shared.offboarding.departing import Account, are_gone, has_cycled, next_look, stands_still
from shared.privileged import check_fence
from shared.running.deadlines import A_DAY
from shared.running.messages import ActCall, ActOutcome, Again, Done
from shared.running.performing import fence, leave_to_kit, perform
from shared.running.proving import prove
from shared.running.refusals import lacking
from shared.services import Services
from shared.tenants.change import Change
from shared.tenants.record import Analyst, Tenant
from shared.writes.synchronization_removal import job_of

_ACT = 24
_SCOPE = 22


async def await_departures(services: Services, call: ActCall) -> ActOutcome:
    """Act 24: nobody's account is left in the target that a cycle can delete."""
    return await perform(services, call, _ACT, _await_departures)


async def _await_departures(services: Services, call: ActCall, tenant: Tenant) -> ActOutcome:
    tenant = await _prove_answers(services, call, tenant)
    job = await job_of(services, tenant) if tenant.record.synchronization is not None else None
    since = tenant.acts[_ACT].since
    unassigned = (tenant.acts[_SCOPE].ended if _SCOPE in tenant.acts else None) or since
    cycled = has_cycled(job, unassigned)
    accounts = await _looked_at(services, tenant)
    tenant = await _forget(services, call, [one.analyst for one in are_gone(accounts, cycled=cycled)])
    if not tenant.leavers:
        return Done("nobody's account is left")
    remaining = [one for one in accounts if one.analyst.object_id in tenant.leavers]
    unseen = all(one.there is None for one in remaining)
    if cycled and unseen:
        return await leave_to_kit(services, call, _ACT, "a cycle has passed, but they could not be looked at")
    if why := stands_still(job):
        return await leave_to_kit(services, call, _ACT, why)
    waited = services.clock.now() - since
    if waited > A_DAY:
        return await leave_to_kit(services, call, _ACT, "they were still there after a day")
    reason = f"waiting for a cycle of the synchronization: {len(remaining)} accounts"
    return Again(next_look(waited).total_seconds(), reason)


async def _looked_at(services: Services, tenant: Tenant) -> list[Account]:
    asked = {
        one.arguments.get("analyst") for one in tenant.intents.values() if one.kind == "provisioning" and one.landed
    }
    blind = False
    found: list[Account] = []
    for key, analyst in sorted(tenant.leavers.items()):
        there: bool | None = None
        if analyst.target_object_id is not None and not blind:
            there = await _is_there(services, tenant, analyst.target_object_id)
            blind = there is None
        found.append(Account(analyst=analyst, asked=key in asked, there=there))
    return found


async def _is_there(services: Services, tenant: Tenant, account: ObjectId) -> bool | None:
    """None: without the consent, where its administrator is to see to what that leaves."""
    try:
        return await services.directory.target_user(tenant.record.tenant_id, account) is not None
    except NotConsented:
        if not tenant.record.target_by_kit:
            raise
    except Forbidden as error:
        if not tenant.record.target_by_kit or await lacking(services, error) is None:
            raise
    return None


async def _forget(services: Services, call: ActCall, gone: list[Analyst]) -> Tenant:
    def decide(found: Tenant) -> Change | None:
        check_fence(found.record, fence(call))
        keys = [one.object_id for one in gone if one.object_id in found.leavers]
        return Change(record=found.record, forgotten_analysts=keys) if keys else None

    return await services.tenants.update(TenantId(call.run.subject), decide)


async def _prove_answers(services: Services, call: ActCall, tenant: Tenant) -> Tenant:
    """A consent that came back during the wait is proved now: its page waits for that."""
    answered = [one for one, row in tenant.consents.items() if row.answered is not None and row.proved is None]
    return (await prove(services, call, tenant, answered)).tenant if answered else tenant
