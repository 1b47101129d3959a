"""What the API shows of subscriptions, made of what is kept. Pure."""

from datetime import datetime

from shared.azure_permissions import AZURE_ROLES
from shared.eligibility.record import Eligibility
from shared.identifiers import SubscriptionId
from shared.subscriptions.answers import (
    DeclaredEligibility,
    PlannedDeclaration,
    Standing,
    SubscriptionPlan,
    SubscriptionSummary,
    SubscriptionView,
)
from shared.subscriptions.lock_views import UNKNOWN as LOCK_UNKNOWN
from shared.subscriptions.lock_views import lock_view, planned_lock, state_of
from shared.subscriptions.lockdown import LockDown
from shared.subscriptions.record import Declaration, Record, Subscription

UNKNOWN = (
    "whether the subscription is there, and Tenantry Access may look at it: the next renewal tells",
    "which of them are in force: what is missing is told, and not made",
)


def view(url: str, found: Subscription, now: datetime) -> SubscriptionView:
    """A subscription's record."""
    record, reviewed = found.record, found.record.reviewed
    return SubscriptionView(
        subscription_id=record.subscription_id,
        created=record.created,
        requested_by=record.requested_by,
        changed=record.changed,
        changed_by=record.changed_by,
        reviewed_by=reviewed.by,
        reviewed=reviewed.at,
        review_by=reviewed.until,
        eligibilities=tuple(_declared(one, found.eligibilities.get(one.key), now) for one in record.declared),
        lock_down=lock_view(found),
        href=address(url, record.subscription_id),
    )


def summary(url: str, record: Record) -> SubscriptionSummary:
    """A line of the list."""
    return SubscriptionSummary(
        subscription_id=record.subscription_id,
        declared=len(record.declared),
        review_by=record.reviewed.until,
        lock_down=state_of(record),
        drifted=record.drifted,
        href=address(url, record.subscription_id),
    )


def plan(known: Subscription | None, wanted: tuple[Declaration, ...], lock: LockDown | None) -> SubscriptionPlan:
    """What a declaration would change."""
    before = known.record.declared if known else ()
    keys = {one.key for one in wanted}
    return SubscriptionPlan(
        dry_run=True,
        added=tuple(_planned(one) for one in added(before, wanted)),
        left=tuple(_planned(one) for one in before if one.key not in keys),
        lock_down=planned_lock(known, wanted, lock),
        unknown=UNKNOWN if lock is None else (UNKNOWN[0], *LOCK_UNKNOWN),
    )


def added(known: tuple[Declaration, ...], wanted: tuple[Declaration, ...]) -> tuple[Declaration, ...]:
    """What a declaration says that was not said before."""
    return tuple(one for one in wanted if one not in known)


def standing(row: Eligibility | None, now: datetime) -> Standing:
    """How it stood when it was last looked at."""
    if row is None:
        return Standing.NOT_SEEN
    if row.removed is not None:
        return Standing.REMOVED
    return Standing.IN_FORCE if row.ends is None or row.ends > now else Standing.ENDED


def _declared(one: Declaration, row: Eligibility | None, now: datetime) -> DeclaredEligibility:
    return DeclaredEligibility(
        role=AZURE_ROLES.get(one.role_definition_id, one.role_definition_id),
        role_definition_id=one.role_definition_id,
        principal_id=one.principal_id,
        kind=one.kind,
        duration_days=one.duration_days,
        standing=standing(row, now),
        end=None if row is None else row.ends,
    )


def _planned(one: Declaration) -> PlannedDeclaration:
    return PlannedDeclaration(
        role_definition_id=one.role_definition_id,
        principal_id=one.principal_id,
        kind=one.kind,
        duration_days=one.duration_days,
    )


def address(url: str, subscription_id: SubscriptionId) -> str:
    """Where the record is."""
    return f"{url}/api/subscriptions/{subscription_id}"
