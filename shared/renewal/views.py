"""What the API shows of renewals, made of what is kept. Pure."""

from collections.abc import Iterable
from datetime import date, datetime

from shared.eligibility.decide import Action
from shared.eligibility.record import Eligibility
from shared.identifiers import TenantId
from shared.renewal.answers import (
    EndingEligibility,
    PlannedRenewal,
    RenewalDay,
    RenewalLine,
    RenewalRun,
    ReviewView,
    TenantRenewal,
    Would,
)
from shared.renewal.due import Due, Kept, Refused, Seen, Tonight, Verdict, Why, judge
from shared.renewal.messages import KIND
from shared.renewal.report import SHORTER, Line, Report, counted
from shared.run import Run, night_subject
from shared.running.planning import holders
from shared.tenants.record import Record, Tenant

UNKNOWN = (
    "what is in force in the target tenants now, and what somebody changed there",
    "the PIM policy of the role as it is now, and so how long an eligibility may last",
    "whose account is gone or disabled",
)


def day(url: str, when: date, runs: Iterable[Run], reports: Iterable[Report]) -> RenewalDay:
    """A day's report."""
    told = tuple(reports)
    return RenewalDay(
        date=when,
        runs=tuple(_run(one, when) for one in runs),
        counts=counted(told),
        tenants=tuple(_tenant(url, one) for one in told),
    )


def ending(url: str, tenant_id: TenantId, row: Eligibility, end: datetime) -> EndingEligibility:
    """One eligibility of the list by end."""
    return EndingEligibility(
        tenant_id=tenant_id,
        principal_id=row.principal_id,
        analyst=row.analyst_id,
        role_definition_id=row.role_definition_id,
        end=end,
        removed=row.removed,
        href=record_of(url, tenant_id),
    )


def planned(tenant: Tenant, row: Eligibility, now: datetime, window_days: int) -> PlannedRenewal | None:
    """What a renewal would do with an eligibility by what is kept of it; None where nothing is due."""
    if row.end is None or row.plain:
        return None
    policy, in_force = tenant.record.role_policy, row.end > now
    tonight = Tonight(
        date=now.date(),
        now=now,
        review_by=tenant.record.reviewed.until,
        maximum_days=policy.maximum_days if policy else None,
        window_days=window_days,
    )
    seen = Seen(
        left=row.end,
        in_force=in_force and row.removed is None,
        end=row.end if in_force else None,
        wanted_days=tenant.record.wanted.duration_days,
        removed=row.removed is not None,
        obstacle=None if row.principal_id in holders(tenant) else Why.NOT_TO_HOLD,
    )
    would, until, why = _would(judge(seen, tonight))
    if would is None:
        return None
    return PlannedRenewal(
        tenant_id=tenant.record.tenant_id,
        principal_id=row.principal_id,
        analyst=row.analyst_id,
        end=row.end,
        would=would,
        until=until,
        why=why,
    )


def review(record: Record) -> ReviewView:
    """The latest word on a tenant."""
    known = record.reviewed
    return ReviewView(tenant_id=record.tenant_id, reviewed_by=known.by, reviewed=known.at, review_by=known.until)


def record_of(url: str, tenant_id: str) -> str:
    """Where a tenant's record is."""
    return f"{url}/api/tenants/{tenant_id}"


def _would(verdict: Verdict) -> tuple[Would | None, datetime | None, str | None]:
    match verdict:
        case Due(action=action, end=end):
            return (Would.RENEW if action is Action.RENEW else Would.EXTEND), end, None
        case Kept(end=end):
            return Would.KEEP, end, SHORTER
        case Refused(why=why):
            return Would.REFUSE, None, why
        case _:
            return None, None, None


def _run(run: Run, when: date) -> RenewalRun:
    return RenewalRun(
        number=run.number,
        by_night=run.subject == night_subject(KIND, when.isoformat()),
        opened=run.opened,
        ended=run.ended,
        outcome=run.outcome or None,
    )


def _tenant(url: str, report: Report) -> TenantRenewal:
    return TenantRenewal(
        tenant_id=report.tenant_id,
        at=report.at,
        problem=report.problem or None,
        next_to_lapse=report.next_end,
        eligibilities=tuple(_line(one) for one in report.lines),
        href=record_of(url, report.tenant_id),
    )


def _line(line: Line) -> RenewalLine:
    return RenewalLine(
        principal_id=line.principal_id,
        analyst=line.analyst_id,
        outcome=line.outcome,
        why=line.why or None,
        told=line.told or None,
        was=line.was,
        end=line.end,
    )
