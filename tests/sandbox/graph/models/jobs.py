"""Synchronization jobs of one tenant and their states (section 3.6). What a cycle does is in provisioning.py."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.sandbox.graph.errors import GraphError, bad_request
from tests.sandbox.graph.models.applications import SYNC_TEMPLATE, ServicePrincipal
from tests.sandbox.graph.models.ground import Ground
from tests.sandbox.graph.replication import View
from tests.sandbox.graph.wire import YEAR_ONE, Wire, moment

JOB_TEMPLATE = "Azure2Azure"
CYCLE = timedelta(minutes=40)
FIRST_CYCLE = timedelta(minutes=12)
"""How long the first cycle takes. No source gives a figure; it takes longer than the later ones."""
RETRIES = (timedelta(hours=6), timedelta(hours=12), timedelta(hours=24))
DISABLED_AFTER = timedelta(weeks=4)
"""The rhythm in quarantine, and when the service gives up (section 3.6)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a cycle or a single provisioning failed."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One ended cycle."""

    began: datetime
    ended: datetime
    problem: Problem | None
    exported: int

    def wire(self) -> Wire:
        """As lastExecution."""
        error = {
            "code": self.problem.code if self.problem else "None",
            "message": self.problem.message if self.problem else "",
            "tenantActionable": self.problem is not None,
        }
        state = "Failed" if self.problem else "Succeeded"
        return _execution(state, moment(self.began), moment(self.ended), error, self.exported)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine:
    """Since when and why the job is held back."""

    began: datetime
    problem: Problem
    count: int
    next_attempt: datetime
    reason: str = "EncounteredQuarantineException"

    def wire(self) -> Wire:
        """As status.quarantine."""
        return {
            "currentBegan": moment(self.began),
            "nextAttempt": moment(self.next_attempt),
            "reason": self.reason,
            "seriesBegan": moment(self.began),
            "seriesCount": self.count,
            "error": {"code": self.problem.code, "message": self.problem.message, "tenantActionable": True},
        }


@dataclass(slots=True, kw_only=True)
class Job:
    """A synchronization job of an enterprise application."""

    id: str
    principal_id: str
    rule_id: str
    made_at: datetime | None
    schedule: str = "Disabled"
    started_at: datetime | None = None
    next_cycle_ends: datetime | None = None
    executions: list[Execution] = field(default_factory=list)
    quarantine: Quarantine | None = None
    failures: int = 0
    first_steady: datetime | None = None
    last_steady: datetime | None = None
    linked: dict[str, str] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)
    broken: Problem | None = None
    """Set by tests: every cycle fails with it until it is cleared."""
    starts: int = 0

    @property
    def code(self) -> str:
        """status.code."""
        if self.quarantine is not None:
            return "Quarantine"
        if self.schedule != "Active":
            return "Paused"
        return "Active" if self.executions else "NotRun"

    def wire(self) -> Wire:
        """The job; before its first cycle ended it shows the year-1 execution that is no failure (section 3.6)."""
        good = next((one for one in reversed(self.executions) if one.problem is None), None)
        never = {"code": "None", "message": "", "tenantActionable": False}
        last = self.executions[-1].wire() if self.executions else _execution("Failed", YEAR_ONE, YEAR_ONE, never, 0)
        return {
            "id": self.id,
            "templateId": JOB_TEMPLATE,
            "schedule": {"expiration": None, "interval": "PT40M", "state": self.schedule},
            "status": {
                "countSuccessiveCompleteFailures": self.failures,
                "escrowsPruned": False,
                "code": self.code,
                "lastExecution": last if self.started_at else None,
                "lastSuccessfulExecution": good.wire() if good else None,
                "lastSuccessfulExecutionWithExports": good.wire() if good and good.exported else None,
                "progress": [],
                "quarantine": self.quarantine.wire() if self.quarantine else None,
                "steadyStateFirstAchievedTime": moment(self.first_steady) if self.first_steady else YEAR_ONE,
                "steadyStateLastAchievedTime": moment(self.last_steady) if self.last_steady else YEAR_ONE,
                "synchronizedEntryCountByType": [{"key": "User", "value": len(self.linked)}] if self.linked else [],
                "troubleshootingUrl": "",
            },
            "synchronizationJobSettings": [
                {"name": "AzureIngestionAttributeOptimization", "value": "False"},
                {"name": "LookaheadQueryEnabled", "value": "False"},
            ],
        }


def _execution(state: str, began: str, ended: str, error: Wire, exported: int) -> Wire:
    return {
        "activityIdentifier": None,
        "countEntitled": exported,
        "countEntitledForProvisioning": exported,
        "countEscrowed": 0,
        "countEscrowedRaw": 0,
        "countExported": exported,
        "countExports": exported,
        "countImported": exported,
        "countImportedDeltas": 0,
        "countImportedReferenceDeltas": 0,
        "state": state,
        "timeBegan": began,
        "timeEnded": ended,
        "error": error,
    }


class Jobs:
    """The jobs of one tenant: making, starting, stopping."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self.jobs: dict[str, Job] = {}
        self.broken: Problem | None = None
        """Set by tests: as Job.broken, for every job of the tenant, also those still to be made."""

    def of(self, principal_id: str) -> list[Job]:
        """The truth."""
        return [job for job in self.jobs.values() if job.principal_id == principal_id]

    def shown(self, principal_id: str) -> list[Job]:
        """As the list shows them by now."""
        return [job for job in self.of(principal_id) if self._ground.sees(job.id, job.made_at, View.LIST)]

    def read(self, principal_id: str, job_id: str) -> Job:
        """By id; one just made may not be known yet."""
        job = self.jobs.get(job_id)
        if job is None or job.principal_id != principal_id or not self._ground.sees(job.id, job.made_at, View.ID):
            raise GraphError(404, "ResourceNotFound", f"The resource '{job_id}' could not be found.")
        return job

    def create(self, principal: ServicePrincipal, template_id: str) -> Job:
        """Section 3.2. What a second one from the same template does is an open question."""
        if principal.template_id != SYNC_TEMPLATE or template_id != JOB_TEMPLATE:
            raise bad_request(f"The template '{template_id}' was not found for this application.")
        if self.of(principal.id) and self._ground.switches.is_flipped("second-job-post"):
            raise GraphError(409, "Conflict", "A job with this template already exists.")
        job = Job(
            id=f"{JOB_TEMPLATE}.{self._ground.new_id().replace('-', '')}.{self._ground.new_id()}",
            principal_id=principal.id,
            rule_id=self._ground.new_id(),
            made_at=self._ground.now(),
        )
        self.jobs[job.id] = job
        return job

    def start(self, job: Job, principal: ServicePrincipal) -> None:
        """Section 3.6. It needs secrets; on a job that runs the answer is an open question. Only a restart clears a
        quarantine.
        """
        if "CompanyId" not in principal.secrets:
            raise GraphError(400, "CredentialsMissing", "The credentials of the job are missing.")
        if job.schedule == "Active":
            if self._ground.switches.is_flipped("start-on-running-job"):
                raise GraphError(409, "Conflict", "The job is already running.")
            return
        now = self._ground.now()
        job.starts += 1
        job.schedule = "Active"
        job.started_at = job.started_at or now
        job.next_cycle_ends = job.quarantine.next_attempt if job.quarantine else now + FIRST_CYCLE

    def pause(self, job: Job) -> None:
        """Section 3.6."""
        job.schedule = "Paused"
        job.next_cycle_ends = None

    def restart(self, job: Job, scopes: frozenset[str]) -> None:
        """Section 3.6: a fresh cycle; the quarantine ends when its state is in the scope."""
        if "QuarantineState" in scopes or "Full" in scopes:
            job.quarantine = None
            job.failures = 0
        if "Full" in scopes:
            job.first_steady = None
        job.schedule = "Active"
        job.started_at = job.started_at or self._ground.now()
        job.next_cycle_ends = self._ground.now() + FIRST_CYCLE

    def quarantine(self, job: Job, problem: Problem, reason: str = "EncounteredQuarantineException") -> None:
        """Put the job into quarantine now and keep it failing until `broken` is cleared; for tests."""
        now = self._ground.now()
        job.broken = problem
        job.quarantine = Quarantine(began=now, problem=problem, count=1, next_attempt=now + RETRIES[0], reason=reason)
        job.next_cycle_ends = now + RETRIES[0]

    def delete(self, job: Job) -> None:
        """Its users stay in the target."""
        del self.jobs[job.id]
