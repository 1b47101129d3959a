"""What is kept of a tenant: the rows of its partition, as plain values. Pure.

The record is the guard of every transaction; acts, analysts, eligibilities, consents, intents and what the
looking acts found stand beside it.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from shared.eligibility.record import Eligibility, RolePolicy
from shared.identifiers import ObjectId, TenantId
from shared.permissions import Registration
from shared.subjects import REVIEW_PERIOD, Intent, Renewing, Review
from shared.tenants.findings import Feature, Proof, SignIn
from shared.tenants.states import UNDER_WAY, State


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong, and what a person should do about it."""

    code: str
    what: str
    do: str


class Trust(msgspec.Struct, frozen=True, kw_only=True):
    """Which claims of the analysts' home sign-in the target accepts."""

    mfa: bool = True
    compliant_device: bool = False
    hybrid_joined: bool = False

    def __or__(self, other: "Trust") -> "Trust":
        """What either accepts."""
        return Trust(
            mfa=self.mfa or other.mfa,
            compliant_device=self.compliant_device or other.compliant_device,
            hybrid_joined=self.hybrid_joined or other.hybrid_joined,
        )

    def __and__(self, other: "Trust") -> "Trust":
        """What both accept."""
        return Trust(
            mfa=self.mfa and other.mfa,
            compliant_device=self.compliant_device and other.compliant_device,
            hybrid_joined=self.hybrid_joined and other.hybrid_joined,
        )


NO_TRUST = Trust(mfa=False)


class AccessMode(StrEnum):
    """Who is made eligible in the target: each analyst, or a role-assignable group of the target's own."""

    USERS = "users"
    GROUP = "group"


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """How the analysts get their role. The group is the target's; without an id it is still to be made."""

    mode: AccessMode = AccessMode.USERS
    group_id: ObjectId | None = None


class WithoutPim(StrEnum):
    """What becomes of a target without PIM: it is refused, or its administrator assigns the role for good."""

    REFUSE = "refuse"
    WAIT = "wait"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator asked for. Two equal values are the same request: lists are sorted.

    `service_principal_id`: the enterprise application that a person made for the synchronization, where the deployment
    adopts such ones.
    """

    display_name: str
    group_id: ObjectId | None
    user_ids: tuple[ObjectId, ...]
    duration_days: int
    trust: Trust = Trust()
    features: tuple[Feature, ...] = ()
    access: Access = Access()
    without_pim: WithoutPim = WithoutPim.REFUSE
    service_principal_id: str = ""


class Goal(StrEnum):
    """Where a tenant's runs lead. A run that goes on after a wait keeps it."""

    ONBOARDING = "onboarding"
    OFFBOARDING = "offboarding"


class Synchronization(msgspec.Struct, frozen=True, kw_only=True):
    """The synchronization in the source tenant that serves this target."""

    name: str
    service_principal_id: str = ""
    app_id: str = ""
    app_role_id: str = ""
    job_id: str = ""
    rule_id: str = ""
    secrets_stored: bool = False
    adopted: bool = False


class Undo(msgspec.Struct, frozen=True, kw_only=True):
    """One call of Graph that takes something of ours back: method, path below the version, body as JSON."""

    method: str
    path: str
    body: str = ""


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """What an act of offboarding left to the target's administrator, and why: principals (21), accounts (24), calls (27)."""

    act: int
    what: str
    why: str
    objects: tuple[ObjectId, ...] = ()
    undo: tuple[Undo, ...] = ()


class Skipped(msgspec.Struct, frozen=True, kw_only=True):
    """A property that offboarding did not put back, with its values as JSON text: before us, as we left it, now."""

    act: int
    where: TenantId
    what: str
    why: str
    before: str
    left: str
    now: str


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """The tenant's own row. Whoever writes anything of a tenant rewrites it, with its ETag.

    `reason`: why its run was opened, where that was no operator's request. `trust_asked`: all that was ever wanted, so
    that what we brought in can be told from what was there. `leavers_asked`: whose leave a person must confirm.
    `target_by_kit`: what cannot be undone in the target for want of consent is left to its administrator, who has the
    kit. `left_to_kit`, `skipped`: what offboarding left to them, and what it did not put back. `without_pim`: preflight
    found none, and the role is assigned for good by that administrator. `renewing`: renewals leave the state as it is.
    """

    tenant_id: TenantId
    domain: str
    state: State
    since: datetime
    created: datetime
    run: int
    run_nonce: str
    requested_by: str
    wanted: Wanted
    goal: Goal = Goal.ONBOARDING
    reason: str = ""
    trust_asked: Trust = NO_TRUST
    leavers_asked: tuple[ObjectId, ...] = ()
    target_by_kit: bool = False
    left_to_kit: tuple[Left, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    without_pim: bool = False
    cancel: bool = False
    cancelled_by: str = ""
    deadline: datetime | None = None
    problem: Problem | None = None
    what_to_do: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    synchronization: Synchronization | None = None
    role_policy: RolePolicy | None = None
    granted: dict[str, tuple[str, ...]] = {}
    review: Review | None = None
    renewing: Renewing | None = None

    @property
    def unasked(self) -> bool:
        """Whether its run was opened for a reason of ours, and not by an operator's own wish."""
        return bool(self.reason)

    @property
    def under_way(self) -> bool:
        """Whether a run of its own may write."""
        return self.state in UNDER_WAY

    @property
    def reviewed(self) -> Review:
        """The latest word that the eligibilities are needed; at first, that of who had the tenant onboarded."""
        first = Review(by=self.requested_by, at=self.created, until=self.created + REVIEW_PERIOD)
        return self.review or first


class ActState(StrEnum):
    """Where an act stands."""

    PENDING = "Pending"
    RUNNING = "Running"
    WAITING = "Waiting"
    DONE = "Done"
    FAILED = "Failed"


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One act of onboarding, as its latest run left it."""

    number: int
    state: ActState
    run: int
    since: datetime
    ended: datetime | None = None
    detail: str = ""


class Analyst(msgspec.Struct, frozen=True, kw_only=True):
    """A person of the source tenant who is to work in the target; or, since `leaving`, is not to any more.

    `earlier_account`: whether their account is older than the onboarding, once that was looked at.
    """

    object_id: ObjectId
    display_name: str
    user_principal_name: str
    mail: str = ""
    target_object_id: ObjectId | None = None
    provisioned: datetime | None = None
    problem: Problem | None = None
    leaving: datetime | None = None
    earlier_account: bool | None = None
    confirmed: dict[str, datetime] = {}


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """The consent to one registration: the single-use state of its link, what came back, and the proof."""

    registration: Registration
    state: str
    created: datetime
    answered: datetime | None = None
    problem: str = ""
    proved: datetime | None = None


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """One property that is not as we left it."""

    where: str
    what: str
    was: str
    now: str


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """What the latest night saw."""

    looked: datetime
    drift: tuple[Drift, ...] = ()
    notes: tuple[str, ...] = ()


class Tenant(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant's partition as one consistent value, with the ETag of its record."""

    record: Record
    etag: str
    acts: dict[int, Act] = {}
    analysts: dict[ObjectId, Analyst] = {}
    eligibilities: dict[str, Eligibility] = {}
    consents: dict[Registration, Consent] = {}
    intents: dict[str, Intent] = {}
    sign_in: SignIn | None = None
    proofs: dict[Feature, Proof] = {}
    health: Health | None = None

    @property
    def subject_id(self) -> str:
        """The tenant's id."""
        return self.record.tenant_id

    @property
    def staying(self) -> dict[ObjectId, Analyst]:
        """The analysts who are to work in the target."""
        return {key: one for key, one in self.analysts.items() if one.leaving is None}

    @property
    def leavers(self) -> dict[ObjectId, Analyst]:
        """Those who are not to any more, and of whom something is left."""
        return {key: one for key, one in self.analysts.items() if one.leaving is not None}
