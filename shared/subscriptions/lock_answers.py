"""What the API answers about lock-downs, as types. Pure. Docstrings and descriptions are text of its document."""

from typing import Annotated

from msgspec import Meta, Struct

from shared.formats import Duration, Guid, Moment
from shared.subscriptions.findings import FindingKind, Reach
from shared.subscriptions.lock_request import LockDownRequest, NamedPrincipals
from shared.subscriptions.record import LockState


class LockProblem(Struct, frozen=True, kw_only=True):
    """What is wrong, and what a person should do about it."""

    code: str
    what: str
    do: str


class RuleDifference(Struct, frozen=True, kw_only=True, rename="camel"):
    """A rule of a role's PIM policy that is not as it is declared, in words."""

    role: str
    rule: str
    found: str
    wanted: str


class RoleView(Struct, frozen=True, kw_only=True, rename="camel"):
    """A role's PIM policy as it was last read."""

    role: str
    role_definition_id: Guid
    looked: Annotated[Moment | None, Meta(description="None: it was not read yet.")]
    approval: bool = False
    approvers: NamedPrincipals | None = None
    longest_activation: Duration | None = None
    mfa: bool = False
    authentication_context: str | None = None
    ticket: bool = False
    longest_eligibility: Annotated[Duration | None, Meta(description="None: an eligibility needs no end.")] = None
    differences: Annotated[tuple[RuleDifference, ...], Meta(description="From what is declared.")]


class ApproverView(Struct, frozen=True, kw_only=True, rename="camel"):
    """One who may approve, and whether PIM's mail reaches them. `groups`: by which they may."""

    principal_id: Guid
    groups: tuple[Guid, ...]
    can_approve: bool
    reach: Reach
    why: Annotated[str, Meta(description="What keeps it from being proven; empty otherwise.")]


class FindingView(Struct, frozen=True, kw_only=True, rename="camel"):
    """One thing that stands beside the lock."""

    kind: FindingKind
    what: str
    role: str
    role_definition_id: str
    principal_id: str
    principal_type: str
    scope: str
    place: str
    how: Annotated[str, Meta(description="How somebody got it, or why it matters.")]
    rule: str
    was: str
    found: str


class DriftView(Struct, frozen=True, kw_only=True, rename="camel"):
    """What the latest night found."""

    looked: Moment
    findings: tuple[FindingView, ...]
    more: Annotated[int, Meta(description="So many beyond those that are named.")]
    unread: Annotated[tuple[str, ...], Meta(description="What could not be looked at, and why.")]


class LockView(Struct, frozen=True, kw_only=True, rename="camel"):
    """A lock-down: what is declared, how the latest run of it came out, what is in force, and what stands beside it."""

    state: LockState
    since: Moment
    problems: tuple[LockProblem, ...]
    declared: LockDownRequest
    in_force: tuple[RoleView, ...]
    approvers: tuple[ApproverView, ...]
    approvers_looked: Moment | None
    approvers_more: Annotated[int, Meta(description="So many beyond those, of whom nothing is proven.")]
    drift: Annotated[DriftView | None, Meta(description="None: no night has looked yet.")]


class PlannedLock(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a lock-down would do, by what was last seen of the subscription."""

    runs: Annotated[bool, Meta(description="Whether a run would begin.")]
    declared: Annotated[LockDownRequest | None, Meta(description="None: it would not be looked after any more.")]
    rules: tuple[RuleDifference, ...]
