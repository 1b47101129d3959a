"""Role definitions, read only (section 1)."""

from tests.sandbox.answers import Answer
from tests.sandbox.arm.call import Call, page
from tests.sandbox.arm.errors import not_found
from tests.sandbox.arm.models.roles import BUILT_IN, RoleDefinition
from tests.sandbox.arm.router import AUTHORIZATION, Route
from tests.sandbox.arm.routes.expanded import role_path
from tests.sandbox.graph.wire import Wire

_VERSIONS = ("2022-04-01",)
_READ = f"{AUTHORIZATION}/roleDefinitions/read"


def _list(call: Call) -> Answer:
    known = [*BUILT_IN.values(), *call.subscription.access.custom_roles.values()]
    if call.filter is not None and call.filter.name == "roleName":
        known = [one for one in known if one.name.lower() == call.filter.value.lower()]
    if call.filter is not None and call.filter.name == "type":
        known = [one for one in known if _type(one).lower() == call.filter.value.lower()]
    return page(call, [_wire(call, one) for one in known])


def _read(call: Call) -> Answer:
    role = call.subscription.access.role(call.ids["id"].lower())
    if role is None:
        raise not_found(
            "RoleDefinitionDoesNotExist",
            f"The specified role definition with ID '{call.ids['id']}' does not exist.",
        )
    return Answer(body=_wire(call, role))


def _type(role: RoleDefinition) -> str:
    return "CustomRole" if role.custom else "BuiltInRole"


def _wire(call: Call, role: RoleDefinition) -> Wire:
    return {
        "id": role_path(call.subscription, role.id),
        "name": role.id,
        "type": f"{AUTHORIZATION}/roleDefinitions",
        "properties": {
            "roleName": role.name,
            "type": _type(role),
            "description": role.description,
            "assignableScopes": list(role.assignable_scopes),
            "permissions": [
                {
                    "actions": list(role.actions),
                    "notActions": list(role.not_actions),
                    "dataActions": [],
                    "notDataActions": [],
                }
            ],
        },
    }


ROUTES = (
    Route(
        call="GET /roleDefinitions",
        handler=_list,
        versions=_VERSIONS,
        action=_READ,
        filters=frozenset({"atScope()", "roleName", "type"}),
        lists=True,
    ),
    Route(call="GET /roleDefinitions/{id}", handler=_read, versions=_VERSIONS, action=_READ),
)
