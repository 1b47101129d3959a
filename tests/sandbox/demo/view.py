"""The tenant's record as `GET /api/tenants/{tenantId}` shows it: the fields that the demo reads, and no others."""

from datetime import datetime

import msgspec

WAITING_FOR_CONSENT = "WaitingForConsent"
READY = "Ready"
ENDS = frozenset({READY, "Blocked", "Cancelled", "Failed", "Offboarded", "WaitingForPerson"})
"""States in which nothing more happens without a person (a consent is one that the demo can play)."""

UNDER_WAY = frozenset({"Onboarding", "Cancelling"})
"""States in which a run is open."""

RUNNING_ACTS = frozenset({"Running", "Waiting"})


class Act(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One act of onboarding."""

    number: int
    name: str
    state: str
    since: datetime | None = None
    ended: datetime | None = None
    detail: str | None = None
    problem: object = None

    def seconds(self, now: datetime) -> float | None:
        """How long it took, or takes up to now; None while it has not begun."""
        if self.since is None or not (self.ended or self.state in RUNNING_ACTS):
            return None
        return max(0.0, ((self.ended or now) - self.since).total_seconds())


class Consent(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The consent to one registration, and the page where it is asked."""

    registration: str
    state: str = ""
    link: str | None = None


class Analyst(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A person who is to work in the target."""

    object_id: str
    display_name: str = ""
    user_principal_name: str = ""
    target_object_id: str | None = None
    problem: object = None


class Eligibility(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An eligibility in force in the target."""

    principal_id: str
    role_definition_id: str = ""
    end_date_time: datetime | None = None
    wanted: str | None = None
    capped_to: str | None = None


class Permissions(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a registration holds in a tenant."""

    registration: str
    tenant: str = ""
    permissions: tuple[str, ...] = ()


class ChecklistItem(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An act that only a person can do."""

    title: str
    text: str = ""
    link: str | None = None


class Checklist(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One analyst's acts."""

    analyst: str
    name: str = ""
    items: tuple[ChecklistItem, ...] = ()


class Query(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a saved query found."""

    tells: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[object, ...], ...] = ()


class Proof(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The proof by hunting."""

    summary: str = ""
    queries: tuple[Query, ...] = ()


class TenantView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The record."""

    tenant_id: str
    state: str
    display_name: str = ""
    since: datetime | None = None
    run: int | None = None
    what_to_do: tuple[str, ...] = ()
    acts: tuple[Act, ...] = ()
    consents: tuple[Consent, ...] = ()
    analysts: tuple[Analyst, ...] = ()
    eligibilities: tuple[Eligibility, ...] = ()
    permissions: tuple[Permissions, ...] = ()
    checklist: tuple[Checklist, ...] = ()
    administrator_checklist: tuple[ChecklistItem, ...] = ()
    warnings: tuple[object, ...] = ()
    proof: Proof | None = None
    problem: object = None


def read_view(body: bytes) -> TenantView:
    """Decode an answer of the app. Raises msgspec.ValidationError that names the field."""
    return msgspec.json.decode(body, type=TenantView)


def as_text(value: object) -> str:
    """A problem, warning or person as one line, whichever shape the app gives it."""
    match value:
        case None:
            return ""
        case dict():
            return ": ".join(str(part) for name, part in value.items() if part and name != "code")
        case _:
            return str(value)
