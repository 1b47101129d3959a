"""PIM for Azure roles in the name of a person: an engineer's activations, an approver's decisions (Azure Resource Manager).

The person's token is given, used within the invocation, and kept nowhere. No application can do what is done here.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import jwt
import msgspec

from shared.arm.activation_shapes import ActiveAssignment, AskedActivation, active_in, asked_in
from shared.arm.approval_shapes import Approval, Asked, Stage, approval_of, asked_of, claims_in
from shared.arm.lists import readable
from shared.arm.shapes import role_path
from shared.azure_permissions import (
    ACTIVATE,
    CANCEL_OWN_REQUEST,
    DECIDE_APPROVAL,
    LIST_OWN_ACTIVE,
    LIST_OWN_REQUESTS,
    READ_APPROVAL,
)
from shared.clock import Clock
from shared.errors import (
    ClaimsChallenge,
    Conflict,
    Forbidden,
    NotFound,
    Rejected,
    RemoteError,
    RoleNotAllowed,
    Unavailable,
)
from shared.identifiers import ObjectId, SubscriptionId
from shared.patience import Answer
from shared.permissions import Call
from shared.privileged import OpenIntent

if TYPE_CHECKING:
    from shared.arm.client import Arm

_VERSION = {"api-version": "2020-10-01"}
_APPROVALS_VERSION = {"api-version": "2021-01-01-preview"}
_READ_BACKS = (0.0, 1.0, 2.0)
"""Seconds before each look for a decision whose answer was lost."""

_GONE, _ENDED = "RoleAssignmentDoesNotExist", "Revoked"
_WANTS_CONTEXT = "RoleAssignmentRequestAcrsValidationFailed"


class Persons:
    """Gives the calls of a person. `open_arm`: gives the client, made at the first call."""

    def __init__(self, open_arm: "Callable[[], Arm]", allowed_roles: frozenset[str], clock: Clock) -> None:
        self._open_arm = open_arm
        self._allowed_roles = allowed_roles
        self._clock = clock
        self.decides_flat = False
        """Which of the two bodies in circulation a decision takes, as this process has learnt it."""

    def by(self, token: str) -> "AsPerson":
        """The calls of the person whose token for Azure this is."""
        return AsPerson(self, self._open_arm, token)

    def allowed(self, role_definition_id: str) -> str:
        """The role, if the deployment allows it. Raises RoleNotAllowed."""
        if role_definition_id not in self._allowed_roles:
            raise RoleNotAllowed(role_definition_id)
        return role_definition_id

    async def wait(self, seconds: float) -> None:
        """A moment."""
        if seconds:
            await self._clock.sleep(seconds)


class AsPerson:
    """What one person does in Azure. Every call raises ClaimsChallenge where the person must prove more first."""

    def __init__(self, persons: Persons, open_arm: "Callable[[], Arm]", token: str) -> None:
        self._persons = persons
        self._open_arm = open_arm
        self._token = token
        # Straight from the authority over TLS, for Azure: read, not verified.
        self.person_id = ObjectId(str(jwt.decode(token, options={"verify_signature": False})["oid"]).lower())

    async def approval(self, approval_id: str) -> Approval:
        """An approval that the person is asked for, or was.

        GET /providers/Microsoft.Authorization/roleAssignmentApprovals/{id} (no right: whom the role's policy names). Raises
        NotFound for whoever is not asked, and Rejected for whoever made the request.
        """
        answer = await self._send(READ_APPROVAL, (approval_id,), _APPROVALS_VERSION)
        return approval_of(answer.content)

    async def decide(
        self, approval_id: str, stage_id: str, *, approve: bool, justification: str, intent: OpenIntent
    ) -> str:
        """Approve or deny a stage. Gives the request id, when the decision stands as this person's.

        PATCH /providers/Microsoft.Authorization/roleAssignmentApprovals/{id}/stages/{id} (no right, as above). The first
        decision ends it: sent once, and looked for where the answer was lost, or was that it is over. Both bodies in
        circulation are known; the one that is taken is remembered. Raises Conflict where another decision stands, or none
        is wanted any more; Unavailable (uncertain) where the answer was lost and nothing shows; NotFound and Rejected.
        """
        result = {"reviewResult": "Approve" if approve else "Deny", "justification": justification}
        try:
            return await self._decide(approval_id, stage_id, result, intent)
        except (Conflict, NotFound, Rejected) as error:
            stage = await self._stage(approval_id, stage_id)
            if stage is None or stage.is_open:
                raise
            if stage.was_decided_by(self.person_id, approve=approve):
                return error.call.request_id
            raise Conflict(error.call) from error
        except Unavailable as error:
            if not error.uncertain:
                raise
            return await self._decided(approval_id, stage_id, error, approve=approve)

    async def asked(self, subscription_id: SubscriptionId, name: str) -> AskedActivation | None:
        """A request for an activation of the person's own, at the subscription itself; None where it is not there (any more).

        GET /{scope}/providers/Microsoft.Authorization/roleAssignmentScheduleRequests?$filter=asTarget() (no right).
        A request by its name takes the right to read everybody's, so public clients of PIM find it in this list, too.
        """
        for item in await self._own(LIST_OWN_REQUESTS, subscription_id):
            asked = readable(item, subscription_id, asked_in)
            if asked is not None and asked.request_id == name:
                return asked
        return None

    async def in_force(self, subscription_id: SubscriptionId) -> list[ActiveAssignment]:
        """The person's own active assignments in force at the subscription.

        GET /{scope}/providers/Microsoft.Authorization/roleAssignmentScheduleInstances?$filter=asTarget() (no right).
        """
        items = await self._own(LIST_OWN_ACTIVE, subscription_id)
        return [one for item in items if (one := readable(item, subscription_id, active_in)) is not None]

    async def activate(
        self,
        subscription_id: SubscriptionId,
        role_definition_id: str,
        *,
        name: str,
        duration: timedelta,
        justification: str,
        ticket: str,
        intent: OpenIntent,
    ) -> Asked:
        """Activate the person's own eligibility, from now on. PIM takes it also while an approval is pending.

        PUT /{scope}/providers/Microsoft.Authorization/roleAssignmentScheduleRequests/{name} (no right: whoever is eligible).
        Safe twice: one of that name is refused as a Conflict, and is then looked for, as where the answer was lost
        (Unavailable, uncertain). Raises RoleNotAllowed, and Rejected with the code, and
        the policy's rules in its message.
        """
        body = self._activation(subscription_id, role_definition_id, duration, justification, ticket)
        return await self._ask(ACTIVATE, (subscription_id, name), body, intent)

    async def deactivate(
        self,
        subscription_id: SubscriptionId,
        role_definition_id: str,
        *,
        name: str,
        justification: str,
        intent: OpenIntent,
    ) -> Asked:
        """End the person's own activation early. Safe twice: what is gone already is ended.

        PUT as `activate`, with SelfDeactivate. PIM refuses what is not there as RoleAssignmentDoesNotExist, which counts as
        done: a list may still show it. Raises Rejected with ActiveDurationTooShort within its first five minutes.
        """
        body = {"properties": self._request(subscription_id, role_definition_id, "SelfDeactivate", justification)}
        try:
            return await self._ask(ACTIVATE, (subscription_id, name), body, intent)
        except Rejected as error:
            if error.call.code != _GONE:
                raise
            return Asked(name=name, status=_ENDED, approval_id="", request_id=error.call.request_id)

    async def cancel(self, subscription_id: SubscriptionId, name: str, intent: OpenIntent) -> str:
        """Take back the person's own request. Gives the request id.

        POST /{scope}/providers/Microsoft.Authorization/roleAssignmentScheduleRequests/{name}/cancel (no right). Not
        idempotent: one that is not pending is Rejected.
        """
        return (await self._send(CANCEL_OWN_REQUEST, (subscription_id, name), _VERSION, None, intent)).request_id

    def _activation(
        self, subscription_id: SubscriptionId, role: str, duration: timedelta, justification: str, ticket: str
    ) -> object:
        minutes = int(duration.total_seconds()) // 60
        length = f"PT{minutes}M" if minutes % 60 else f"PT{minutes // 60}H"
        expiration = {"type": "AfterDuration", "endDateTime": None, "duration": length}
        return {
            "properties": {
                **self._request(subscription_id, role, "SelfActivate", justification),
                # Without a start: a clock that is slightly behind Azure's would ask for the past.
                "scheduleInfo": {"startDateTime": None, "expiration": expiration},
                "ticketInfo": {"ticketNumber": ticket, "ticketSystem": "Tenantry"},
            }
        }

    def _request(self, subscription_id: SubscriptionId, role: str, kind: str, justification: str) -> dict[str, object]:
        return {
            "principalId": self.person_id,
            "roleDefinitionId": role_path(subscription_id, self._persons.allowed(role)),
            "requestType": kind,
            "justification": justification,
        }

    async def _own(self, call: Call, subscription_id: SubscriptionId) -> list[msgspec.Raw]:
        query = {**_VERSION, "$filter": "asTarget()"}
        return await self._open_arm().pages_as(self.person_id, self._token, call, subscription_id, query)

    async def _ask(self, call: Call, ids: tuple[str, ...], body: object, intent: OpenIntent | None) -> Asked:
        answer = await self._send(call, ids, _VERSION, body, intent)
        return asked_of(answer.content, answer.request_id)

    async def _decide(self, approval_id: str, stage_id: str, result: object, intent: OpenIntent) -> str:
        """In the body that was taken last, and where that one is refused in the other."""
        usual, refused = self._persons.decides_flat, None
        for flat in (usual, not usual):
            body = result if flat else {"properties": result}
            try:
                answer = await self._send(DECIDE_APPROVAL, (approval_id, stage_id), _APPROVALS_VERSION, body, intent)
            except Rejected as error:
                # What the usual body was refused for is the reason, if the other is refused too.
                refused = refused or error
                continue
            self._persons.decides_flat = flat
            return answer.request_id
        raise refused or AssertionError("there are two bodies")

    async def _decided(self, approval_id: str, stage_id: str, lost: Unavailable, *, approve: bool) -> str:
        """What became of a decision whose answer was lost."""
        for seconds in _READ_BACKS:
            await self._persons.wait(seconds)
            stage = await self._stage(approval_id, stage_id)
            if stage is not None and stage.was_decided_by(self.person_id, approve=approve):
                return lost.call.request_id
            if stage is not None and not stage.is_open:
                raise Conflict(lost.call) from lost
        raise lost

    async def _stage(self, approval_id: str, stage_id: str) -> Stage | None:
        """The stage, if it can be read now."""
        try:
            return (await self.approval(approval_id)).stage(stage_id)
        except (RemoteError, ClaimsChallenge):
            return None

    async def _send(
        self,
        call: Call,
        ids: tuple[str, ...],
        query: dict[str, str],
        body: object = None,
        intent: OpenIntent | None = None,
    ) -> Answer:
        try:
            return await self._open_arm().send_as(
                self.person_id, self._token, call, ids, query, body=body, intent=intent
            )
        except (Forbidden, Rejected) as error:
            if error.call.code == _WANTS_CONTEXT and (claims := claims_in(error.call.message)):
                raise ClaimsChallenge(claims) from error
            raise
