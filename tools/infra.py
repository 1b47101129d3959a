"""Writes infra/permissions.json, from which Bicep makes registrations and custom roles, by the app's permission tables.

`--check` only tells whether it is up to date. What the tables do not know stands here: the ids by which Entra knows a
permission, and what an administrator reads of an app role.
"""

import json
import sys
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from shared.azure_permissions import DELEGATED, azure_actions
from shared.broker_permissions import broker_actions
from shared.callers import AppRole
from shared.permissions import MULTI_TENANT, Registration, SourceMode, needed

PERMISSIONS = Path(__file__).parents[1] / "infra" / "permissions.json"

GRAPH_APP_ROLES = {
    "AppRoleAssignment.ReadWrite.All": "06b708a9-e830-4db3-a914-8e69da51d44f",
    "Application.Read.All": "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30",
    "Application.ReadWrite.All": "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9",
    "CrossTenantInformation.ReadBasic.All": "cac88765-0581-4025-9725-5ebc13f729ee",
    "GroupMember.Read.All": "98830695-27a2-44f7-8c18-0c3ebc9698f6",
    "LicenseAssignment.Read.All": "e2f98668-2877-4f38-a2f4-8202e0717aa1",
    "Organization.Read.All": "498476ce-e0fe-48b0-b801-37ba7e2685c6",
    "Policy.Read.All": "246dd0d5-5bd0-4def-940b-0421030a5b68",
    "Policy.ReadWrite.CrossTenantAccess": "338163d7-f101-4c92-94ba-ca46fe52447c",
    "ProvisioningLog.Read.All": "091937d3-3e38-47a1-8649-b2f99d3035f1",
    "RoleEligibilitySchedule.ReadWrite.Directory": "fee28b28-e1f3-4841-818e-2704dc62245f",
    "RoleManagement.Read.Directory": "483bed4a-2ad3-4361-a73b-c83ccdbdc53c",
    "Synchronization.ReadWrite.All": "9b50c33d-700f-43b1-b2eb-87e89b703581",
    "ThreatHunting.Read.All": "dd98c7f5-2d42-42d3-a0e4-633161547251",
    "User.Read.All": "df021288-bdef-4463-88db-98f22de89214",
}
"""App role ids of Microsoft Graph, the same in every tenant (microsoftgraph/microsoft-graph-devx-content,
permissions/new/ProvisioningInfo.json, scheme Application). A wrong one grants another permission."""

AZURE_APP_ID = "797f4846-ba00-4fd7-ba43-dac1f8f63013"
AZURE_SCOPE_ID = "41094075-9dad-400e-a0bd-54e686782033"
"""Azure Service Management and its only delegated permission, the same in every tenant."""

APP_ROLES = {
    "Tenants.Operate": "Onboards and lets go of tenants, and declares what is looked after on subscriptions.",
    "Tenants.Read": "Reads tenants, subscriptions, renewals and requests.",
    "Audit.Read": "Reads the audit trail.",
    "Access.Request": "Asks for a locked Azure role.",
    "Access.Approve": "Approves or denies such requests.",
}
"""What an administrator reads who assigns an app role of Tenantry API."""

_IN_PERSON = ("Access.Request", "Access.Approve")
"""App roles that an application could do nothing with: what they open asks for a person's token."""

_OWN_IDS = UUID("0b1f4c3e-6a0c-4c1a-9d52-7f6f1a2e8d40")
"""Ids that we give are made of this and the name. A changed one is another app role: everybody's assignment is gone."""

_SCOPE = "user_impersonation"


def declared() -> dict[str, Any]:
    """What infra/permissions.json says."""
    return {
        "madeBy": "tools/infra.py from shared/permissions.py, shared/azure_permissions.py and shared/broker_permissions.py",
        "api": {
            "displayName": Registration.API.value,
            "signInAudience": "AzureADMyOrg",
            "scope": {"id": _own_id(f"scope {_SCOPE}"), "value": _SCOPE},
            "delegated": {"resourceAppId": AZURE_APP_ID, "id": AZURE_SCOPE_ID, "value": DELEGATED},
            "appRoles": _app_roles(),
        },
        "registrations": {one.name.lower(): _registration(one) for one in Registration if one is not Registration.API},
        "azureActions": list(azure_actions()),
        "brokerActions": list(broker_actions()),
    }


def _registration(registration: Registration) -> dict[str, Any]:
    elsewhere = registration in MULTI_TENANT
    return {
        "displayName": registration.value,
        "signInAudience": "AzureADMultipleOrgs" if elsewhere else "AzureADMyOrg",
        "grantedInSource": not elsewhere,
        "appRoles": {
            mode.value: [{"id": GRAPH_APP_ROLES[name], "value": name} for name in needed(registration, mode)]
            for mode in SourceMode
        },
    }


def _app_roles() -> list[dict[str, Any]]:
    return [
        {
            "id": _own_id(f"app role {role.value}"),
            "value": role.value,
            "displayName": role.value,
            "description": APP_ROLES[role.value],
            "allowedMemberTypes": ["User"] if role.value in _IN_PERSON else ["User", "Application"],
            "isEnabled": True,
        }
        for role in AppRole
    ]


def _own_id(name: str) -> str:
    return str(uuid5(_OWN_IDS, name))


def rendered() -> str:
    """The file as it should be."""
    return json.dumps(declared(), indent=2) + "\n"


def is_up_to_date(path: Path = PERMISSIONS) -> bool:
    """Whether a file is there and says what the tables say."""
    return path.exists() and path.read_text(encoding="utf-8") == rendered()


def main() -> int:
    """Write, or check."""
    if "--check" in sys.argv:
        return 0 if is_up_to_date() else 1
    PERMISSIONS.write_text(rendered(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
