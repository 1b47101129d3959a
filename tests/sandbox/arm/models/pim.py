"""PIM for the roles of one subscription and all in it: eligibilities, requests, and their ends (section 3)."""

from dataclasses import replace
from datetime import datetime

from tests.sandbox.arm.errors import ArmError, bad_request, not_found
from tests.sandbox.arm.models.policy import ADMIN_ELIGIBILITY, Policy
from tests.sandbox.arm.models.records import (
    ADMIN_ACTIONS,
    EXTENSION_WINDOW,
    PENDING,
    SHORTEST,
    Request,
    Requestor,
    Schedule,
    Wanted,
    Window,
)
from tests.sandbox.arm.models.roles import VM_CONTRIBUTOR
from tests.sandbox.arm.models.rules import Rules
from tests.sandbox.arm.models.scope import Scope
from tests.sandbox.graph.models.ground import Ground
from tests.sandbox.graph.replication import View


class Pim:
    """The service's state and its checks, in the order in which they answer."""

    def __init__(self, ground: Ground, rules: Rules) -> None:
        self._ground = ground
        self._rules = rules
        self.schedules: dict[str, Schedule] = {}
        self.requests: dict[str, Request] = {}

    @property
    def locked(self) -> bool:
        """Somebody put a lock on the subscription."""
        return self._rules.locked

    @locked.setter
    def locked(self, value: bool) -> None:
        self._rules.locked = value

    def policy(self, role_id: str = VM_CONTRIBUTOR, scope: Scope | None = None) -> Policy:
        """As of the rules."""
        return self._rules.policy(role_id, scope)

    def require_licence(self) -> None:
        """As of the rules."""
        self._rules.require_licence()

    def of(self, principal_id: str, role_id: str = VM_CONTRIBUTOR, scope: Scope | None = None) -> Schedule | None:
        """The eligibility of a principal, by truth; for tests and rules."""
        return self._active((principal_id, role_id, (scope or self._rules.scope).path.lower()))

    def shown(self) -> list[Schedule]:
        """Those that the lists show by now (section 11: new ones may not be listed at once, nor old ones go at once)."""
        now = self._ground.now()
        return [one for one in self.schedules.values() if self._is_shown(one, now)]

    def seen_window(self, schedule: Schedule) -> Window:
        """A change of the window itself is read after a while too."""
        if schedule.former is not None:
            changed_at, before = schedule.former
            if not self._ground.sees(f"{schedule.id}/{changed_at.isoformat()}", changed_at, View.LIST):
                return before
        return schedule.window

    def request(self, name: str, wanted: Wanted, requestor: Requestor, *, store: bool = True) -> Request:
        """Section 3.2, with the errors of section 11. Raises, or answers as the service does."""
        self.require_licence()
        if store and name in self.requests:
            raise ArmError(
                409, "RoleAssignmentRequestExists", f"A role assignment request with Id: {name} already exists."
            )
        if wanted.action not in ADMIN_ACTIONS:
            raise bad_request("InvalidRoleAssignmentRequest", "The request type is not valid for this caller.")
        self._rules.check_role(wanted)
        current = self._active(wanted.key)
        if wanted.action != "AdminRemove" or current is None:
            self._rules.check_principal(wanted)
        if self._pending(wanted) is not None:
            raise bad_request(
                "PendingRoleAssignmentRequest", "There is already an existing pending Role assignment request."
            )
        if self.locked and not self._ground.switches.is_flipped("arm-lock-fails-the-request"):
            raise ArmError(409, "ResourceIsLocked", "The scope is locked, so the request cannot be carried out.")
        if wanted.action != "AdminRemove":
            self._rules.check_window(wanted)
            self._rules.check_policy(wanted, ADMIN_ELIGIBILITY, requestor)
        self._check_action(wanted, current)
        return self._answer(name, wanted, current, requestor.object_id, store=store)

    def kept_request(self, name: str) -> Request | None:
        """By the caller's own GUID, at once; gone after a while (section 3.2 and Graph's 45 days)."""
        found = self.requests.get(name.lower())
        return found if found and found.is_kept(self._ground.now()) else None

    def listed_requests(self) -> list[Request]:
        """Those that the list shows; one that was swallowed never is."""
        now = self._ground.now()
        return [
            one
            for one in self.requests.values()
            if one.is_kept(now) and not one.swallowed and self._ground.sees(f"{one.id}/listed", one.made_at, View.LIST)
        ]

    def cancel(self, name: str) -> Request:
        """Section 3.2: only what is not provisioned yet."""
        found = self.kept_request(name)
        if found is None:
            raise not_found("RoleAssignmentRequestNotFound", f"The request '{name}' is not found.")
        to_come = found.status == "Granted" and found.wanted.window.start > self._ground.now()
        if self.status_of(found) not in PENDING and not to_come:
            raise bad_request("InvalidRoleAssignmentRequest", "The request is not pending.")
        found.status = "Canceled"
        if found.target_schedule_id is not None and to_come:
            self.schedules.pop(found.target_schedule_id, None)
        return found

    def status_of(self, request: Request) -> str:
        """An answer of its time becomes Provisioned once the lists show what it made."""
        if request.status == "PendingProvisioning" and request.target_schedule_id is not None:
            made = self.schedules.get(request.target_schedule_id)
            shown = made is None or self._is_settled(made, request)
            return "Provisioned" if shown else request.status
        if request.status == "Granted" and request.wanted.window.start <= self._ground.now():
            return "Provisioned"
        return request.status

    def _is_settled(self, made: Schedule, request: Request) -> bool:
        return self._ground.sees(f"{made.id}/listed", request.made_at, View.LIST)

    def _is_shown(self, one: Schedule, now: datetime) -> bool:
        if one.removed_at is not None and self._ground.sees(f"{one.id}/removed", one.removed_at, View.LIST):
            return False
        if one.replaced_by is not None:
            successor = self.schedules.get(one.replaced_by)
            if successor is None or self._ground.sees(f"{successor.id}/listed", successor.made_at, View.LIST):
                return False
        end = self.seen_window(one).end
        if end is not None and end <= now:
            kept = self._ground.switches.is_flipped("arm-lapsed-schedules-stay-listed")
            return kept and one.is_lapsed(now)
        return self._ground.sees(f"{one.id}/listed", one.made_at, View.LIST)

    def _active(self, key: tuple[str, str, str]) -> Schedule | None:
        now = self._ground.now()
        return next((one for one in self.schedules.values() if one.key == key and one.is_active(now)), None)

    def _pending(self, wanted: Wanted) -> Request | None:
        now = self._ground.now()
        waiting = (one for one in self.requests.values() if one.wanted.key == wanted.key and not one.swallowed)
        return next((one for one in waiting if self.status_of(one) in PENDING and one.is_kept(now)), None)

    def _check_action(self, wanted: Wanted, current: Schedule | None) -> None:
        now, switches = self._ground.now(), self._ground.switches
        missing = bad_request("RoleAssignmentDoesNotExist", "The Role assignment does not exist.")
        exists = bad_request("RoleAssignmentExists", "The Role assignment already exists.")
        if wanted.action == "AdminAssign":
            if current is not None:
                raise exists
            return
        if wanted.action == "AdminRenew":
            if current is None and not self._lapsed(wanted):
                raise missing
            if current is not None and switches.is_flipped("arm-renew-needs-expired"):
                raise exists
        elif current is None:
            raise missing
        self._check_target(wanted, current)
        if wanted.action == "AdminRemove" and current and current.made_at and now - current.made_at < SHORTEST:
            raise bad_request("ActiveDurationTooShort", "It was made less than 5 minutes ago.")
        late = wanted.action in ("AdminExtend", "AdminUpdate") and wanted.window.start < now - SHORTEST
        if late and switches.is_flipped("arm-past-start-refused"):
            raise bad_request("InvalidRoleAssignmentRequestSchedule", "The start of the request lies in the past.")
        if wanted.action == "AdminExtend" and current is not None:
            if current.end is None:
                raise bad_request("InvalidRoleAssignmentRequest", "A permanent assignment cannot be extended.")
            if switches.is_flipped("arm-extend-window-enforced") and current.end - now > EXTENSION_WINDOW:
                raise bad_request("InvalidRoleAssignmentRequest", "The assignment is not about to expire.")

    def _check_target(self, wanted: Wanted, current: Schedule | None) -> None:
        """Section 3.3: whether an extension must name what it extends is an open question; a wrong name never passes."""
        named = wanted.target_schedule
        if named is None:
            if wanted.action == "AdminExtend" and self._ground.switches.is_flipped("arm-extend-names-schedule"):
                raise bad_request("InvalidRoleAssignmentRequest", "The target role eligibility schedule is missing.")
            return
        known = [current] if current else self._lapsed(wanted)
        if all(one is None or one.id != named.rpartition("/")[2].lower() for one in known):
            raise bad_request("RoleAssignmentDoesNotExist", "The target role eligibility schedule does not exist.")

    def _lapsed(self, wanted: Wanted) -> list[Schedule]:
        now = self._ground.now()
        return [one for one in self.schedules.values() if one.key == wanted.key and one.is_lapsed(now)]

    def _answer(
        self, name: str, wanted: Wanted, current: Schedule | None, requestor_id: str, *, store: bool
    ) -> Request:
        now = self._ground.now()
        request = Request(
            id=name,
            wanted=wanted,
            status=self._status(wanted, now),
            made_at=now,
            requestor_id=requestor_id,
            target_schedule_id=current.id if current else None,
            swallowed=wanted.role_prefix.lower() != self._rules.scope.path.lower(),
        )
        if not store:
            return request
        self.requests[name] = request
        if request.swallowed or request.status == "FailedAsResourceIsLocked":
            return request
        if wanted.action == "AdminRemove":
            if current is not None:
                current.removed_at = now
        else:
            self._carry_out(request, current)
        return request

    def _status(self, wanted: Wanted, now: datetime) -> str:
        if self.locked:
            return "FailedAsResourceIsLocked"
        if wanted.action == "AdminRemove":
            return "Revoked"
        if wanted.window.start > now:
            return "Granted"
        return (
            "PendingProvisioning" if self._ground.switches.is_flipped("arm-requests-answer-pending") else "Provisioned"
        )

    def _carry_out(self, request: Request, current: Schedule | None) -> None:
        wanted, now = request.wanted, self._ground.now()
        window = wanted.window
        if current is not None and wanted.action != "AdminUpdate":
            window = replace(window, start=current.window.start)
        if current is not None and self._ground.switches.is_flipped("arm-extension-keeps-schedule"):
            current.former = (now, current.window)
            current.window, current.modified_at = window, now
            current.condition, current.request_id = wanted.condition, request.id
            return
        made = Schedule(
            id=self._ground.new_id(),
            request_id=request.id,
            principal_id=wanted.principal_id,
            role_id=wanted.role_id,
            scope=wanted.scope,
            window=window,
            made_at=now,
            modified_at=now,
            condition=wanted.condition,
        )
        self.schedules[made.id] = made
        request.target_schedule_id = made.id
        if current is not None:
            current.replaced_by = made.id
