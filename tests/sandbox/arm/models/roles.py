"""Role definitions: the built-in ones that the stories need, and custom ones (sections 1 and RBAC)."""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase

VM_CONTRIBUTOR = "9980e02c-c2be-4d73-94e8-173b1dc7cf3c"
STORAGE_ACCOUNT_CONTRIBUTOR = "17d1049b-9a84-46fb-8f53-869881c3d3ab"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
USER_ACCESS_ADMINISTRATOR = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"
RBAC_ADMINISTRATOR = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleDefinition:
    """What somebody who holds it may do. Actions are patterns with `*`, compared without case."""

    id: str
    name: str
    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()
    description: str = ""
    assignable_scopes: tuple[str, ...] = field(default=("/",))
    custom: bool = False

    def allows(self, action: str) -> bool:
        """Whether the action is among the actions and not among the exceptions."""
        return _any(self.actions, action) and not _any(self.not_actions, action)


def _any(patterns: tuple[str, ...], action: str) -> bool:
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)


_VM_ACTIONS = (
    "Microsoft.Authorization/*/read",
    "Microsoft.Compute/availabilitySets/*",
    "Microsoft.Compute/locations/*",
    "Microsoft.Compute/virtualMachines/*",
    "Microsoft.Compute/virtualMachineScaleSets/*",
    "Microsoft.Compute/cloudServices/*",
    "Microsoft.Compute/disks/write",
    "Microsoft.Compute/disks/read",
    "Microsoft.Compute/disks/delete",
    "Microsoft.DevTestLab/schedules/*",
    "Microsoft.Network/networkInterfaces/*",
    "Microsoft.Network/virtualNetworks/read",
    "Microsoft.Network/virtualNetworks/subnets/join/action",
    "Microsoft.Resources/deployments/*",
    "Microsoft.Resources/subscriptions/resourceGroups/read",
    "Microsoft.SqlVirtualMachine/*",
    "Microsoft.Storage/storageAccounts/listKeys/action",
    "Microsoft.Storage/storageAccounts/read",
)
_STORAGE_ACTIONS = (
    "Microsoft.Authorization/*/read",
    "Microsoft.Network/virtualNetworks/subnets/joinViaServiceEndpoint/action",
    "Microsoft.Resources/deployments/*",
    "Microsoft.Resources/subscriptions/resourceGroups/read",
    "Microsoft.Storage/storageAccounts/*",
)

BUILT_IN: dict[str, RoleDefinition] = {
    role.id: role
    for role in (
        RoleDefinition(id=VM_CONTRIBUTOR, name="Virtual Machine Contributor", actions=_VM_ACTIONS),
        RoleDefinition(id=STORAGE_ACCOUNT_CONTRIBUTOR, name="Storage Account Contributor", actions=_STORAGE_ACTIONS),
        RoleDefinition(
            id=CONTRIBUTOR,
            name="Contributor",
            actions=("*",),
            not_actions=(
                "Microsoft.Authorization/*/Delete",
                "Microsoft.Authorization/*/Write",
                "Microsoft.Authorization/elevateAccess/Action",
            ),
        ),
        RoleDefinition(id=OWNER, name="Owner", actions=("*",)),
        RoleDefinition(id=READER, name="Reader", actions=("*/read",)),
        RoleDefinition(
            id=USER_ACCESS_ADMINISTRATOR,
            name="User Access Administrator",
            actions=("*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"),
        ),
        RoleDefinition(
            id=RBAC_ADMINISTRATOR,
            name="Role Based Access Control Administrator",
            actions=(
                "*/read",
                "Microsoft.Authorization/roleAssignments/write",
                "Microsoft.Authorization/roleAssignments/delete",
                "Microsoft.Support/*",
            ),
        ),
    )
}
"""Shortened where the stories ask for no more; ids and what each must not be able to do are those of the built-in roles."""
