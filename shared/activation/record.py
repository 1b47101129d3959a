"""What is kept of one activation request: its record, as a plain value, and changes of it. Pure.

A request is known by the GUID that names it at PIM, whoever made it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

import msgspec
from msgspec.structs import replace

from shared.activation.budget import BudgetView
from shared.activation.cost import Estimate
from shared.activation.dearest import Dearest
from shared.activation.plan import Plan
from shared.arm.activation_shapes import AskedActivation
from shared.identifiers import ObjectId, SubscriptionId
from shared.run import orchestration_id
from shared.subjects import Intent, IntentState, Renewing

RequestId = NewType("RequestId", str)

RUN_KIND = "activation"

UNDECIDED_FOR = timedelta(hours=24)
"""PIM's own limit for an approval; it can't be changed (entra-docs, pim-approval-workflow)."""

TICKETS = "Tenantry"
"""The ticket system whose numbers name plans of ours."""


OUTLIVED = "outlived"
"""The violation of what is in force after its end."""


class State(StrEnum):
    """Where a request stands."""

    SUBMITTING = "submitting"
    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    FAILED = "failed"
    ENDED = "ended"


OPEN = frozenset({State.SUBMITTING, State.PENDING, State.APPROVED})
"""States that something still follows."""


class Deed(StrEnum):
    """What somebody does to a request."""

    SUBMIT = "submit"
    APPROVE = "approve"
    DENY = "deny"
    CANCEL = "cancel"
    RELEASE = "release"


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody is at it just now: the first one on the record acts, and no other until it is over."""

    deed: Deed
    by: ObjectId
    at: datetime
    nonce: str
    reason: str = ""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What finance says, by its webhook. `said`: when, by the webhook; `at`: when we heard it."""

    approves: bool
    by: ObjectId
    at: datetime
    said: datetime | None = None
    reason: str = ""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """How it was decided. `by` None: PIM tells an application not by whom."""

    approved: bool
    at: datetime
    by: ObjectId | None = None
    reason: str = ""


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """A rule of the subscription that was passed over, and cannot be put right by us."""

    code: str
    what: str
    at: datetime


class Priced(msgspec.Struct, frozen=True, kw_only=True):
    """What it costs, as it was worked out: the plan and its estimate, or, without a plan, the dearest size expected."""

    at: datetime
    plan: Plan | None = None
    estimate: Estimate | None = None
    dearest: Dearest | None = None
    budget: BudgetView | None = None


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request's own row: the guard of its partition.

    `asked`: as PIM shows it; of one that is being submitted, as it will be. `in_force`: its active assignment was seen, and
    `end` is what that says. `released`: since when it was given back. `stopped_for`: why we cancelled it. `told`: which
    notices went out. `reminded`: how often the approvers were reminded.
    """

    request_id: RequestId
    asked: AskedActivation
    ours: bool
    state: State
    since: datetime
    expires: datetime
    priced: Priced | None = None
    verdicts: tuple[Verdict, ...] = ()
    claim: Claim | None = None
    decision: Decision | None = None
    end: datetime | None = None
    in_force: bool = False
    released: datetime | None = None
    problem: str = ""
    stopped_for: str = ""
    reminded: int = 0
    remind_at: datetime | None = None
    violations: tuple[Violation, ...] = ()
    told: tuple[str, ...] = ()
    run: int = 0
    run_nonce: str = ""

    @property
    def subscription_id(self) -> SubscriptionId:
        """Where it is for."""
        return self.asked.subscription_id

    @property
    def run_id(self) -> str:
        """The id of the orchestration that follows it; none was begun where it is empty."""
        return orchestration_id(RUN_KIND, self.request_id, self.run) if self.run else ""

    @property
    def is_open(self) -> bool:
        """Whether something is still to come."""
        return self.state in OPEN

    @property
    def under_way(self) -> bool:
        """Whether a run of its own may write: whoever writes holds a claim."""
        return False

    @property
    def cancel(self) -> bool:
        """A run of it is not cancelled."""
        return False

    @property
    def requested_by(self) -> str:
        """Whose request it is."""
        return self.asked.requestor_id

    @property
    def reason(self) -> str:
        """Why its run was opened."""
        return ""

    @property
    def renewing(self) -> Renewing | None:
        """The claim, as what fences privileged writes knows it."""
        if self.claim is None:
            return None
        why = f"{self.claim.deed}: {self.claim.reason}" if self.claim.reason else self.claim.deed.value
        return Renewing(nonce=self.claim.nonce, since=self.claim.at, on_whose_word=self.claim.by, reason=why)


class Activation(msgspec.Struct, frozen=True, kw_only=True):
    """A request's partition as one consistent value, with the ETag of its record."""

    record: Request
    etag: str
    intents: dict[str, Intent] = {}

    @property
    def subject_id(self) -> str:
        """The request's id."""
        return self.record.request_id

    @property
    def has_open_intents(self) -> bool:
        """Whether something may have been written of which the end is not known."""
        return any(one.state is not IntentState.CLOSED for one in self.intents.values())


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What to write: the record, and any intents beside it."""

    record: Request
    intents: Sequence[Intent] = ()


class KeptPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan that was priced and got a ticket number, whether its request was made yet or not."""

    ticket: str
    by: ObjectId
    subscription_id: SubscriptionId
    plan: Plan
    at: datetime


def found_at_pim(asked: AskedActivation) -> Request:
    """The record of a request that was made elsewhere."""
    return Request(
        request_id=RequestId(asked.request_id),
        asked=asked,
        ours=False,
        state=State.PENDING,
        since=asked.created,
        expires=asked.created + UNDECIDED_FOR,
    )


def reopened(record: Request, asked: AskedActivation) -> Request:
    """What we took for over, and PIM shows to wait, or granted: its answer was lost, or it showed late."""
    return replace(record, asked=asked, state=State.PENDING, since=asked.created, problem="", claim=None)


def moved(record: Request, state: State, now: datetime, *, problem: str = "") -> Request:
    """The record in another state."""
    return replace(record, state=state, since=now, problem=problem)


def with_violations(record: Request, found: Sequence[Violation]) -> Request:
    """With those that it did not have."""
    known = {one.code for one in record.violations}
    return replace(record, violations=(*record.violations, *(one for one in found if one.code not in known)))
