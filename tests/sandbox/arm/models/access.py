"""Plain role assignments of one subscription: who holds which role where, for good. PIM's own are in its models."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from tests.sandbox.arm.models.roles import BUILT_IN, OWNER, USER_ACCESS_ADMINISTRATOR, RoleDefinition
from tests.sandbox.arm.models.scope import Scope
from tests.sandbox.graph.models.ground import Ground
from tests.sandbox.graph.models.tenant import Tenant
from tests.sandbox.graph.replication import View

SUFFICIENT = (OWNER, USER_ACCESS_ADMINISTRATOR)
"""Whom Entra's page on the PIM API names as able to call it (RBAC section)."""


@dataclass(slots=True, kw_only=True)
class RoleAssignment:
    """A principal, a role and a scope. Made before the world began if made_at is None."""

    id: str
    principal_id: str
    principal_type: str
    role: RoleDefinition
    scope: Scope
    made_at: datetime | None = None


class Access:
    """The assignments, and what follows from them. A new one works after a while (section 11)."""

    def __init__(self, ground: Ground, tenant: Tenant) -> None:
        self._ground = ground
        self._tenant = tenant
        self.assignments: dict[str, RoleAssignment] = {}
        self.custom_roles: dict[str, RoleDefinition] = {}
        self.suspended = False
        """Nobody's roles count, as after a deny assignment."""
        self.activated: Callable[[set[str]], list[tuple[str, Scope]]] = lambda _: []
        """What PIM has in force for principals, by role and scope."""

    def role(self, role_id: str) -> RoleDefinition | None:
        """Built-in or the directory's own."""
        return BUILT_IN.get(role_id) or self.custom_roles.get(role_id)

    def define(self, name: str, actions: Iterable[str], scope: Scope) -> RoleDefinition:
        """A custom role that may be assigned at the scope."""
        role = RoleDefinition(
            id=self._ground.new_id(), name=name, actions=tuple(actions), assignable_scopes=(scope.path,), custom=True
        )
        self.custom_roles[role.id] = role
        return role

    def assign(self, principal_id: str, role: RoleDefinition, scope: Scope, *, fresh: bool = False) -> RoleAssignment:
        """By somebody else than the app; `fresh` if it happens now, so that caches don't know it yet."""
        made = RoleAssignment(
            id=self._ground.new_id(),
            principal_id=principal_id,
            principal_type=self.principal_type(principal_id) or "ServicePrincipal",
            role=role,
            scope=scope,
            made_at=self._ground.now() if fresh else None,
        )
        self.assignments[made.id] = made
        return made

    def take_back(self, principal_id: str, role_id: str | None = None) -> None:
        """Every assignment of the principal, or those of one role."""
        for one in list(self.assignments.values()):
            if one.principal_id == principal_id and role_id in (None, one.role.id):
                del self.assignments[one.id]

    def held(self, principal_id: str, scope: Scope) -> list[RoleDefinition]:
        """The roles in force for the principal at the scope: its own and its groups', here or above."""
        if self.suspended:
            return []
        holders = {
            principal_id,
            *(group.id for group in self._tenant.directory.groups.values() if principal_id in group.members),
        }
        plain = [
            one.role
            for one in self.assignments.values()
            if one.principal_id in holders
            and one.scope.holds(scope)
            and self._ground.sees(one.id, one.made_at, View.GRANT)
        ]
        active = [self.role(role_id) for role_id, where in self.activated(holders) if where.holds(scope)]
        return [*plain, *(role for role in active if role is not None)]

    def may(self, principal_id: str, action: str, scope: Scope) -> bool:
        """Whether one of the roles in force allows the action."""
        held = self.held(principal_id, scope)
        if self._ground.switches.is_flipped("arm-pim-needs-owner") and _is_pim(action):
            held = [role for role in held if role.id in SUFFICIENT]
        return any(role.allows(action) for role in held)

    def principal_type(self, principal_id: str) -> str | None:
        """User, Group or ServicePrincipal, by truth."""
        if principal_id in self._tenant.directory.users:
            return "User"
        if principal_id in self._tenant.directory.groups:
            return "Group"
        return "ServicePrincipal" if principal_id in self._tenant.applications.principals else None


def _is_pim(action: str) -> bool:
    return "/roleEligibility" in action or "/roleManagement" in action or "Schedule" in action
