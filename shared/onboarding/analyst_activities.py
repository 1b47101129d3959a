"""The acts of onboarding for the analysts: Security Reader (9), the checklist (12)."""

import msgspec

from shared.eligibility import decide as eligibility
from shared.eligibility.policy import role_policy
from shared.eligibility.record import Eligibility
from shared.errors import Forbidden, Rejected
from shared.onboarding import preflight
from shared.permissions import REQUEST_ELIGIBILITY, SECURITY_READER
from shared.privileged import NotYet, check_fence
from shared.running.messages import ActCall, ActOutcome, Again, Done, Ended
from shared.running.performing import analyst_of, ensure, fence, perform
from shared.running.planning import is_there
from shared.running.refusals import lacking
from shared.services import Services
from shared.tenants.change import Change
from shared.tenants.record import Problem, Tenant
from shared.tenants.states import State
from shared.writes.eligibility import security_reader


async def ensure_security_reader(services: Services, call: ActCall) -> ActOutcome:
    """Act 9: one analyst is eligible for Security Reader, read back as in force."""
    return await perform(services, call, 9, _ensure_security_reader)


async def write_checklist(services: Services, call: ActCall) -> ActOutcome:
    """Act 12: everything app-side is done for everyone; what only people can do stands in the checklist."""
    return await perform(services, call, 12, _write_checklist)


async def _ensure_security_reader(services: Services, call: ActCall, tenant: Tenant) -> ActOutcome:
    analyst = tenant.analysts[analyst_of(call)]
    if analyst.problem is not None or analyst.provisioned is None or analyst.target_object_id is None:
        return _eligible_so_far(tenant)
    try:
        result = await ensure(services, call, security_reader(services, tenant, {"analyst": analyst.object_id}))
    except Forbidden as error:
        if error.call.path != REQUEST_ELIGIBILITY.path or await lacking(services, error) is not None:
            raise
        return Ended(State.WAITING_FOR_PERSON, _needs_role(error))
    except Rejected as error:
        if error.call.code != eligibility.POLICY_REFUSED:
            raise
        return await _policy_changed(services, call, tenant, error)
    if isinstance(result, NotYet) or result.image is None:
        return Again(15.0, f"{analyst.display_name}: the eligibility is not in force yet")
    policy = tenant.record.role_policy
    length = eligibility.length(tenant.record.wanted.duration_days, policy.maximum_days if policy else None)
    row = Eligibility(
        principal_id=analyst.target_object_id,
        role_definition_id=SECURITY_READER,
        analyst_id=analyst.object_id,
        schedule_id=result.image.schedule_id,
        end=result.image.end,
        wanted_days=tenant.record.wanted.duration_days,
        capped_to_days=length.capped_to,
    )

    def decide(found: Tenant) -> Change | None:
        check_fence(found.record, fence(call))
        same = row in found.eligibilities.values()
        return None if same else Change(record=found.record, eligibilities=[row])

    return _eligible_so_far(await services.tenants.update(tenant.record.tenant_id, decide))


async def _policy_changed(services: Services, call: ActCall, tenant: Tenant, error: Rejected) -> ActOutcome:
    """The role's policy is not what preflight saw: keep to what it is now, or say what no application can keep."""
    rules = tuple(await services.pim.role_rules(tenant.record.tenant_id, SECURITY_READER))
    if blocking := preflight.unmeetable(rules):
        return Ended(State.BLOCKED, blocking[0])
    policy = role_policy(rules)
    if policy == tenant.record.role_policy:
        raise error

    def decide(found: Tenant) -> Change:
        check_fence(found.record, fence(call))
        return Change(record=msgspec.structs.replace(found.record, role_policy=policy))

    await services.tenants.update(tenant.record.tenant_id, decide)
    return Again(1.0, "the role's policy changed")


async def _write_checklist(_: Services, __: ActCall, tenant: Tenant) -> ActOutcome:
    left_out = [analyst for analyst in tenant.staying.values() if analyst.problem is not None]
    if left_out:
        problems = [analyst.problem for analyst in left_out if analyst.problem]
        problem = Problem(
            code=problems[0].code,
            what=" ".join(dict.fromkeys(one.what for one in problems)),
            do=" ".join(dict.fromkeys(one.do for one in problems)),
        )
        return Ended(State.WAITING_FOR_PERSON, problem)
    without = [one.display_name for one in tenant.staying.values() if not is_there(tenant, one)]
    if without:
        # Ready must follow from what was read back for everyone, never from the absence of a problem.
        what = f"No eligibility was read back for {', '.join(without)}."
        return Ended(State.FAILED, Problem(code="Incomplete", what=what, do="POST .../retry."))
    return Done(f"for {len(tenant.staying)} analysts")


def _eligible_so_far(tenant: Tenant) -> Done:
    held_by = {one.analyst_id for one in tenant.eligibilities.values()}
    wanted = [one for one in tenant.staying.values() if one.problem is None]
    count = sum(one.object_id in held_by for one in wanted)
    return Done(f"{count} of {len(tenant.staying)} analysts eligible", more=count < len(wanted))


def _needs_role(error: Forbidden) -> Problem:
    return Problem(
        code=error.call.code or "Forbidden",
        what="The target tenant does not let Tenantry Access make eligibilities by its permission alone.",
        do="The target's administrator assigns the directory role Privileged Role Administrator to the service principal "
        "Tenantry Access; then POST .../retry.",
    )
