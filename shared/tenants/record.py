"""What is kept of a tenant: the rows of its partition, as plain values. Pure.

The record is the guard of every transaction; acts, analysts, eligibilities, consents, intents and what the looking acts
found stand beside it.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from shared.identifiers import ObjectId, TenantId
from shared.permissions import Registration
from shared.tenants.findings import Feature, Proof, SignIn
from shared.tenants.states import State


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


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator asked for. Two equal values are the same request: lists are sorted."""

    display_name: str
    group_id: ObjectId | None
    user_ids: tuple[ObjectId, ...]
    duration_days: int
    trust: Trust = Trust()
    features: tuple[Feature, ...] = ()


class Synchronization(msgspec.Struct, frozen=True, kw_only=True):
    """The synchronization in the source tenant that serves this target."""

    name: str
    service_principal_id: str = ""
    app_role_id: str = ""
    job_id: str = ""
    rule_id: str = ""
    secrets_stored: bool = False


class RolePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What the target's PIM policy for Security Reader asks, as read at preflight."""

    maximum_days: int | None = None
    ticketing: bool = False
    activation_hours: float | None = None
    activation_needs: tuple[str, ...] = ()


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """The tenant's own row. Whoever writes anything of a tenant rewrites it, with its ETag."""

    tenant_id: TenantId
    domain: str
    state: State
    since: datetime
    created: datetime
    run: int
    run_nonce: str
    requested_by: str
    wanted: Wanted
    cancel: bool = False
    cancelled_by: str = ""
    deadline: datetime | None = None
    problem: Problem | None = None
    what_to_do: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    synchronization: Synchronization | None = None
    role_policy: RolePolicy | None = None
    granted: dict[str, tuple[str, ...]] = {}


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
    """A person of the source tenant who is to work in the target."""

    object_id: ObjectId
    display_name: str
    user_principal_name: str
    mail: str = ""
    target_object_id: ObjectId | None = None
    provisioned: datetime | None = None
    problem: Problem | None = None
    confirmed: dict[str, datetime] = {}


class Eligibility(msgspec.Struct, frozen=True, kw_only=True):
    """One eligibility in force in the target, as read back."""

    principal_id: ObjectId
    role_definition_id: str
    analyst_id: ObjectId
    schedule_id: str
    end: datetime | None
    wanted_days: int
    capped_to_days: int | None = None


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """The consent to one registration: the single-use state of its link, what came back, and the proof."""

    registration: Registration
    state: str
    created: datetime
    answered: datetime | None = None
    problem: str = ""
    proved: datetime | None = None


class IntentState(StrEnum):
    """Where a privileged write stands."""

    OPEN = "open"
    SETTLING = "settling"
    CLOSED = "closed"


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """A privileged write: stored before it is sent, closed after it was read back and audited.

    `before` is the first image ever seen (offboarding puts it back); `entry` is the audit entry while it is being
    inserted.
    """

    kind: str
    arguments: dict[str, str]
    where: TenantId
    object_name: str
    state: IntentState
    run: int
    act: int
    opened: datetime
    attempted: datetime | None
    requested_by: str
    wanted: msgspec.Raw
    before: msgspec.Raw
    outcome: str = ""
    request_id: str = ""
    entry: str = ""


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
