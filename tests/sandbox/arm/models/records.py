"""Records of PIM for Azure roles: eligibilities and the requests that make and change them (section 3)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.sandbox.arm.models.scope import Scope

SHORTEST = timedelta(minutes=5)
A_MOMENT = timedelta(seconds=1)
"""What passes between the reading of a request and its checks, at most."""
REQUESTS_KEPT = timedelta(days=45)
RENEWABLE_FOR = timedelta(days=30)
EXTENSION_WINDOW = timedelta(days=14)
HARD_CAP = timedelta(days=365)

ADMIN_ACTIONS = ("AdminAssign", "AdminUpdate", "AdminExtend", "AdminRenew", "AdminRemove")
SELF_ACTIONS = ("SelfActivate", "SelfDeactivate", "SelfExtend", "SelfRenew")

PENDING = frozenset(
    {
        "Accepted",
        "PendingEvaluation",
        "PendingApprovalProvisioning",
        "PendingProvisioning",
        "ProvisioningStarted",
        "PendingScheduleCreation",
        "PendingExternalProvisioning",
        "PendingAdminDecision",
        "PendingApproval",
        "AdminApproved",
    }
)
"""Statuses that block another request for the same principal, role and scope (section 4.1's buckets)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """From when to when; end None is permanent. `kind` and `duration` are the expiration as it was asked for."""

    start: datetime
    end: datetime | None
    kind: str
    duration: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Requestor:
    """Who asks, and how they signed in: an application, or a person with or without a second factor."""

    object_id: str
    is_application: bool
    has_mfa: bool = False
    contexts: frozenset[str] = frozenset()
    """Authentication contexts that the token proves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """Stored, never verified (section 2.2)."""

    number: str | None = None
    system: str | None = None

    @property
    def is_whole(self) -> bool:
        """What the ticketing rule wants."""
        return bool(self.number) and bool(self.system)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a request asks for, read from its body. `role_prefix` is what stood before the role's GUID."""

    action: str
    principal_id: str
    role_id: str
    role_prefix: str
    scope: Scope
    window: Window
    justification: str | None
    ticket: Ticket
    condition: tuple[str | None, str | None] = (None, None)
    target_schedule: str | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """Principal, role and scope: what two requests have in common that get in each other's way."""
        return self.principal_id, self.role_id, self.scope.path.lower()


@dataclass(slots=True, kw_only=True)
class Schedule:
    """One eligibility. An extension yields a new one in the old one's place, unless a switch says that it stays."""

    id: str
    request_id: str | None
    principal_id: str
    role_id: str
    scope: Scope
    window: Window
    made_at: datetime | None
    modified_at: datetime
    condition: tuple[str | None, str | None] = (None, None)
    removed_at: datetime | None = None
    replaced_by: str | None = None
    former: tuple[datetime, Window] | None = None
    """When its window last changed, and what it was before: readers see that a while longer."""

    @property
    def key(self) -> tuple[str, str, str]:
        """As of a request."""
        return self.principal_id, self.role_id, self.scope.path.lower()

    @property
    def end(self) -> datetime | None:
        """None is permanent."""
        return self.window.end

    def is_active(self, now: datetime) -> bool:
        """In force or still to begin; neither ended, removed nor replaced."""
        return self.removed_at is None and self.replaced_by is None and (self.end is None or now < self.end)

    def is_lapsed(self, now: datetime) -> bool:
        """Ended by itself, not long ago."""
        gone = self.removed_at is not None or self.replaced_by is not None or self.end is None
        return not gone and self.end is not None and self.end <= now < self.end + RENEWABLE_FOR


@dataclass(slots=True, kw_only=True)
class Request:
    """A request that was accepted, kept for about 45 days."""

    id: str
    wanted: Wanted
    status: str
    made_at: datetime
    requestor_id: str
    target_schedule_id: str | None = None
    swallowed: bool = False
    """Accepted with a role id of the wrong form (section 1): it is there by name, and nothing ever comes of it."""

    def is_kept(self, now: datetime) -> bool:
        """Pending ones stay."""
        return self.status in PENDING or now < self.made_at + REQUESTS_KEPT
