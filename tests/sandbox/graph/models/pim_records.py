"""Records of PIM: eligibilities, requests, and the built-in roles that the sandbox knows (section 6)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.sandbox.graph.models.ground import Replicated

SECURITY_READER = "5d6b6bb7-de71-4623-b4af-96380a352509"
PRIVILEGED_ROLE_ADMINISTRATOR = "e8611ab8-c189-46e8-94e1-60213ab1f814"
GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
ROLES: dict[str, str] = {
    SECURITY_READER: "Security Reader",
    PRIVILEGED_ROLE_ADMINISTRATOR: "Privileged Role Administrator",
    GLOBAL_ADMINISTRATOR: "Global Administrator",
    "194ae4cb-b126-40b2-bd5b-6091b380977d": "Security Administrator",
    "5f2222b1-57c3-48ba-8ad5-d4759f1fde6f": "Security Operator",
    "f2ef992c-3afb-46b9-b7cf-a126ee74c451": "Global Reader",
}
"""Built-in roles, from Microsoft's published list; custom ones don't exist in the sandbox."""

SHORTEST = timedelta(minutes=5)
REQUESTS_KEPT = timedelta(days=45)
RENEWABLE_FOR = timedelta(days=30)
EXTENSION_WINDOW = timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """From when to when; end None is permanent, end_type is the expiration's type on the wire."""

    start: datetime
    end: datetime | None
    end_type: str


@dataclass(slots=True, kw_only=True)
class Schedule:
    """One eligibility: id equals that of the request that made it (section 6.3). Readers see a new window later."""

    id: str
    principal_id: str
    role_id: str
    window: Replicated[Window]
    made_at: datetime | None
    modified_at: datetime
    removed_at: datetime | None = None

    @property
    def start(self) -> datetime:
        """The truth."""
        return self.window.latest.start

    @property
    def end(self) -> datetime | None:
        """The truth; None is permanent."""
        return self.window.latest.end

    def is_active(self, now: datetime) -> bool:
        """In force or still to begin; neither ended nor removed."""
        return self.removed_at is None and (self.end is None or now < self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a request asks for, read from its body."""

    action: str
    principal_id: str
    role_id: str
    scope: str
    window: Window
    justification: str | None
    ticket: tuple[str | None, str | None] | None
    validation_only: bool


@dataclass(slots=True, kw_only=True)
class Request:
    """A request that was accepted, kept for about 45 days."""

    id: str
    wanted: Wanted
    status: str
    made_at: datetime
    target_schedule_id: str | None
    cancelled: bool = False
