"""Active assignments for a time, as Tenantry Broker: made once our own approval is there, read back, taken back sooner.

Refuses, before a request is built, any role outside the allow-list, and whatever is not on a subscription itself.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from shared.arm.activation_shapes import ASSIGNED, ActiveAssignment, AskedActivation, active_in, asked_in
from shared.arm.shapes import role_path
from shared.broker_permissions import GRANT, LIST_GRANTED, READ_GRANT
from shared.errors import Conflict, NotFound, Rejected, RoleNotAllowed
from shared.identifiers import SubscriptionId
from shared.privileged import OpenIntent

if TYPE_CHECKING:
    from shared.arm.client import Arm

_VERSION = {"api-version": "2020-10-01"}
_GONE = "RoleAssignmentDoesNotExist"


class Broker:
    """The broker's calls on any subscription of its mode. `open_arm`: gives the client, made at the first call."""

    def __init__(self, open_arm: "Callable[[], Arm]", allowed_roles: frozenset[str]) -> None:
        self._open_arm = open_arm
        self._allowed_roles = allowed_roles

    async def read(self, subscription_id: SubscriptionId, name: str) -> AskedActivation | None:
        """A grant by its name, or None where it is not there (any more).

        GET /{scope}/providers/Microsoft.Authorization/roleAssignmentScheduleRequests/{name}
        (roleAssignmentScheduleRequests/read).
        """
        try:
            answer = await self._open_arm().send(READ_GRANT, subscription_id, _VERSION, name=name)
        except NotFound:
            return None
        return asked_in(answer.content, subscription_id, ASSIGNED)

    async def in_force(self, asked: AskedActivation) -> list[ActiveAssignment]:
        """Active assignments of who is granted the role, at the subscription and below it.

        GET /{scope}/providers/Microsoft.Authorization/roleAssignmentScheduleInstances?$filter=principalId eq
        (roleAssignmentScheduleInstances/read).
        """
        query = {**_VERSION, "$filter": f"principalId eq '{asked.principal_id}'"}
        items: list[msgspec.Raw] = await self._open_arm().pages(LIST_GRANTED, asked.subscription_id, query)
        return [one for item in items if (one := active_in(item, asked.subscription_id)) is not None]

    async def grant(self, asked: AskedActivation, justification: str, intent: OpenIntent) -> str:
        """Make who asked active from now on, for the minutes that were asked for. Gives the request id.

        PUT /{scope}/providers/Microsoft.Authorization/roleAssignmentScheduleRequests/{name}, AdminAssign, AfterDuration
        (roleAssignmentScheduleRequests/write). Safe twice: the name is that of the request, so that a second one is refused
        as a conflict, and the first is looked for. Raises RoleNotAllowed, Conflict where the name is another's, and Rejected
        where the role's policy refuses it, or the person has the role already.
        """
        minutes = asked.minutes or 0
        if minutes <= 0:
            raise RoleNotAllowed(f"{asked.role_definition_id} without an end")
        length = f"PT{minutes}M" if minutes % 60 else f"PT{minutes // 60}H"
        body = {
            "properties": {
                **self._request(asked, "AdminAssign", justification),
                # Without a start: a clock that is slightly behind Azure's would ask for the past.
                "scheduleInfo": {
                    "startDateTime": None,
                    "expiration": {"type": "AfterDuration", "endDateTime": None, "duration": length},
                },
                "ticketInfo": {"ticketNumber": asked.ticket, "ticketSystem": asked.ticket_system},
            }
        }
        try:
            answer = await self._open_arm().send(
                GRANT, asked.subscription_id, _VERSION, name=asked.request_id, body=body, intent=intent
            )
        except (Conflict, Rejected) as error:
            # A repeat of one that landed may be refused for its name, or because the role is active by it.
            there = await self.read(asked.subscription_id, asked.request_id)
            if there is None or there.principal_id != asked.principal_id:
                raise
            return error.call.request_id
        return answer.request_id

    async def take_back(self, asked: AskedActivation, name: str, intent: OpenIntent) -> str:
        """End a grant before its end. Gives the request id. Safe twice: what is gone already is taken back.

        PUT as `grant`, with AdminRemove. Raises RoleNotAllowed, and Rejected with ActiveDurationTooShort within its first
        five minutes.
        """
        body = {"properties": self._request(asked, "AdminRemove", "Given back before its end")}
        try:
            answer = await self._open_arm().send(
                GRANT, asked.subscription_id, _VERSION, name=name, body=body, intent=intent
            )
        except Rejected as error:
            if error.call.code == _GONE:
                return error.call.request_id
            raise
        return answer.request_id

    def _request(self, asked: AskedActivation, kind: str, justification: str) -> dict[str, object]:
        if asked.role_definition_id not in self._allowed_roles or asked.below:
            raise RoleNotAllowed(f"{asked.role_definition_id}{asked.below}")
        return {
            "principalId": asked.principal_id,
            "roleDefinitionId": role_path(asked.subscription_id, asked.role_definition_id),
            "requestType": kind,
            "justification": justification,
        }
