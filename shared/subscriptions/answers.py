"""What the API answers about subscriptions, as types. Pure. Docstrings and descriptions are text of its document."""

from enum import StrEnum
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from shared.formats import Address, Guid, Moment
from shared.subscriptions.lock_answers import LockView, PlannedLock
from shared.subscriptions.record import LockState, PrincipalKind


class Standing(StrEnum):
    """How a declared eligibility stood when a renewal last looked."""

    NOT_SEEN = "notSeen"
    IN_FORCE = "inForce"
    ENDED = "ended"
    REMOVED = "removed"


class DeclaredEligibility(Struct, frozen=True, kw_only=True, rename="camel"):
    """One eligibility that renewal looks after. It extends and renews; only a lock-down makes one, for its roles."""

    role: str
    role_definition_id: Guid
    principal_id: Guid
    kind: PrincipalKind
    duration_days: int
    standing: Standing
    end: Annotated[Moment | None, Meta(description="None: it has no end, or was not seen yet.")]


class SubscriptionView(Struct, frozen=True, kw_only=True, rename="camel"):
    """What is declared on a subscription, on whose word, and how it stands."""

    subscription_id: Guid
    created: Moment
    requested_by: str
    changed: Moment
    changed_by: str
    reviewed_by: str
    reviewed: Moment
    review_by: Moment
    eligibilities: tuple[DeclaredEligibility, ...]
    lock_down: Annotated[LockView | None, Meta(description="None: no role is locked down.")]
    href: Address


class SubscriptionSummary(Struct, frozen=True, kw_only=True, rename="camel"):
    """One line of the list."""

    subscription_id: Guid
    declared: int
    review_by: Moment
    lock_down: Annotated[LockState | None, Meta(description="None: no role is locked down.")]
    drifted: Annotated[int, Meta(description="What the latest night found beside the lock-down.")]
    href: Address


class SubscriptionPage(Struct, frozen=True, kw_only=True, rename="camel"):
    """A page of subscriptions. It may be empty and yet have a next one."""

    value: tuple[SubscriptionSummary, ...]
    cursor: Annotated[str | UnsetType, Meta(description="Asks for the next page, where there is one.")] = UNSET


class PlannedDeclaration(Struct, frozen=True, kw_only=True, rename="camel"):
    """One eligibility that would be looked after, or would not be any more."""

    role_definition_id: Guid
    principal_id: Guid
    kind: PrincipalKind
    duration_days: int


class SubscriptionPlan(Struct, frozen=True, kw_only=True, rename="camel"):
    """What the same request without `dryRun` would change."""

    dry_run: bool
    added: Annotated[tuple[PlannedDeclaration, ...], Meta(description="New ones, and those of another duration.")]
    left: Annotated[tuple[PlannedDeclaration, ...], Meta(description="Those that would be left to end.")]
    lock_down: Annotated[PlannedLock | None, Meta(description="None: no role is locked down, or was.")]
    unknown: Annotated[tuple[str, ...], Meta(description="What only the subscription can tell.")]
