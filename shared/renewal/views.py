"""What the API shows of renewals, made of what is kept. Pure."""

from collections.abc import Iterable
from datetime import date, datetime

from msgspec.structs import replace

from shared.eligibility.decide import Action
from shared.eligibility.record import Eligibility, Ending, RolePolicy
from shared.renewal.answers import (
    EndingEligibility,
    PlannedRenewal,
    RenewalDay,
    RenewalLine,
    RenewalRun,
    ReviewView,
    SubscriptionRenewal,
    SubscriptionReviewView,
    TenantRenewal,
    Would,
)
from shared.renewal.due import Due, Kept, Refused, Seen, Tonight, Verdict, Why, judge
from shared.renewal.messages import KIND
from shared.renewal.report import SHORTER, Line, Of, Report, counted
from shared.run import Run, night_subject
from shared.running.planning import holders
from shared.subscriptions.record import Record as SubscriptionRecord
from shared.subscriptions.record import Subscription
from shared.tenants.record import Record, Tenant

UNKNOWN = (
    "what is in force in the target tenants and on the subscriptions now, and what somebody changed there",
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
        tenants=tuple(_tenant(url, one) for one in told if one.of is Of.TENANT),
        subscriptions=tuple(_subscription(url, one) for one in told if one.of is Of.SUBSCRIPTION),
    )


def ending(url: str, found: Ending) -> EndingEligibility:
    """One eligibility of the list by end."""
    row = found.row
    there = found.subscription_id
    return EndingEligibility(
        tenant_id=found.tenant_id,
        subscription_id=there,
        principal_id=row.principal_id,
        analyst=row.analyst_id,
        role_definition_id=row.role_definition_id,
        end=found.end,
        removed=row.removed,
        href=record_of(url, found.tenant_id or "") if there is None else subscription_of(url, there),
    )


def planned(tenant: Tenant, row: Eligibility, now: datetime, window_days: int) -> PlannedRenewal | None:
    """What a renewal would do with a tenant's eligibility by what is kept of it; None where nothing is due."""
    if row.plain:
        return None
    policy = tenant.record.role_policy
    tonight = _tonight(tenant.record.reviewed.until, policy, now, window_days)
    obstacle = None if row.principal_id in holders(tenant) else Why.NOT_TO_HOLD
    found = _planned(row, tonight, tenant.record.wanted.duration_days, obstacle)
    return None if found is None else replace(found, tenant_id=tenant.record.tenant_id)


def planned_on(subscription: Subscription, row: Eligibility, now: datetime, window_days: int) -> PlannedRenewal | None:
    """As above, of a subscription's. What is not declared any more has no row."""
    declared = subscription.declared.get(row.key)
    if declared is None:
        return None
    policy = subscription.record.policies.get(row.role_definition_id)
    tonight = _tonight(subscription.record.reviewed.until, policy, now, window_days)
    found = _planned(row, tonight, declared.duration_days, None)
    return None if found is None else replace(found, subscription_id=subscription.record.subscription_id)


def _tonight(review_by: datetime, policy: RolePolicy | None, now: datetime, window_days: int) -> Tonight:
    return Tonight(
        date=now.date(),
        now=now,
        review_by=review_by,
        maximum_days=policy.maximum_days if policy else None,
        window_days=window_days,
    )


def _planned(row: Eligibility, tonight: Tonight, wanted_days: int, obstacle: Why | None) -> PlannedRenewal | None:
    if row.ends is None:
        return None
    in_force = row.ends > tonight.now
    seen = Seen(
        left=row.end,
        in_force=in_force and row.removed is None,
        end=row.ends if in_force else None,
        wanted_days=wanted_days,
        removed=row.removed is not None,
        obstacle=obstacle,
    )
    would, until, why = _would(judge(seen, tonight))
    if would is None:
        return None
    return PlannedRenewal(
        principal_id=row.principal_id,
        role_definition_id=row.role_definition_id,
        analyst=row.analyst_id,
        end=row.ends,
        would=would,
        until=until,
        why=why,
    )


def review(record: Record) -> ReviewView:
    """The latest word on a tenant."""
    known = record.reviewed
    return ReviewView(tenant_id=record.tenant_id, reviewed_by=known.by, reviewed=known.at, review_by=known.until)


def subscription_review(record: SubscriptionRecord) -> SubscriptionReviewView:
    """The latest word on a subscription."""
    known = record.reviewed
    return SubscriptionReviewView(
        subscription_id=record.subscription_id, reviewed_by=known.by, reviewed=known.at, review_by=known.until
    )


def record_of(url: str, tenant_id: str) -> str:
    """Where a tenant's record is."""
    return f"{url}/api/tenants/{tenant_id}"


def subscription_of(url: str, subscription_id: str) -> str:
    """Where a subscription's record is."""
    return f"{url}/api/subscriptions/{subscription_id}"


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
        cancelled_by=run.cancelled_by or None,
    )


def _tenant(url: str, report: Report) -> TenantRenewal:
    return TenantRenewal(
        tenant_id=report.subject_id,
        at=report.at,
        problem=report.problem or None,
        next_to_lapse=report.next_end,
        eligibilities=tuple(_line(one) for one in report.lines),
        href=record_of(url, report.subject_id),
    )


def _subscription(url: str, report: Report) -> SubscriptionRenewal:
    return SubscriptionRenewal(
        subscription_id=report.subject_id,
        at=report.at,
        problem=report.problem or None,
        next_to_lapse=report.next_end,
        eligibilities=tuple(_line(one) for one in report.lines),
        href=subscription_of(url, report.subject_id),
    )


def _line(line: Line) -> RenewalLine:
    return RenewalLine(
        principal_id=line.principal_id,
        role_definition_id=line.role_definition_id,
        analyst=line.analyst_id,
        outcome=line.outcome,
        why=line.why or None,
        told=line.told or None,
        was=line.was,
        end=line.end,
    )
