"""What a renewal has to say of a tenant or a subscription: rows of one day's report, and the words for them. Pure."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

import msgspec

from shared.eligibility.record import Eligibility
from shared.identifiers import ObjectId
from shared.renewal.due import Fine, Kept, Refused, Seen, Verdict, Why


class Of(StrEnum):
    """What a report is of."""

    TENANT = "tenant"
    SUBSCRIPTION = "subscription"


class Outcome(StrEnum):
    """What became of an eligibility."""

    EXTENDED = "extended"
    RENEWED = "renewed"
    KEPT = "kept"
    REFUSED = "refused"
    PERMANENT = "permanent"
    NOT_OURS = "notOurs"
    MISSING = "missing"


_WRITTEN = frozenset({Outcome.EXTENDED, Outcome.RENEWED})


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One eligibility. `why` is a code; `told` says what it means and what a person does."""

    principal_id: ObjectId
    outcome: Outcome
    role_definition_id: str = ""
    analyst_id: ObjectId | None = None
    why: str = ""
    told: str = ""
    was: datetime | None = None
    end: datetime | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One tenant or subscription on one day. `problem`: why it could not be looked at. `next_end`: of ours, the first that
    ends.
    """

    subject_id: str
    at: datetime
    of: Of = Of.TENANT
    lines: tuple[Line, ...] = ()
    problem: str = ""
    next_end: datetime | None = None

    def __bool__(self) -> bool:
        """Whether it says anything."""
        return bool(self.lines or self.problem)


_IN_A_TENANT: dict[Why, str] = {
    Why.REVIEW_OVER: "Nobody has said within its time that the tenant's eligibilities are needed. An operator who is no "
    "analyst of it: POST /api/tenants/{tenantId}/review.",
    Why.NOT_TO_HOLD: "Who holds it is not to work in the tenant any more: it is left to end.",
    Why.GONE: "The account, here or in the target, is gone: it is left to end.",
    Why.DISABLED: "The account, here or in the target, is disabled: it is left to end.",
    Why.MFA: "The PIM policy of the role asks for MFA when an eligibility is assigned, which no application can give, and "
    "the portal does not show it. The target's administrator removes MultiFactorAuthentication from the rule "
    "Enablement_Admin_Eligibility by Graph.",
    Why.TOO_SHORT: "The PIM policy of the role lets an eligibility last less than two days: it would end before the next "
    "night. The target's administrator allows more.",
    Why.REMOVED: "Somebody removed it, or let it end, before the end that it was left with: it is not made again. Where it "
    "is needed, the target's administrator makes it again, or PATCH the tenant with another duration, which makes what is "
    "missing.",
    Why.SHORTENED: "Somebody let it end earlier than it was left: it is not extended. Where it is needed for longer, the "
    "target's administrator gives it the end that it had or a later one, or PATCH the tenant with another duration.",
    Why.LAPSED: "It ended more than 30 days ago and cannot be renewed any more. PATCH the tenant's duration to have it made "
    "anew.",
}

_ON_A_SUBSCRIPTION: dict[Why, str] = {
    Why.REVIEW_OVER: "Nobody has said within its time that the subscription's eligibilities are needed. An operator who has "
    "none of them: POST /api/subscriptions/{subscriptionId}/review.",
    Why.NOT_TO_HOLD: "It is not declared any more: it is left to end.",
    Why.GONE: "The user or group is gone from the source tenant: it is left to end.",
    Why.DISABLED: "The user is disabled in the source tenant: it is left to end.",
    Why.MFA: "The PIM policy of the role on the subscription asks for MFA when an eligibility is assigned, which no app "
    "can give. An owner of the subscription removes MultiFactorAuthentication from the rule Enablement_Admin_Eligibility.",
    Why.TOO_SHORT: "The PIM policy of the role on the subscription lets an eligibility last less than two days: it would end "
    "before the next night. An owner of the subscription allows more.",
    Why.REMOVED: "Somebody removed it, or let it end, before the end that it was left with: it is not made again. Where it "
    "is needed, an owner of the subscription makes it again; where not, PUT the subscription without it.",
    Why.SHORTENED: "Somebody let it end earlier than it was left: it is not extended. Where it is needed for longer, an "
    "owner of the subscription gives it the end that it had or a later one; where not, PUT the subscription without it.",
    Why.LAPSED: "It ended more than 30 days ago and cannot be renewed any more. An owner of the subscription makes it anew.",
}

TOLD: dict[Of, dict[Why, str]] = {Of.TENANT: _IN_A_TENANT, Of.SUBSCRIPTION: _ON_A_SUBSCRIPTION}

NOT_OURS_TOLD = "It ends, and is not ours: it is left to end."
MISSING_TOLD = (
    "It is declared, and nothing of it has been seen on the subscription: renewal makes none. An owner of the subscription "
    "makes it."
)

BARRED_TOLD = "The deployment does not allow its role any more (TENANTRY_AZURE_ROLES): it is left to end."

BARRED = "RoleNotAllowed"
CAPPED = "CapReached"
PENDING = "Pending"
SHORTER = "PolicyWouldShorten"


def line(row: Eligibility, seen: Seen, verdict: Verdict, of: Of = Of.TENANT) -> Line | None:
    """What is to be said of an eligibility that is not written tonight; None where nothing is."""
    told = about(row, Outcome.KEPT, seen.end)
    match verdict:
        case Fine(end=None):
            return msgspec.structs.replace(told, outcome=Outcome.PERMANENT, told="It has no end: it is not touched.")
        case Kept(allowed=allowed):
            what = f"The PIM policy of the role would let it last until {allowed:%Y-%m-%d} only: it keeps its end."
            return msgspec.structs.replace(told, why=SHORTER, told=what)
        case Refused(why=why):
            return msgspec.structs.replace(told, outcome=Outcome.REFUSED, why=why, told=TOLD[of][why])
        case _:
            return None


def about(row: Eligibility, outcome: Outcome, end: datetime | None) -> Line:
    """A line about an eligibility of ours."""
    return Line(
        principal_id=row.principal_id,
        role_definition_id=row.role_definition_id,
        analyst_id=row.analyst_id,
        outcome=outcome,
        was=row.end,
        end=end,
    )


def merged(known: Report | None, found: Report, *, looked: bool = False) -> Report:
    """A day's report once more was found: what is told anew of an eligibility takes the place of what was told before.

    `looked`: everything was looked at anew, so that of what was told before only what was written still holds.
    """
    if known is None:
        return found
    kept = [one for one in known.lines if not looked or one.outcome in _WRITTEN]
    lines = {(one.principal_id, one.role_definition_id): one for one in (*kept, *found.lines)}
    told = tuple(lines[key] for key in sorted(lines))
    return msgspec.structs.replace(found, lines=told, next_end=found.next_end or known.next_end)


def counted(reports: Iterable[Report]) -> dict[Outcome, int]:
    """How many eligibilities came to what."""
    found = dict.fromkeys(Outcome, 0)
    for report in reports:
        for line in report.lines:
            found[line.outcome] += 1
    return found
