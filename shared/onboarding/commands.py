"""Commands for a target tenant's administrator, in Microsoft Graph PowerShell. Pure.

They go by Invoke-MgGraphRequest, so they are the calls of Graph's own reference. Only ids stand in them, and no text of
anybody's.
"""

from collections.abc import Iterable

import msgspec

from shared.permissions import SECURITY_READER

GROUP_SCOPES = ("Group.ReadWrite.All", "RoleManagement.ReadWrite.Directory")
ROLE_SCOPES = ("RoleManagement.ReadWrite.Directory",)
"""An administrator's own, for as long as the commands run. No registration of ours ever holds them."""

GROUP_NAME = "Security Reader by Tenantry"


def call(method: str, path: str, body: object = None) -> str:
    """One call of Graph, as a line."""
    # In double quotes PowerShell puts a variable's value for $ref, which is none.
    quoted = path.replace("$", "`$")
    sent = f" -Body '{msgspec.json.encode(body).decode()}'" if body is not None else ""
    return f'Invoke-MgGraphRequest -Method {method} -Uri "v1.0/{quoted}"{sent}'


def connect(tenant_id: str, scopes: Iterable[str]) -> str:
    """Sign in with just the scopes that the commands need."""
    return f'Connect-MgGraph -TenantId "{tenant_id}" -Scopes "{",".join(scopes)}"'


def block(*lines: str) -> str:
    """Lines as a block of Markdown."""
    return "\n".join(["```powershell", *(lines or ("# nothing",)), "```"])


def assign_for_good(principal_id: str) -> str:
    """Assign Security Reader for good: for a tenant without PIM."""
    body = {"principalId": principal_id, "roleDefinitionId": SECURITY_READER, "directoryScopeId": "/"}
    return call("POST", "roleManagement/directory/roleAssignments", body)


def make_group() -> str:
    """Make a role-assignable group. The flag is set now or never."""
    body = {
        "displayName": GROUP_NAME,
        "mailEnabled": False,
        "mailNickname": "tenantry-security-reader",
        "securityEnabled": True,
        "isAssignableToRole": True,
    }
    return call("POST", "groups", body)


def add_member(group_id: str, object_id: str) -> str:
    """Make an account a member of a group."""
    body = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{object_id}"}
    return call("POST", f"groups/{group_id}/members/$ref", body)
