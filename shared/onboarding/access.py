"""Access by a group of the target, or by assignment for good: who is to hold it, and what a person must do. Pure."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from shared.eligibility.decide import Held, is_taken
from shared.eligibility.record import eligibility_key
from shared.identifiers import ObjectId
from shared.onboarding import commands
from shared.permissions import SECURITY_READER
from shared.tenants.record import AccessMode, Analyst, Problem, Tenant

_SHOWS_WITHIN = timedelta(minutes=5)
"""How long PIM may take to know a group that was just made (ISS:msgraph-sdk-dotnet#2772 tells of two minutes)."""

_MOST_NAMED = 10
_STRANGERS = "Members of the group who are no analysts get access with them: "

NO_GROUP_YET = Problem(
    code="GroupMissing",
    what="Access is by a group, and none was named yet.",
    do="The target's administrator makes a role-assignable group (the kit has the commands); then PATCH "
    '/api/tenants/{tenantId} with {"access": {"mode": "group", "groupId": its id}}.',
)


def principals(tenant: Tenant) -> Sequence[tuple[ObjectId, ObjectId | None]]:
    """Who is to hold the role in the target, and whose account it is (None: the group)."""
    access = tenant.record.wanted.access
    if access.mode is AccessMode.GROUP:
        return [(access.group_id, None)] if access.group_id else []
    return [(one.target_object_id, one.object_id) for one in _ready(tenant) if one.target_object_id]


def missing(tenant: Tenant, members: Collection[ObjectId]) -> list[Analyst]:
    """The analysts who are not among the members of the eligible group."""
    return [one for one in _ready(tenant) if one.target_object_id not in members]


def strangers(tenant: Tenant, members: Collection[ObjectId]) -> tuple[ObjectId, ...]:
    """Members of the eligible group who are no analysts."""
    ours = {one.target_object_id for one in tenant.staying.values()}
    return tuple(sorted(one for one in members if one not in ours))


def warned(warnings: tuple[str, ...], found: tuple[ObjectId, ...]) -> tuple[str, ...]:
    """The record's warnings with those members named, or not any more."""
    others = tuple(one for one in warnings if not one.startswith(_STRANGERS))
    return (*others, _STRANGERS + ", ".join(found)) if found else others


def is_overdue(tenant: Tenant, now: datetime) -> bool:
    """Whether what PIM does not take, or does not show, had its time to become known."""
    return now - tenant.acts[9].since > _SHOWS_WITHIN


def unfit_group(group_id: ObjectId, code: str) -> Problem:
    """PIM does not take the group."""
    return Problem(
        code=code,
        what=f"The group {group_id} does not exist in the target, or is not role-assignable.",
        do="The target's administrator makes a role-assignable group (that cannot be changed later; the kit has the "
        "commands); then PATCH /api/tenants/{tenantId} with its id.",
    )


def taken_away(tenant: Tenant, group_id: ObjectId, held: Held | None, now: datetime) -> Problem | None:
    """What is wrong where a person took the eligibility of the group away, or shortened it."""
    row = tenant.eligibilities.get(eligibility_key(group_id, SECURITY_READER))
    if row is None or row.plain or not is_taken(held, row.end, now, removed=row.removed is not None):
        return None
    days = tenant.record.wanted.duration_days
    if held is None or not held.in_force:
        return Problem(
            code="EligibilityRemoved",
            what=f"The target's administrator took the eligibility of the group {group_id} away. It is not made again "
            "unless an operator says so.",
            do=f"If it is meant to be there, an operator sends POST .../retry, which makes it again, for {days} days. If "
            "not, ask the target's administrator how access is to be given; DELETE /api/tenants/{tenantId} lets the "
            "tenant go.",
        )
    return Problem(
        code="EligibilityShortened",
        what=f"The target's administrator shortened the eligibility of the group {group_id}: it ends "
        f"{held.end:%Y-%m-%d %H:%M} UTC. It is not lengthened again unless an operator says so.",
        do=f"If it is meant to last, an operator sends POST .../retry, which lets it last {days} days. If not, PATCH "
        "/api/tenants/{tenantId} with a duration that ends no later.",
    )


def not_members(group_id: ObjectId, analysts: Sequence[Analyst]) -> Problem:
    """Analysts are still to be made members."""
    names = ", ".join(one.display_name for one in analysts)
    lines = [commands.add_member(group_id, one.target_object_id or "") for one in analysts[:_MOST_NAMED]]
    return Problem(
        code="NotMembers",
        what=f"Not yet members of the group {group_id}: {names}.",
        do="The target's administrator adds them, then POST .../retry: " + "; ".join(lines) + _more(analysts),
    )


def not_assigned(found: Sequence[ObjectId]) -> Problem:
    """The role is still to be assigned for good."""
    lines = [commands.assign_for_good(one) for one in found[:_MOST_NAMED]]
    return Problem(
        code="NotAssigned",
        what=f"The target has no PIM, and Security Reader is not assigned to {len(found)} of those who need it.",
        do="The target's administrator assigns it for good, then POST .../retry: " + "; ".join(lines) + _more(found),
    )


def _more(found: Sequence[object]) -> str:
    left = len(found) - _MOST_NAMED
    return f"; the kit has the commands for the other {left}" if left > 0 else ""


def _ready(tenant: Tenant) -> list[Analyst]:
    """Those whose account can hold something."""
    return sorted(
        (one for one in tenant.staying.values() if one.problem is None and one.target_object_id is not None),
        key=lambda one: one.display_name,
    )
