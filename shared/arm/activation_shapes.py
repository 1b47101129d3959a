"""Azure Resource Manager's wire shapes of activations, with only the fields that we read, and what they say for us. Pure."""

import re
from datetime import datetime
from enum import StrEnum

import msgspec

from shared.arm.shapes import last_part, scope_of
from shared.durations import days_of
from shared.identifiers import ObjectId, SubscriptionId, as_guid

_WAITING = frozenset({"PendingApproval"})
_GRANTED = frozenset({"Provisioned", "Granted", "ScheduleCreated"})
_OVER = frozenset(
    {
        "Denied",
        "AdminDenied",
        "Canceled",
        "Failed",
        "FailedAsResourceIsLocked",
        "TimedOut",
        "Invalid",
        "Revoked",
        "PendingRevocation",
    }
)
ACTIVATED, ASSIGNED = "SelfActivate", "AdminAssign"
"""How a role becomes active: somebody eligible activates it, or it is assigned to them."""

_BELOW = re.compile(r"(/resourceGroups/[^/?#]+(/providers/[^?#]+)?)?", re.IGNORECASE)


class Standing(StrEnum):
    """How an activation stands. Statuses may be added by the vendor: an unknown one is in flight."""

    WAITING = "waiting"
    IN_FLIGHT = "inFlight"
    GRANTED = "granted"
    OVER = "over"


class AskedActivation(msgspec.Struct, frozen=True, kw_only=True):
    """A request for an activation, at a subscription or below it. `minutes`: how long it is to last, where it says so. The
    names are as PIM told them, for people to read; nothing is decided by them. `start`: from when on, where that lies ahead.
    `schedule_id`: of the active assignment that came of it.
    """

    request_id: str
    subscription_id: SubscriptionId
    below: str
    role_definition_id: str
    principal_id: ObjectId
    requestor_id: ObjectId
    status: str
    approval_id: str
    justification: str
    ticket: str
    ticket_system: str
    created: datetime
    minutes: int | None
    start: datetime | None = None
    schedule_id: str = ""
    scope_name: str = ""
    principal_name: str = ""

    @property
    def standing(self) -> Standing:
        """How it stands."""
        if self.status in _WAITING:
            return Standing.WAITING
        if self.status in _GRANTED:
            return Standing.GRANTED
        return Standing.OVER if self.status in _OVER else Standing.IN_FLIGHT


class ActiveAssignment(msgspec.Struct, frozen=True, kw_only=True):
    """An active assignment that is in force. `is_activated`: somebody eligible activated it. No end: it has none."""

    below: str
    role_definition_id: str
    principal_id: ObjectId
    start: datetime | None
    end: datetime | None
    is_activated: bool
    schedule_id: str = ""


class _Ticket(msgspec.Struct, rename="camel"):
    ticket_number: str | None = None
    ticket_system: str | None = None


class _Expiration(msgspec.Struct, rename="camel"):
    duration: str | None = None
    end_date_time: datetime | None = None


class _Schedule(msgspec.Struct, rename="camel"):
    start_date_time: datetime | None = None
    expiration: _Expiration | None = None


class _Named(msgspec.Struct, rename="camel"):
    display_name: str | None = None


class _Expanded(msgspec.Struct):
    scope: _Named | None = None
    principal: _Named | None = None


class _Asked(msgspec.Struct, rename="camel", kw_only=True):
    request_type: str
    status: str = ""
    scope: str
    role_definition_id: str
    principal_id: str
    requestor_id: str | None = None
    approval_id: str | None = None
    justification: str | None = None
    created_on: datetime
    target_role_assignment_schedule_id: str | None = None
    ticket_info: _Ticket | None = None
    schedule_info: _Schedule | None = None
    expanded_properties: _Expanded | None = None


class _AskedItem(msgspec.Struct):
    name: str
    properties: _Asked


class _Active(msgspec.Struct, rename="camel", kw_only=True):
    scope: str
    role_definition_id: str
    principal_id: str
    assignment_type: str | None = None
    role_assignment_schedule_id: str | None = None
    start_date_time: datetime | None = None
    end_date_time: datetime | None = None


class _ActiveItem(msgspec.Struct):
    properties: _Active


def asked_in(
    item: msgspec.Raw | bytes, subscription_id: SubscriptionId, kind: str = ACTIVATED
) -> AskedActivation | None:
    """A request of that kind, if it is for a role at the subscription or below it."""
    found = msgspec.json.decode(item, type=_AskedItem)
    asked, below, name = found.properties, below_in(found.properties.scope, subscription_id), as_guid(found.name)
    if asked.request_type != kind or below is None or name is None:
        return None
    ticket, names = asked.ticket_info or _Ticket(), asked.expanded_properties or _Expanded()
    return AskedActivation(
        request_id=name,
        subscription_id=subscription_id,
        below=below,
        role_definition_id=last_part(asked.role_definition_id),
        principal_id=ObjectId(asked.principal_id.lower()),
        requestor_id=ObjectId((asked.requestor_id or asked.principal_id).lower()),
        status=asked.status,
        approval_id=last_part(asked.approval_id or ""),
        justification=asked.justification or "",
        ticket=ticket.ticket_number or "",
        ticket_system=ticket.ticket_system or "",
        created=asked.created_on,
        minutes=_minutes(asked.schedule_info),
        start=None if asked.schedule_info is None else asked.schedule_info.start_date_time,
        schedule_id=last_part(asked.target_role_assignment_schedule_id or ""),
        scope_name=_name(names.scope),
        principal_name=_name(names.principal),
    )


def active_in(item: msgspec.Raw, subscription_id: SubscriptionId) -> ActiveAssignment | None:
    """An active assignment, if it is at the subscription or below it."""
    found = msgspec.json.decode(item, type=_ActiveItem).properties
    below = below_in(found.scope, subscription_id)
    if below is None:
        return None
    return ActiveAssignment(
        below=below,
        role_definition_id=last_part(found.role_definition_id),
        principal_id=ObjectId(found.principal_id.lower()),
        start=found.start_date_time,
        end=found.end_date_time,
        is_activated=found.assignment_type == "Activated",
        schedule_id=last_part(found.role_assignment_schedule_id or ""),
    )


def below_in(scope: str, subscription_id: SubscriptionId) -> str | None:
    """What follows the subscription in a scope; None for any other scope. It becomes a part of paths, so it is looked at."""
    path, above = scope.rstrip("/"), scope_of(subscription_id)
    if path.lower() != above and not path.lower().startswith(f"{above}/"):
        return None
    below = path[len(above) :]
    return below if _BELOW.fullmatch(below) else None


def _name(named: _Named | None) -> str:
    return "" if named is None else named.display_name or ""


def _minutes(schedule: _Schedule | None) -> int | None:
    expiration = None if schedule is None else schedule.expiration
    if schedule is None or expiration is None:
        return None
    if expiration.duration:
        days = days_of(expiration.duration)
        return None if days is None else round(days * 1440)
    if expiration.end_date_time is None or schedule.start_date_time is None:
        return None
    return round((expiration.end_date_time - schedule.start_date_time).total_seconds() / 60)
