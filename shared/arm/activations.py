"""Activations of Azure roles on a subscription and below it, as Tenantry Access sees them: who waits, what became of it.

An application sees and cancels; it neither asks for an activation nor decides one.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from shared.arm.activation_shapes import ACTIVATED, ActiveAssignment, AskedActivation, active_in, asked_in
from shared.arm.lists import readable
from shared.azure_permissions import CANCEL_ACTIVATION, LIST_ACTIVATIONS, LIST_ACTIVE, READ_ACTIVATION
from shared.errors import NotFound, RoleNotAllowed
from shared.identifiers import ObjectId, SubscriptionId
from shared.privileged import OpenIntent

if TYPE_CHECKING:
    from shared.arm.client import Arm

_VERSION = {"api-version": "2020-10-01"}


class AzureActivations:
    """Activations on any managed subscription. `open_arm`: gives the client, made at the first call."""

    def __init__(self, open_arm: "Callable[[], Arm]", allowed_roles: frozenset[str]) -> None:
        self._open_arm = open_arm
        self._allowed_roles = allowed_roles

    async def asked(self, subscription_id: SubscriptionId) -> list[AskedActivation]:
        """Requests for activations at the subscription and below it, of everybody and for every role that is allowed here.

        GET /{scope}/providers/Microsoft.Authorization/roleAssignmentScheduleRequests (roleAssignmentScheduleRequests/read).
        Those that ended long ago are gone.
        """
        items = await self._open_arm().pages(LIST_ACTIVATIONS, subscription_id, _VERSION)
        found = [one for item in items if (one := readable(item, subscription_id, asked_in)) is not None]
        return [one for one in found if one.role_definition_id in self._allowed_roles]

    async def read(
        self, subscription_id: SubscriptionId, below: str, request_id: str, kind: str = ACTIVATED
    ) -> AskedActivation | None:
        """One request of that kind, or None where it is not there (any more).

        GET /{scope}/providers/Microsoft.Authorization/roleAssignmentScheduleRequests/{name}
        (roleAssignmentScheduleRequests/read).
        """
        arm = self._open_arm()
        try:
            answer = await arm.send(READ_ACTIVATION, subscription_id, _VERSION, name=request_id, below=below)
        except NotFound:
            return None
        return asked_in(answer.content, subscription_id, kind)

    async def cancel(self, asked: AskedActivation, intent: OpenIntent) -> str:
        """Cancel a request that is pending. Gives the request id. Not idempotent: one that is not pending is Rejected.

        POST /{scope}/providers/Microsoft.Authorization/roleAssignmentScheduleRequests/{name}/cancel
        (roleAssignmentScheduleRequests/cancel/action). Raises RoleNotAllowed.
        """
        if asked.role_definition_id not in self._allowed_roles:
            raise RoleNotAllowed(asked.role_definition_id)
        answer = await self._open_arm().send(
            CANCEL_ACTIVATION,
            asked.subscription_id,
            _VERSION,
            name=asked.request_id,
            below=asked.below,
            intent=intent,
        )
        return answer.request_id

    async def in_force(
        self, subscription_id: SubscriptionId, principal_id: ObjectId | None = None
    ) -> list[ActiveAssignment]:
        """Active assignments in force at the subscription and below it, of one principal or of everybody.

        GET /{scope}/providers/Microsoft.Authorization/roleAssignmentScheduleInstances[?$filter=principalId eq]
        (roleAssignmentScheduleInstances/read).
        """
        chosen = {} if principal_id is None else {"$filter": f"principalId eq '{principal_id}'"}
        items: list[msgspec.Raw] = await self._open_arm().pages(LIST_ACTIVE, subscription_id, {**_VERSION, **chosen})
        return [one for item in items if (one := readable(item, subscription_id, active_in)) is not None]
