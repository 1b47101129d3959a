"""What was seen of a subscription that is locked down: who can approve, and what stands beside the lock. Pure."""

from datetime import datetime
from enum import StrEnum

import msgspec

from shared.identifiers import ObjectId

MOST_FINDINGS = 500
"""Kept of one look: a row holds no more, and nobody reads more. The rest is counted."""


class Reach(StrEnum):
    """Whether an approver would hear of a request."""

    OK = "ok"
    NOT_PROVEN = "notProven"


class Approver(msgspec.Struct, frozen=True, kw_only=True):
    """One who may approve, by themselves or by the groups that they are directly in. `why`: what keeps it from being proven
    that PIM's mail reaches them. `can_approve`: an account that may sign in.
    """

    principal_id: ObjectId
    groups: tuple[ObjectId, ...] = ()
    reach: Reach
    can_approve: bool
    why: str = ""


class ApproversSeen(msgspec.Struct, frozen=True, kw_only=True):
    """All of them, as they were last looked at."""

    looked: datetime
    approvers: tuple[Approver, ...]

    @property
    def able(self) -> int:
        """How many can approve."""
        return sum(one.can_approve for one in self.approvers)

    @property
    def reached(self) -> int:
        """How many can approve and would hear of a request, so far as it can be told."""
        return sum(one.can_approve and one.reach is Reach.OK for one in self.approvers)


class FindingKind(StrEnum):
    """What a night finds beside the lock."""

    POLICY_CHANGED = "policyChanged"
    HOLDER = "holder"
    ELIGIBLE_BELOW = "eligibleBelow"
    ELIGIBLE_ABOVE = "eligibleAbove"
    ELIGIBLE_OTHERWISE = "eligibleOtherwise"
    PERMANENT = "permanent"
    NOT_DECLARED = "notDeclared"
    APPROVERS = "approvers"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing, in words. `rule`, `was`, `found`: of a policy that is not as it was left. `how`: how somebody has it."""

    kind: FindingKind
    what: str
    role_definition_id: str = ""
    role: str = ""
    principal_id: str = ""
    scope: str = ""
    how: str = ""
    rule: str = ""
    was: str = ""
    found: str = ""


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """What the latest look found. `more`: so many beyond those that are kept. `unread`: what could not be looked at."""

    looked: datetime
    findings: tuple[Finding, ...] = ()
    more: int = 0
    unread: tuple[str, ...] = ()
