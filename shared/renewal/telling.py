"""What a look at a tenant leaves behind: the ends as they are, the day's report, alarms. No alarm comes twice on a day."""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime

from msgspec.structs import replace

from shared.eligibility.record import Eligibility, eligibility_key
from shared.identifiers import TenantId
from shared.renewal.due import Refused, Why, is_review_due
from shared.renewal.looking import Judged, Look
from shared.renewal.messages import Wish
from shared.renewal.report import Line, Outcome, Report, line
from shared.services import Services
from shared.tenants.change import Change
from shared.tenants.record import Record, Tenant

_log = logging.getLogger(__name__)

type Allowed = Callable[[Tenant], bool]


async def keep(services: Services, look: Look, allowed: Allowed) -> Tenant:
    """Keep on the record what was seen: a later end that a person gave, what is gone before its end, the role's policy.

    `allowed`: whether the tenant is still as it was looked at.
    """
    seen = {one.row: row for one in look.judged if (row := _as_seen(one, look.tonight.now)) != one.row}

    def decide(found: Tenant) -> Change | None:
        if not allowed(found):
            return None
        rows = [row for old, row in seen.items() if found.eligibilities.get(_key(old)) == old]
        record = found.record if look.policy is None else replace(found.record, role_policy=look.policy)
        return Change(record=record, eligibilities=rows) if rows or record != found.record else None

    if not seen and look.policy in (None, look.tenant.record.role_policy):
        return look.tenant
    return await services.tenants.update(look.tenant.record.tenant_id, decide)


async def tell(services: Services, wish: Wish, look: Look, written: Iterable[Line] = ()) -> None:
    """Add what was found to the day's report, and raise what alarms there are."""
    tenant_id = look.tenant.record.tenant_id
    told = [line(one.row, one.seen, one.verdict) for one in look.judged]
    others = [
        Line(
            principal_id=one.principal_id,
            outcome=Outcome.NOT_OURS,
            end=one.end_date_time,
            told="It ends, and is not ours: it is left to end.",
        )
        for one in look.others
    ]
    report = Report(
        tenant_id=tenant_id,
        at=look.tonight.now,
        lines=(*(one for one in told if one is not None), *others, *written),
        next_end=look.next_end,
    )
    await services.renewals.add(wish.date, report)
    for one in look.judged:
        if isinstance(one.verdict, Refused) and one.verdict.alarming:
            await at_risk(services, wish, look.tenant.record, one.row, one.verdict.why)


async def tell_written(services: Services, wish: Wish, tenant_id: TenantId, written: Iterable[Line]) -> None:
    """Add to the day's report what was written before something came in between."""
    report = Report(tenant_id=tenant_id, at=services.clock.now(), lines=tuple(written))
    await services.renewals.add(wish.date, report)


async def tell_problem(services: Services, wish: Wish, tenant_id: TenantId, problem: str) -> None:
    """Add to the day's report why a tenant could not be looked at."""
    await services.renewals.add(wish.date, Report(tenant_id=tenant_id, at=services.clock.now(), problem=problem))


async def at_risk(services: Services, wish: Wish, record: Record, row: Eligibility, why: str) -> None:
    """An eligibility that ends soon could not be renewed, or one that lapsed not recovered."""
    lapsed = row.end is not None and row.end <= services.clock.now()
    tenant_id, principal_id = record.tenant_id, row.principal_id
    if not await services.renewals.is_first(wish.date, "lapsed" if lapsed else "at_risk", tenant_id, principal_id):
        return
    if lapsed:
        _log.error("renewal.lapsed tenant_id=%s principal_id=%s why=%s since=%s", tenant_id, principal_id, why, row.end)
        return
    _log.warning("renewal.at_risk tenant_id=%s principal_id=%s why=%s until=%s", tenant_id, principal_id, why, row.end)


async def remind_of_review(services: Services, wish: Wish, record: Record) -> None:
    """The word that the tenant's eligibilities are needed is nearly over, or is."""
    review = record.reviewed
    due = is_review_due(review.at, review.until, services.clock.now())
    if due and await services.renewals.is_first(wish.date, "review_due", record.tenant_id):
        _log.warning("renewal.review_due tenant_id=%s until=%s", record.tenant_id, review.until)


async def access_lost(services: Services, wish: Wish, tenant_id: TenantId, registration: str) -> None:
    """A registration that renewal works as is not consented in the tenant any more."""
    if await services.renewals.is_first(wish.date, "access_lost", tenant_id, registration):
        _log.warning("renewal.access_lost tenant_id=%s registration=%s", tenant_id, registration)


def _as_seen(one: Judged, now: datetime) -> Eligibility:
    """The row as it is now. An earlier end is a person's word, and what was left stays known."""
    if one.seen.in_force:
        longer = one.row.end is not None and (one.seen.end is None or one.seen.end > one.row.end)
        return replace(one.row, end=one.seen.end if longer else one.row.end, removed=None)
    gone = isinstance(one.verdict, Refused) and one.verdict.why is Why.REMOVED
    return replace(one.row, removed=one.row.removed or now) if gone else one.row


def _key(row: Eligibility) -> str:
    return eligibility_key(row.principal_id, row.role_definition_id)
