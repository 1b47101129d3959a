"""What the API answers about tenants, as types: what is encoded is what the API document describes. Pure.

Docstrings and descriptions here are text of the document. What may be UNSET is left out of the JSON then.
"""

from enum import StrEnum
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from shared.formats import Address, Duration, Guid, Moment
from shared.onboarding.checklist import AnalystChecklist, Step
from shared.permissions import Registration
from shared.tenants.findings import Applies, Cell, Feature
from shared.tenants.record import AccessMode, ActState, Problem, WithoutPim
from shared.tenants.states import State


class TenantSummary(Struct, frozen=True, kw_only=True, rename="camel"):
    """One target tenant: where it stands, and what a person should do."""

    tenant_id: Guid
    display_name: str
    domain: str
    state: State
    since: Annotated[Moment, Meta(description="When it came to this state.")]
    deadline: Annotated[Moment | None, Meta(description="When a wait for a person ends as Failed.")]
    run: Annotated[int, Meta(description="The number of its latest run.")]
    problem: Problem | None
    what_to_do: tuple[str, ...]
    href: Annotated[Address, Meta(description="Its record.")]


class TenantAccepted(TenantSummary, frozen=True, kw_only=True, rename="camel"):
    """The answer to what starts or stops a run."""

    consent_link: Annotated[
        Address | UnsetType, Meta(description="For the target's administrator, while a consent is missing.")
    ] = UNSET


class TenantPage(Struct, frozen=True, kw_only=True, rename="camel"):
    """A page of tenants."""

    value: tuple[TenantSummary, ...]
    cursor: Annotated[str | UnsetType, Meta(description="Asks for the next page, where there is one.")] = UNSET


class ActView(Struct, frozen=True, kw_only=True, rename="camel"):
    """One act of onboarding. One that is Pending has no times yet."""

    number: int
    name: str
    state: ActState
    since: Moment | UnsetType = UNSET
    ended: Moment | UnsetType | None = UNSET
    detail: str | UnsetType = UNSET


class AnalystsView(Struct, frozen=True, kw_only=True, rename="camel"):
    """Who was asked for: a group of the source tenant, or users by their ids."""

    group_id: Guid | UnsetType = UNSET
    user_ids: tuple[Guid, ...] | UnsetType = UNSET


class TrustView(Struct, frozen=True, kw_only=True, rename="camel"):
    """Which claims of the analysts' home sign-in the target accepts."""

    mfa: bool
    compliant_device: bool
    hybrid_joined: bool


class AccessView(Struct, frozen=True, kw_only=True, rename="camel"):
    """Who is made eligible in the target: each analyst, or a group of the target's own."""

    mode: AccessMode
    group_id: Guid | None


class WantedView(Struct, frozen=True, kw_only=True, rename="camel"):
    """What the operator asked for."""

    analysts: AnalystsView
    duration: Duration
    trust: TrustView
    features: tuple[Feature, ...]
    access: AccessView
    without_pim: WithoutPim


class ConsentState(StrEnum):
    """Where a consent stands."""

    ASKED_FOR = "asked for"
    BEING_CHECKED = "being checked"
    PROVED = "proved"


class ConsentView(Struct, frozen=True, kw_only=True, rename="camel"):
    """The consent of the target's administrator to one registration."""

    registration: Registration
    state: ConsentState
    since: Moment
    link: Annotated[Address | None, Meta(description="For the target's administrator, until the consent is proved.")]
    problem: Annotated[str | None, Meta(description="Why the last answer was no consent.")]


class AnalystView(Struct, frozen=True, kw_only=True, rename="camel"):
    """A person of the source tenant who is to work in the target, or is leaving it."""

    object_id: Guid
    display_name: str
    user_principal_name: str
    target_object_id: Annotated[Guid | None, Meta(description="The account in the target, once it is there.")]
    problem: Problem | None
    leaving: Annotated[Moment | None, Meta(description="Since when they are not to work there any more.")]


class EligibilityView(Struct, frozen=True, kw_only=True, rename="camel"):
    """One eligibility in force in the target, as read back."""

    principal_id: Guid
    analyst: Annotated[
        Guid | None,
        Meta(description="Whose: the analyst's object id in the source tenant. None: a group's of the target."),
    ]
    role_definition_id: Guid
    schedule_id: str
    end_date_time: Moment | None
    wanted: Duration
    plain: Annotated[bool, Meta(description="An assignment for good, for want of PIM in the target.")]
    capped_to: Annotated[Duration | None, Meta(description="What the target's policy allowed, where that is less.")]


class GrantedPermissions(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a fresh token of a registration was found to carry, and in which tenant."""

    registration: str
    tenant: Guid
    permissions: tuple[str, ...]


class FindingView(Struct, frozen=True, kw_only=True, rename="camel"):
    """One thing that the target would ask of an analyst's sign-in. No analysts named: all; no locations: all of this side."""

    policy: str
    policy_id: str | None
    applies: Applies
    stops: Annotated[bool, Meta(description="No analyst can give what is asked.")]
    controls: tuple[str, ...]
    analysts: tuple[Guid, ...]
    locations: tuple[str, ...]
    what: str
    do: str


class SignInView(Struct, frozen=True, kw_only=True, rename="camel"):
    """What would stop a sign-in to the target, inside its named locations and outside, as it was read."""

    read: Moment
    named_locations: tuple[str, ...]
    inside: tuple[FindingView, ...]
    outside: tuple[FindingView, ...]
    left_out: Annotated[int, Meta(description="Findings beyond the most that are kept.")]
    problem: Annotated[str | None, Meta(description="Why it could not be read.")]


class QueryView(Struct, frozen=True, kw_only=True, rename="camel"):
    """What came of one saved hunting query: its first rows, or why there are none."""

    name: str
    tells: str
    at: Moment
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    problem: str | None


class ProofView(Struct, frozen=True, kw_only=True, rename="camel"):
    """How far a feature is proved by use."""

    feature: Feature
    since: Moment
    proven: bool
    summary: str
    queries: tuple[QueryView, ...]


class DriftView(Struct, frozen=True, kw_only=True, rename="camel"):
    """One property that is not as the app left it."""

    where: Annotated[str, Meta(description="`source` or `target`: the tenant that it is in.")]
    what: str
    was: str
    now: str


class HealthView(Struct, frozen=True, kw_only=True, rename="camel"):
    """What the latest night saw. What it cannot see it says in the notes."""

    looked: Moment
    drift: tuple[DriftView, ...]
    notes: tuple[str, ...]


class LeftView(Struct, frozen=True, kw_only=True, rename="camel"):
    """Something that offboarding left to the target's administrator. The kit has the commands."""

    act: int
    what: str
    why: str
    objects: Annotated[
        tuple[Guid, ...], Meta(description="Accounts, or whose eligibilities, by their ids in the target.")
    ]


class SkippedView(Struct, frozen=True, kw_only=True, rename="camel"):
    """A property that offboarding did not put back. The three values are JSON as text."""

    act: int
    tenant: Guid
    what: str
    why: str
    before: Annotated[str, Meta(description="As it was before the onboarding.")]
    left: Annotated[str, Meta(description="As the app left it.")]
    now: str


class TenantRecord(TenantSummary, frozen=True, kw_only=True, rename="camel"):
    """All that is known of a target tenant."""

    wanted: WantedView
    requested_by: Annotated[Guid, Meta(description="The object id of who asked for the latest run.")]
    cancelled_by: Guid | None
    warnings: tuple[str, ...]
    acts: tuple[ActView, ...]
    consents: tuple[ConsentView, ...]
    analysts: tuple[AnalystView, ...]
    eligibilities: tuple[EligibilityView, ...]
    permissions: tuple[GrantedPermissions, ...]
    confirmed: Annotated[
        str | None, Meta(description="How many analysts confirmed all of their steps, such as `3 of 5`; while Ready.")
    ]
    checklist: tuple[AnalystChecklist, ...]
    administrator_checklist: tuple[Step, ...]
    sign_in: SignInView | None
    proof: ProofView | None
    health: Annotated[HealthView | None, Meta(description="After the first night of a tenant that is Ready.")]
    review_by: Annotated[Moment, Meta(description="Until when its eligibilities are renewed on a person's word.")]
    left_to_kit: tuple[LeftView, ...]
    skipped: tuple[SkippedView, ...]


class TenantOpening(Struct, frozen=True, kw_only=True, rename="camel"):
    """A tenant whose first run is opened and has written nothing of it yet."""

    tenant_id: Guid
    state: State
    since: Moment
    run: int
    acts: tuple[ActView, ...]
    href: Address


class PlannedAnalyst(Struct, frozen=True, kw_only=True, rename="camel"):
    """An analyst whom the plan would give access to."""

    object_id: Guid
    display_name: str
    user_principal_name: str


class PlannedAct(Struct, frozen=True, kw_only=True, rename="camel"):
    """An act, and what would become of it."""

    number: int
    name: str
    would: str


class NeededPermissions(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a registration must be allowed."""

    registration: Registration
    permissions: tuple[str, ...]


class TenantPlan(Struct, frozen=True, kw_only=True, rename="camel"):
    """What the same request without `dryRun` would do."""

    dry_run: bool
    tenant_id: Guid
    known_as: Annotated[str, Meta(description="The tenant's name as Entra knows it.")]
    domain: str
    state: State | None
    has_written: bool
    analysts: tuple[PlannedAnalyst, ...]
    acts: tuple[PlannedAct, ...]
    permissions: tuple[NeededPermissions, ...]
    writes: Annotated[tuple[str, ...], Meta(description="Every call that writes, as method and path.")]
    unknown: Annotated[tuple[str, ...], Meta(description="What only the target tenant can tell.")]


class ChangedAnalyst(Struct, frozen=True, kw_only=True, rename="camel"):
    """Somebody who would join the analysts, or leave them."""

    object_id: Guid
    display_name: str


class ChangePlan(Struct, frozen=True, kw_only=True, rename="camel"):
    """What the same request without `dryRun` would change."""

    dry_run: bool
    tenant_id: Guid
    joiners: tuple[ChangedAnalyst, ...]
    leavers: tuple[ChangedAnalyst, ...]
    acts: Annotated[tuple[int, ...], Meta(description="The acts that would run, by number.")]


class BeforeImage(Struct, frozen=True, kw_only=True, rename="camel"):
    """What would be put back: an object as it was before the app's first write, as JSON text; `null`: it was not there."""

    tenant: Guid
    object_name: str
    before: str


class OffboardingPlan(Struct, frozen=True, kw_only=True, rename="camel"):
    """What the same request without `dryRun` would do."""

    dry_run: bool
    tenant_id: Guid
    state: State
    acts: tuple[PlannedAct, ...]
    before_images: tuple[BeforeImage, ...]
    permissions: Annotated[
        tuple[NeededPermissions, ...], Meta(description="What must be consented to in the target for it.")
    ]
    unknown: Annotated[tuple[str, ...], Meta(description="What only a look at the two tenants can tell.")]
