"""What the API shows of subscriptions, made of what is kept. Pure."""

from datetime import datetime

from shared.azure_permissions import AZURE_ROLES
from shared.eligibility.record import Eligibility
from shared.subscriptions.answers import (
    DeclaredEligibility,
    PlannedDeclaration,
    Standing,
    SubscriptionPlan,
    SubscriptionSummary,
    SubscriptionView,
)
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
        href=_address(url, record),
    )


def summary(url: str, record: Record) -> SubscriptionSummary:
    """A line of the list."""
    return SubscriptionSummary(
        subscription_id=record.subscription_id,
        declared=len(record.declared),
        review_by=record.reviewed.until,
        href=_address(url, record),
    )


def plan(known: tuple[Declaration, ...], wanted: tuple[Declaration, ...]) -> SubscriptionPlan:
    """What a declaration would change."""
    keys = {one.key for one in wanted}
    return SubscriptionPlan(
        dry_run=True,
        added=tuple(_planned(one) for one in added(known, wanted)),
        left=tuple(_planned(one) for one in known if one.key not in keys),
        unknown=UNKNOWN,
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


def _address(url: str, record: Record) -> str:
    return f"{url}/api/subscriptions/{record.subscription_id}"
