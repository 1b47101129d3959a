"""Act 8: the analysts' accounts in the target. Provisioning is asked for analyst by analyst; the accounts that were made
are looked for together.
"""

from datetime import timedelta

import msgspec

from shared.errors import StrangeAccount
from shared.graph.directory import User
from shared.identifiers import ObjectId
from shared.permissions import Family
from shared.privileged import IN_PATIENCE, Ensured, check_fence
from shared.running.messages import ActCall, ActOutcome, Again, Done, Ended, Slot
from shared.running.performing import analyst_of, ensure, fence, perform
from shared.services import Services
from shared.subjects import Intent
from shared.tenants.change import Change
from shared.tenants.record import Analyst, Tenant
from shared.tenants.states import State
from shared.writes.provisioned import STRANGE, Provisioned, fits, quarantined, told_by_log
from shared.writes.provisioning import keep_provisioned, provisioning
from shared.writes.synchronization import held

_LONGEST_SIT_SECONDS = 3.0
"""A slot this near is waited for in the activity; further off, on a durable timer."""

_LOG_LAG = timedelta(minutes=8)
"""How long the provisioning log may lag (minutes; no figure is published) before provisioning is asked for again."""

_SCOPE_LAG = timedelta(minutes=2)
"""How long the synchronization may take to hear of an assignment before it is asked again."""


async def provision_analyst(services: Services, call: ActCall) -> ActOutcome:
    """Act 8, then: one analyst's account is asked for, and its id is known, or the reason why there is none."""
    return await perform(services, call, 8, _provision_analyst)


async def prove_accounts(services: Services, call: ActCall) -> ActOutcome:
    """Act 8, last: the accounts that were told can be read in the target, and look like the analysts'."""
    return await perform(services, call, 8, _prove_accounts)


async def _provision_analyst(services: Services, call: ActCall, tenant: Tenant) -> ActOutcome:
    analyst = tenant.analysts[analyst_of(call)]
    asked = _asked(tenant, analyst.object_id)
    if analyst.problem is not None and asked is None:  # act 7 left them out
        return _so_far(tenant)
    if asked is not None and analyst.target_object_id is not None and analyst.problem is None:
        return _so_far(tenant)
    if asked is not None and analyst.target_object_id is None and not _is_to_repeat(call, asked):
        return await _ask_log(services, call, tenant, analyst, asked)
    return await _asked_for(services, call, tenant, analyst)


async def _asked_for(services: Services, call: ActCall, tenant: Tenant, analyst: Analyst) -> ActOutcome:
    """Ask for one account. What shows that it is there is left to the look at all of them."""
    asked = _asked(tenant, analyst.object_id)
    # An account of a known id shows by itself: it is only looked at, for a while.
    sends = analyst.target_object_id is None or _is_overdue(services, asked)
    if sends and (wait := await _slot(services, call, Family.ON_DEMAND)) is not None:
        return wait
    write = provisioning(services, tenant, {"analyst": analyst.object_id})
    try:
        result = await ensure(services, call, write, looks_back=False)
    except StrangeAccount as error:
        return await _stranger(services, tenant, analyst, str(error))
    if isinstance(result, Ensured):
        return _so_far(await _mark_provisioned(services, call, tenant, analyst))
    tenant = await _reread(services, tenant)
    known = tenant.analysts[analyst.object_id]
    if known.problem is not None:
        return await _left_out(services, tenant, analyst, Provisioned(code=known.problem.code))
    if known.target_object_id is None:
        return Again(20.0, f"{analyst.display_name}: the account is not to be seen yet")
    return _so_far(tenant)


async def _prove_accounts(services: Services, call: ActCall, tenant: Tenant) -> ActOutcome:
    told = {
        one.target_object_id: one
        for one in tenant.staying.values()
        if one.target_object_id is not None and one.provisioned is None and one.problem is None
    }
    shown = await services.directory.target_users(tenant.record.tenant_id, list(told)) if told else []
    for user in shown:
        tenant = await _proved(services, call, tenant, told.pop(user.id), user)
    for analyst in told.values():
        if (again := await _looked_at(services, call, tenant, analyst)) is not None:
            return again
    return await _decided(services, await _reread(services, tenant))


async def _proved(services: Services, call: ActCall, tenant: Tenant, analyst: Analyst, user: User) -> Tenant:
    """An account that shows: its write is done, or it is a stranger's."""
    if not fits(user.user_principal_name, user.mail or "", analyst):
        await _stranger(services, tenant, analyst, user.id)
        return await _reread(services, tenant)
    seen = Ensured[ObjectId | None](image=user.id, changed=False)
    await ensure(services, call, provisioning(services, tenant, {"analyst": analyst.object_id}), just_read=seen)
    return await _mark_provisioned(services, call, tenant, analyst)


async def _looked_at(services: Services, call: ActCall, tenant: Tenant, analyst: Analyst) -> ActOutcome | None:
    """An account that no list shows is read by itself; when it had its time, it is asked for again, one in each call.

    None: on to the next.
    """
    overdue = _is_overdue(services, _asked(tenant, analyst.object_id))
    outcome = await _asked_for(services, msgspec.structs.replace(call, analyst=analyst.object_id), tenant, analyst)
    if not isinstance(outcome, Done):
        return outcome
    return Again(1.0, f"{analyst.display_name}: asked for again") if overdue else None


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


async def _stranger(services: Services, tenant: Tenant, analyst: Analyst, account: str) -> ActOutcome:
    """An account that is not theirs must never be made eligible."""
    strange = Provisioned(code=STRANGE, reason=f"account {account} does not look like theirs")
    return await _left_out(services, tenant, analyst, strange)


async def _left_out(services: Services, tenant: Tenant, analyst: Analyst, told: Provisioned) -> ActOutcome:
    """The service will not make this account: the reason stands on the record and in the audit; the others go on."""
    known = tenant.analysts[analyst.object_id]
    if known.problem is None:
        tenant = await keep_provisioned(services, tenant, analyst.object_id, told)
    write = provisioning(services, tenant, {"analyst": analyst.object_id})
    await services.intents.refuse(tenant.record.tenant_id, write, told.code)
    return _so_far(tenant)


def _so_far(tenant: Tenant) -> Done:
    """How far the asking is; the accounts are still to be looked for."""
    undecided = [
        one
        for one in tenant.staying.values()
        if (one.provisioned, one.problem, one.target_object_id) == (None, None, None)
    ]
    return Done(f"{len(tenant.staying) - len(undecided)} of {len(tenant.staying)} analysts", more=True)


async def _decided(services: Services, tenant: Tenant) -> ActOutcome:
    """When everybody's fate is known, the job is looked at once more."""
    undecided = [one.display_name for one in tenant.staying.values() if one.provisioned is None and one.problem is None]
    if undecided:
        return Again(20.0, f"not to be seen in the target yet: {', '.join(undecided)}")
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


def _is_overdue(services: Services, asked: Intent | None) -> bool:
    return asked is None or _since(services, asked) > IN_PATIENCE


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
