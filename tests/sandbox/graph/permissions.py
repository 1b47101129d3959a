"""Which application permissions each call accepts, written from Microsoft's published permissions (2026-08).

Each alternative is a set that must be present as a whole. Where the published row and the Graph contract disagree, the
stricter one stands here, with the section. A call that is not in the table is a call that the sandbox doesn't serve.
"""

from collections.abc import Collection, Mapping

from tests.sandbox.switches import Switches

type Alternatives = tuple[frozenset[str], ...]


def _any(*names: str) -> Alternatives:
    return tuple(frozenset(name.split("+")) for name in names)


_PARTNERS = "/policies/crossTenantAccessPolicy/partners"
_IDENTITY_SYNC = _PARTNERS + "/{id}/identitySynchronization"
_SYNC = "/servicePrincipals/{id}/synchronization"
_PIM = "/roleManagement/directory"
_HUNT = "POST /security/microsoft.graph.security.runHuntingQuery"

_XTAP_READ = _any("Policy.Read.All", "Policy.ReadWrite.CrossTenantAccess")
_XTAP_WRITE = _any("Policy.ReadWrite.CrossTenantAccess")
# Application.ReadWrite.OwnedBy is published for most rows below, but an app owns nothing that it instantiated
# (section 3.0), so in the sandbox it opens nothing but the making.
_APP_READ = _any("Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All")
_APP_WRITE = _any("Application.ReadWrite.All")
_ASSIGN = _any(
    "AppRoleAssignment.ReadWrite.All+Application.Read.All",
    "AppRoleAssignment.ReadWrite.All+Directory.Read.All",
    "Application.ReadWrite.All",
)
_ASSIGN_CALL = "POST /servicePrincipals/{id}/appRoleAssignedTo"
_UNASSIGN_CALL = "DELETE /servicePrincipals/{id}/appRoleAssignedTo/{id}"
_UNASSIGN = _any("AppRoleAssignment.ReadWrite.All", "Application.ReadWrite.All")
_SYNC_READ = _any("Synchronization.Read.All", "Synchronization.ReadWrite.All")
_SYNC_WRITE = _any("Synchronization.ReadWrite.All")
_ELIGIBILITY_READ = _any(
    "RoleEligibilitySchedule.Read.Directory",
    "RoleEligibilitySchedule.ReadWrite.Directory",
    "RoleManagement.Read.All",
    "RoleManagement.Read.Directory",
    "RoleManagement.ReadWrite.Directory",
)
_ELIGIBILITY_WRITE = _any("RoleEligibilitySchedule.ReadWrite.Directory", "RoleManagement.ReadWrite.Directory")
_ROLE_POLICY_READ = _any(
    "RoleManagement.Read.All", "RoleManagement.Read.Directory", "RoleManagement.ReadWrite.Directory"
)
_ROLE_READ = _any("Directory.Read.All", "RoleManagement.Read.Directory", "RoleManagement.ReadWrite.Directory")
_USER_READ = _any(
    "User.Read.All", "User.ReadBasic.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"
)
_GROUP_READ = _any(
    "Group.Read.All", "Group.ReadBasic.All", "Group.ReadWrite.All", "GroupMember.Read.All", "Directory.Read.All"
)
_MEMBER_READ = _any(
    "Group.Read.All",
    "Group.ReadBasic.All",
    "Group.ReadWrite.All",
    "GroupMember.Read.All",
    "GroupMember.ReadBasic.All",
    "GroupMember.ReadWrite.All",
    "Directory.Read.All",
)

APPLICATION: dict[str, Alternatives] = {
    "GET /organization": _any(
        "Organization.Read.All", "Organization.ReadWrite.All", "Directory.Read.All", "User.Read.All"
    ),
    "GET /subscribedSkus": _any(
        "LicenseAssignment.Read.All", "Organization.Read.All", "Organization.ReadWrite.All", "Directory.Read.All"
    ),
    "GET /tenantRelationships/findTenantInformationByTenantId(tenantId={id})": _any(
        "CrossTenantInformation.ReadBasic.All"
    ),
    "GET /tenantRelationships/findTenantInformationByDomainName(domainName={id})": _any(
        "CrossTenantInformation.ReadBasic.All"
    ),
    "GET /users": _USER_READ,
    "GET /users/{id}": _USER_READ,
    "DELETE /users/{id}": _any("User.DeleteRestore.All", "User.ReadWrite.All"),
    "GET /groups": _GROUP_READ,
    "GET /groups/{id}": _GROUP_READ,
    "GET /groups/{id}/members": _MEMBER_READ,
    "POST /groups": _any("Group.Create", "Group.ReadWrite.All", "Directory.ReadWrite.All"),
    "POST /groups/{id}/members/$ref": _any("GroupMember.ReadWrite.All", "Group.ReadWrite.All"),
    f"GET {_PIM}/roleAssignments": _ROLE_READ,
    f"POST {_PIM}/roleAssignments": _any("RoleManagement.ReadWrite.Directory"),
    "GET /policies/authorizationPolicy": _any("Policy.Read.All", "Policy.ReadWrite.Authorization"),
    "GET /policies/identitySecurityDefaultsEnforcementPolicy": _any(
        "Policy.Read.All", "Policy.ReadWrite.SecurityDefaults+Policy.Read.All"
    ),
    "GET /policies/crossTenantAccessPolicy/default": _XTAP_READ,
    f"GET {_PARTNERS}": _XTAP_READ,
    f"POST {_PARTNERS}": _XTAP_WRITE,
    f"GET {_PARTNERS}/{{id}}": _XTAP_READ,
    f"PATCH {_PARTNERS}/{{id}}": _XTAP_WRITE,
    f"DELETE {_PARTNERS}/{{id}}": _XTAP_WRITE,
    f"GET {_IDENTITY_SYNC}": _XTAP_READ,
    f"PUT {_IDENTITY_SYNC}": _XTAP_WRITE,
    f"PATCH {_IDENTITY_SYNC}": _XTAP_WRITE,
    f"DELETE {_IDENTITY_SYNC}": _XTAP_WRITE,
    "GET /identity/conditionalAccess/policies": _any("Policy.Read.All"),
    "GET /identity/conditionalAccess/namedLocations": _any("Policy.Read.All"),
    _HUNT: _any("ThreatHunting.Read.All"),
    "POST /applicationTemplates/{id}/instantiate": _any(
        "Application.ReadWrite.All", "Application.ReadWrite.OwnedBy", "Directory.ReadWrite.All"
    ),
    "GET /applications": _APP_READ,
    "GET /applications/{id}": _APP_READ,
    "DELETE /applications/{id}": _APP_WRITE,
    "GET /servicePrincipals": _APP_READ,
    "GET /servicePrincipals/{id}": _APP_READ,
    "GET /servicePrincipals(appId={id})": _APP_READ,
    "DELETE /servicePrincipals(appId={id})": _APP_WRITE,
    "DELETE /servicePrincipals/{id}": _APP_WRITE,
    "GET /servicePrincipals/{id}/appRoleAssignedTo": _APP_READ,
    _ASSIGN_CALL: _ASSIGN,
    _UNASSIGN_CALL: _UNASSIGN,
    "GET /servicePrincipals/{id}/appRoleAssignments": _APP_READ,
    "DELETE /servicePrincipals/{id}/appRoleAssignments/{id}": _UNASSIGN,
    f"GET {_SYNC}/jobs": _SYNC_READ,
    f"POST {_SYNC}/jobs": _SYNC_WRITE,
    f"POST {_SYNC}/jobs/validateCredentials": _SYNC_WRITE,
    f"GET {_SYNC}/jobs/{{id}}": _SYNC_READ,
    f"DELETE {_SYNC}/jobs/{{id}}": _SYNC_WRITE,
    f"POST {_SYNC}/jobs/{{id}}/validateCredentials": _SYNC_WRITE,
    f"GET {_SYNC}/jobs/{{id}}/schema": _SYNC_READ,
    f"POST {_SYNC}/jobs/{{id}}/start": _SYNC_WRITE,
    f"POST {_SYNC}/jobs/{{id}}/pause": _SYNC_WRITE,
    f"POST {_SYNC}/jobs/{{id}}/restart": _SYNC_WRITE,
    f"POST {_SYNC}/jobs/{{id}}/provisionOnDemand": _SYNC_WRITE,
    f"PUT {_SYNC}/secrets": _SYNC_WRITE,
    "GET /auditLogs/provisioning": _any("AuditLog.Read.All", "Directory.Read.All", "ProvisioningLog.Read.All"),
    "GET /policies/roleManagementPolicyAssignments": _ROLE_POLICY_READ,
    f"GET {_PIM}/roleDefinitions": _ROLE_READ,
    f"GET {_PIM}/roleDefinitions/{{id}}": _ROLE_READ,
    f"GET {_PIM}/roleEligibilitySchedules": _ELIGIBILITY_READ,
    f"GET {_PIM}/roleEligibilitySchedules/{{id}}": _ELIGIBILITY_READ,
    f"GET {_PIM}/roleEligibilityScheduleInstances": _ELIGIBILITY_READ,
    f"GET {_PIM}/roleEligibilityScheduleRequests": _ELIGIBILITY_WRITE,
    f"POST {_PIM}/roleEligibilityScheduleRequests": _ELIGIBILITY_WRITE,
    f"GET {_PIM}/roleEligibilityScheduleRequests/{{id}}": _ELIGIBILITY_WRITE,
    f"POST {_PIM}/roleEligibilityScheduleRequests/{{id}}/cancel": _ELIGIBILITY_WRITE,
}

UNPUBLISHED = frozenset({f"POST {_SYNC}/jobs/validateCredentials", "POST /groups/{id}/members/$ref"})
"""Served, but without a row of its own in the published table: the first takes what the job's row takes, the second what
its page says.
"""


UNSETTLED: Mapping[str, Mapping[str, Alternatives]] = {
    "assigning-needs-its-own-permission": {
        _ASSIGN_CALL: _any(
            "AppRoleAssignment.ReadWrite.All+Application.Read.All",
            "AppRoleAssignment.ReadWrite.All+Application.ReadWrite.All",
            "AppRoleAssignment.ReadWrite.All+Directory.Read.All",
        ),
        _UNASSIGN_CALL: _any("AppRoleAssignment.ReadWrite.All"),
    },
}
"""What calls accept instead on the other side of a switch."""

FULL_USER_READ = ("User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All")
TELLING: Mapping[str, Alternatives] = {
    "GET /users": _any(*FULL_USER_READ),
    "GET /users/{id}": _any(*FULL_USER_READ),
    "GET /groups/{id}/members": _any(*FULL_USER_READ),
}
"""What it takes on top to be told everything, where less than that is answered with fewer properties (section 4)."""

AS_LIKELY = Switches()


def allowed(call: str, roles: Collection[str], switches: Switches = AS_LIKELY) -> bool:
    """Whether a token with these roles may make the call."""
    held = frozenset(roles)
    accepted = APPLICATION[call]
    for switch_id, others in UNSETTLED.items():
        if call in others and switches.is_flipped(switch_id):
            accepted = others[call]
    return any(needed <= held for needed in accepted)


def told_all(call: str, roles: Collection[str]) -> bool:
    """Whether a token with these roles, where it may make the call, sees all that the call can tell."""
    held = frozenset(roles)
    return call not in TELLING or any(needed <= held for needed in TELLING[call])


# Ids of app roles of Microsoft Graph: from the Graph contract and Microsoft's published permissions reference.
PERMISSION_IDS: dict[str, str] = {
    "AppRoleAssignment.ReadWrite.All": "06b708a9-e830-4db3-a914-8e69da51d44f",
    "Application.Read.All": "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30",
    "Application.ReadWrite.All": "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9",
    "Application.ReadWrite.OwnedBy": "18a4783c-866b-4cc7-a460-3d5e5662c884",
    "AuditLog.Read.All": "b0afded3-3588-46d8-8b3d-9842eff778da",
    "CrossTenantInformation.ReadBasic.All": "cac88765-0581-4025-9725-5ebc13f729ee",
    "Directory.Read.All": "7ab1d382-f21e-4acd-a863-ba3e13f7da61",
    "Group.Read.All": "5b567255-7703-4780-807c-7be8301ae99b",
    "GroupMember.Read.All": "98830695-27a2-44f7-8c18-0c3ebc9698f6",
    "Organization.Read.All": "498476ce-e0fe-48b0-b801-37ba7e2685c6",
    "Policy.Read.All": "246dd0d5-5bd0-4def-940b-0421030a5b68",
    "Policy.ReadWrite.CrossTenantAccess": "338163d7-f101-4c92-94ba-ca46fe52447c",
    "ProvisioningLog.Read.All": "091937d3-3e38-47a1-8649-b2f99d3035f1",
    "RoleEligibilitySchedule.Read.Directory": "ff278e11-4a33-4d0c-83d2-d01dc58929a5",
    "RoleEligibilitySchedule.ReadWrite.Directory": "fee28b28-e1f3-4841-818e-2704dc62245f",
    "RoleManagement.Read.Directory": "483bed4a-2ad3-4361-a73b-c83ccdbdc53c",
    "RoleManagement.ReadWrite.Directory": "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8",
    "SecurityAlert.Read.All": "472e4a4d-bb4a-4026-98d1-0b0d74cb74a5",
    "SecurityIncident.Read.All": "45cc0394-e837-488b-a098-1918f48d186c",
    "Synchronization.ReadWrite.All": "9b50c33d-700f-43b1-b2eb-87e89b703581",
    "ThreatHunting.Read.All": "dd98c7f5-2d42-42d3-a0e4-633161547251",
    "User.Read.All": "df021288-bdef-4463-88db-98f22de89214",
    "User.ReadBasic.All": "97235f07-e226-4f63-ace3-39588e11d3a1",
}


def known_permission(name: str) -> bool:
    """Whether some call or the list of ids knows the permission; a misspelt one must not be registered."""
    published = {one for alternatives in APPLICATION.values() for needed in alternatives for one in needed}
    return name in published or name in PERMISSION_IDS
