"""A night's look at each tenant: who joined and who left its analysts, whether access still works, what has drifted.

A tenant that fails never stops the others: it is looked at again in the same night, then reported.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec.structs import replace

from shared.errors import NotConsented, StoreConflict
from shared.identifiers import ObjectId, TenantId
from shared.notify.notices import Kind, Notice
from shared.running.advice import not_consented
from shared.running.consents import asked_again
from shared.running.lifecycle import open_run
from shared.running.messages import PageCall
from shared.running.pages import each, tenants_of
from shared.running.starting import Onboarding, Payload, continued, has_written
from shared.services import Services
from shared.tenants.change import Change
from shared.tenants.record import Analyst, Goal, Health, Problem, Record, Tenant
from shared.tenants.states import RESTING, State
from shared.upkeep import health
from shared.upkeep.comparing import MANY_LEAVERS, Difference, compare, is_to_be_asked, kept, question
from shared.upkeep.messages import NightCall, NightOver, Page
from shared.upkeep.observing import lost_access, observe
from shared.upkeep.rosters import Rosters

_log = logging.getLogger(__name__)

_STOPPED = (State.CANCELLED, State.FAILED, State.BLOCKED)
"""Where an onboarding ended that nobody but a person lets go on."""

_REASON = "the nightly comparison with the source's directory"


class Looked(StrEnum):
    """What a look at one tenant came to."""

    DONE = "done"
    OPENED = "opened"
    POSTPONED = "postponed"


async def look_after_page(services: Services, call: PageCall) -> Page:
    """Look at one page of tenants, a few at a time."""
    tenants, following = await tenants_of(services, call)
    rosters = Rosters(services)
    found = await each(tenants, lambda one: _looked(services, rosters, one), failed=Looked.POSTPONED)
    return Page(
        cursor=following,
        looked_at=sum(one is not Looked.POSTPONED for one in found),
        opened=found.count(Looked.OPENED),
        postponed=tuple(one for one, came in zip(tenants, found, strict=True) if came is Looked.POSTPONED),
    )


async def end_night(services: Services, call: NightCall) -> NightOver:
    """Close the night's run. Safe twice."""
    outcome = f"{call.looked_at} looked at, {call.opened} changed, {len(call.given_up)} given up"
    if call.failed:
        outcome = f"not everything could be looked at: {outcome}"
        _log.error("night.failed subject=%s", call.run.subject)
    await services.runs.close(call.run, outcome)
    for tenant_id in call.given_up:
        _log.error("night.given_up tenant_id=%s", tenant_id)
    _log.info("night.over subject=%s looked_at=%s opened=%s", call.run.subject, call.looked_at, call.opened)
    return NightOver()


async def _looked(services: Services, rosters: Rosters, tenant_id: TenantId) -> Looked:
    tenant = await services.tenants.read(tenant_id)
    if tenant is None or not _is_looked_after(tenant):
        return Looked.DONE
    if await _compared(services, tenant, await rosters.of(tenant)):
        return Looked.OPENED
    if tenant.record.state is State.READY:
        await _probed(services, tenant)
    return Looked.DONE


def _is_looked_after(tenant: Tenant) -> bool:
    """Whether a night concerns itself with a tenant: it is at rest, stays, and somebody may have got access to it."""
    record = tenant.record
    if record.goal is Goal.OFFBOARDING:
        return False
    return record.state is State.READY or (record.state in RESTING and has_written(tenant))


async def _compared(services: Services, tenant: Tenant, members: Mapping[ObjectId, Analyst]) -> bool:
    """Whether the analysts are to change: by a run that is open now, or once a person said so."""
    record, difference = tenant.record, compare(tenant, members)
    if record.state in _STOPPED:
        # A run would go on with all that is left of the onboarding: that is a person's word, and so are leavers then.
        difference = Difference(joiners=(), leavers=difference.leavers)
    if difference and (record.state in _STOPPED or is_to_be_asked(tenant, difference)):
        await _ask(services, tenant, difference)
        return True
    if difference:
        payload = Onboarding(
            domain=record.domain,
            wanted=record.wanted,
            analysts=kept(tenant, difference),
            replace=False,
            change=True,
            only_from=record.state,
            reason=_REASON,
        )
        return await _open(services, record, payload)
    if record.problem is not None and record.problem.code == MANY_LEAVERS:
        # Those whose leave was asked about are back: nothing is left to be said.
        return await _open(services, record, replace(continued(record, only_from=record.state), reason=_REASON))
    return False


async def _open(services: Services, record: Record, payload: Payload) -> bool:
    holder = await open_run(services, None, record.tenant_id, record.run + 1, record.requested_by, payload)
    if holder is not None:
        # A renewal holds it for a moment, or a run that just began: it is looked at again in this night.
        raise StoreConflict(f"{record.tenant_id} is held by run {holder.number}")
    return True


async def _ask(services: Services, tenant: Tenant, difference: Difference) -> None:
    """Put the question on the record. A tenant that waits or failed for another reason keeps that reason in sight."""
    now = services.clock.now()
    asked = question(tenant, difference)

    def decide(found: Tenant) -> Change | None:
        record = found.record
        if record.run_nonce != tenant.record.run_nonce or record.leavers_asked == difference.leavers:
            return None
        if record.state is State.READY:
            record = _waiting(record, State.WAITING_FOR_PERSON, asked, now, services.settings.deadlines.consent)
        elif asked.do not in record.what_to_do:
            record = replace(record, what_to_do=(*record.what_to_do, asked.what, asked.do))
        return Change(record=replace(record, leavers_asked=difference.leavers))

    await services.tenants.update(tenant.record.tenant_id, decide)
    _log.warning("tenant.leavers_to_confirm tenant_id=%s count=%s", tenant.record.tenant_id, len(difference.leavers))


async def _probed(services: Services, tenant: Tenant) -> None:
    tenant_id = tenant.record.tenant_id
    lost = await lost_access(services, tenant)
    if lost is not None:
        await _lose(services, tenant_id, lost)
        return
    observed = await observe(services, tenant)
    looked = Health(looked=services.clock.now(), drift=health.drift(observed), notes=health.notes(observed))
    nonce = tenant.record.run_nonce

    def decide(found: Tenant) -> Change | None:
        return Change(record=found.record, health=looked) if found.record.run_nonce == nonce else None

    await services.tenants.update(tenant_id, decide)
    if looked.drift:
        _log.warning("tenant.drifted tenant_id=%s count=%s", tenant_id, len(looked.drift))


async def _lose(services: Services, tenant_id: TenantId, lost: NotConsented) -> None:
    """The standing consent is gone: from Ready the tenant waits for it, so this is told once for each loss."""
    now = services.clock.now()
    told = False

    def decide(found: Tenant) -> Change | None:
        nonlocal told
        told = found.record.state is State.READY
        if not told:
            return None
        asked = asked_again(found, lost, now, services.new_id)
        deadline = services.settings.deadlines.consent
        record = _waiting(asked.record, State.WAITING_FOR_CONSENT, not_consented(lost), now, deadline)
        return Change(record=record, consents=asked.consents, acts=asked.acts)

    lost_now = Notice(kind=Kind.ACCESS_LOST, at=now, tenant_id=tenant_id, registration=lost.registration)
    # Before the state changes: from then on nobody would tell.
    await services.outbox.tell(now.date(), lost_now)
    await services.tenants.update(tenant_id, decide)
    if told:
        _log.warning("tenant.access_lost tenant_id=%s registration=%s", tenant_id, lost.registration)


def _waiting(record: Record, state: State, problem: Problem, now: datetime, time: timedelta) -> Record:
    return replace(record, state=state, since=now, deadline=now + time, problem=problem, what_to_do=(problem.do,))
