"""Act 9, first: access that does not go by analyst. A group of the target is made eligible; a tenant without PIM is
looked at for what its administrator assigned.
"""

import msgspec

from shared.eligibility import decide as eligibility
from shared.eligibility.decide import Held
from shared.eligibility.record import Eligibility
from shared.errors import NotFound, Rejected
from shared.identifiers import ObjectId
from shared.onboarding import access
from shared.permissions import SECURITY_READER
from shared.privileged import Ensured, NotYet, check_fence
from shared.running.messages import ActCall, ActOutcome, Again, Done, Ended
from shared.running.performing import ensure, fence, perform
from shared.services import Services
from shared.tenants.change import Change
from shared.tenants.record import AccessMode, Tenant
from shared.tenants.states import State
from shared.writes.eligibility import group_security_reader

_NOT_ASSIGNABLE = "InvalidRoleAssignmentRequest"
_UNKNOWN = "SubjectNotFound"


async def ensure_other_access(services: Services, call: ActCall) -> ActOutcome:
    """Act 9, first: the group's eligibility, or the assignments for good; or on to each analyst's own eligibility."""
    return await perform(services, call, 9, _ensure_other_access)


async def _ensure_other_access(services: Services, call: ActCall, tenant: Tenant) -> ActOutcome:
    if tenant.record.without_pim:
        return await _assigned_for_good(services, call, tenant)
    if tenant.record.wanted.access.mode is AccessMode.GROUP:
        return await _by_group(services, call, tenant)
    return Done("by analyst", more=True)


async def _by_group(services: Services, call: ActCall, tenant: Tenant) -> ActOutcome:
    group_id = tenant.record.wanted.access.group_id
    if group_id is None:
        return Ended(State.WAITING_FOR_PERSON, access.NO_GROUP_YET)
    try:
        result = await _group_eligible(services, call, tenant, group_id)
    except Rejected as error:
        if error.call.code != _NOT_ASSIGNABLE:
            raise
        return Ended(State.WAITING_FOR_PERSON, access.unfit_group(group_id, error.call.code))
    except NotFound as error:
        if error.call.code != _UNKNOWN or not access.is_overdue(tenant, services.clock.now()):
            raise
        return Ended(State.WAITING_FOR_PERSON, access.unfit_group(group_id, error.call.code))
    if isinstance(result, Ended):
        return result
    if isinstance(result, NotYet) or result.image is None:
        return Again(15.0, "the group's eligibility is not in force yet")
    wanted = tenant.record.wanted.duration_days
    policy = tenant.record.role_policy
    row = Eligibility(
        principal_id=group_id,
        role_definition_id=SECURITY_READER,
        analyst_id=None,
        schedule_id=result.image.schedule_id,
        end=result.image.end,
        wanted_days=wanted,
        capped_to_days=eligibility.length(wanted, policy.maximum_days if policy else None).capped_to,
    )
    in_force = await services.pim.in_force(tenant.record.tenant_id, SECURITY_READER)
    members = {one.principal_id for one in in_force if not one.direct}
    tenant = await _keep(services, call, tenant, [row], access.strangers(tenant, members))
    if missing := access.missing(tenant, members):
        return Ended(State.WAITING_FOR_PERSON, access.not_members(group_id, missing))
    return Done(f"by group; {len(tenant.staying)} analysts are its members")


async def _group_eligible(
    services: Services, call: ActCall, tenant: Tenant, group_id: ObjectId
) -> Ensured[Held | None] | NotYet | Ended:
    """Make the group eligible. What a person took away or shortened is made again on an operator's word alone."""
    write = group_security_reader(services, tenant, {"group": group_id})
    held, now = await write.read(), services.clock.now()
    if tenant.record.unasked and (problem := access.taken_away(tenant, group_id, held, now)) is not None:
        # A replica may show for a while what was before the latest renewal.
        if not access.is_overdue(tenant, now):
            return NotYet(seconds=15.0, reason="the eligibility is not as we left it")
        return Ended(State.WAITING_FOR_PERSON, problem)
    return await ensure(services, call, write, just_read=Ensured(image=held, changed=False))


async def _assigned_for_good(services: Services, call: ActCall, tenant: Tenant) -> ActOutcome:
    wanted = tenant.record.wanted.access
    if wanted.mode is AccessMode.GROUP and wanted.group_id is None:
        return Ended(State.WAITING_FOR_PERSON, access.NO_GROUP_YET)
    assigned = await services.pim.assigned(tenant.record.tenant_id, SECURITY_READER)
    rows = [
        Eligibility(
            principal_id=principal,
            role_definition_id=SECURITY_READER,
            analyst_id=analyst,
            schedule_id="",
            end=None,
            wanted_days=tenant.record.wanted.duration_days,
            plain=True,
        )
        for principal, analyst in access.principals(tenant)
        if principal in assigned
    ]
    tenant = await _keep(services, call, tenant, rows, ())
    lacking = [principal for principal, _ in access.principals(tenant) if principal not in assigned]
    if lacking:
        return Ended(State.WAITING_FOR_PERSON, access.not_assigned(lacking))
    return Done(f"assigned for good by the target's administrator: {len(rows)}")


async def _keep(
    services: Services, call: ActCall, tenant: Tenant, rows: list[Eligibility], strangers: tuple[ObjectId, ...]
) -> Tenant:
    """Store what was read back, and a warning of those who would get access with the analysts."""

    def decide(found: Tenant) -> Change | None:
        check_fence(found.record, fence(call))
        warnings = access.warned(found.record.warnings, strangers)
        new = [row for row in rows if row not in found.eligibilities.values()]
        if not new and warnings == found.record.warnings:
            return None
        return Change(record=msgspec.structs.replace(found.record, warnings=warnings), eligibilities=new)

    return await services.tenants.update(tenant.record.tenant_id, decide)
