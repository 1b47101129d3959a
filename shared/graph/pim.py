"""PIM for Entra roles in a target tenant, as Tenantry Access. Refuses any role outside the deployment's allow-list.

Durations travel as ISO 8601 text or as an end: the SDK would write a timedelta as text that Graph does not read.
"""

from datetime import UTC, datetime
from typing import Any

import msgspec

from shared.errors import NotFound, PimUnavailable, Rejected, RoleNotAllowed
from shared.graph.body import Body, query, quoted
from shared.graph.client import Build, Graph
from shared.graph.shapes import Rule
from shared.identifiers import ObjectId, TenantId
from shared.permissions import (
    LIST_ELIGIBILITY_INSTANCES,
    LIST_ELIGIBILITY_REQUESTS,
    LIST_ELIGIBILITY_SCHEDULES,
    LIST_ROLE_ASSIGNMENTS,
    READ_ROLE_POLICY,
    REQUEST_ELIGIBILITY,
    Call,
    Registration,
)
from shared.privileged import OpenIntent

_NOT_REPLICATED = frozenset({"SubjectNotFound", "RoleNotFound", "ResourceNotFound"})
_BUSY = frozenset({"PendingRoleAssignmentRequest", "ResourceIsLocked", "RoleAssignmentExists"})
_NOT_THERE = "RoleAssignmentDoesNotExist"
_NO_PIM = frozenset({"AadPremiumLicenseRequired", "MissingProvider"})


class _Policy(msgspec.Struct, frozen=True):
    rules: list[Rule] = []


class _PolicyAssignment(msgspec.Struct, frozen=True):
    policy: _Policy | None = None


class Schedule(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """unifiedRoleEligibilitySchedule."""

    id: str
    principal_id: ObjectId
    member_type: str | None = None
    directory_scope_id: str | None = None


class ScheduleInstance(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """unifiedRoleEligibilityScheduleInstance: what is in force. `end_date_time` None means permanent."""

    principal_id: ObjectId
    role_definition_id: str
    directory_scope_id: str | None = None
    member_type: str | None = None
    end_date_time: datetime | None = None
    role_eligibility_schedule_id: str = ""

    @property
    def direct(self) -> bool:
        """Whether it is the principal's own, and not by a group."""
        return self.member_type in (None, "Direct")


class _Request(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    action: str = ""
    status: str = ""
    created_date_time: datetime | None = None
    directory_scope_id: str | None = None


class RoleAssignment(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """unifiedRoleAssignment."""

    principal_id: ObjectId
    directory_scope_id: str | None = None


class DirectoryPim:
    """Eligibilities and role policies of any target tenant."""

    def __init__(self, graph: Graph, allowed_roles: frozenset[str]) -> None:
        self._graph = graph
        self._allowed_roles = allowed_roles

    async def role_rules(self, tenant_id: TenantId, role_definition_id: str) -> list[Rule]:
        """The rules of a directory role's policy at `/`. Raises PimUnavailable.

        GET /policies/roleManagementPolicyAssignments?$filter=&$expand=policy($expand=rules)
        (RoleManagement.Read.Directory).
        """
        chosen = (
            "scopeId eq '/' and scopeType eq 'DirectoryRole' and "
            f"roleDefinitionId eq {quoted(self._allowed(role_definition_id))}"
        )
        found = await self._pages(
            READ_ROLE_POLICY,
            tenant_id,
            lambda c: c.policies.role_management_policy_assignments.to_get_request_information(
                query(filter=chosen, expand=["policy($expand=rules)"])
            ),
        )
        assignments = [msgspec.json.decode(item, type=_PolicyAssignment) for item in found]
        return [rule for assignment in assignments if assignment.policy for rule in assignment.policy.rules]

    async def schedules(self, tenant_id: TenantId, principal_id: ObjectId, role_definition_id: str) -> list[Schedule]:
        """Eligibility schedules of one principal and role, directly held, at the whole directory: also those to come.

        GET /roleManagement/directory/roleEligibilitySchedules?$filter= (RoleEligibilitySchedule.ReadWrite.Directory).
        Raises PimUnavailable.
        """
        found = await self._pages(
            LIST_ELIGIBILITY_SCHEDULES,
            tenant_id,
            lambda c: c.role_management.directory.role_eligibility_schedules.to_get_request_information(
                query(filter=_of(principal_id, self._allowed(role_definition_id)))
            ),
        )
        all_found = [msgspec.json.decode(item, type=Schedule) for item in found]
        return [
            one for one in all_found if one.member_type in (None, "Direct") and one.directory_scope_id in (None, "/")
        ]

    async def instances(
        self, tenant_id: TenantId, principal_id: ObjectId, role_definition_id: str
    ) -> list[ScheduleInstance]:
        """Eligibilities in force of one principal and role, directly held, at the whole directory.

        GET /roleManagement/directory/roleEligibilityScheduleInstances?$filter=
        (RoleEligibilitySchedule.ReadWrite.Directory). Raises PimUnavailable.
        """
        found = await self._instances(tenant_id, _of(principal_id, self._allowed(role_definition_id)))
        return [one for one in found if one.direct]

    async def in_force(self, tenant_id: TenantId, role_definition_id: str) -> list[ScheduleInstance]:
        """Eligibilities in force of everybody for one role, at the whole directory. As `instances`, but also those of an
        eligible group's members, with `member_type` Group.
        """
        chosen = f"roleDefinitionId eq {quoted(self._allowed(role_definition_id))}"
        return await self._instances(tenant_id, chosen)

    async def was_removed(self, tenant_id: TenantId, principal_id: ObjectId, role_definition_id: str) -> bool:
        """Whether the latest request for a principal and role that took effect took the eligibility away.

        Requests are gone after about 45 days, so this says nothing of earlier times.
        GET /roleManagement/directory/roleEligibilityScheduleRequests?$filter=
        (RoleEligibilitySchedule.ReadWrite.Directory). Raises PimUnavailable.
        """
        found = await self._pages(
            LIST_ELIGIBILITY_REQUESTS,
            tenant_id,
            lambda c: c.role_management.directory.role_eligibility_schedule_requests.to_get_request_information(
                query(filter=_of(principal_id, self._allowed(role_definition_id)))
            ),
        )
        made = [msgspec.json.decode(item, type=_Request) for item in found]
        effective = [
            (one.created_date_time, one.action)
            for one in made
            if one.created_date_time is not None
            and one.directory_scope_id in (None, "/")
            and one.status in ("Provisioned", "Revoked")
        ]
        return bool(effective) and max(effective)[1] == "adminRemove"

    async def assigned(self, tenant_id: TenantId, role_definition_id: str) -> frozenset[ObjectId]:
        """Who holds a role for good, at the whole directory, whether or not the tenant has PIM.

        GET /roleManagement/directory/roleAssignments?$filter= (RoleManagement.Read.Directory).
        """
        chosen = f"roleDefinitionId eq {quoted(self._allowed(role_definition_id))}"
        found = await self._graph.pages(
            LIST_ROLE_ASSIGNMENTS,
            Registration.ACCESS,
            tenant_id,
            lambda c: c.role_management.directory.role_assignments.to_get_request_information(query(filter=chosen)),
        )
        all_found = [msgspec.json.decode(item, type=RoleAssignment) for item in found]
        return frozenset(one.principal_id for one in all_found if one.directory_scope_id in (None, "/"))

    async def request(
        self,
        tenant_id: TenantId,
        *,
        action: str,
        principal_id: ObjectId,
        role_definition_id: str,
        start: datetime,
        end: datetime,
        justification: str,
        ticket: str | None,
        intent: OpenIntent,
    ) -> str:
        """Ask for a change of an eligibility, with an end. Gives the request id.

        POST /roleManagement/directory/roleEligibilityScheduleRequests (RoleEligibilitySchedule.ReadWrite.Directory).
        A repeat is refused by the service. Raises RoleNotAllowed; NotFound while the principal is not replicated to
        PIM, or a change is under way (come again); PimUnavailable; Rejected with the policy's rule names in its
        message.
        """
        body: dict[str, Any] = {
            "action": action,
            "principalId": principal_id,
            "roleDefinitionId": self._allowed(role_definition_id),
            "directoryScopeId": "/",
            "justification": justification,
            "scheduleInfo": {
                "startDateTime": _iso(start),
                "expiration": {"type": "afterDateTime", "endDateTime": _iso(end)},
            },
        }
        if ticket:
            body["ticketInfo"] = {"ticketNumber": ticket, "ticketSystem": "Tenantry"}
        return await self._request(tenant_id, body, intent)

    async def remove(
        self,
        tenant_id: TenantId,
        *,
        principal_id: ObjectId,
        role_definition_id: str,
        justification: str,
        intent: OpenIntent,
    ) -> str:
        """Take an eligibility back: the same call with `adminRemove`. Gives the request id.

        One that is not there is refused as RoleAssignmentDoesNotExist, which counts as done. Raises as `request` does.
        """
        body = {
            "action": "adminRemove",
            "principalId": principal_id,
            "roleDefinitionId": self._allowed(role_definition_id),
            "directoryScopeId": "/",
            "justification": justification,
        }
        try:
            return await self._request(tenant_id, body, intent)
        except Rejected as error:
            if error.call.code != _NOT_THERE:
                raise
            return error.call.request_id

    async def _instances(self, tenant_id: TenantId, chosen: str) -> list[ScheduleInstance]:
        found = await self._pages(
            LIST_ELIGIBILITY_INSTANCES,
            tenant_id,
            lambda c: c.role_management.directory.role_eligibility_schedule_instances.to_get_request_information(
                query(filter=chosen)
            ),
        )
        all_found = [msgspec.json.decode(item, type=ScheduleInstance) for item in found]
        return [one for one in all_found if one.directory_scope_id in (None, "/")]

    async def _request(self, tenant_id: TenantId, body: dict[str, Any], intent: OpenIntent) -> str:
        try:
            answer = await self._graph.send(
                REQUEST_ELIGIBILITY,
                Registration.ACCESS,
                tenant_id,
                lambda c: c.role_management.directory.role_eligibility_schedule_requests.to_post_request_information(
                    Body(body)
                ),
                intent=intent,
            )
        except Rejected as error:
            if error.call.code in _NOT_REPLICATED or error.call.code in _BUSY:
                raise NotFound(error.call) from error
            if error.call.code in _NO_PIM:
                raise PimUnavailable(tenant_id) from error
            raise
        return answer.request_id

    async def _pages(self, call: Call, tenant_id: TenantId, build: Build) -> list[msgspec.Raw]:
        try:
            return await self._graph.pages(call, Registration.ACCESS, tenant_id, build)
        except (Rejected, NotFound) as error:
            if error.call.code in _NO_PIM:
                raise PimUnavailable(tenant_id) from error
            raise

    def _allowed(self, role_definition_id: str) -> str:
        if role_definition_id not in self._allowed_roles:
            raise RoleNotAllowed(role_definition_id)
        return role_definition_id


def _of(principal_id: str, role_definition_id: str) -> str:
    return f"principalId eq {quoted(principal_id)} and roleDefinitionId eq {quoted(role_definition_id)}"


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
