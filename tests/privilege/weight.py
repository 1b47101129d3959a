"""How much each permission weighs: Microsoft's own privilege level, and why some are tier-0. Facts, with their source."""

LEVELS: dict[str, int] = {
    "AppRoleAssignment.ReadWrite.All": 4,
    "Application.ReadWrite.All": 4,
    "Policy.ReadWrite.CrossTenantAccess": 4,
    "RoleEligibilitySchedule.ReadWrite.Directory": 4,
    "RoleManagement.Read.Directory": 4,
    "Synchronization.ReadWrite.All": 4,
}
"""privilegeLevel of the scheme Application: microsoftgraph/microsoft-graph-devx-content, permissions/new/permissions.json
at commit 0029347. What we did not look up there is left out.
"""

TIER_0: dict[str, str] = {
    "AppRoleAssignment.ReadWrite.All": "grants any application any permission of any API, itself included, without an "
    "administrator's consent",
    "Application.ReadWrite.All": "adds a credential to any application of the tenant, and acts as it with all that it "
    "was granted",
    "RoleEligibilitySchedule.ReadWrite.Directory": "makes any account eligible for any directory role, Global "
    "Administrator too",
}
"""A way to every right in the tenant, in one sentence."""

NEXT_TO_TIER_0: dict[str, str] = {
    "Policy.ReadWrite.CrossTenantAccess": "decides which other tenants' users come in and whether their MFA counts, but "
    "gives nobody a role",
    "Synchronization.ReadWrite.All": "configures the synchronization of every application of the tenant, but gives "
    "nobody a role in it",
}
"""Close to it: no way to every right by itself, but a door for others."""
