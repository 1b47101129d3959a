"""The synchronization job of one enterprise application in the source tenant, as Tenantry Source."""

from typing import Any

import msgspec
from msgraph.graph_service_client import GraphServiceClient

from shared.errors import Forbidden, NotFound, Rejected
from shared.graph.body import Body, query, quoted
from shared.graph.client import Build, Graph
from shared.graph.sync_shapes import JOB_TEMPLATE, RULE, Job, Jobs, KeyValue, LogEntry, Schema
from shared.identifiers import ObjectId, TenantId
from shared.patience import Answer
from shared.permissions import (
    CREATE_JOB,
    DELETE_JOB,
    LIST_JOBS,
    LIST_PROVISIONING_LOG,
    PAUSE_JOB,
    PROVISION_ON_DEMAND,
    PUT_SECRETS,
    READ_JOB,
    READ_SCHEMA,
    START_JOB,
    VALIDATE_CREDENTIALS,
    VALIDATE_JOB_CREDENTIALS,
    Call,
    Registration,
)
from shared.privileged import OpenIntent


class Synchronizations:
    """Jobs, their secrets, and provisioning, in the source tenant."""

    def __init__(self, graph: Graph, source: TenantId) -> None:
        self._graph = graph
        self._source = source

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
        answer = await self._send(
            LIST_JOBS, lambda c: _synchronization(c, service_principal_id).jobs.to_get_request_information()
        )
        return [job for job in answer.decode(Jobs).value if job.template_id == JOB_TEMPLATE]

    async def job(self, service_principal_id: str, job_id: str) -> Job | None:
        """GET .../synchronization/jobs/{id}; None while it is not to be seen."""
        try:
            answer = await self._send(
                READ_JOB, lambda c: _job(c, service_principal_id, job_id).to_get_request_information()
            )
        except NotFound:
            return None
        return answer.decode(Job)

    async def create_job(self, service_principal_id: str, intent: OpenIntent) -> tuple[Job, str]:
        """POST .../synchronization/jobs. What a second one does is unconfirmed: list first."""
        answer = await self._send(
            CREATE_JOB,
            lambda c: _synchronization(c, service_principal_id).jobs.to_post_request_information(
                Body({"templateId": JOB_TEMPLATE})
            ),
            intent=intent,
        )
        return answer.decode(Job), answer.request_id

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
        answer = await self._send(
            PUT_SECRETS,
            lambda c: _synchronization(c, service_principal_id).secrets.to_put_request_information(Body(body)),
            intent=intent,
        )
        return answer.request_id

    async def rule_id(self, service_principal_id: str, job_id: str) -> str | None:
        """The id of the rule that brings users in. GET .../synchronization/jobs/{id}/schema."""
        answer = await self._send(
            READ_SCHEMA, lambda c: _job(c, service_principal_id, job_id).schema.to_get_request_information()
        )
        rules = answer.decode(Schema).synchronization_rules
        return next((rule.id for rule in rules if rule.name == RULE), None)

    async def start(self, service_principal_id: str, job_id: str, intent: OpenIntent) -> str:
        """POST .../synchronization/jobs/{id}/start -> 204. What a repeat answers is unconfirmed: read first."""
        answer = await self._send(
            START_JOB,
            lambda c: _job(c, service_principal_id, job_id).start.to_post_request_information(),
            intent=intent,
        )
        return answer.request_id

    async def pause(self, service_principal_id: str, job_id: str, intent: OpenIntent) -> str:
        """POST .../synchronization/jobs/{id}/pause -> 204."""
        answer = await self._send(
            PAUSE_JOB,
            lambda c: _job(c, service_principal_id, job_id).pause.to_post_request_information(),
            intent=intent,
        )
        return answer.request_id

    async def delete_job(self, service_principal_id: str, job_id: str, intent: OpenIntent) -> str:
        """DELETE .../synchronization/jobs/{id} -> 204; one that is gone counts as done. Accounts that it made stay."""
        try:
            answer = await self._send(
                DELETE_JOB,
                lambda c: _job(c, service_principal_id, job_id).to_delete_request_information(),
                intent=intent,
            )
        except NotFound as error:
            return error.call.request_id
        return answer.request_id

    async def provision_on_demand(
        self, service_principal_id: str, job_id: str, rule_id: str, user: ObjectId, intent: OpenIntent
    ) -> tuple[str, str]:
        """POST .../jobs/{id}/provisionOnDemand. Gives the inner JSON text and the request id.

        5 calls in 10 s for the source tenant. A repeat matches the account that is there.
        """
        subjects = [{"objectId": user, "objectTypeName": "User"}]
        body = {"parameters": [{"ruleId": rule_id, "subjects": subjects}]}
        answer = await self._send(
            PROVISION_ON_DEMAND,
            lambda c: _job(c, service_principal_id, job_id).provision_on_demand.to_post_request_information(Body(body)),
            intent=intent,
        )
        return answer.decode(KeyValue).value or "", answer.request_id

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

    async def _send(self, call: Call, build: Build, intent: OpenIntent | None = None) -> Answer:
        """A fresh application answers 403 for a while, raised as NotFound (come again); a lacking permission is 401."""
        try:
            return await self._graph.send(call, Registration.SOURCE, self._source, build, intent=intent)
        except Forbidden as error:
            if error.call.status == 403:
                raise NotFound(error.call) from error
            raise


def _synchronization(client: GraphServiceClient, service_principal_id: str) -> Any:
    return client.service_principals.by_service_principal_id(service_principal_id).synchronization


def _job(client: GraphServiceClient, service_principal_id: str, job_id: str) -> Any:
    return _synchronization(client, service_principal_id).jobs.by_synchronization_job_id(job_id)
