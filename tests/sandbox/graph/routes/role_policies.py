"""Built-in roles and their PIM policies on the wire, read only (sections 6.5, 6.6: an app never changes a policy)."""

from tests.sandbox.answers import Answer
from tests.sandbox.graph.call import Call, collection, entity
from tests.sandbox.graph.errors import not_found, unsupported_query
from tests.sandbox.graph.filters import EQUAL
from tests.sandbox.graph.models.pim_records import ROLES
from tests.sandbox.graph.query import Options
from tests.sandbox.graph.router import Route
from tests.sandbox.graph.wire import Wire


def _list_roles(call: Call) -> Answer:
    return collection(call, "roleManagement/directory/roleDefinitions", [role_wire(role) for role in ROLES])


def _read_role(call: Call) -> Answer:
    if call.id() not in ROLES:
        raise not_found(call.id())
    return entity(call, "roleManagement/directory/roleDefinitions/$entity", role_wire(call.id()))


def _policy_assignments(call: Call) -> Answer:
    """Section 6.5: the filter on scope is mandatory."""
    call.tenant.pim.require_licence(reading=True)
    if call.query.equal_to("scopeId") != "/" or call.query.equal_to("scopeType") != "DirectoryRole":
        raise unsupported_query("The filter must contain scopeId eq '/' and scopeType eq 'DirectoryRole'.")
    found: list[Wire] = []
    for role, policy in call.tenant.pim.policies.items():
        policy_id = f"DirectoryRole_{call.tenant.id}_{role}"
        wire: Wire = {
            "id": f"{policy_id}_{role}",
            "policyId": policy_id,
            "scopeId": "/",
            "scopeType": call.query.equal_to("scopeType"),
            "roleDefinitionId": role,
        }
        if call.query.expand:
            wire["policy"] = {
                "id": policy_id,
                "displayName": "DirectoryRole",
                "description": "DirectoryRole",
                "isOrganizationDefault": False,
                "scopeId": "/",
                "scopeType": "DirectoryRole",
                "lastModifiedDateTime": None,
                "lastModifiedBy": {"displayName": None, "id": None},
                **({"rules": policy.rules()} if "rules" in call.query.given["$expand"] else {}),
            }
        found.append(wire)
    return collection(call, "policies/roleManagementPolicyAssignments", found)


def role_wire(role_id: str) -> Wire:
    """A built-in role."""
    return {
        "id": role_id,
        "templateId": role_id,
        "displayName": ROLES[role_id],
        "isBuiltIn": True,
        "isEnabled": True,
    }


ROUTES = (
    Route(
        call="GET /roleManagement/directory/roleDefinitions",
        handler=_list_roles,
        options=Options(filter={"displayName": EQUAL, "templateId": EQUAL}),
        service="pim",
    ),
    Route(call="GET /roleManagement/directory/roleDefinitions/{id}", handler=_read_role, service="pim"),
    Route(
        call="GET /policies/roleManagementPolicyAssignments",
        handler=_policy_assignments,
        options=Options(
            filter=dict.fromkeys(("scopeId", "scopeType", "roleDefinitionId", "policyId"), EQUAL),
            expand=frozenset({"policy", "policy($expand=rules)"}),
        ),
        service="pim",
    ),
)
