"""A renewal's plan for a page of tenants, and its end. The plan only looks: what is due is written tenant by tenant."""

import logging
from enum import StrEnum

import msgspec

from shared.errors import Forbidden, NotConsented, PimUnavailable, Rejected
from shared.identifiers import TenantId
from shared.notify.notices import Kind, Notice
from shared.renewal import telling
from shared.renewal.due import Seen, Tonight, is_at_risk
from shared.renewal.looking import is_busy, is_looked_after, look
from shared.renewal.messages import EndCall, Page, RenewalOver, Wish
from shared.run import Run, RunKey
from shared.running.messages import PageCall
from shared.running.pages import each, tenants_of
from shared.services import Services
from shared.tenants.record import Goal, Tenant

_log = logging.getLogger(__name__)

GIVEN_UP = "GivenUp"


class Came(StrEnum):
    """What a look at one tenant came to."""

    DONE = "done"
    DUE = "due"
    POSTPONED = "postponed"


async def plan_renewals(services: Services, call: PageCall) -> Page:
    """Look at one page of tenants, a few at a time; tell of those where nothing is due."""
    wish = wish_of(await services.runs.latest(call.run.subject))
    named = wish.tenant_ids and not call.only
    tenants, following = (wish.tenant_ids, None) if named else await tenants_of(services, call)
    found = await each(tenants, lambda one: _looked(services, wish, one), failed=Came.POSTPONED)
    came = list(zip(tenants, found, strict=True))
    return Page(
        wish=msgspec.structs.replace(wish, tenant_ids=()),
        cursor=following,
        looked_at=sum(one is not Came.POSTPONED for one in found),
        due=tuple(tenant_id for tenant_id, one in came if one is Came.DUE),
        postponed=tuple(tenant_id for tenant_id, one in came if one is Came.POSTPONED),
    )


async def end_renewals(services: Services, call: EndCall) -> RenewalOver:
    """Close the run; tell of the tenants that were given up. Safe twice."""
    wish = wish_of(await services.runs.latest(call.run.subject))
    for tenant_id in call.given_up:
        await _give_up(services, wish, tenant_id)
    outcome = f"{call.looked_at} looked at, {call.changed} renewed, {len(call.given_up)} given up"
    await services.runs.close(call.run, outcome)
    _log.info("renewal.over subject=%s looked_at=%s changed=%s", call.run.subject, call.looked_at, call.changed)
    return RenewalOver()


def wish_of(run: Run | None) -> Wish:
    """What a run of renewal is for. Raises LookupError where there is none: the run row comes before all else."""
    if run is None:
        raise LookupError("a run of renewal has a row")
    return msgspec.json.decode(run.wanted, type=Wish)


async def _looked(services: Services, wish: Wish, tenant_id: TenantId) -> Came:
    tenant = await services.tenants.read(tenant_id)
    if tenant is None or tenant.record.goal is Goal.OFFBOARDING:
        return Came.DONE
    if is_busy(tenant):
        return Came.POSTPONED
    if not is_looked_after(tenant) or not tenant.eligibilities:
        return Came.DONE
    await telling.remind_of_review(services, wish, tenant.record)
    try:
        seen = await look(services, tenant, wish)
    except NotConsented as error:
        await telling.access_lost(services, wish, tenant_id, error.registration)
        await telling.tell_problem(services, wish, tenant_id, str(error))
        await alarm_of_all(services, wish, tenant, "AccessLost")
        return Came.DONE
    except (PimUnavailable, Forbidden, Rejected) as error:
        await telling.tell_problem(services, wish, tenant_id, str(error))
        await alarm_of_all(services, wish, tenant, type(error).__name__)
        return Came.DONE
    if seen.due:
        return Came.DUE
    key = RunKey(subject=tenant_id, number=tenant.record.run, nonce=tenant.record.run_nonce)
    await telling.keep(services, seen, lambda found: _is_as_it_was(found, key))
    await telling.tell(services, wish, seen)
    return Came.DONE


def _is_as_it_was(found: Tenant, key: RunKey) -> bool:
    record = found.record
    return is_looked_after(found) and (record.run, record.run_nonce) == (key.number, key.nonce)


async def _give_up(services: Services, wish: Wish, tenant_id: TenantId) -> None:
    """What was tried all night is tried again the next; what ends before that may be lost."""
    await services.outbox.tell(wish.date, Notice(kind=Kind.GIVEN_UP, at=services.clock.now(), tenant_id=tenant_id))
    if await services.renewals.is_first(wish.date, GIVEN_UP, tenant_id):
        _log.error("renewal.given_up tenant_id=%s", tenant_id)
    await telling.tell_problem(
        services, wish, tenant_id, "It could not be looked at, or not to its end, in this night."
    )
    tenant = await services.tenants.read(tenant_id)
    if tenant is not None:
        await alarm_of_all(services, wish, tenant, GIVEN_UP)


async def alarm_of_all(services: Services, wish: Wish, tenant: Tenant, why: str) -> None:
    """Nothing of a tenant could be renewed: what ends soon, by what is known of it, is at risk."""
    tonight = Tonight(
        date=wish.date,
        now=services.clock.now(),
        review_by=tenant.record.reviewed.until,
        maximum_days=tenant.record.role_policy.maximum_days if tenant.record.role_policy else None,
        window_days=services.settings.renewal.window_days,
    )
    for row in tenant.eligibilities.values():
        seen = Seen(left=row.end, in_force=True, end=row.end, wanted_days=tenant.record.wanted.duration_days)
        if row.removed is None and is_at_risk(seen, tonight):
            await telling.at_risk(services, wish, tenant.record, row, why)
