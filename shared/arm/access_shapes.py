"""Azure Resource Manager's wire shapes of who may do what, with only the fields that we read, and in our terms. Pure."""

import re
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

import msgspec

from shared.arm.shapes import is_at, last_part, scope_of
from shared.identifiers import SubscriptionId


class Where(StrEnum):
    """Where something stands, as seen from a subscription."""

    AT = "at"
    BELOW = "below"
    ABOVE = "above"


class Actions(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """One of a role's permissions: what it allows, less what it takes out."""

    actions: list[str] = []
    not_actions: list[str] = []


class RoleDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """A role, built-in or custom."""

    id: str
    name: str
    custom: bool
    permissions: tuple[Actions, ...]

    def allows(self, action: str) -> bool:
        """Whether it effectively allows an action: one permission does, whatever another takes out."""
        return any(_matches(one.actions, action) and not _matches(one.not_actions, action) for one in self.permissions)


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """A role assignment. PIM's active ones stand among the plain ones."""

    id: str
    principal_id: str
    principal_type: str
    role_definition_id: str
    scope: str


class Active(msgspec.Struct, frozen=True, kw_only=True):
    """An active assignment of PIM's. `assignment_id`: of the role assignment that it stands for. `activated`: by somebody who
    is eligible; else somebody assigned it.
    """

    assignment_id: str
    activated: bool
    scope: str
    end: datetime | None


class Eligible(msgspec.Struct, frozen=True, kw_only=True):
    """An eligibility that is in force, wherever it stands."""

    principal_id: str
    role_definition_id: str
    scope: str
    end: datetime | None


class _Role(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    role_name: str = ""
    type: str = ""
    permissions: list[Actions] = []


class _RoleItem(msgspec.Struct, frozen=True):
    name: str
    properties: _Role


class _Assigned(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    role_definition_id: str
    principal_id: str
    scope: str
    principal_type: str | None = None


class _AssignedItem(msgspec.Struct, frozen=True):
    name: str
    properties: _Assigned


class _Instance(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    principal_id: str
    role_definition_id: str
    scope: str
    member_type: str | None = None
    assignment_type: str | None = None
    origin_role_assignment_id: str | None = None
    end_date_time: datetime | None = None


class _InstanceItem(msgspec.Struct, frozen=True):
    name: str
    properties: _Instance


def where(scope: str, subscription_id: SubscriptionId) -> Where:
    """Where a scope stands: what is neither the subscription nor in it is a management group, or the tenant."""
    if is_at(scope, subscription_id):
        return Where.AT
    return Where.BELOW if scope.lower().startswith(f"{scope_of(subscription_id)}/") else Where.ABOVE


def roles_of(items: Iterable[msgspec.Raw]) -> dict[str, RoleDefinition]:
    """Role definitions, by their GUIDs."""
    found = [msgspec.json.decode(item, type=_RoleItem) for item in items]
    return {
        one.name.lower(): RoleDefinition(
            id=one.name.lower(),
            name=one.properties.role_name or one.name,
            custom=one.properties.type.lower() == "customrole",
            permissions=tuple(one.properties.permissions),
        )
        for one in found
    }


def assignments_of(items: Iterable[msgspec.Raw]) -> list[Assignment]:
    """Role assignments, each once."""
    found: dict[str, Assignment] = {}
    for item in items:
        one = msgspec.json.decode(item, type=_AssignedItem)
        found[one.name.lower()] = Assignment(
            id=one.name.lower(),
            principal_id=one.properties.principal_id.lower(),
            principal_type=one.properties.principal_type or "",
            role_definition_id=last_part(one.properties.role_definition_id),
            scope=one.properties.scope,
        )
    return list(found.values())


def active_of(items: Iterable[msgspec.Raw]) -> list[Active]:
    """PIM's active assignments."""
    found = [msgspec.json.decode(item, type=_InstanceItem) for item in items]
    return [
        Active(
            assignment_id=last_part(one.properties.origin_role_assignment_id or one.name),
            activated=(one.properties.assignment_type or "").lower() == "activated",
            scope=one.properties.scope,
            end=one.properties.end_date_time,
        )
        for one in found
    ]


def eligible_of(items: Iterable[msgspec.Raw]) -> list[Eligible]:
    """Eligibilities, each once. A group's members, where a list names them, are eligible by their group."""
    found: dict[tuple[str, str, str], Eligible] = {}
    for item in items:
        one = msgspec.json.decode(item, type=_InstanceItem).properties
        if one.member_type == "Group":
            continue
        made = Eligible(
            principal_id=one.principal_id.lower(),
            role_definition_id=last_part(one.role_definition_id),
            scope=one.scope,
            end=one.end_date_time,
        )
        found[made.principal_id, made.role_definition_id, made.scope.lower()] = made
    return list(found.values())


def _matches(patterns: Iterable[str], action: str) -> bool:
    """Without case; `*` stands for anything, also in the middle."""
    return any(re.fullmatch(re.escape(one.lower()).replace(r"\*", ".*"), action.lower()) for one in patterns)
