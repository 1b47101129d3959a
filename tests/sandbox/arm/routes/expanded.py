"""What answers say beside the ids: names of scope, role and principal."""

from tests.sandbox.arm.models.roles import RoleDefinition
from tests.sandbox.arm.models.scope import Scope
from tests.sandbox.arm.models.subscription import Subscription
from tests.sandbox.arm.router import AUTHORIZATION
from tests.sandbox.graph.wire import Wire


def role_path(subscription: Subscription, role_id: str, scope: Scope | None = None) -> str:
    """A role definition's id as answers give it: without a subscription for what a management group holds (section 1)."""
    prefix = "" if scope is not None and scope.management_group else subscription.scope.path
    return f"{prefix}/providers/{AUTHORIZATION}/roleDefinitions/{role_id}"


def expanded(subscription: Subscription, scope: Scope, role_id: str, principal_id: str) -> Wire:
    """The names, as expandedProperties."""
    return {
        "scope": scope_wire(subscription, scope),
        "roleDefinition": {
            **role_wire(subscription, role_id, subscription.access.role(role_id)),
            "id": role_path(subscription, role_id, scope),
        },
        "principal": _principal(subscription, principal_id),
    }


def scope_wire(subscription: Subscription, scope: Scope) -> Wire:
    """A scope with its name."""
    name = subscription.display_name if scope.same_as(subscription.scope) else scope.path.rpartition("/")[2]
    return {"id": scope.path, "displayName": name, "type": scope.kind}


def role_wire(subscription: Subscription, role_id: str, role: RoleDefinition | None) -> Wire:
    """A role definition with its name."""
    return {
        "id": role_path(subscription, role_id),
        "displayName": role.name if role else None,
        "type": "CustomRole" if role and role.custom else "BuiltInRole",
    }


def _principal(subscription: Subscription, principal_id: str) -> Wire:
    """A principal that is gone has no name any more."""
    directory = subscription.tenant.directory
    user, group = directory.users.get(principal_id), directory.groups.get(principal_id)
    wire: Wire = {
        "id": principal_id,
        "displayName": user.display_name if user else group.display_name if group else None,
        "type": "User" if user else "Group" if group else "Unknown",
    }
    if user is not None:
        wire["email"] = user.mail
    return wire
