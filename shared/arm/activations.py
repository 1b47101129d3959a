"""Activations of Azure roles on a subscription and below it, as Tenantry Access sees them: who waits, what became of it.

An application sees and cancels; it neither asks for an activation nor decides one.
"""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from shared.arm.activation_shapes import ActiveAssignment, AskedActivation, active_in, asked_in
from shared.azure_permissions import CANCEL_ACTIVATION, LIST_ACTIVATIONS, LIST_ACTIVE, READ_ACTIVATION
from shared.errors import NotFound, RoleNotAllowed
from shared.identifiers import ObjectId, SubscriptionId
from shared.privileged import OpenIntent

if TYPE_CHECKING:
    from shared.arm.client import Arm

_log = logging.getLogger(__name__)

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
        found = [one for item in items if (one := _readable(item, subscription_id)) is not None]
        return [one for one in found if one.role_definition_id in self._allowed_roles]

    async def read(self, subscription_id: SubscriptionId, below: str, request_id: str) -> AskedActivation | None:
        """One request, or None where it is not there (any more).

        GET /{scope}/providers/Microsoft.Authorization/roleAssignmentScheduleRequests/{name}
        (roleAssignmentScheduleRequests/read).
        """
        arm = self._open_arm()
        try:
            answer = await arm.send(READ_ACTIVATION, subscription_id, _VERSION, name=request_id, below=below)
        except NotFound:
            return None
        return asked_in(answer.content, subscription_id)

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
        return [one for item in items if (one := active_in(item, subscription_id)) is not None]


def _readable(item: msgspec.Raw, subscription_id: SubscriptionId) -> AskedActivation | None:
    """One of a list: what cannot be read keeps none of the others from being seen."""
    try:
        return asked_in(item, subscription_id)
    except msgspec.DecodeError:
        _log.error("activation.unreadable subscription_id=%s", subscription_id)
        return None
