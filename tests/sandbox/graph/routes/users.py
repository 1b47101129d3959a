"""Users and groups, read only: the source's analysts and the target's synchronized accounts (section 4)."""

from tests.sandbox.answers import Answer
from tests.sandbox.graph.call import NO_CONTENT, Call, collection, entity
from tests.sandbox.graph.errors import not_found
from tests.sandbox.graph.filters import EQUAL
from tests.sandbox.graph.models.directory import Group, User
from tests.sandbox.graph.permissions import FULL_USER_READ
from tests.sandbox.graph.query import Options
from tests.sandbox.graph.replication import View
from tests.sandbox.graph.router import Route
from tests.sandbox.graph.wire import Wire, moment

_USER_DEFAULT = frozenset(
    {
        "id",
        "businessPhones",
        "displayName",
        "givenName",
        "jobTitle",
        "mail",
        "mobilePhone",
        "officeLocation",
        "preferredLanguage",
        "surname",
        "userPrincipalName",
    }
)
_USER_BASIC = frozenset({"id", "displayName", "givenName", "mail", "surname", "userPrincipalName"})
_USER_ALL = _USER_DEFAULT | {
    "accountEnabled",
    "assignedPlans",
    "createdDateTime",
    "creationType",
    "externalUserState",
    "identities",
    "mailNickname",
    "otherMails",
    "userType",
}
_TEXT = EQUAL | {"ne", "startswith", "endswith"}
_USER_FILTER = {
    "id": EQUAL | {"in"},
    "userPrincipalName": _TEXT,
    "mail": _TEXT,
    "displayName": EQUAL | {"startswith"},
    "otherMails": frozenset({"any"}),
    "externalUserState": EQUAL,
    "userType": EQUAL,
    "accountEnabled": EQUAL,
}
_GROUP_ALL = frozenset(
    {
        "id",
        "description",
        "displayName",
        "groupTypes",
        "isAssignableToRole",
        "mail",
        "mailEnabled",
        "mailNickname",
        "securityEnabled",
        "visibility",
    }
)
_GROUP_FILTER = {"id": EQUAL, "displayName": EQUAL | {"startswith"}, "isAssignableToRole": EQUAL}


def _read_user(call: Call) -> Answer:
    user = call.tenant.directory.user(call.ids["id"], View.ID)
    if user is None:
        raise not_found(call.ids["id"])
    return entity(call, "users/$entity", _visible(call, user), default=_USER_DEFAULT)


def _delete_user(call: Call) -> Answer:
    if call.tenant.directory.user(call.ids["id"], View.ID) is None:
        raise not_found(call.ids["id"])
    call.tenant.directory.delete_user(call.ids["id"])
    return NO_CONTENT


def _list_users(call: Call) -> Answer:
    users = [_visible(call, user) for user in call.tenant.directory.listed_users()]
    return collection(call, "users", users, default=_USER_DEFAULT)


def _visible(call: Call, user: User) -> Wire:
    """User.ReadBasic.All shows basic properties only (section 4)."""
    wire = {**user.wire(), "createdDateTime": moment(user.made_at or call.tenant.made_at)}
    if call.holds_any(*FULL_USER_READ):
        return wire
    return {name: value for name, value in wire.items() if name in _USER_BASIC}


def _list_groups(call: Call) -> Answer:
    groups = [group.wire() for group in call.tenant.directory.listed_groups()]
    return collection(call, "groups", groups)


def _read_group(call: Call) -> Answer:
    return entity(call, "groups/$entity", _group(call).wire())


def _list_members(call: Call) -> Answer:
    """Direct members. Of a member that the token may not read, only type and id are told."""
    group = _group(call)
    found: list[Wire] = []
    for member_id in group.members:
        user = call.tenant.directory.user(member_id, View.ID)
        nested = call.tenant.directory.group(member_id, View.ID)
        principal = call.tenant.applications.principal(member_id)
        if user is not None:
            readable = call.holds_any(*FULL_USER_READ, "User.ReadBasic.All")
            found.append(_member("user", _visible(call, user), readable=readable, default=_USER_DEFAULT))
        elif nested is not None:
            readable = call.holds_any("Group.Read.All", "GroupMember.Read.All", "Directory.Read.All")
            found.append(_member("group", nested.wire(), readable=readable, default=_GROUP_ALL))
        elif principal is not None:
            readable = call.holds_any("Application.Read.All", "Directory.Read.All")
            found.append(_member("servicePrincipal", principal.wire(), readable=readable, default=_GROUP_ALL))
    return collection(call, "directoryObjects", found)


def _member(kind: str, wire: Wire, *, readable: bool, default: frozenset[str]) -> Wire:
    shown = {
        name: value if readable or name == "id" else None for name, value in wire.items() if name in _USER_ALL | default
    }
    return {"@odata.type": f"#microsoft.graph.{kind}", **shown}


def _group(call: Call) -> Group:
    group = call.tenant.directory.group(call.id(), View.ID)
    if group is None:
        raise not_found(call.ids["id"])
    return group


ROUTES = (
    Route(
        call="GET /users",
        handler=_list_users,
        options=Options(select=_USER_ALL, filter=_USER_FILTER, top=999, count=True),
    ),
    Route(call="GET /users/{id}", handler=_read_user, options=Options(select=_USER_ALL)),
    Route(call="DELETE /users/{id}", handler=_delete_user),
    Route(
        call="GET /groups",
        handler=_list_groups,
        options=Options(select=_GROUP_ALL, filter=_GROUP_FILTER, top=999, count=True),
    ),
    Route(call="GET /groups/{id}", handler=_read_group, options=Options(select=_GROUP_ALL)),
    Route(
        call="GET /groups/{id}/members",
        handler=_list_members,
        options=Options(select=_USER_ALL | _GROUP_ALL, top=999, count=True),
    ),
)
