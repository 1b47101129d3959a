"""What only an administrator of a tenant does: role-assignable groups, their members, plain role assignments (5, 6.7)."""

from tests.sandbox.answers import Answer
from tests.sandbox.graph.call import NO_CONTENT, Call, collection, entity
from tests.sandbox.graph.errors import bad_request, not_found
from tests.sandbox.graph.filters import EQUAL
from tests.sandbox.graph.models.pim_records import ROLES
from tests.sandbox.graph.query import Options
from tests.sandbox.graph.replication import View
from tests.sandbox.graph.router import Route
from tests.sandbox.graph.wire import Check, Wire, a_flag, a_guid, a_text, an_object, one_of

_ASSIGNMENTS = "/roleManagement/directory/roleAssignments"
_ROLE_WRITE = "RoleManagement.ReadWrite.Directory"
_FIELDS = frozenset({"id", "principalId", "roleDefinitionId", "directoryScopeId"})
_FILTER = dict.fromkeys(("principalId", "roleDefinitionId", "directoryScopeId"), EQUAL)
_ASSIGN = an_object(
    {"principalId": a_guid, "roleDefinitionId": a_guid, "directoryScopeId": one_of(("/",))},
    required=("principalId", "roleDefinitionId", "directoryScopeId"),
    type_name="unifiedRoleAssignment",
)


def _always(*, wanted: bool) -> Check:
    """The one value with which a security group can be made."""

    def check(value: object, at: str) -> None:
        if value is not wanted:
            raise bad_request(f"Only security groups are served here: {at}.")

    return check


_GROUP = an_object(
    {
        "displayName": a_text,
        "description": a_text,
        "mailEnabled": _always(wanted=False),
        "mailNickname": a_text,
        "securityEnabled": _always(wanted=True),
        "isAssignableToRole": a_flag,
    },
    required=("displayName", "mailEnabled", "mailNickname", "securityEnabled"),
    type_name="group",
)
_REFERENCE = an_object({"@odata.id": a_text}, required=("@odata.id",))


def _list_assignments(call: Call) -> Answer:
    """Who holds a role for good; PIM's own active assignments are not simulated."""
    found: list[Wire] = [
        {"id": f"{holder}-{role}", "principalId": holder, "roleDefinitionId": role, "directoryScopeId": "/"}
        for holder, role in sorted(call.tenant.pim.directory_roles)
    ]
    return collection(call, "roleManagement/directory/roleAssignments", found)


def _assign(call: Call) -> Answer:
    holder, role = call.body.guid("principalId"), call.body.guid("roleDefinitionId")
    group = call.tenant.directory.group(holder, View.REFERENCE)
    if role not in ROLES or (call.tenant.directory.user(holder, View.REFERENCE) or group) is None:
        raise not_found(holder)
    if group is not None and not group.is_assignable_to_role:
        raise bad_request("The group is not assignable to roles.")
    if (holder, role) in call.tenant.pim.directory_roles:
        raise bad_request("A conflicting object with one or more of the specified property values is present.")
    call.tenant.pim.directory_roles.add((holder, role))
    wire: Wire = {
        "id": f"{holder}-{role}",
        "principalId": holder,
        "roleDefinitionId": role,
        "directoryScopeId": "/",
    }
    return entity(call, "roleManagement/directory/roleAssignments/$entity", wire, status=201)


def _make_group(call: Call) -> Answer:
    assignable = bool(call.body.flag_or_none("isAssignableToRole"))
    if assignable:
        call.require_any(_ROLE_WRITE)
    group = call.tenant.directory.add_group(call.body.text("displayName"))
    group.is_assignable_to_role = assignable
    group.made_at = call.estate.ground.now()
    return entity(call, "groups/$entity", group.wire(), status=201)


def _add_member(call: Call) -> Answer:
    group = call.tenant.directory.group(call.id(), View.ID)
    if group is None:
        raise not_found(call.ids["id"])
    if group.is_assignable_to_role:
        call.require_any(_ROLE_WRITE)
    member = call.body.text("@odata.id").rpartition("/")[2].lower()
    if call.tenant.directory.user(member, View.REFERENCE) is None:
        raise not_found(member)
    if member in group.members:
        raise bad_request("One or more added object references already exist for: 'members'.")
    group.members.append(member)
    return NO_CONTENT


ROUTES = (
    Route(
        call=f"GET {_ASSIGNMENTS}",
        handler=_list_assignments,
        options=Options(select=_FIELDS, filter=_FILTER, top=999),
    ),
    Route(call=f"POST {_ASSIGNMENTS}", handler=_assign, body=_ASSIGN),
    Route(call="POST /groups", handler=_make_group, body=_GROUP),
    Route(call="POST /groups/{id}/members/$ref", handler=_add_member, body=_REFERENCE),
)
