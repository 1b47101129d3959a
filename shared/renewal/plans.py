"""What a renewal would do, by what is kept of tenants and subscriptions. Reads the store alone."""

from datetime import datetime, timedelta

from shared.eligibility.record import Ending
from shared.identifiers import SubscriptionId
from shared.renewal import views
from shared.renewal.answers import PlannedRenewal, RenewalPlan
from shared.services import Services
from shared.subscriptions.record import Subscription
from shared.tenants.record import Tenant

_PAGE = 200
_MOST_PLANNED = 500
_LAPSED_DAYS = 31


async def plan(
    services: Services, now: datetime, tenants: list[Tenant], subscriptions: list[Subscription]
) -> RenewalPlan:
    """The plan for these; for everything, where none is named."""
    window_days = services.settings.renewal.window_days
    of_tenants = [views.planned(one, row, now, window_days) for one in tenants for row in one.eligibilities.values()]
    of_subscriptions = [
        views.planned_on(one, row, now, window_days) for one in subscriptions for row in one.eligibilities.values()
    ]
    found = [one for one in (*of_tenants, *of_subscriptions) if one is not None]
    complete = True
    if not tenants and not subscriptions:
        found, complete = await _all(services, now)
    found.sort(key=lambda one: (one.end, one.tenant_id or one.subscription_id, one.principal_id))
    return RenewalPlan(
        dry_run=True, date=now.date(), value=tuple(found[:_MOST_PLANNED]), complete=complete, unknown=views.UNKNOWN
    )


async def _all(services: Services, now: datetime) -> tuple[list[PlannedRenewal], bool]:
    """Of everything, what ends soon or has lapsed, by the index of ends; and whether that is all."""
    first = now - timedelta(days=_LAPSED_DAYS)
    before = now + timedelta(days=services.settings.renewal.window_days + 2)
    known: dict[str, Tenant | Subscription | None] = {}
    found: list[PlannedRenewal] = []
    token = None
    while len(found) <= _MOST_PLANNED:
        endings, token = await services.ends.list(first, before, size=_PAGE, token=token)
        for one in endings:
            line = await _line(services, one, known, now)
            found += [] if line is None else [line]
        if token is None:
            return found, len(found) <= _MOST_PLANNED
    return found, False


async def _line(
    services: Services, one: Ending, known: dict[str, Tenant | Subscription | None], now: datetime
) -> PlannedRenewal | None:
    subject_id = one.tenant_id or one.subscription_id or ""
    if subject_id not in known:
        known[subject_id] = (
            await services.tenants.read(one.tenant_id)
            if one.tenant_id is not None
            else await services.subscriptions.read(SubscriptionId(subject_id))
        )
    subject, window_days = known[subject_id], services.settings.renewal.window_days
    if isinstance(subject, Tenant):
        return views.planned(subject, one.row, now, window_days)
    return None if subject is None else views.planned_on(subject, one.row, now, window_days)
