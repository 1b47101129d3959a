"""One tenant's renewal: it takes the tenant's run row, writes what is due, and lets go. Called again until nothing waits.

It keeps nothing between two calls but rows: what a killed call wrote is found by looking. A tenant that rests keeps its
state; the fence is the renewal's own nonce on the record.
"""

import logging
from datetime import timedelta

from msgspec.structs import replace

from shared.eligibility.decide import length
from shared.eligibility.record import Eligibility
from shared.errors import (
    Conflict,
    Forbidden,
    NotConsented,
    NotFound,
    PimUnavailable,
    Rejected,
    StoreConflict,
    StoreUnavailable,
    Throttled,
    Unavailable,
)
from shared.privileged import Fence, NotYet, RunStopped, check_fence
from shared.renewal import telling
from shared.renewal.due import Due, capped, is_at_risk
from shared.renewal.holding import let_go, take
from shared.renewal.looking import Judged, Look, look
from shared.renewal.messages import TenantCall, TenantOver
from shared.renewal.night_activities import alarm_of_all
from shared.renewal.report import CAPPED, PENDING, Line, Outcome
from shared.renewal.writing import refused_in, written
from shared.running.lifecycle import close_intents
from shared.running.messages import Again
from shared.services import Services
from shared.tenants.change import Change
from shared.tenants.record import Tenant
from shared.writes.eligibility import eligibility_renewal

_log = logging.getLogger(__name__)

_AT_ONCE = 8
"""Writes in one call of the activity: well within functionTimeout also on a slow day."""

_PAUSE_SECONDS = 20.0
_LONGEST_PAUSE_SECONDS = 300.0


async def renew_eligibilities_of_tenant(services: Services, call: TenantCall) -> Again | TenantOver:
    """Renew what is due in a tenant. Gives how much was changed, or when to come again."""
    try:
        tenant = await take(services, call)
        if tenant is None:
            return TenantOver(again=True)
        return await _renewed(services, call, tenant)
    except RunStopped:
        return TenantOver(again=True)
    except (StoreConflict, StoreUnavailable) as error:
        _log.warning("renewal.postponed tenant_id=%s reason=%s", call.tenant_id, error)
        return Again(_PAUSE_SECONDS, str(error))


async def _renewed(services: Services, call: TenantCall, tenant: Tenant) -> Again | TenantOver:
    """The work, and what each failure means: some heal within minutes, some by a later try, some by a person."""
    renewing = tenant.record.renewing
    since = renewing.since if renewing is not None else services.clock.now()
    age = services.clock.now() - since
    late = age > services.settings.deadlines.replication
    try:
        wait = await close_intents(services, call.tenant_id)
        if wait and not late:
            return Again(min(wait, _pause(age)), "an earlier write cannot be judged yet")
        return await _looked(services, call, await _reread(services, tenant), late=late)
    except (Throttled, Unavailable, NotFound, Conflict) as error:
        _log.info("renewal.waits tenant_id=%s reason=%s", call.tenant_id, error)
        if not late:
            return Again(max(_pause(age), getattr(error, "seconds", 0.0)), str(error))
        await _tell_written(services, call, tenant)
        return await _over(services, call, again=True)
    except NotConsented as error:
        await telling.access_lost(services, call.wish, call.tenant_id, error.registration)
        return await _stopped(services, call, tenant, "AccessLost", str(error))
    except (PimUnavailable, Forbidden, Rejected) as error:
        return await _stopped(services, call, tenant, type(error).__name__, str(error))


def _pause(age: timedelta) -> float:
    """Look again soon at first, then less often."""
    return min(_LONGEST_PAUSE_SECONDS, max(_PAUSE_SECONDS, age.total_seconds() / 4))


async def _stopped(services: Services, call: TenantCall, tenant: Tenant, why: str, told: str) -> TenantOver:
    await _tell_written(services, call, tenant)
    await telling.tell_problem(services, call.wish, call.tenant_id, told)
    await alarm_of_all(services, call.wish, tenant, why)
    return await _over(services, call, again=False)


async def _looked(services: Services, call: TenantCall, tenant: Tenant, *, late: bool) -> Again | TenantOver:
    fence = Fence(run=tenant.record.run, nonce=call.nonce)
    seen = await look(services, tenant, call.wish)

    def is_mine(found: Tenant) -> bool:
        check_fence(found.record, fence)
        return True

    tenant = await telling.keep(services, seen, is_mine)
    refused = refused_in(tenant, fence.run)
    due = [one for one in seen.due if one.row.principal_id not in refused]
    changes = tenant.record.renewing.changes if tenant.record.renewing else 0
    allowed, over_cap = capped(due, changes, services.settings.renewal.most_changes)
    waiting = [one for one in allowed[:_AT_ONCE] if not await _write(services, fence, seen, one)]
    if not late and (waiting or len(allowed) > _AT_ONCE):
        return Again(_PAUSE_SECONDS if waiting else 1.0, f"{len(waiting)} are not in force yet")
    left = [*waiting, *due[len(allowed) :]]
    tenant = await _reread(services, tenant)
    await telling.tell(services, call.wish, seen, [*written(tenant, fence.run), *_left(waiting, due, over_cap)])
    for one in (*left, *(one for one in seen.due if one.row.principal_id in refused_in(tenant, fence.run))):
        if is_at_risk(one.seen, seen.tonight):
            await telling.at_risk(services, call.wish, tenant.record, one.row, _why(one, tenant, fence.run))
    return await _over(services, call, again=bool(waiting) or len(allowed) > _AT_ONCE)


async def _write(services: Services, fence: Fence, seen: Look, one: Judged) -> bool:
    """Write one that is due. False: it is not to be seen yet. A refusal is kept by its intent."""
    tenant_id, due = seen.tenant.record.tenant_id, one.verdict
    if not isinstance(due, Due):
        return True
    lasts = length(one.seen.wanted_days, seen.tonight.maximum_days)
    arguments = {
        "principal": one.row.principal_id,
        "action": due.action.value,
        "start": (due.end - timedelta(days=lasts.days)).isoformat(),
        "end": due.end.isoformat(),
        "was": one.row.end.isoformat() if one.row.end else "",
    }
    try:
        result = await services.intents.ensure(tenant_id, fence, eligibility_renewal(services, seen.tenant, arguments))
    except (NotFound, Conflict) as error:
        _log.info("renewal.waits tenant_id=%s reason=%s", tenant_id, error)
        return False
    except (Rejected, Forbidden) as error:
        _log.warning("renewal.refused tenant_id=%s reason=%s", tenant_id, error)
        return True
    if isinstance(result, NotYet) or result.image is None:
        return False
    row = replace(one.row, end=result.image.end, schedule_id=result.image.schedule_id, capped_to_days=lasts.capped_to)
    await _keep(services, fence, seen.tenant, row, changes=int(result.changed))
    _log.info(
        "eligibility.renewed tenant_id=%s principal_id=%s action=%s until=%s",
        tenant_id,
        row.principal_id,
        due.action.value,
        row.end,
    )
    return True


async def _keep(services: Services, fence: Fence, tenant: Tenant, row: Eligibility, *, changes: int) -> None:
    def decide(found: Tenant) -> Change | None:
        check_fence(found.record, fence)
        renewing = found.record.renewing
        if renewing is None or row in found.eligibilities.values():
            return None
        record = replace(found.record, renewing=replace(renewing, changes=renewing.changes + changes))
        return Change(record=record, eligibilities=[replace(row, removed=None)])

    await services.tenants.update(tenant.record.tenant_id, decide)


def _left(waiting: list[Judged], due: list[Judged], over_cap: int) -> list[Line]:
    """What was due and is left as it is."""
    told = [(one, PENDING, "PIM has not shown it in time: it is looked at again.") for one in waiting]
    more = "One run renews no more than so many in one tenant: the next goes on."
    told += [(one, CAPPED, more) for one in due[len(due) - over_cap :]]
    return [
        Line(
            principal_id=one.row.principal_id,
            analyst_id=one.row.analyst_id,
            outcome=Outcome.REFUSED,
            why=why,
            told=what,
            was=one.row.end,
            end=one.seen.end,
        )
        for one, why, what in told
    ]


def _why(one: Judged, tenant: Tenant, run: int) -> str:
    return refused_in(tenant, run).get(one.row.principal_id, PENDING)


async def _tell_written(services: Services, call: TenantCall, tenant: Tenant) -> None:
    """What this run has written by now: the next one finds nothing due there, and would say nothing."""
    tenant = await _reread(services, tenant)
    await telling.tell_written(services, call.wish, call.tenant_id, written(tenant, tenant.record.run))


async def _over(services: Services, call: TenantCall, *, again: bool) -> TenantOver:
    return TenantOver(changed=await let_go(services, call), again=again)


async def _reread(services: Services, tenant: Tenant) -> Tenant:
    return await services.tenants.update(tenant.record.tenant_id, lambda _: None)
