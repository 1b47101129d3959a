"""What goes out: which alarms there are, what each says, and the body of a webhook. Pure.

A notice says what its alarm in the log says: ids, a code, a date; of an activation request also the reason and the ticket
that its requester typed. Never a name, a mail address or a token of ours.
"""

import hashlib
from datetime import date, datetime
from enum import StrEnum

import msgspec

from shared.identifiers import ObjectId, SubscriptionId, TenantId

BODY_BYTES = 20_000
"""What a webhook's body may have at most (Standard Webhooks, payload size)."""

_LONGEST_WHY = 200


class Destination(StrEnum):
    """Where a message goes."""

    WEBHOOK = "webhook"
    TEAMS = "teams"


class Kind(StrEnum):
    """The alarms, by the names of their events in the log."""

    AT_RISK = "renewal.at_risk"
    LAPSED = "renewal.lapsed"
    REVIEW_DUE = "renewal.review_due"
    GIVEN_UP = "renewal.given_up"
    FAILED = "renewal.failed"
    ACCESS_LOST = "tenant.access_lost"
    RIGHTS_LOST = "subscription.access_lost"
    PENDING = "activation.pending"
    DECIDED = "activation.decided"
    EXPIRED = "activation.expired"
    VIOLATION = "activation.violation"
    DRIFTED = "subscription.drifted"


WHAT: dict[Kind, str] = {
    Kind.AT_RISK: "An eligibility ends soon and could not be renewed.",
    Kind.LAPSED: "An eligibility has ended and could not be renewed.",
    Kind.REVIEW_DUE: "Somebody has to say that the eligibilities are still needed, or they end.",
    Kind.GIVEN_UP: "The renewal of the eligibilities failed all night.",
    Kind.FAILED: "A renewal could not look at everything: a part of what there is could not be listed.",
    Kind.ACCESS_LOST: "A registration that Tenantry works as lost its consent in the tenant.",
    Kind.RIGHTS_LOST: "A registration that Tenantry works as lost its rights on the subscription.",
    Kind.PENDING: "Somebody asks to activate an Azure role, and waits for an approver.",
    Kind.DECIDED: "A request to activate an Azure role was decided.",
    Kind.EXPIRED: "A request to activate an Azure role ended without a decision.",
    Kind.VIOLATION: "An activation of an Azure role passed over a rule of its subscription.",
    Kind.DRIFTED: "Something stands beside the lock-down of the subscription, or could not be looked at.",
}

DO: dict[Kind, str] = {
    Kind.AT_RISK: "Look at the day's renewals for the reason, and at the PIM settings for the role there.",
    Kind.LAPSED: "Look at the day's renewals for the reason; until it is renewed, nobody can activate the role.",
    Kind.REVIEW_DUE: "An operator who holds none of them sends POST to /review below the record.",
    Kind.GIVEN_UP: "It is tried again in the next night. Look at the day's renewals and at the app's log.",
    Kind.FAILED: "Look at the app's log and at its storage, then POST /api/renewals.",
    Kind.ACCESS_LOST: "The tenant's administrator consents again; the link is in the record.",
    Kind.RIGHTS_LOST: "An owner of the subscription gives the registration its rights on it again.",
    Kind.PENDING: "An approver opens the request, looks at what it costs, and decides; nobody decides their own.",
    Kind.DECIDED: "Nothing. Where it was approved, it ends by itself.",
    Kind.EXPIRED: "Whoever still needs the role asks again.",
    Kind.VIOLATION: "Look at the request, and talk to who decided it. Access that should not be is taken back in PIM.",
    Kind.DRIFTED: "Look at the record's drift: it names who may do so without an approval, and which rule was changed.",
}


class ActivationFacts(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What a notice says of an activation request. Money is list prices, in `currency`; `unpriced`: no plan, or not all of it
    has a price. `dearest`: then, what one VM of the dearest expected size costs; `add_plan`: where its requester adds a plan.
    `finance`: whether its verdict is asked, demanded, or given.
    """

    request_id: str
    requester: ObjectId
    state: str
    minutes: int | None = None
    reason: str = ""
    ticket: str = ""
    created: datetime | None = None
    expires: datetime | None = None
    currency: str = ""
    for_hours: str = ""
    for_days: str = ""
    monthly: str = ""
    unpriced: bool = False
    dearest: str = ""
    add_plan: str = ""
    budget_left: str = ""
    finance: str = ""
    approved: bool | None = None
    decided_by: str = ""
    end: datetime | None = None
    violation: str = ""
    reminder: int = 0


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One alarm. What makes it the same fact is its kind, the ids and `about`. `day`: of a day's renewals as a whole."""

    kind: Kind
    at: datetime
    tenant_id: TenantId | None = None
    subscription_id: SubscriptionId | None = None
    principal_id: ObjectId | None = None
    role_definition_id: str | None = None
    registration: str | None = None
    why: str | None = None
    end: datetime | None = None
    day: date | None = None
    activation: ActivationFacts | None = None
    about: str = ""

    @property
    def subject_id(self) -> str:
        """The tenant or the subscription that it is about."""
        return self.tenant_id or self.subscription_id or ""


class NoticeData(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The `data` of a webhook. `end`: of what is at risk or lost. `href`: the record, for who may read it."""

    what: str
    do: str
    href: str
    tenant_id: TenantId | None = None
    subscription_id: SubscriptionId | None = None
    principal_id: ObjectId | None = None
    role_definition_id: str | None = None
    registration: str | None = None
    why: str | None = None
    end: datetime | None = None
    activation: ActivationFacts | None = None


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a webhook (Standard Webhooks, payload structure)."""

    type: str
    timestamp: datetime
    data: NoticeData


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A message that was not delivered yet. `since`: what its time counts from. `stopped`: why it is not tried any more.
    `request_id`: of what is told of an activation request, one after the other.
    """

    id: str
    day: date
    destination: Destination
    type: str
    told: datetime
    since: datetime
    due: datetime
    body: str
    request_id: str = ""
    tries: int = 0
    stopped: str = ""
    problem: str = ""


def data_of(notice: Notice, url: str) -> NoticeData:
    """What a notice says. `url`: where the app is reached. A code of the vendor is cut where it is no code."""
    return NoticeData(
        what=WHAT[notice.kind],
        do=DO[notice.kind],
        href=f"{url}/api/{_where(notice)}",
        tenant_id=notice.tenant_id,
        subscription_id=notice.subscription_id,
        principal_id=notice.principal_id,
        role_definition_id=notice.role_definition_id,
        registration=notice.registration,
        why=None if notice.why is None else notice.why[:_LONGEST_WHY],
        end=notice.end,
        activation=notice.activation,
    )


def _where(notice: Notice) -> str:
    if notice.activation is not None:
        return f"approvals/{notice.activation.request_id}"
    if notice.day is not None:
        return f"renewals/{notice.day.isoformat()}"
    return f"{'tenants' if notice.subscription_id is None else 'subscriptions'}/{notice.subject_id}"


def payload(notice: Notice, url: str) -> str:
    """The body of its webhook."""
    found = Payload(type=notice.kind, timestamp=notice.at, data=data_of(notice, url))
    return msgspec.json.encode(found).decode()


def message_id(day: date, notice: Notice, destination: Destination) -> str:
    """The id of a message: the same for the same fact on the same day, so that nobody is told twice."""
    ids = (notice.subject_id, notice.principal_id, notice.role_definition_id, notice.registration)
    about = () if notice.activation is None else (notice.activation.request_id, notice.about)
    parts = (day.isoformat(), notice.kind, *(one or "" for one in ids), *about, destination)
    return f"msg_{hashlib.sha256('|'.join(parts).encode()).hexdigest()[:32]}"
