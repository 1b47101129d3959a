"""One subscription: its state, its resource groups, and the services that look after who may do what in it."""

from datetime import datetime

from tests.sandbox.arm.errors import ArmError, not_found
from tests.sandbox.arm.models.access import Access
from tests.sandbox.arm.models.activations import Activations
from tests.sandbox.arm.models.budgets import Budget
from tests.sandbox.arm.models.pim import Pim
from tests.sandbox.arm.models.records import Request, Schedule, Ticket, Wanted, Window
from tests.sandbox.arm.models.roles import VM_CONTRIBUTOR
from tests.sandbox.arm.models.rules import Rules
from tests.sandbox.arm.models.scope import Scope, parse_scope
from tests.sandbox.graph.models.ground import Ground
from tests.sandbox.graph.models.tenant import Tenant


class Subscription:
    """The parts are public: tests set up odd subscriptions by changing them, and read what became of them."""

    def __init__(self, ground: Ground, tenant: Tenant, subscription_id: str, display_name: str) -> None:
        self._ground = ground
        self.id = subscription_id.lower()
        self.tenant = tenant
        self.display_name = display_name
        self.state = "Enabled"
        """Enabled, Warned, PastDue, Disabled or Deleted."""
        found = parse_scope(f"/subscriptions/{self.id}")
        if found is None:
            raise ValueError(f"no subscription id: {subscription_id}")
        self.scope = found
        self.groups: dict[str, str] = {}
        self.resources: set[str] = set()
        self.budgets: dict[str, Budget] = {}
        self.access = Access(ground, tenant)
        self.rules = Rules(ground, tenant, self.access, self.scope)
        self.pim = Pim(ground, self.rules)
        self.activations = Activations(ground, tenant, self.rules, self.pim)
        self.access.activated = self.activations.held

    def add_resource_group(self, name: str, location: str = "germanywestcentral") -> Scope:
        """A scope below."""
        self.groups[name.lower()] = location
        found = parse_scope(f"{self.scope.path}/resourceGroups/{name}")
        if found is None:
            raise ValueError(f"no name of a resource group: {name}")
        return found

    def set_budget(self, budget: Budget) -> Budget:
        """Somebody makes one, or changes it."""
        self.budgets[budget.name.lower()] = budget
        return budget

    def require(self, scope: Scope, *, writes: bool) -> None:
        """404 for what is not there, 409 for a write where nothing may change."""
        if scope.group and scope.group.lower() not in self.groups:
            raise not_found("ResourceGroupNotFound", f"Resource group '{scope.group}' could not be found.")
        if scope.resource and scope.path.lower() not in self.resources:
            raise not_found("ResourceNotFound", f"The Resource '{scope.resource}' was not found.")
        if writes and self.state == "Disabled":
            raise ArmError(
                409,
                "ReadOnlyDisabledSubscription",
                f"The subscription '{self.id}' is disabled and therefore marked as read only. You cannot perform any "
                "write actions on this subscription until it is re-enabled.",
            )

    # What people and time did, for tests.

    def eligible(
        self, principal_id: str, *, end: datetime | None, role_id: str = VM_CONTRIBUTOR, scope: Scope | None = None
    ) -> Schedule:
        """An eligibility from before the world began, or made by a person in the portal just now; None is permanent."""
        now, where = self._ground.now(), scope or self.scope
        window = Window(start=now, end=end, kind="NoExpiration" if end is None else "AfterDateTime")
        made = Schedule(
            id=self._ground.new_id(),
            request_id=None,
            principal_id=principal_id,
            role_id=role_id,
            scope=where,
            window=window,
            made_at=None,
            modified_at=now,
        )
        self.pim.schedules[made.id] = made
        return made

    def removed_by_a_person(
        self, principal_id: str, role_id: str = VM_CONTRIBUTOR, scope: Scope | None = None
    ) -> Request:
        """In the portal; the request stays for those who ask who it was."""
        current = self.pim.of(principal_id, role_id, scope)
        if current is None:
            raise ValueError(f"{principal_id} is not eligible")
        current.removed_at = self._ground.now()
        request = self._by_a_person(
            "AdminRemove", current.principal_id, role_id, current.scope, "Revoked", current.window
        )
        request.target_schedule_id = current.id
        return request

    def asked_by_a_person(
        self,
        principal_id: str,
        *,
        end: datetime,
        action: str = "SelfExtend",
        role_id: str = VM_CONTRIBUTOR,
        scope: Scope | None = None,
    ) -> Request:
        """A request that waits for an administrator, and blocks every other one for the same eligibility."""
        window = Window(start=self._ground.now(), end=end, kind="AfterDateTime")
        return self._by_a_person(action, principal_id, role_id, scope or self.scope, "PendingAdminDecision", window)

    def decide(self, request: Request, status: str = "AdminDenied") -> None:
        """An administrator decides; nothing else happens unless they approved."""
        request.status = status
        if status == "Provisioned":
            self.pim._carry_out(request, self.pim._active(request.wanted.key))

    def _by_a_person(
        self, action: str, principal_id: str, role_id: str, scope: Scope, status: str, window: Window
    ) -> Request:
        wanted = Wanted(
            action=action,
            principal_id=principal_id,
            role_id=role_id,
            role_prefix=self.scope.path,
            scope=scope,
            window=window,
            justification=None,
            ticket=Ticket(),
        )
        request = Request(
            id=self._ground.new_id(),
            wanted=wanted,
            status=status,
            made_at=self._ground.now(),
            requestor_id=principal_id,
        )
        self.pim.requests[request.id] = request
        return request
