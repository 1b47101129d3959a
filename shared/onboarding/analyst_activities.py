"""The acts of onboarding for the analysts: their accounts in the target (8), Security Reader (9), the checklist (12)."""

from datetime import timedelta

import msgspec

from shared.eligibility import decide as eligibility
from shared.eligibility.policy import role_policy
from shared.eligibility.record import Eligibility
from shared.errors import Forbidden, Rejected, StrangeAccount
from shared.identifiers import ObjectId
from shared.onboarding import preflight
from shared.permissions import REQUEST_ELIGIBILITY, SECURITY_READER, Family
from shared.privileged import IN_PATIENCE, NotYet, check_fence
from shared.running.messages import ActCall, ActOutcome, Again, Done, Ended, Slot
from shared.running.performing import analyst_of, ensure, fence, perform
from shared.running.planning import is_there
from shared.running.refusals import lacking
from shared.services import Services
from shared.subjects import Intent
from shared.tenants.change import Change
from shared.tenants.record import Analyst, Problem, Tenant
from shared.tenants.states import State
from shared.writes.eligibility import security_reader
from shared.writes.provisioned import STRANGE, Provisioned, quarantined, told_by_log
from shared.writes.provisioning import keep_provisioned, provisioning
from shared.writes.synchronization import held

_LONGEST_SIT_SECONDS = 3.0
"""A slot this near is waited for in the activity; further off, on a durable timer."""

_LOG_LAG = timedelta(minutes=8)
"""How long the provisioning log may lag (minutes; no figure is published) before provisioning is asked for again."""

_SCOPE_LAG = timedelta(minutes=2)
"""How long the synchronization may take to hear of an assignment before it is asked again."""


async def provision_analyst(services: Services, call: ActCall) -> ActOutcome:
    """Act 8, then: one analyst has an account in the target that can be read there, or the reason why not is known."""
    return await perform(services, call, 8, _provision_analyst)


async def ensure_security_reader(services: Services, call: ActCall) -> ActOutcome:
    """Act 9: one analyst is eligible for Security Reader, read back as in force."""
    return await perform(services, call, 9, _ensure_security_reader)


async def write_checklist(services: Services, call: ActCall) -> ActOutcome:
    """Act 12: everything app-side is done for everyone; what only people can do stands in the checklist."""
    return await perform(services, call, 12, _write_checklist)


async def _provision_analyst(services: Services, call: ActCall, tenant: Tenant) -> ActOutcome:
    analyst = tenant.analysts[analyst_of(call)]
    if analyst.problem is not None and _asked(tenant, analyst.object_id) is None:  # act 7 left them out
        return await _next_analyst(services, tenant)
    asked = _asked(tenant, analyst.object_id)
    if asked is not None and analyst.target_object_id is None and not _is_to_repeat(call, asked):
        return await _ask_log(services, call, tenant, analyst, asked)
    # An account of a known id shows by itself: it is only looked at, for a while.
    sends = asked is None or analyst.target_object_id is None or _since(services, asked) > IN_PATIENCE
    if sends and (wait := await _slot(services, call, Family.ON_DEMAND)) is not None:
        return wait
    try:
        result = await ensure(services, call, provisioning(services, tenant, {"analyst": analyst.object_id}))
    except StrangeAccount as error:
        strange = Provisioned(code=STRANGE, reason=f"account {error} does not look like theirs")
        return await _left_out(services, tenant, analyst, strange)
    if isinstance(result, NotYet):
        tenant = await _reread(services, tenant)
        problem = tenant.analysts[analyst.object_id].problem
        if problem is not None:
            return await _left_out(services, tenant, analyst, Provisioned(code=problem.code))
        return Again(20.0, f"{analyst.display_name}: the account is not to be seen yet")
    return await _next_analyst(services, await _mark_provisioned(services, call, tenant, analyst))


async def _ask_log(services: Services, call: ActCall, tenant: Tenant, analyst: Analyst, asked: Intent) -> ActOutcome:
    """Provisioning was asked for and its answer told no id: the provisioning log does, after some minutes.

    Where it tells nothing, a repeat is safe, but only worth it when the log has had its time.
    """
    if (wait := await _slot(services, call, Family.REPORTS)) is not None:
        return wait
    entries = await services.synchronizations.provisioning_log(held(tenant).service_principal_id, held(tenant).job_id)
    told = told_by_log(entries, analyst.object_id, asked.opened)
    if told is None or (told.target_object_id is None and not told.refused):
        lag = _SCOPE_LAG if told is not None and told.premature else _LOG_LAG
        if _since(services, asked) < lag:
            return Again(20.0, f"{analyst.display_name}: waiting for the provisioning log")
        slot = await _reserved(services, Family.ON_DEMAND)
        seconds = max(0.0, (slot.at - services.clock.now()).total_seconds())
        return Again(seconds, f"{analyst.display_name}: asking again", slot)
    if told.refused:
        return await _left_out(services, tenant, analyst, told)
    await keep_provisioned(services, tenant, analyst.object_id, told)
    return Again(1.0, f"{analyst.display_name}: found in the provisioning log")


async def _left_out(services: Services, tenant: Tenant, analyst: Analyst, told: Provisioned) -> ActOutcome:
    """The service will not make this account: the reason stands on the record and in the audit; the others go on."""
    known = tenant.analysts[analyst.object_id]
    if known.problem is None:
        tenant = await keep_provisioned(services, tenant, analyst.object_id, told)
    write = provisioning(services, tenant, {"analyst": analyst.object_id})
    await services.intents.refuse(tenant.record.tenant_id, write, told.code)
    return await _next_analyst(services, tenant)


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


async def _next_analyst(services: Services, tenant: Tenant) -> ActOutcome:
    """How far act 8 is. When everybody's fate is known, the job is looked at once more."""
    undecided = [one for one in tenant.staying.values() if one.provisioned is None and one.problem is None]
    if undecided:
        return Done(f"{len(tenant.staying) - len(undecided)} of {len(tenant.staying)} analysts", more=True)
    job = await services.synchronizations.job(held(tenant).service_principal_id, held(tenant).job_id)
    if job is not None and job.quarantine is not None:
        return Ended(State.FAILED, quarantined(job.quarantine))
    skipped = [one.display_name for one in tenant.staying.values() if one.problem is not None]
    return Done(f"{len(tenant.staying) - len(skipped)} provisioned; left out: {', '.join(skipped) or 'nobody'}")


async def _mark_provisioned(services: Services, call: ActCall, tenant: Tenant, analyst: Analyst) -> Tenant:
    now = services.clock.now()

    def decide(found: Tenant) -> Change | None:
        check_fence(found.record, fence(call))
        row = found.analysts[analyst.object_id]
        if row.provisioned is not None and row.problem is None:
            return None
        return Change(record=found.record, analysts=[msgspec.structs.replace(row, provisioned=now, problem=None)])

    return await services.tenants.update(tenant.record.tenant_id, decide)


async def _reread(services: Services, tenant: Tenant) -> Tenant:
    return await services.tenants.update(tenant.record.tenant_id, lambda _: None)


async def _slot(services: Services, call: ActCall, family: Family) -> Again | None:
    """Sit out a near slot; with a far one, come again at its time. The reservation travels with the call."""
    slot = call.slot if call.slot is not None and call.slot.family is family else await _reserved(services, family)
    wait = (slot.at - services.clock.now()).total_seconds()
    if wait > _LONGEST_SIT_SECONDS:
        return Again(wait, "waiting for a free slot of the source tenant", slot)
    if wait > 0:
        await services.clock.sleep(wait)
    return None


async def _reserved(services: Services, family: Family) -> Slot:
    return Slot(family=family, at=await services.slots.reserve(services.settings.source_tenant_id, family.value))


def _since(services: Services, asked: Intent) -> timedelta:
    return services.clock.now() - (asked.attempted or asked.opened)


def _is_to_repeat(call: ActCall, asked: Intent) -> bool:
    """Whether a slot was reserved for asking again, and not used since."""
    if call.slot is None or call.slot.family is not Family.ON_DEMAND:
        return False
    return (asked.attempted or asked.opened) < call.slot.at


def _asked(tenant: Tenant, analyst: ObjectId) -> Intent | None:
    """The intent of this analyst's provisioning, when it was sent and may have happened."""
    return next(
        (
            intent
            for intent in tenant.intents.values()
            if intent.kind == "provisioning"
            and intent.arguments.get("analyst") == analyst
            and intent.attempted is not None
        ),
        None,
    )


def _needs_role(error: Forbidden) -> Problem:
    return Problem(
        code=error.call.code or "Forbidden",
        what="The target tenant does not let Tenantry Access make eligibilities by its permission alone.",
        do="The target's administrator assigns the directory role Privileged Role Administrator to the service principal "
        "Tenantry Access; then POST .../retry.",
    )
