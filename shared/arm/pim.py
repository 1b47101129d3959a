"""PIM for Azure roles on a subscription, as Tenantry Access. Refuses any role outside the deployment's allow-list.

An eligibility below the subscription or above it is not ours to look at: its policy is another.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from shared.arm.shapes import (
    AzureEligibility,
    Fate,
    Request,
    RequestItem,
    held_at,
    is_at,
    last_part,
    request_name,
    role_path,
    rules_of,
    scope_of,
)
from shared.azure_permissions import (
    LIST_AZURE_INSTANCES,
    LIST_AZURE_POLICIES,
    LIST_AZURE_REQUESTS,
    LIST_AZURE_SCHEDULES,
    PUT_AZURE_REQUEST,
    READ_AZURE_REQUEST,
)
from shared.errors import Conflict, NotFound, PimUnavailable, Rejected, RemoteCall, RoleNotAllowed, Unavailable
from shared.graph.shapes import Rule
from shared.identifiers import ObjectId, SubscriptionId
from shared.permissions import Call
from shared.privileged import OpenIntent

if TYPE_CHECKING:
    from shared.arm.client import Arm

_VERSION = "2020-10-01"
_NOT_REPLICATED = frozenset({"SubjectNotFound", "PrincipalNotFound", "RoleNotFound"})
_BUSY = frozenset({"PendingRoleAssignmentRequest", "RoleAssignmentRequestExists", "RoleAssignmentExists"})
_CLOSED = frozenset({"ResourceIsLocked", "ScopeLocked", "ReadOnlyDisabledSubscription"})
"""Conflicts that no wait of a night ends: a lock that somebody put there, a subscription that is disabled."""
_NO_PIM = frozenset({"AadPremiumLicenseRequired"})
_OF_WHAT_IS_THERE = frozenset({"adminExtend", "adminUpdate"})
_ATTEMPTS = 5
"""Names for one wish: a request that failed keeps its name, so the next try needs another."""


class AzurePim:
    """Eligibilities and role policies of any managed subscription. `open_arm`: gives the client, made at the first call."""

    def __init__(self, open_arm: "Callable[[], Arm]", allowed_roles: frozenset[str]) -> None:
        self._open_arm = open_arm
        self._allowed_roles = allowed_roles

    async def in_force(self, subscription_id: SubscriptionId) -> list[AzureEligibility]:
        """Eligibilities in force at the subscription itself, of everybody and for every role.

        GET /{scope}/providers/Microsoft.Authorization/roleEligibilityScheduleInstances?$filter=atScope()
        (roleEligibilityScheduleInstances/read). Raises PimUnavailable.
        """
        return await self._held(LIST_AZURE_INSTANCES, subscription_id, "atScope()")

    async def instances(
        self, subscription_id: SubscriptionId, principal_id: ObjectId, role_definition_id: str
    ) -> list[AzureEligibility]:
        """As `in_force`, of one principal and role, with $filter=principalId eq."""
        return await self._of(LIST_AZURE_INSTANCES, subscription_id, principal_id, role_definition_id)

    async def schedules(
        self, subscription_id: SubscriptionId, principal_id: ObjectId, role_definition_id: str
    ) -> list[AzureEligibility]:
        """Eligibility schedules of one principal and role at the subscription itself: also those to come.

        GET /{scope}/providers/Microsoft.Authorization/roleEligibilitySchedules?$filter=principalId eq
        (roleEligibilitySchedules/read). Raises PimUnavailable.
        """
        return await self._of(LIST_AZURE_SCHEDULES, subscription_id, principal_id, role_definition_id)

    async def role_rules(self, subscription_id: SubscriptionId, role_definition_id: str) -> list[Rule]:
        """The effective rules of a role's policy at the subscription; none where no list shows them. Raises PimUnavailable.

        GET /{scope}/providers/Microsoft.Authorization/roleManagementPolicyAssignments?$filter=roleDefinitionId eq
        (roleManagementPolicyAssignments/read).
        """
        wanted = role_path(subscription_id, self._allowed(role_definition_id))
        found = await self._pages(LIST_AZURE_POLICIES, subscription_id, f"roleDefinitionId eq '{wanted}'")
        return [rule for item in found for rule in rules_of(item, subscription_id, role_definition_id)]

    async def was_removed(
        self, subscription_id: SubscriptionId, principal_id: ObjectId, role_definition_id: str
    ) -> bool:
        """Whether the latest request for a principal and role that took effect took the eligibility away.

        Requests are gone after about 45 days, so this says nothing of earlier times.
        GET /{scope}/providers/Microsoft.Authorization/roleEligibilityScheduleRequests?$filter=principalId eq
        (roleEligibilityScheduleRequests/read). Raises PimUnavailable.
        """
        role = self._allowed(role_definition_id)
        found = await self._pages(LIST_AZURE_REQUESTS, subscription_id, _principal(principal_id))
        effective = [
            (one.created_on, one.request_type)
            for one in (msgspec.json.decode(item, type=Request).properties for item in found)
            if one.created_on is not None
            and one.took_effect
            and last_part(one.role_definition_id) == role
            and is_at(one.scope, subscription_id)
        ]
        return bool(effective) and max(effective)[1] == "AdminRemove"

    async def request(
        self,
        subscription_id: SubscriptionId,
        *,
        action: str,
        held: AzureEligibility,
        start: datetime,
        end: datetime,
        justification: str,
        ticket: str,
        intent: OpenIntent,
    ) -> str:
        """Ask for a change of an eligibility, with an end; `action` in Graph's words for it. Gives the request id. Safe
        twice, for it is named after what it asks.

        PUT /{scope}/providers/Microsoft.Authorization/roleEligibilityScheduleRequests/{name}
        (roleEligibilityScheduleRequests/write; when the name is taken, or the answer was lost, it is looked for:
        roleEligibilityScheduleRequests/read). The condition that it is held under goes along. Raises RoleNotAllowed;
        NotFound while the principal is not replicated, or another change is under way (come again); PimUnavailable;
        Rejected with the policy's rule names in its message, with the status of a request that failed, or for a subscription
        that is locked or disabled.
        """
        scope, role = scope_of(subscription_id), self._allowed(held.role_definition_id)
        body = {"properties": _wanted(subscription_id, action, held, start, end, justification, ticket)}
        failed: Rejected | None = None
        for attempt in range(_ATTEMPTS):
            name = request_name(scope, role, held.principal_id, action, _iso(end), attempt)
            made, request_id, new = await self._put(subscription_id, name, body, intent)
            if made.fate is not Fate.FAILED:
                return request_id
            failed = Rejected(_failed(made.status, request_id, intent))
            if new:
                break
        raise failed or AssertionError("there is a first attempt")

    async def _put(
        self, subscription_id: SubscriptionId, name: str, body: object, intent: OpenIntent
    ) -> tuple[RequestItem, str, bool]:
        """The request of that name, its request id, and whether it was made just now."""
        arm, version = self._open_arm(), {"api-version": _VERSION}
        try:
            answer = await arm.send(PUT_AZURE_REQUEST, subscription_id, version, name=name, body=body, intent=intent)
        except Rejected as error:
            if error.call.code in _NOT_REPLICATED or error.call.code in _BUSY:
                raise NotFound(error.call) from error
            raise _explained(error) from error
        except (Conflict, Unavailable) as error:
            if error.call.code in _CLOSED:
                raise Rejected(error.call) from error
            if isinstance(error, Unavailable) and not error.uncertain:
                raise
            try:
                answer = await arm.send(READ_AZURE_REQUEST, subscription_id, version, name=name)
            except NotFound:
                raise error from None
            return answer.decode(Request).properties, answer.request_id, False
        return answer.decode(Request).properties, answer.request_id, True

    async def _of(
        self, call: Call, subscription_id: SubscriptionId, principal_id: ObjectId, role_definition_id: str
    ) -> list[AzureEligibility]:
        role = self._allowed(role_definition_id)
        found = await self._held(call, subscription_id, _principal(principal_id))
        return [one for one in found if (one.principal_id, one.role_definition_id) == (principal_id, role)]

    async def _held(self, call: Call, subscription_id: SubscriptionId, chosen: str) -> list[AzureEligibility]:
        found = await self._pages(call, subscription_id, chosen)
        return [one for item in found if (one := held_at(item, subscription_id)) is not None]

    async def _pages(self, call: Call, subscription_id: SubscriptionId, chosen: str) -> list[msgspec.Raw]:
        try:
            return await self._open_arm().pages(call, subscription_id, {"api-version": _VERSION, "$filter": chosen})
        except Rejected as error:
            raise _explained(error) from error

    def _allowed(self, role_definition_id: str) -> str:
        if role_definition_id not in self._allowed_roles:
            raise RoleNotAllowed(role_definition_id)
        return role_definition_id


def _wanted(
    subscription_id: SubscriptionId,
    action: str,
    held: AzureEligibility,
    start: datetime,
    end: datetime,
    justification: str,
    ticket: str,
) -> dict[str, object]:
    target = held.schedule_id if action in _OF_WHAT_IS_THERE else ""
    return {
        "principalId": held.principal_id,
        "roleDefinitionId": role_path(subscription_id, held.role_definition_id),
        "requestType": action[0].upper() + action[1:],
        "justification": justification,
        "scheduleInfo": {
            "startDateTime": _iso(start),
            "expiration": {"type": "AfterDateTime", "endDateTime": _iso(end), "duration": None},
        },
        "ticketInfo": {"ticketNumber": ticket, "ticketSystem": "Tenantry"},
        "condition": held.condition or None,
        "conditionVersion": held.condition_version or None,
        "targetRoleEligibilityScheduleId": target or None,
    }


def _failed(status: str, request_id: str, intent: OpenIntent) -> RemoteCall:
    """Where it was refused after it was taken."""
    return RemoteCall(
        service="arm",
        method=PUT_AZURE_REQUEST.method,
        path=PUT_AZURE_REQUEST.path,
        tenant_id=intent.tenant_id,
        registration=intent.registration.value,
        code=status,
        request_id=request_id,
    )


def _explained(error: Rejected) -> Rejected | PimUnavailable:
    return PimUnavailable(error.call.tenant_id) if error.call.code in _NO_PIM else error


def _principal(principal_id: ObjectId) -> str:
    return f"principalId eq '{principal_id}'"


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
