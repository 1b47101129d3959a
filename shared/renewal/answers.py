"""What the API takes and answers about renewal, as types. Pure. Docstrings and descriptions are text of its document."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from shared.formats import Address, Guid, Moment
from shared.renewal.report import Outcome

MOST_NAMED = 100

type _Named = Annotated[list[Guid], Meta(min_length=1, max_length=MOST_NAMED)]
type Day = Annotated[str, Meta(extra_json_schema={"format": "date"}, examples=["2026-03-02"])]


class RenewalBody(Struct, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """Which tenants and subscriptions to look at; all of both unless any is named."""

    tenant_ids: _Named | None = None
    subscription_ids: _Named | None = None
    dry_run: bool = False


class RenewalAccepted(Struct, frozen=True, kw_only=True, rename="camel"):
    """A renewal runs; its day's report shows what came of it."""

    date: date
    run: int
    href: Address


class Would(StrEnum):
    """What a renewal would do with an eligibility, by what is kept of it."""

    EXTEND = "extend"
    RENEW = "renew"
    KEEP = "keep"
    REFUSE = "refuse"


class PlannedRenewal(Struct, frozen=True, kw_only=True, rename="camel"):
    """One eligibility that ends soon, or has lapsed: in a tenant or on a subscription."""

    tenant_id: Guid | None = None
    subscription_id: Guid | None = None
    principal_id: Guid
    role_definition_id: Guid
    analyst: Guid | None
    end: Moment
    would: Would
    until: Annotated[Moment | None, Meta(description="Its new end.")]
    why: Annotated[str | None, Meta(description="Why it would be left as it is.")]


class RenewalPlan(Struct, frozen=True, kw_only=True, rename="camel"):
    """What the same request without `dryRun` would do, by what is kept of the tenants."""

    dry_run: bool
    date: date
    value: tuple[PlannedRenewal, ...]
    complete: Annotated[bool, Meta(description="False where there are more than are shown.")]
    unknown: Annotated[tuple[str, ...], Meta(description="What only the tenants and subscriptions can tell.")]


class RenewalRun(Struct, frozen=True, kw_only=True, rename="camel"):
    """One run of renewal: the night's, or one that was asked for."""

    number: int
    by_night: bool
    opened: Moment
    ended: Moment | None
    outcome: str | None
    cancelled_by: Annotated[str | None, Meta(description="Who wanted it to go no further.")]


class RenewalLine(Struct, frozen=True, kw_only=True, rename="camel"):
    """What became of one eligibility."""

    principal_id: Guid
    role_definition_id: Guid
    analyst: Annotated[
        Guid | None, Meta(description="The analyst's object id in the source tenant. None: a group's, or not ours.")
    ]
    outcome: Outcome
    why: str | None
    told: Annotated[str | None, Meta(description="What that means, and what a person does.")]
    was: Annotated[Moment | None, Meta(description="Its end before.")]
    end: Moment | None


class TenantRenewal(Struct, frozen=True, kw_only=True, rename="camel"):
    """One tenant of which there is something to say."""

    tenant_id: Guid
    at: Moment
    problem: str | None
    next_to_lapse: Annotated[Moment | None, Meta(description="When the first of its eligibilities ends.")]
    eligibilities: tuple[RenewalLine, ...]
    href: Address


class SubscriptionRenewal(Struct, frozen=True, kw_only=True, rename="camel"):
    """One subscription of which there is something to say."""

    subscription_id: Guid
    at: Moment
    problem: str | None
    next_to_lapse: Annotated[Moment | None, Meta(description="When the first of its declared eligibilities ends.")]
    eligibilities: tuple[RenewalLine, ...]
    href: Address


class RenewalDay(Struct, frozen=True, kw_only=True, rename="camel"):
    """A day's renewals. Tenants and subscriptions where nothing was due are not listed."""

    date: date
    runs: tuple[RenewalRun, ...]
    counts: Annotated[dict[Outcome, int], Meta(description="How many eligibilities came to what.")]
    tenants: tuple[TenantRenewal, ...]
    subscriptions: tuple[SubscriptionRenewal, ...]


class EndingEligibility(Struct, frozen=True, kw_only=True, rename="camel"):
    """One eligibility in a tenant or on a subscription, as it was last read."""

    tenant_id: Guid | None
    subscription_id: Guid | None
    principal_id: Guid
    analyst: Guid | None
    role_definition_id: Guid
    end: Moment
    removed: Annotated[Moment | None, Meta(description="Since when it is gone though its end had not come.")]
    href: Address


class EndingPage(Struct, frozen=True, kw_only=True, rename="camel"):
    """A page of eligibilities, the earliest end first. It may be empty and yet have a next one."""

    value: tuple[EndingEligibility, ...]
    cursor: Annotated[str | UnsetType, Meta(description="Asks for the next page, where there is one.")] = UNSET


class ReviewBody(Struct, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """That the eligibilities are still needed: for a year, or until an earlier day."""

    review_by: Day | None = None


class SubscriptionReviewView(Struct, frozen=True, kw_only=True, rename="camel"):
    """Whose word it is that the subscription's eligibilities are needed, and until when."""

    subscription_id: Guid
    reviewed_by: Guid
    reviewed: Moment
    review_by: Moment


class ReviewView(Struct, frozen=True, kw_only=True, rename="camel"):
    """Whose word it is that the eligibilities are needed, and until when."""

    tenant_id: Guid
    reviewed_by: Guid
    reviewed: Moment
    review_by: Moment
