"""What synchronization does: one user on demand, and whole cycles as business time passes (sections 3.5 to 3.7).

Cycles are worked off when somebody looks: each Graph request first lets all that is due happen, at its own time.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from tests.sandbox.graph.models.applications import ServicePrincipal
from tests.sandbox.graph.models.directory import User, external_name
from tests.sandbox.graph.models.events import (
    NO_GUESTS,
    NOT_ENTITLED,
    NOT_INTERNAL,
    REDUNDANT,
    SMS_SIGN_IN,
    UNKNOWN_USER,
    Event,
)
from tests.sandbox.graph.models.ground import Ground
from tests.sandbox.graph.models.jobs import CYCLE, DISABLED_AFTER, RETRIES, Execution, Job, Problem, Quarantine
from tests.sandbox.graph.models.outcome import Outcome
from tests.sandbox.graph.models.tenant import Tenant
from tests.sandbox.graph.replication import View

LOG_LAG = (timedelta(seconds=45), timedelta(seconds=180))
"""From an event to its entry in the log: minutes; UNCONFIRMED how many (section 3.7)."""


class Provisioning:
    """The engine over all tenants of the world."""

    def __init__(self, ground: Ground, tenants: Mapping[str, Tenant]) -> None:
        self._ground = ground
        self._tenants = tenants
        self.log_lag = LOG_LAG

    def policy_problem(self, source: Tenant, target_id: str | None) -> Problem | None:
        """What testing the connection finds, as the services see the policies by now (sections 2 and 3.2)."""
        target = self._tenants.get(target_id or "")
        newer = "AzureActiveDirectoryCrossTenantSyncPolicyCheckFailure"
        flipped = self._ground.switches.is_flipped("policy-check-code")
        redemption = newer if flipped else "AzureDirectoryB2BManagementPolicyCheckFailure"
        if target is None or target is source:
            return Problem(code="InvalidCredentials", message="The target tenant was not found.")
        if not target.access.allows_sync_from(source.id):
            return Problem(
                code=newer, message="The target tenant has not enabled inbound synchronization with this tenant."
            )
        if not (source.access.redeems_outbound(target.id) and target.access.redeems_inbound(source.id)):
            return Problem(code=redemption, message="Policy permitting auto-redemption of invitations not configured.")
        return None

    def provision(
        self,
        source: Tenant,
        principal: ServicePrincipal,
        job: Job,
        user_id: str,
        at: datetime,
        *,
        entitled: bool,
        in_cycle: bool = False,
    ) -> Outcome:
        """One user, now. The outcome goes to the log; what it says was done, was done."""
        target_id = principal.secrets.get("CompanyId", "")
        problem = job.broken or source.jobs.broken or self.policy_problem(source, target_id)
        user = source.directory.users.get(user_id)
        target = self._tenants.get(target_id)
        there = target.directory.counterpart(source.id, user_id) if target else None
        action, status, found = "other", "Failure", problem
        if user is None:
            found = UNKNOWN_USER
        elif (reason := self._out_of_scope(user, entitled=entitled)) is not None:
            status, found = "Skipped", reason
        elif found is None and target is not None:
            if there is None and target.policies.allow_invites_from == "none":
                action, found = "create", NO_GUESTS
            elif there is None:
                there = self._create(source, target, user, at)
                action, status = "create", "Success"
            elif _update(there, user, target.initial_domain):
                action, status = "update", "Success"
            else:
                action, status, found = "other", "Skipped", REDUNDANT
        if there is not None and status != "Failure":
            job.linked[user_id] = there.id
        event = Event(
            user_id=user_id,
            user=user,
            target_id=there.id if there else None,
            at=at,
            action=action,
            status=status,
            problem=found,
        )
        return self._log(source, principal, job, event, in_cycle=in_cycle)

    def settle(self) -> None:
        """Let every cycle that is due by now happen."""
        now = self._ground.now()
        for tenant in self._tenants.values():
            for job in list(tenant.jobs.jobs.values()):
                while job.next_cycle_ends is not None and job.next_cycle_ends <= now:
                    self._cycle(tenant, job, job.next_cycle_ends)

    def entitled(self, source: Tenant, principal: ServicePrincipal) -> list[str]:
        """Users assigned by themselves or as direct members of an assigned group; nested groups don't count (3.3)."""
        found: dict[str, None] = {}
        for assignment in source.applications.assigned_to(principal.id):
            group = source.directory.groups.get(assignment.principal_id)
            members = group.members if group else [assignment.principal_id]
            found.update({one: None for one in members if one in source.directory.users})
        return list(found)

    def logged(self, source: Tenant) -> list[Outcome]:
        """Entries of the log that have arrived, newest first."""
        low, high = self.log_lag
        now = self._ground.now()
        arrived = []
        for entry in source.provisioning_log:
            share = int(entry.id.replace("-", "")[:8], 16) / 16**8
            if entry.at + low + (high - low) * share <= now:
                arrived.append(entry)
        return sorted(arrived, key=lambda entry: entry.at, reverse=True)

    def _cycle(self, source: Tenant, job: Job, at: datetime) -> None:
        principal = source.applications.principals.get(job.principal_id)
        if principal is None:
            job.next_cycle_ends = None
            return
        began = at - timedelta(minutes=5)
        problem = job.broken or source.jobs.broken or self.policy_problem(source, principal.secrets.get("CompanyId"))
        if problem is not None:
            self._fail(job, problem, began, at)
            return
        wanted = self.entitled(source, principal)
        if principal.secrets.get("SyncAll") == "true" or self._ground.switches.is_flipped(
            "sync-all-false-means-assigned-only"
        ):
            wanted = [user.id for user in source.directory.users.values() if user.is_internal_member]
        exported = 0
        for user_id in wanted:
            outcome = self.provision(source, principal, job, user_id, at, entitled=True, in_cycle=True)
            exported += outcome.status == "Success"
        for user_id in [one for one in job.linked if one not in wanted]:
            self._release(source, principal, job, user_id, at)
            exported += 1
        job.executions.append(Execution(began=began, ended=at, problem=None, exported=exported))
        job.failures, job.quarantine = 0, None
        job.first_steady, job.last_steady = job.first_steady or at, at
        job.next_cycle_ends = at + CYCLE

    def _fail(self, job: Job, problem: Problem, began: datetime, at: datetime) -> None:
        """Into quarantine, with longer and longer waits; disabled after four weeks (section 3.6)."""
        since = job.quarantine.began if job.quarantine else at
        count = job.quarantine.count + 1 if job.quarantine else 1
        following = at + RETRIES[min(count, len(RETRIES)) - 1]
        job.executions.append(Execution(began=began, ended=at, problem=problem, exported=0))
        job.failures += 1
        job.quarantine = Quarantine(began=since, problem=problem, count=count, next_attempt=following)
        job.next_cycle_ends = following
        if at - since >= DISABLED_AFTER:
            job.schedule, job.next_cycle_ends = "Disabled", None

    def _release(self, source: Tenant, principal: ServicePrincipal, job: Job, user_id: str, at: datetime) -> None:
        """Losing scope soft-deletes the user in the target (section 3.6)."""
        target = self._tenants[principal.secrets["CompanyId"]]
        there = job.linked.pop(user_id)
        if there in target.directory.users:
            target.directory.delete_user(there)
        event = Event(
            user_id=user_id,
            user=source.directory.users.get(user_id),
            target_id=there,
            at=at,
            action="disable",
            status="Success",
            problem=None,
        )
        self._log(source, principal, job, event, in_cycle=False)

    def _create(self, source: Tenant, target: Tenant, user: User, at: datetime) -> User:
        state = None if self._ground.switches.is_flipped("synced-user-accepted") else "Accepted"
        return target.directory.add_external(user, source.id, kind="Member", made_at=at, state=state)

    def _out_of_scope(self, user: User, *, entitled: bool) -> Problem | None:
        if not user.is_internal_member:
            return NOT_INTERNAL
        if user.sms_sign_in:
            return SMS_SIGN_IN
        return None if entitled else NOT_ENTITLED

    def _log(self, source: Tenant, principal: ServicePrincipal, job: Job, event: Event, *, in_cycle: bool) -> Outcome:
        """A cycle works through changes only, so it doesn't log the same thing about a user again and again."""
        outcome = Outcome(
            id=self._ground.new_id(),
            at=event.at,
            job_id=job.id,
            principal_id=principal.id,
            principal_name=principal.display_name,
            source_tenant=source.id,
            target_tenant=principal.secrets.get("CompanyId", ""),
            source_id=event.user_id,
            source_user=event.user,
            target_id=event.target_id,
            action=event.action,
            status=event.status,
            problem=event.problem,
        )
        told = f"{event.action} {event.status} {event.problem.code if event.problem else ''}"
        if not in_cycle or (job.told.get(event.user_id) != told and event.problem is not REDUNDANT):
            source.provisioning_log.append(outcome)
        job.told[event.user_id] = told
        return outcome

    def reference_problem(self, principal: ServicePrincipal) -> bool:
        """Whether the synchronization service has not yet heard of the application."""
        return not self._ground.sees(principal.id, principal.made_at, View.REFERENCE)


def _update(there: User, user: User, initial_domain: str) -> bool:
    """Bring the target's account in line; a Guest stays a Guest (section 3.4). True if anything changed.

    An account that was invited by mail and never redeemed is repaired, with its name (section 4).
    """
    if there.external_user_state == "PendingAcceptance":
        there.external_user_state = "Accepted"
        there.user_principal_name = external_name(user, initial_domain)
        return True
    wanted = (user.display_name, user.mail, user.account_enabled)
    if (there.display_name, there.mail, there.account_enabled) == wanted:
        return False
    there.display_name, there.mail, there.account_enabled = wanted
    return True
