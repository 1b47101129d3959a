"""What stands beside a lock: who may make virtual machines without an approval, and who could have it without one. Pure."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from shared.arm.access_shapes import Active, Assignment, Eligible, RoleDefinition, Where, where
from shared.azure_permissions import AZURE_ROLES
from shared.eligibility.record import eligibility_key
from shared.subscriptions.findings import ApproversSeen, Finding, FindingKind
from shared.subscriptions.record import Subscription
from shared.subscriptions.roles import RoleSettings, differences, wanted_of

VM_WRITE = "Microsoft.Compute/virtualMachines/write"
"""What makes a virtual machine, or changes its size."""

_PLACES = {
    Where.AT: "on the subscription",
    Where.BELOW: "below the subscription",
    Where.ABOVE: "above the subscription",
}
_UNKNOWN = "a role that the subscription does not list"


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """Who has what, as it was read. `active`: None where it could not be. `granted`: to whom the broker gave which role."""

    roles: Mapping[str, RoleDefinition]
    assignments: Sequence[Assignment] = ()
    active: Sequence[Active] | None = ()
    eligible: Sequence[Eligible] = ()
    granted: frozenset[tuple[str, str]] = frozenset()


def policy_findings(subscription: Subscription, found: Mapping[str, RoleSettings]) -> Iterator[Finding]:
    """Rules that are not as they are declared."""
    record = subscription.record
    if record.lock_down is None:
        return
    repaired = "it is put right" if record.lock_down.repair else "it is left, for no repair is declared"
    for role, settings in found.items():
        wanted, name = wanted_of(record.lock_down, record.longest_days(role)), AZURE_ROLES.get(role, role)
        for one in differences(settings, wanted):
            yield Finding(
                kind=FindingKind.POLICY_CHANGED,
                role_definition_id=role,
                role=name,
                how=repaired,
                rule=one.rule,
                was=one.wanted,
                found=one.found,
            )


def holders(subscription: Subscription, access: Access) -> Iterator[Finding]:
    """Everybody who holds a role that makes virtual machines, at, above or below the subscription, with how they got it. Who
    activated a role that is locked down was approved, and so was whom the broker gave it.
    """
    lock, subscription_id = subscription.record.lock_down, subscription.record.subscription_id
    by_assignment = {one.assignment_id: one for one in access.active or ()}
    for one in access.assignments:
        role = access.roles.get(one.role_definition_id)
        if role is not None and not role.allows(VM_WRITE):
            continue
        place, active = where(one.scope, subscription_id), by_assignment.get(one.id)
        locked = lock is not None and one.role_definition_id in lock.roles
        ours = (one.principal_id, one.role_definition_id) in access.granted
        if locked and active is not None and (active.activated or ours) and place is Where.AT:
            continue
        yield Finding(
            kind=FindingKind.HOLDER,
            role_definition_id=one.role_definition_id,
            role=_UNKNOWN if role is None else role.name,
            principal_id=one.principal_id,
            principal_type=one.principal_type,
            scope=one.scope,
            place=_PLACES[place],
            how=_how(role, active, locked=locked, told=access.active is not None),
        )


def eligibilities(subscription: Subscription, access: Access) -> Iterator[Finding]:
    """Eligibilities that the policies of the subscription do not govern, that never end, or that nobody declared."""
    lock = subscription.record.lock_down
    for one in access.eligible:
        role = access.roles.get(one.role_definition_id)
        locked = lock is not None and one.role_definition_id in lock.roles
        if not locked and role is not None and not role.allows(VM_WRITE):
            continue
        name = _UNKNOWN if role is None else role.name
        place = where(one.scope, subscription.record.subscription_id)
        for kind, why in _of_eligible(subscription, one, place, locked=locked):
            yield Finding(
                kind=kind,
                role_definition_id=one.role_definition_id,
                role=name,
                principal_id=one.principal_id,
                scope=one.scope,
                place=_PLACES[place],
                how=why,
            )


def approver_findings(seen: ApproversSeen, least: int = 2) -> Iterator[Finding]:
    """Too few who can approve, or who are reached; and who is not."""
    if seen.able < least:
        how = f"{seen.able} of the approvers can approve: at least {least} must"
        yield Finding(kind=FindingKind.APPROVERS, how=how)
    elif seen.reached < least:
        how = f"of {seen.reached} approvers it is proven that PIM's mail reaches them: of at least {least} it must be"
        yield Finding(kind=FindingKind.APPROVERS, how=how)
    for one in seen.approvers:
        if one.why:
            yield Finding(kind=FindingKind.APPROVERS, principal_id=one.principal_id, how=one.why)


def _how(role: RoleDefinition | None, active: Active | None, *, locked: bool, told: bool) -> str:
    name = _UNKNOWN if role is None else f"custom role {role.name}" if role.custom else role.name
    if active is None:
        return (
            f"plain assignment of {name}"
            if told
            else f"assignment of {name}, by PIM or without: that was not to be read"
        )
    if active.activated:
        return f"activated {name}" + (", by a policy that is not the subscription's" if locked else "")
    return f"active assignment of {name}, not ours"


def _of_eligible(
    subscription: Subscription, one: Eligible, place: Where, *, locked: bool
) -> Iterator[tuple[FindingKind, str]]:
    if place is Where.BELOW:
        yield FindingKind.ELIGIBLE_BELOW, "the subscription's policy is not inherited there"
    elif place is Where.ABOVE:
        yield FindingKind.ELIGIBLE_ABOVE, "the policy of where it stands governs it, not the subscription's"
    elif not locked:
        yield FindingKind.ELIGIBLE_OTHERWISE, "the role makes virtual machines and is not locked down"
    elif eligibility_key(one.principal_id, one.role_definition_id) not in subscription.declared:
        yield FindingKind.NOT_DECLARED, "nobody declared it"
    if one.end is None:
        yield FindingKind.PERMANENT, "it has no end, so nobody reviews it"
