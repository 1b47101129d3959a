"""Who may do what at, above and below a managed subscription, as Tenantry Access. Reads only.

Without a filter Azure's lists show a scope and what is below it, with atScope() the scope and what is above: both are read.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from shared.arm.access_shapes import (
    Active,
    Assignment,
    Eligible,
    RoleDefinition,
    active_of,
    assignments_of,
    eligible_of,
    roles_of,
)
from shared.azure_permissions import (
    LIST_ACTIVE,
    LIST_AZURE_ASSIGNMENTS,
    LIST_AZURE_INSTANCES,
    LIST_AZURE_ROLES,
)
from shared.identifiers import SubscriptionId
from shared.permissions import Call

if TYPE_CHECKING:
    from shared.arm.client import Arm

_PIM_VERSION, _VERSION = "2020-10-01", "2022-04-01"


class AzureAccess:
    """Role definitions, assignments and eligibilities of any managed subscription."""

    def __init__(self, open_arm: "Callable[[], Arm]") -> None:
        self._open_arm = open_arm

    async def roles(self, subscription_id: SubscriptionId) -> dict[str, RoleDefinition]:
        """Every role that may be assigned there, by its GUID.

        GET /{scope}/providers/Microsoft.Authorization/roleDefinitions (roleDefinitions/read).
        """
        return roles_of(await self._open_arm().pages(LIST_AZURE_ROLES, subscription_id, {"api-version": _VERSION}))

    async def assignments(self, subscription_id: SubscriptionId) -> list[Assignment]:
        """Role assignments at, above and below the subscription, PIM's active ones among them.

        GET /{scope}/providers/Microsoft.Authorization/roleAssignments (roleAssignments/read).
        """
        return assignments_of(await self._around(LIST_AZURE_ASSIGNMENTS, subscription_id, _VERSION))

    async def active(self, subscription_id: SubscriptionId) -> list[Active]:
        """PIM's active assignments at, above and below the subscription.

        GET /{scope}/providers/Microsoft.Authorization/roleAssignmentScheduleInstances (roleAssignmentScheduleInstances/read).
        """
        return active_of(await self._around(LIST_ACTIVE, subscription_id, _PIM_VERSION))

    async def eligible(self, subscription_id: SubscriptionId) -> list[Eligible]:
        """Eligibilities in force at, above and below the subscription.

        GET /{scope}/providers/Microsoft.Authorization/roleEligibilityScheduleInstances
        (roleEligibilityScheduleInstances/read).
        """
        return eligible_of(await self._around(LIST_AZURE_INSTANCES, subscription_id, _PIM_VERSION))

    async def _around(self, call: Call, subscription_id: SubscriptionId, version: str) -> list[msgspec.Raw]:
        arm = self._open_arm()
        below = await arm.pages(call, subscription_id, {"api-version": version})
        above = await arm.pages(call, subscription_id, {"api-version": version, "$filter": "atScope()"})
        return [*below, *above]
