"""What is kept of a managed subscription: the rows of its partition, as plain values, and changes of them. Pure.

The record says which eligibilities are declared: nobody else's is ever written. What is in force stands beside it.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

import msgspec

from shared.eligibility.record import Eligibility, RolePolicy, eligibility_key
from shared.identifiers import ObjectId, SubscriptionId
from shared.subjects import REVIEW_PERIOD, Intent, Renewing, Review
from shared.subscriptions.findings import ApproversSeen, Drift
from shared.subscriptions.lockdown import LockDown
from shared.subscriptions.roles import RoleInForce
from shared.tenants.record import Problem


class PrincipalKind(StrEnum):
    """What is eligible: PIM takes no applications."""

    GROUP = "group"
    USER = "user"


class Declaration(msgspec.Struct, frozen=True, kw_only=True):
    """One eligibility that is looked after: who, for which role, and for how long each time."""

    role_definition_id: str
    principal_id: ObjectId
    kind: PrincipalKind
    duration_days: int

    @property
    def key(self) -> str:
        """The key of its eligibility."""
        return eligibility_key(self.principal_id, self.role_definition_id)

    def row(self, schedule_id: str, end: datetime | None) -> Eligibility:
        """Its eligibility, as it is kept from when it is seen for the first time."""
        return Eligibility(
            principal_id=self.principal_id,
            role_definition_id=self.role_definition_id,
            analyst_id=None,
            schedule_id=schedule_id,
            end=end,
            wanted_days=self.duration_days,
        )


class LockState(StrEnum):
    """Where a lock-down stands."""

    LOCKING = "locking"
    LOCKED = "locked"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """How the latest run of a lock-down stands, or came out. Problems may stand beside any state: they are a person's to
    heal.
    """

    state: LockState
    since: datetime
    problems: tuple[Problem, ...] = ()


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """The subscription's own row. Whoever writes anything of a subscription rewrites it, with its ETag.

    `declared` is sorted, so that two equal values are the same wish. `policies`: of each role, as last read. `lock_down`:
    None where renewal alone looks after the subscription; `lock`: how it stands; `drifted`: how much the latest
    look found beside it. A run of its own holds the subscription as
    a renewal does, by `renewing`.
    """

    subscription_id: SubscriptionId
    created: datetime
    requested_by: str
    declared: tuple[Declaration, ...]
    changed: datetime
    changed_by: str
    run: int = 0
    run_nonce: str = ""
    cancel: bool = False
    reason: str = ""
    review: Review | None = None
    renewing: Renewing | None = None
    policies: dict[str, RolePolicy] = {}
    lock_down: LockDown | None = None
    lock: Lock | None = None
    drifted: int = 0

    @property
    def under_way(self) -> bool:
        """Whether a run of its own is at it: only a lock-down has such."""
        return self.lock is not None and self.lock.state is LockState.LOCKING

    def longest_days(self, role_definition_id: str) -> int:
        """The longest that is declared for a role."""
        return max(
            (one.duration_days for one in self.declared if one.role_definition_id == role_definition_id), default=0
        )

    @property
    def reviewed(self) -> Review:
        """The latest word that the eligibilities are needed; at first, that of who declared them."""
        first = Review(by=self.requested_by, at=self.created, until=self.created + REVIEW_PERIOD)
        return self.review or first


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription's partition as one consistent value, with the ETag of its record."""

    record: Record
    etag: str
    eligibilities: dict[str, Eligibility] = {}
    intents: dict[str, Intent] = {}
    roles: dict[str, RoleInForce] = {}
    approvers: ApproversSeen | None = None
    drift: Drift | None = None

    @property
    def subject_id(self) -> str:
        """The subscription's id."""
        return self.record.subscription_id

    @property
    def declared(self) -> dict[str, Declaration]:
        """What is declared, by the key of its eligibility."""
        return {one.key: one for one in self.record.declared}


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What to write: the record, and any rows beside it."""

    record: Record
    eligibilities: Sequence[Eligibility] = ()
    intents: Sequence[Intent] = ()
    forgotten_eligibilities: Sequence[str] = ()
    roles: Sequence[RoleInForce] = ()
    approvers: ApproversSeen | None = None
    drift: Drift | None = None


def declared_anew(found: Subscription, declared: tuple[Declaration, ...], by: str, now: datetime) -> Change | None:
    """The change that a declaration makes; None where it says what is declared already.

    The review's word stays as it was: a declaration that changes something is none of what was declared before.
    """
    if declared == found.record.declared:
        return None
    # Whoever renews at this moment does so by what was declared before: it lets go, and looks again.
    record = msgspec.structs.replace(found.record, declared=declared, changed=now, changed_by=by, renewing=None)
    kept = {one.key for one in declared}
    return Change(record=record, forgotten_eligibilities=[key for key in found.eligibilities if key not in kept])
