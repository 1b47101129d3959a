"""PIM for the directory roles of one tenant: eligibilities, the requests that make them, and their ends (section 6)."""

from dataclasses import replace
from datetime import datetime

from tests.sandbox.graph.errors import GraphError
from tests.sandbox.graph.models.applications import Applications
from tests.sandbox.graph.models.directory import Directory
from tests.sandbox.graph.models.ground import Ground, Replicated
from tests.sandbox.graph.models.pim_records import (
    EXTENSION_WINDOW,
    GLOBAL_ADMINISTRATOR,
    PRIVILEGED_ROLE_ADMINISTRATOR,
    RENEWABLE_FOR,
    REQUESTS_KEPT,
    ROLES,
    SECURITY_READER,
    SHORTEST,
    Request,
    Schedule,
    Wanted,
    Window,
)
from tests.sandbox.graph.models.policies import Licences
from tests.sandbox.graph.models.role_policy import RolePolicy
from tests.sandbox.graph.replication import View


class Pim:
    """The service's state and its checks, in the order in which they answer."""

    def __init__(self, ground: Ground, directory: Directory, applications: Applications, licences: Licences) -> None:
        self._ground = ground
        self._directory = directory
        self._applications = applications
        self._licences = licences
        self.onboarded = True
        self.schedules: dict[str, Schedule] = {}
        self.requests: dict[str, Request] = {}
        self.policies: dict[str, RolePolicy] = {role: RolePolicy() for role in ROLES}
        self.security_reader = self.policies[SECURITY_READER]
        self.directory_roles: set[tuple[str, str]] = set()
        """Who holds which directory role for good: (object id, role id). Persons and service principals."""

    def require_licence(self, *, reading: bool) -> None:
        """Sections 6.4 and 6.7."""
        if not self._licences.has_pim and not (reading and self._ground.switches.is_flipped("no-p2-policy-readable")):
            raise GraphError(
                400,
                "AadPremiumLicenseRequired",
                "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license.",
            )
        if not self.onboarded:
            raise GraphError(400, "MissingProvider", "The provider is missing.")

    def active(self) -> list[Schedule]:
        """Eligibilities that the service holds by now."""
        now = self._ground.now()
        return [one for one in self.schedules.values() if one.is_active(now)]

    def of(self, principal_id: str, role_id: str = SECURITY_READER) -> Schedule | None:
        """The eligibility of a principal, by truth; for tests and rules."""
        return next((one for one in self.active() if (one.principal_id, one.role_id) == (principal_id, role_id)), None)

    def shown(self) -> list[Schedule]:
        """Those that the lists show: new ones come and removed ones go after seconds (section 6.3)."""
        now = self._ground.now()
        found = []
        for one in self.schedules.values():
            end = one.window.seen.end
            if end is not None and end <= now:
                continue
            if one.removed_at is not None and self._ground.sees(f"{one.id}/removed", one.removed_at, View.PIM):
                continue
            if self._ground.sees(f"{one.id}/shown", one.made_at, View.LIST):
                found.append(one)
        return found

    def request(self, wanted: Wanted, caller_id: str | None) -> Request:
        """Section 6.2, with the errors of 6.4. Raises, or answers as the service does; validation stores nothing."""
        self.require_licence(reading=False)
        self._check_caller(caller_id)
        self._check_principal(wanted)
        if wanted.action not in ("adminAssign", "adminUpdate", "adminExtend", "adminRenew", "adminRemove"):
            raise GraphError(400, "InvalidRoleAssignmentRequest", "The action is not valid for an application.")
        current = self.of(wanted.principal_id, wanted.role_id)
        if self._is_pending(wanted):
            raise GraphError(400, "PendingRoleAssignmentRequest", "There is already an existing pending request.")
        if wanted.action != "adminRemove":
            self._check_window(wanted)
            self._check_policy(wanted)
        self._check_action(wanted, current)
        return self._answer(wanted, current)

    def cancel(self, request_id: str) -> None:
        """Section 6.2: only while pending."""
        found = self.kept_request(request_id)
        if found is None:
            raise GraphError(404, "ResourceNotFound", "The requested resource is not found.")
        if found.wanted.window.start <= self._ground.now() or found.cancelled:
            raise GraphError(400, "InvalidRoleAssignmentRequest", "The request is not pending.")
        found.cancelled = True
        found.status = "Canceled"
        if found.target_schedule_id is not None:
            self.schedules.pop(found.target_schedule_id, None)

    def kept_request(self, request_id: str) -> Request | None:
        """Requests are gone after about 45 days (section 6.3)."""
        found = self.requests.get(request_id.lower())
        return found if found and self._ground.now() < found.made_at + REQUESTS_KEPT else None

    def grant(self, principal_id: str, *, end: datetime | None, role_id: str = SECURITY_READER) -> Schedule:
        """An eligibility from before the world began; for tests."""
        now, schedule_id = self._ground.now(), self._ground.new_id()
        window = Window(start=now, end=end, end_type="noExpiration" if end is None else "afterDateTime")
        schedule = Schedule(
            id=schedule_id,
            principal_id=principal_id,
            role_id=role_id,
            window=Replicated(self._ground, schedule_id, window),
            made_at=None,
            modified_at=now,
        )
        self.schedules[schedule.id] = schedule
        return schedule

    def status_of(self, request: Request) -> str:
        """Provisioned means effective; a pending answer becomes that once the lists show it."""
        if request.status == "PendingProvisioning" and self._is_shown(request):
            return "Provisioned"
        if request.status == "Granted" and request.wanted.window.start <= self._ground.now():
            return "Provisioned"
        return request.status

    def _check_caller(self, caller_id: str | None) -> None:
        if self._ground.switches.is_flipped("eligibility-needs-directory-role"):
            held = {role for holder, role in self.directory_roles if holder == caller_id}
            if not held & {PRIVILEGED_ROLE_ADMINISTRATOR, GLOBAL_ADMINISTRATOR}:
                raise GraphError(
                    403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."
                )

    def _check_principal(self, wanted: Wanted) -> None:
        missing = 400 if self._ground.switches.is_flipped("subject-not-found-is-400") else 404
        user = self._directory.users.get(wanted.principal_id)
        group = self._directory.groups.get(wanted.principal_id)
        found = user or group
        if found is None and wanted.principal_id in self._applications.principals:
            raise GraphError(400, "InvalidRoleAssignmentRequest", "A service principal cannot be eligible.")
        if found is None and wanted.action == "adminRemove" and self.of(wanted.principal_id, wanted.role_id):
            return
        if found is None or not self._ground.sees(found.id, found.made_at, View.PIM):
            raise GraphError(missing, "SubjectNotFound", "The subject is not found.")
        if group is not None and not group.is_assignable_to_role:
            raise GraphError(400, "InvalidRoleAssignmentRequest", "The group is not assignable to roles.")
        if wanted.role_id not in ROLES:
            raise GraphError(404, "RoleNotFound", "The role is not found.")
        if wanted.scope != "/":
            raise GraphError(404, "ResourceNotFound", "The resource is not found.", violation=True)

    def _check_window(self, wanted: Wanted) -> None:
        now = self._ground.now()
        if wanted.window.end is not None and (wanted.window.end <= wanted.window.start or wanted.window.end <= now):
            raise GraphError(400, "InvalidRoleAssignmentRequestSchedule", "The schedule of the request is not valid.")
        if wanted.window.end is not None and wanted.window.end - max(wanted.window.start, now) < SHORTEST:
            raise GraphError(400, "ActiveDurationTooShort", "The duration is shorter than 5 minutes.")

    def _check_policy(self, wanted: Wanted) -> None:
        failed = self.policies[wanted.role_id].failures(
            start=wanted.window.start,
            end=wanted.window.end,
            justification=wanted.justification,
            has_ticket=wanted.ticket is not None and all(wanted.ticket),
        )
        if failed:
            named = ",".join(f'"{rule}"' for rule in failed)
            raise GraphError(
                400, "RoleAssignmentRequestPolicyValidationFailed", f"The following policy rules failed: [{named}]"
            )

    def _check_action(self, wanted: Wanted, current: Schedule | None) -> None:
        now, switches = self._ground.now(), self._ground.switches
        if wanted.action == "adminAssign" and current is not None:
            raise GraphError(400, "RoleAssignmentExists", "The Role assignment already exists.")
        if wanted.action in ("adminUpdate", "adminExtend", "adminRemove") and current is None:
            raise GraphError(400, "RoleAssignmentDoesNotExist", "The Role assignment does not exist.")
        if wanted.action == "adminExtend" and current is not None:
            if current.end is None:
                raise GraphError(400, "InvalidRoleAssignmentRequest", "A permanent assignment cannot be extended.")
            if switches.is_flipped("extend-window-enforced") and current.end - now > EXTENSION_WINDOW:
                raise GraphError(400, "InvalidRoleAssignmentRequest", "The assignment is not about to expire.")
        if wanted.action == "adminRenew":
            if current is None and not self._expired(wanted):
                raise GraphError(400, "RoleAssignmentDoesNotExist", "The Role assignment does not exist.")
            if current is not None and switches.is_flipped("renew-needs-expired"):
                raise GraphError(400, "RoleAssignmentExists", "The Role assignment already exists.")

    def _answer(self, wanted: Wanted, current: Schedule | None) -> Request:
        now = self._ground.now()
        status = "Granted" if wanted.window.start > now else "Provisioned"
        if self._ground.switches.is_flipped("eligibility-answers-pending") and status == "Provisioned":
            status = "PendingProvisioning"
        request = Request(
            id=self._ground.new_id(),
            wanted=wanted,
            status="Revoked" if wanted.action == "adminRemove" else status,
            made_at=now,
            target_schedule_id=current.id if current else None,
        )
        if wanted.validation_only:
            return request
        self.requests[request.id] = request
        if wanted.action == "adminRemove":
            if current is not None:
                current.removed_at = now
        elif current is None:
            request.target_schedule_id = request.id
            self.schedules[request.id] = Schedule(
                id=request.id,
                principal_id=wanted.principal_id,
                role_id=wanted.role_id,
                window=Replicated(self._ground, request.id, wanted.window),
                made_at=now,
                modified_at=now,
            )
        else:
            kept = wanted.window if wanted.action == "adminUpdate" else replace(wanted.window, start=current.start)
            current.window.write(kept)
            current.modified_at = now
        return request

    def _expired(self, wanted: Wanted) -> bool:
        now = self._ground.now()
        return any(
            one.removed_at is None and one.end is not None and one.end <= now < one.end + RENEWABLE_FOR
            for one in self.schedules.values()
            if (one.principal_id, one.role_id) == (wanted.principal_id, wanted.role_id)
        )

    def _is_pending(self, wanted: Wanted) -> bool:
        same = (wanted.principal_id, wanted.role_id)
        return any(
            self.status_of(one) == "PendingProvisioning"
            for one in self.requests.values()
            if (one.wanted.principal_id, one.wanted.role_id) == same
        )

    def _is_shown(self, request: Request) -> bool:
        return any(one.id == request.target_schedule_id for one in self.shown())
