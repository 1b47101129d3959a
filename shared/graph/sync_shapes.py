"""Graph's wire shapes around cross-tenant synchronization, with only the fields that we read. Pure."""

from datetime import datetime

import msgspec

from shared.identifiers import ObjectId

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


class Application(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """application, as far as we read it."""

    id: str
    app_id: str = ""
    application_template_id: str | None = None


class Instantiated(msgspec.Struct, frozen=True, rename="camel"):
    """The answer of applicationTemplate: instantiate, as far as we read it."""

    service_principal: ServicePrincipal


class Assignment(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """appRoleAssignment."""

    id: str
    principal_id: ObjectId
    principal_type: str | None = None
    app_role_id: str


class _Code(msgspec.Struct, frozen=True, rename="camel"):
    code: str | None = None
    message: str | None = None


class _Quarantine(msgspec.Struct, frozen=True, rename="camel"):
    reason: str | None = None
    error: _Code | None = None


class _Execution(msgspec.Struct, frozen=True, rename="camel"):
    time_began: datetime | None = None


class _Status(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    code: str | None = None
    quarantine: _Quarantine | None = None
    last_successful_execution: _Execution | None = None


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
    def last_cycle_began(self) -> datetime | None:
        """When the last cycle began that ended well."""
        last = self.status.last_successful_execution if self.status is not None else None
        return last.time_began if last is not None else None

    @property
    def quarantine(self) -> str | None:
        """Why it is in quarantine, or None."""
        if self.status is None or self.status.code != "Quarantine":
            return None
        held = self.status.quarantine
        text = held.error.message if held and held.error and held.error.message else ""
        return f"{held.reason if held and held.reason else 'Unknown'} {text}".strip()


class Jobs(msgspec.Struct, frozen=True):
    """The jobs of one application: a handful, never more than a page."""

    value: list[Job]


class _Rule(msgspec.Struct, frozen=True):
    id: str
    name: str | None = None


class Schema(msgspec.Struct, frozen=True, rename="camel"):
    """synchronizationSchema, as far as we read it."""

    synchronization_rules: list[_Rule] = []


class KeyValue(msgspec.Struct, frozen=True):
    """stringKeyStringValuePair."""

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
