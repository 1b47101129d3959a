"""Cross-tenant synchronization in the source tenant, as Tenantry Source: the enterprise application, its job, its
users.
"""

from datetime import datetime
from typing import Any

import msgspec
from msgraph.graph_service_client import GraphServiceClient

from shared.errors import NotFound, Rejected
from shared.graph.body import Body, query, quoted
from shared.graph.client import Build, Graph
from shared.identifiers import ObjectId, TenantId
from shared.intents import OpenIntent
from shared.permissions import (
    ASSIGN,
    CREATE_JOB,
    FIND_SERVICE_PRINCIPALS,
    INSTANTIATE,
    LIST_ASSIGNED,
    LIST_JOBS,
    LIST_PROVISIONING_LOG,
    PROVISION_ON_DEMAND,
    PUT_SECRETS,
    READ_JOB,
    READ_SCHEMA,
    READ_SERVICE_PRINCIPAL,
    START_JOB,
    VALIDATE_CREDENTIALS,
    VALIDATE_JOB_CREDENTIALS,
    Call,
    Registration,
)

TEMPLATE = "518e5f48-1fc8-4c48-9387-9fdf28b0dfe7"
"""The gallery template of cross-tenant synchronization (entra-docs, cross-tenant-synchronization-configure-graph)."""

JOB_TEMPLATE = "Azure2Azure"
RULE = "USER_INBOUND_USER"
APP_ROLE = "msiam_access"
NEVER = 1
"""The year in which what has not happened happened: 0001-01-01 stands for "never" (same page)."""


class AppRoleOf(msgspec.Struct, frozen=True, rename="camel"):
    """An app role; its id differs from application to application."""

    id: str
    value: str | None = None
    display_name: str | None = None

    @property
    def provisions(self) -> bool:
        """Whether it is the role that puts a user in scope. Microsoft's own sample has the name only for display."""
        return APP_ROLE in (self.value, self.display_name)


class ServicePrincipal(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """servicePrincipal, as far as we read it."""

    id: str
    app_id: str = ""
    display_name: str | None = None
    application_template_id: str | None = None
    app_roles: list[AppRoleOf] = []


class _Instantiated(msgspec.Struct, frozen=True, rename="camel"):
    service_principal: ServicePrincipal


class Assignment(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """appRoleAssignment."""

    id: str
    principal_id: ObjectId
    app_role_id: str


class _Code(msgspec.Struct, frozen=True, rename="camel"):
    code: str | None = None
    message: str | None = None


class _Quarantine(msgspec.Struct, frozen=True, rename="camel"):
    reason: str | None = None
    error: _Code | None = None


class _Execution(msgspec.Struct, frozen=True, rename="camel"):
    state: str | None = None
    time_began: datetime | None = None


class _Status(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    code: str | None = None
    quarantine: _Quarantine | None = None
    last_execution: _Execution | None = None


class _JobSchedule(msgspec.Struct, frozen=True, rename="camel"):
    state: str | None = None


class Job(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """synchronizationJob, as far as we read it."""

    id: str
    template_id: str | None = None
    status: _Status | None = None
    schedule: _JobSchedule | None = None

    @property
    def started(self) -> bool:
        """Whether it runs by schedule. A job just started may still show NotRun with a failed execution in the year
        1.
        """
        return self.schedule is not None and self.schedule.state == "Active"

    @property
    def quarantine(self) -> str | None:
        """Why it is in quarantine, or None."""
        if self.status is None or self.status.code != "Quarantine":
            return None
        held = self.status.quarantine
        text = held.error.message if held and held.error and held.error.message else ""
        return f"{held.reason if held and held.reason else 'Unknown'} {text}".strip()


class _Rule(msgspec.Struct, frozen=True):
    id: str
    name: str | None = None


class _Schema(msgspec.Struct, frozen=True, rename="camel"):
    synchronization_rules: list[_Rule] = []


class _KeyValue(msgspec.Struct, frozen=True):
    key: str | None = None
    value: str | None = None


class _Identity(msgspec.Struct, frozen=True):
    id: str | None = None


class _ErrorInformation(msgspec.Struct, frozen=True, rename="camel"):
    error_code: str | None = None
    reason: str | None = None


class _LogStatus(msgspec.Struct, frozen=True, rename="camel"):
    status: str | None = None
    error_information: _ErrorInformation | None = None


class LogEntry(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """provisioningObjectSummary, as far as we read it."""

    activity_date_time: datetime | None = None
    job_id: str | None = None
    source_identity: _Identity | None = None
    target_identity: _Identity | None = None
    provisioning_status_info: _LogStatus | None = None


class Synchronizations:
    """Everything about synchronization, in the source tenant."""

    def __init__(self, graph: Graph, source: TenantId) -> None:
        self._graph = graph
        self._source = source

    async def find_applications(self, display_name: str) -> list[ServicePrincipal]:
        """Our enterprise application by its exact name and template.

        GET /servicePrincipals?$filter=displayName eq (Application.ReadWrite.All). A fresh one may not show yet.
        """
        found = await self._graph.pages(
            FIND_SERVICE_PRINCIPALS,
            Registration.SOURCE,
            self._source,
            lambda c: c.service_principals.to_get_request_information(
                query(
                    filter=f"displayName eq {quoted(display_name)}",
                    select=["id", "appId", "displayName", "applicationTemplateId", "appRoles"],
                )
            ),
        )
        all_found = [msgspec.json.decode(item, type=ServicePrincipal) for item in found]
        return [one for one in all_found if one.application_template_id == TEMPLATE]

    async def service_principal(self, service_principal_id: str) -> ServicePrincipal | None:
        """GET /servicePrincipals/{id}; None where it is not to be seen (404)."""
        try:
            answer = await self._send(
                READ_SERVICE_PRINCIPAL,
                lambda c: c.service_principals.by_service_principal_id(service_principal_id).to_get_request_information(
                    query(select=["id", "appId", "displayName", "applicationTemplateId", "appRoles"])
                ),
            )
        except NotFound:
            return None
        return msgspec.json.decode(answer, type=ServicePrincipal)

    async def instantiate(self, display_name: str, intent: OpenIntent) -> ServicePrincipal:
        """POST /applicationTemplates/{id}/instantiate. Not idempotent: each call makes another application."""
        answer = await self._graph.send(
            INSTANTIATE,
            Registration.SOURCE,
            self._source,
            lambda c: c.application_templates.by_application_template_id(
                TEMPLATE
            ).instantiate.to_post_request_information(Body({"displayName": display_name})),
            intent=intent,
        )
        return answer.decode(_Instantiated).service_principal

    async def assignments(self, service_principal_id: str) -> list[Assignment]:
        """GET /servicePrincipals/{id}/appRoleAssignedTo, all pages."""
        found = await self._graph.pages(
            LIST_ASSIGNED,
            Registration.SOURCE,
            self._source,
            lambda c: c.service_principals.by_service_principal_id(
                service_principal_id
            ).app_role_assigned_to.to_get_request_information(query(top=999)),
        )
        return [msgspec.json.decode(item, type=Assignment) for item in found]

    async def assign(self, service_principal_id: str, app_role_id: str, user: ObjectId, intent: OpenIntent) -> str:
        """POST /servicePrincipals/{id}/appRoleAssignedTo. Gives the request id.

        A repeat is refused as already existing, which counts as done; a fresh object as "Not a valid reference
        update", which is raised as NotFound (come again).
        """
        body = {"principalId": user, "resourceId": service_principal_id, "appRoleId": app_role_id}
        try:
            answer = await self._graph.send(
                ASSIGN,
                Registration.SOURCE,
                self._source,
                lambda c: c.service_principals.by_service_principal_id(
                    service_principal_id
                ).app_role_assigned_to.to_post_request_information(Body(body)),
                intent=intent,
            )
        except Rejected as error:
            message = error.call.message.lower()
            if "already exist" in message:
                return error.call.request_id
            if "not a valid reference update" in message:
                raise NotFound(error.call) from error
            raise
        return answer.request_id

    async def validate_credentials(self, service_principal_id: str, target: TenantId) -> str | None:
        """Whether both sides trust each other: None when they do, else the vendor's code.

        POST .../synchronization/jobs/validateCredentials, read-like. Raises Forbidden and the transient errors.
        """
        body = {
            "useSavedCredentials": False,
            "templateId": JOB_TEMPLATE,
            "credentials": [
                {"key": "CompanyId", "value": target},
                {"key": "AuthenticationType", "value": "SyncPolicy"},
            ],
        }
        return await self._validated(
            VALIDATE_CREDENTIALS,
            lambda c: _synchronization(c, service_principal_id).jobs.validate_credentials.to_post_request_information(
                Body(body)
            ),
        )

    async def validate_saved_credentials(self, service_principal_id: str, job_id: str) -> str | None:
        """Whether the stored secrets work: None when they do, else the vendor's code. They cannot be read back.

        POST .../synchronization/jobs/{id}/validateCredentials, read-like.
        """
        body = {"useSavedCredentials": True, "templateId": JOB_TEMPLATE, "credentials": []}
        return await self._validated(
            VALIDATE_JOB_CREDENTIALS,
            lambda c: _job(c, service_principal_id, job_id).validate_credentials.to_post_request_information(
                Body(body)
            ),
        )

    async def jobs(self, service_principal_id: str) -> list[Job]:
        """GET .../synchronization/jobs, those of our template. Raises NotFound while the application is fresh."""
        found = await self._graph.pages(
            LIST_JOBS,
            Registration.SOURCE,
            self._source,
            lambda c: _synchronization(c, service_principal_id).jobs.to_get_request_information(),
        )
        all_found = [msgspec.json.decode(item, type=Job) for item in found]
        return [job for job in all_found if job.template_id == JOB_TEMPLATE]

    async def job(self, service_principal_id: str, job_id: str) -> Job | None:
        """GET .../synchronization/jobs/{id}; None while it is not to be seen."""
        try:
            answer = await self._send(
                READ_JOB, lambda c: _job(c, service_principal_id, job_id).to_get_request_information()
            )
        except NotFound:
            return None
        return msgspec.json.decode(answer, type=Job)

    async def create_job(self, service_principal_id: str, intent: OpenIntent) -> str:
        """POST .../synchronization/jobs. What a second one does is unconfirmed: list first."""
        answer = await self._graph.send(
            CREATE_JOB,
            Registration.SOURCE,
            self._source,
            lambda c: _synchronization(c, service_principal_id).jobs.to_post_request_information(
                Body({"templateId": JOB_TEMPLATE})
            ),
            intent=intent,
        )
        return answer.request_id

    async def put_secrets(self, service_principal_id: str, target: TenantId, intent: OpenIntent) -> str:
        """PUT .../synchronization/secrets -> 204, the same again is its update. `SyncAll` false: only assigned
        users.
        """
        settings = '{"Enabled":false,"DeleteThresholdEnabled":false,"HumanResourcesLookaheadQueryEnabled":false}'
        body = {
            "value": [
                {"key": "AuthenticationType", "value": "SyncPolicy"},
                {"key": "CompanyId", "value": target},
                {"key": "SyncNotificationSettings", "value": settings},
                {"key": "SyncAll", "value": "false"},
            ]
        }
        answer = await self._graph.send(
            PUT_SECRETS,
            Registration.SOURCE,
            self._source,
            lambda c: _synchronization(c, service_principal_id).secrets.to_put_request_information(Body(body)),
            intent=intent,
        )
        return answer.request_id

    async def rule_id(self, service_principal_id: str, job_id: str) -> str | None:
        """The id of the rule that brings users in. GET .../synchronization/jobs/{id}/schema."""
        answer = await self._send(
            READ_SCHEMA, lambda c: _job(c, service_principal_id, job_id).schema.to_get_request_information()
        )
        rules = msgspec.json.decode(answer, type=_Schema).synchronization_rules
        return next((rule.id for rule in rules if rule.name == RULE), None)

    async def start(self, service_principal_id: str, job_id: str, intent: OpenIntent) -> str:
        """POST .../synchronization/jobs/{id}/start -> 204. What a repeat answers is unconfirmed: read first."""
        answer = await self._graph.send(
            START_JOB,
            Registration.SOURCE,
            self._source,
            lambda c: _job(c, service_principal_id, job_id).start.to_post_request_information(),
            intent=intent,
        )
        return answer.request_id

    async def provision_on_demand(
        self, service_principal_id: str, job_id: str, rule_id: str, user: ObjectId, intent: OpenIntent
    ) -> tuple[str, str]:
        """POST .../jobs/{id}/provisionOnDemand. Gives the inner JSON text and the request id.

        5 calls in 10 s for the source tenant. A repeat matches the account that is there.
        """
        subjects = [{"objectId": user, "objectTypeName": "User"}]
        body = {"parameters": [{"ruleId": rule_id, "subjects": subjects}]}
        answer = await self._graph.send(
            PROVISION_ON_DEMAND,
            Registration.SOURCE,
            self._source,
            lambda c: _job(c, service_principal_id, job_id).provision_on_demand.to_post_request_information(Body(body)),
            intent=intent,
        )
        return answer.decode(_KeyValue).value or "", answer.request_id

    async def provisioning_log(self, service_principal_id: str, job_id: str) -> list[LogEntry]:
        """The newest entries of a job's provisioning log, first page. 5 calls in 10 s for the source tenant.

        GET /auditLogs/provisioning?$filter= (ProvisioningLog.Read.All). Whether it filters by jobId is unconfirmed:
        where that is refused, the documented filter on the service principal is used.
        """
        try:
            found = await self._log(f"jobId eq {quoted(job_id)}")
        except Rejected:
            found = await self._log(f"tolower(servicePrincipal/id) eq {quoted(service_principal_id.lower())}")
        entries = [msgspec.json.decode(item, type=LogEntry) for item in found]
        return [entry for entry in entries if entry.job_id == job_id]

    async def _log(self, odata_filter: str) -> list[msgspec.Raw]:
        return await self._graph.pages(
            LIST_PROVISIONING_LOG,
            Registration.SOURCE,
            self._source,
            lambda c: c.audit_logs.provisioning.to_get_request_information(
                query(filter=odata_filter, top=100, orderby=["activityDateTime desc"])
            ),
            most=1,
        )

    async def _validated(self, call: Call, build: Build) -> str | None:
        try:
            await self._send(call, build)
        except Rejected as error:
            return error.call.code
        return None

    async def _send(self, call: Call, build: Build) -> bytes:
        return (await self._graph.send(call, Registration.SOURCE, self._source, build)).content


def _synchronization(client: GraphServiceClient, service_principal_id: str) -> Any:
    return client.service_principals.by_service_principal_id(service_principal_id).synchronization


def _job(client: GraphServiceClient, service_principal_id: str, job_id: str) -> Any:
    return _synchronization(client, service_principal_id).jobs.by_synchronization_job_id(job_id)
