"""What happened to one user in one provisioning, as the answer on demand and as an entry of the log (3.5, 3.7)."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.sandbox.graph.models.directory import User
from tests.sandbox.graph.models.jobs import Problem
from tests.sandbox.graph.wire import Wire, moment

STATUS_INFO = "Microsoft.Identity.Health.CPP.Common.DataContracts.SyncFabric.StatusInfo"
_SOURCE = "Azure Active Directory"
_TARGET = "Azure Active Directory (target tenant)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`status` is Success, Skipped or Failure; `action` one of the log's provisioningAction values."""

    id: str
    at: datetime
    job_id: str
    principal_id: str
    principal_name: str
    source_tenant: str
    target_tenant: str
    source_id: str
    source_user: User | None
    target_id: str | None
    action: str
    status: str
    problem: Problem | None = None

    def answer(self, *, with_target_id: bool, as_object: bool) -> Wire:
        """The answer of provisionOnDemand: its value is JSON in a string."""
        result: Wire = {
            "action": self.action.capitalize(),
            "changeId": self.id,
            "startTime": moment(self.at),
            "endTime": moment(self.at + timedelta(seconds=1)),
            "modifiedProperties": [],
            "provisioningSteps": self._steps(),
            "reportableIdentifier": self._name(),
            "statusInfo": {
                "status": self.status,
                "errorCode": self.problem.code if self.problem else None,
                "reason": self.problem.message if self.problem else None,
                "additionalDetails": None,
                "errorCategory": "Failure" if self.status == "Failure" else None,
                "recommendedAction": None,
            },
            "sourceIdentity": {"id": self.source_id, "type": "User", "displayName": None, "details": None},
            "sourceSystem": {"id": None, "name": _SOURCE, "details": None},
            "targetIdentity": {
                "id": self.target_id if with_target_id else None,
                "type": "User",
                "displayName": None,
                "details": None,
            },
            "targetSystem": {"id": None, "name": _TARGET, "details": None},
        }
        return {"key": STATUS_INFO, "value": json.dumps(result if as_object else [result])}

    def wire(self) -> Wire:
        """An entry of the provisioning log (provisioningObjectSummary)."""
        error = None
        if self.problem is not None:
            error = {
                "additionalDetails": None,
                "errorCategory": "failure" if self.status == "Failure" else "nonServiceFailure",
                "errorCode": self.problem.code,
                "reason": self.problem.message,
                "recommendedAction": None,
            }
        steps = [
            {
                "name": step["name"],
                "provisioningStepType": str(step["type"]).lower(),
                "status": str(step["status"]).lower(),
                "description": step["description"],
                "details": step["details"],
            }
            for step in self._steps()
        ]
        return {
            "id": self.id,
            "activityDateTime": moment(self.at),
            "changeId": self.id,
            "cycleId": self.id,
            "durationInMilliseconds": 1000,
            "initiatedBy": {"id": "", "displayName": "Azure AD Provisioning Service", "initiatorType": "system"},
            "jobId": self.job_id,
            "modifiedProperties": [],
            "provisioningAction": self.action,
            "provisioningStatusInfo": {"status": self.status.lower(), "errorInformation": error},
            "provisioningSteps": steps,
            "servicePrincipal": {"id": self.principal_id, "displayName": self.principal_name},
            "sourceIdentity": {
                "id": self.source_id,
                "displayName": self.source_user.display_name if self.source_user else "",
                "identityType": "User",
                "details": {},
            },
            "sourceSystem": {"id": self.source_tenant, "displayName": _SOURCE, "details": {}},
            "targetIdentity": {
                "id": self.target_id or "",
                "displayName": "",
                "identityType": "User",
                "details": {},
            },
            "targetSystem": {"id": self.target_tenant, "displayName": _TARGET, "details": {}},
            "tenantId": self.source_tenant,
        }

    def _name(self) -> str:
        return self.source_user.user_principal_name if self.source_user else self.source_id

    def _steps(self) -> list[Wire]:
        name = self._name()
        out_of_scope = self.status == "Skipped" and self.problem is not None and self.problem.code != "RedundantExport"
        imported = "Success" if self.source_user else "Failure"
        steps = [self._step("EntryImport", "Import", imported, f"Retrieved User '{name}' from {_SOURCE}", {})]
        if self.source_user is None:
            return steps
        scope = {"Active in the source system": "True", "Assigned to the application": str(not out_of_scope)}
        told = "Determine if User in scope by evaluating against each scoping filter"
        steps.append(
            self._step("EntrySynchronizationScoping", "Scoping", "Skipped" if out_of_scope else "Success", told, scope)
        )
        if self.status == "Skipped" and self.problem is not None:
            told = f"User '{name}' will be skipped. {self.problem.message}"
            details = {"SkipReason": self.problem.code}
            steps.append(self._step("EntrySynchronizationSkip", "Export", "Skipped", told, details))
        elif self.problem is not None:
            told = f"Failed to export User '{name}' to {_TARGET}: {self.problem.message}"
            steps.append(self._step("EntryExportAdd", "Export", "Failure", told, {"ErrorCode": self.problem.code}))
        else:
            step = {"create": "EntryExportAdd", "update": "EntryExportUpdate"}.get(self.action, "EntryExportDelete")
            steps.append(self._step(step, "Export", "Success", f"User '{name}' was exported to {_TARGET}", {}))
        return steps

    def _step(self, name: str, kind: str, status: str, told: str, details: dict[str, str]) -> Wire:
        return {
            "name": name,
            "type": kind,
            "status": status,
            "description": told,
            "timestamp": moment(self.at),
            "details": dict(details),
        }
