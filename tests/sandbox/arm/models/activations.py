"""Active assignments through PIM: activations by the eligible, assignments by administrators, their ends (section 4)."""

from dataclasses import dataclass, replace
from datetime import timedelta

from tests.sandbox.arm.errors import ArmError, bad_request, not_found
from tests.sandbox.arm.models.approvals import Approval, approval_of
from tests.sandbox.arm.models.pim import Pim
from tests.sandbox.arm.models.policy import ADMIN_ASSIGNMENT, END_USER_ASSIGNMENT
from tests.sandbox.arm.models.records import (
    A_MOMENT,
    ADMIN_ACTIONS,
    PENDING,
    SHORTEST,
    Request,
    Requestor,
    Schedule,
    Wanted,
)
from tests.sandbox.arm.models.rules import Rules, policy_failed
from tests.sandbox.arm.models.scope import Scope
from tests.sandbox.graph.models.ground import Ground
from tests.sandbox.graph.models.tenant import Tenant
from tests.sandbox.graph.replication import View

UNDECIDED_FOR = timedelta(hours=24)
_NO_WINDOW = ("AdminRemove", "SelfDeactivate")


@dataclass(slots=True, kw_only=True)
class Activation:
    """A request for an active assignment; `linked` is the eligibility that is activated."""

    request: Request
    linked: str | None = None
    approval: Approval | None = None


class Activations:
    """The service's state and its checks, in the order in which they answer."""

    def __init__(self, ground: Ground, tenant: Tenant, rules: Rules, pim: Pim) -> None:
        self._ground = ground
        self._tenant = tenant
        self._rules = rules
        self._pim = pim
        self.schedules: dict[str, Schedule] = {}
        self.requests: dict[str, Activation] = {}
        self._linked: dict[str, str | None] = {}
        self.fails_with: str | None = None
        """The status that the next assignment ends in instead of Provisioned, after its request was accepted."""

    def shown(self) -> list[Schedule]:
        """As the lists show them; what is to come too."""
        return [one for one in self.schedules.values() if self._is_shown(one)]

    def _is_shown(self, one: Schedule) -> bool:
        gone = one.removed_at is not None and self._ground.sees(f"{one.id}/removed", one.removed_at, View.LIST)
        ended = one.end is not None and one.end <= self._ground.now()
        listed = self._ground.sees(f"{one.id}/listed", one.made_at, View.LIST)
        return listed and not gone and not ended and one.replaced_by is None

    def linked_to(self, schedule: Schedule) -> str | None:
        """The eligibility that was activated; None for what an administrator assigned."""
        return self._linked.get(schedule.id)

    def request(
        self, name: str, wanted: Wanted, requestor: Requestor, linked: str | None, *, store: bool = True
    ) -> Activation:
        """Sections 4.1 and 4.3. Raises, or answers as the service does: 201 even while an approval is pending."""
        self._rules.require_licence()
        if store and name in self.requests:
            raise ArmError(
                409, "RoleAssignmentRequestExists", f"A role assignment request with Id: {name} already exists."
            )
        self._rules.check_role(wanted)
        current = self._active(wanted)
        if wanted.action in ("SelfActivate", "SelfDeactivate"):
            self._check_self(wanted, requestor)
        elif wanted.action not in ADMIN_ACTIONS:
            raise bad_request("InvalidRoleAssignmentRequest", "The request type is not valid for this caller.")
        elif wanted.action != "AdminRemove" or current is None:
            self._rules.check_principal(wanted, service_principals=True)
        if any(
            one.request.wanted.key == wanted.key and self.status_of(one) in PENDING for one in self.requests.values()
        ):
            raise bad_request(
                "PendingRoleAssignmentRequest", "There is already an existing pending Role assignment request."
            )
        self._check_action(wanted, current)
        eligibility = None
        if wanted.action not in _NO_WINDOW:
            self._rules.check_window(wanted)
            if wanted.action == "SelfActivate":
                eligibility = self._eligibility(wanted, requestor, linked)
                self._check_context(wanted, requestor)
            level = END_USER_ASSIGNMENT if wanted.action == "SelfActivate" else ADMIN_ASSIGNMENT
            self._rules.check_policy(wanted, level, requestor)
        return self._answer(name, wanted, requestor, current, eligibility, store=store)

    def status_of(self, activation: Activation) -> str:
        """Undecided for 24 hours, a request is over. Under which name is an open question."""
        request = activation.request
        if request.status == "PendingApproval" and self._ground.now() >= request.made_at + UNDECIDED_FOR:
            return "Failed" if self._ground.switches.is_flipped("arm-undecided-becomes-failed") else "TimedOut"
        if request.status == "Granted" and request.wanted.window.start <= self._ground.now():
            return "Provisioned"
        return request.status

    def kept(self, name: str) -> Activation | None:
        """By name, at once; gone after a while."""
        found = self.requests.get(name.lower())
        return found if found and found.request.is_kept(self._ground.now()) else None

    def listed(self) -> list[Activation]:
        """Those that the list shows."""
        now = self._ground.now()
        return [
            one
            for one in self.requests.values()
            if one.request.is_kept(now)
            and not one.request.swallowed
            and self._ground.sees(f"{one.request.id}/listed", one.request.made_at, View.LIST)
        ]

    def cancel(self, name: str) -> Activation:
        """Section 4.2: whatever is still pending, whoever asked for it."""
        found = self.kept(name)
        if found is None:
            raise not_found("RoleAssignmentRequestNotFound", f"The request '{name}' is not found.")
        if self.status_of(found) not in PENDING:
            raise bad_request("InvalidRoleAssignmentRequest", "The request is not pending.")
        found.request.status = "Canceled"
        if found.approval is not None:
            found.approval.closed = True
        return found

    def decided(self, activation: Activation, *, approved: bool) -> None:
        """The stage was decided: denied, or in force from now on for as long as was asked."""
        if not approved:
            activation.request.status = "Denied"
            return
        now, window = self._ground.now(), activation.request.wanted.window
        start = max(now, window.start)
        end = None if window.end is None else window.end + (start - window.start)
        self._carry_out(
            activation, replace(activation.request.wanted, window=replace(window, start=start, end=end)), None
        )

    def _active(self, wanted: Wanted) -> Schedule | None:
        now = self._ground.now()
        return next((one for one in self.schedules.values() if one.key == wanted.key and one.is_active(now)), None)

    def _check_self(self, wanted: Wanted, requestor: Requestor) -> None:
        """An application cannot activate for somebody (section 4.1)."""
        if requestor.is_application or requestor.object_id != wanted.principal_id:
            raise bad_request("InvalidRoleAssignmentRequest", "The request is only valid for the signed-in principal.")

    def _check_action(self, wanted: Wanted, current: Schedule | None) -> None:
        now = self._ground.now()
        if wanted.action in ("SelfActivate", "AdminAssign"):
            if current is not None:
                raise bad_request("RoleAssignmentExists", "The Role assignment already exists.")
            if wanted.action == "SelfActivate" and wanted.window.start < now - A_MOMENT:
                # Section 4.1: a client's clock that is slightly behind is refused; null means now.
                raise bad_request("InvalidRoleAssignmentRequestSchedule", "The start of the request lies in the past.")
            return
        if current is None:
            raise bad_request("RoleAssignmentDoesNotExist", "The Role assignment does not exist.")
        if wanted.action in _NO_WINDOW and current.made_at is not None and now - current.made_at < SHORTEST:
            raise bad_request("ActiveDurationTooShort", "It was made less than 5 minutes ago.")

    def _eligibility(self, wanted: Wanted, requestor: Requestor, linked: str | None) -> Schedule:
        """An eligibility in force for the person or a group of theirs, here or above."""
        now, groups = self._ground.now(), self._tenant.directory.groups.values()
        holders = {requestor.object_id, *(one.id for one in groups if requestor.object_id in one.members)}
        for one in self._pim.schedules.values():
            fits = one.principal_id in holders and one.role_id == wanted.role_id and one.scope.holds(wanted.scope)
            named = linked is None or linked.rpartition("/")[2].lower() == one.id
            if fits and named and one.is_active(now) and one.window.start <= now:
                return one
        raise policy_failed("EligibilityRule")

    def _check_context(self, wanted: Wanted, requestor: Requestor) -> None:
        """Section 6: the claims that the client must sign in with stand in the message."""
        rule = self._rules.policy(wanted.role_id, wanted.scope).rules[f"AuthenticationContext_{END_USER_ASSIGNMENT}"]
        if rule["isEnabled"] and rule["claimValue"] not in requestor.contexts:
            claims = f'{{"access_token":{{"acrs":{{"essential":true,"value":"{rule["claimValue"]}"}}}}}}'
            raise bad_request("RoleAssignmentRequestAcrsValidationFailed", f"&claims={claims}")

    def _answer(
        self,
        name: str,
        wanted: Wanted,
        requestor: Requestor,
        current: Schedule | None,
        eligibility: Schedule | None,
        *,
        store: bool,
    ) -> Activation:
        now = self._ground.now()
        request = Request(
            id=name,
            wanted=wanted,
            status="Revoked" if wanted.action in _NO_WINDOW else "Accepted",
            made_at=now,
            requestor_id=requestor.object_id,
            target_schedule_id=current.id if current else None,
            swallowed=wanted.role_prefix.lower() != self._rules.scope.path.lower(),
        )
        made = Activation(request=request, linked=eligibility.id if eligibility else None)
        if wanted.action == "SelfActivate":
            policy = self._rules.policy(wanted.role_id, wanted.scope)
            made.approval = approval_of(name, policy.rules[f"Approval_{END_USER_ASSIGNMENT}"])
        if made.approval is not None:
            request.status = "PendingApproval" if store else "PendingEvaluation"
        if not store:
            return made
        self.requests[name] = made
        if wanted.action in _NO_WINDOW and current is not None:
            current.removed_at = now
        elif made.approval is None and not request.swallowed:
            self._carry_out(made, wanted, current)
        return made

    def _carry_out(self, activation: Activation, wanted: Wanted, current: Schedule | None) -> None:
        now, request = self._ground.now(), activation.request
        if self.fails_with is not None:
            request.status, self.fails_with = self.fails_with, None
            return
        request.status = "Granted" if wanted.window.start > now else "Provisioned"
        made = Schedule(
            id=self._ground.new_id(),
            request_id=request.id,
            principal_id=wanted.principal_id,
            role_id=wanted.role_id,
            scope=wanted.scope,
            window=wanted.window,
            made_at=now,
            modified_at=now,
            condition=wanted.condition,
        )
        self.schedules[made.id] = made
        self._linked[made.id] = activation.linked
        request.target_schedule_id = made.id
        if current is not None:
            current.replaced_by = made.id

    def held(self, principal_ids: set[str]) -> list[tuple[str, Scope]]:
        """Role and scope of those in force for one of the principals."""
        now = self._ground.now()
        return [
            (one.role_id, one.scope)
            for one in self.schedules.values()
            if one.principal_id in principal_ids and one.is_active(now) and one.window.start <= now
        ]
