"""What was seen of a subscription that is locked down: who can approve, and what stands beside the lock. Pure."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

import msgspec

from shared.identifiers import ObjectId

MOST_BYTES = 200_000
"""Of the findings that are kept of one look: several hundred. A row holds no more (rows.py); the rest is counted."""


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
    """They, as they were last looked at. `more`: so many beyond those, of whom nothing is proven."""

    looked: datetime
    approvers: tuple[Approver, ...]
    more: int = 0

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


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing. `rule`, `was`, `found`: of a policy that is not as it was left. `how`: how somebody has it, or why it
    matters. `place`: where it stands, as seen from the subscription.
    """

    kind: FindingKind
    role_definition_id: str = ""
    role: str = ""
    principal_id: str = ""
    principal_type: str = ""
    scope: str = ""
    place: str = ""
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


def drift_of(looked: datetime, findings: Iterable[Finding], unread: tuple[str, ...]) -> Drift:
    """As many findings as a row holds, in their order; the rest is counted."""
    kept: list[Finding] = []
    size = more = 0
    for one in findings:
        size += len(msgspec.json.encode(one)) + 1
        if size > MOST_BYTES:
            more += 1
        else:
            kept.append(one)
    return Drift(looked=looked, findings=tuple(kept), more=more, unread=unread)


def in_words(one: Finding) -> str:
    """What a finding says."""
    who = f"{one.principal_type} {one.principal_id}".strip()
    match one.kind:
        case FindingKind.POLICY_CHANGED:
            return f"Somebody changed the policy of {one.role} ({one.rule}): {one.found}, and not {one.was}; {one.how}."
        case FindingKind.HOLDER:
            return f"{who} may make virtual machines without an approval: {one.how}, {one.place}."
        case FindingKind.APPROVERS:
            return f"Approver {who} is not proven to be reached: {one.how}." if who else f"{one.how}."
        case _:
            return f"{who} is eligible for {one.role} {one.place}: {one.how}."
