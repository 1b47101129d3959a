"""What requests for eligibilities and for active assignments have in common on the wire (sections 3.2 and 4.1)."""

from datetime import datetime

from tests.sandbox.arm.call import Call
from tests.sandbox.arm.errors import ArmError, bad_request, malformed
from tests.sandbox.arm.models.records import ADMIN_ACTIONS, SELF_ACTIONS, Request, Ticket, Wanted, Window
from tests.sandbox.arm.router import AUTHORIZATION
from tests.sandbox.arm.routes.expanded import expanded
from tests.sandbox.arm.routes.resources import resource
from tests.sandbox.graph.wire import (
    Body,
    Check,
    Wire,
    a_duration,
    a_guid,
    a_moment,
    a_text,
    an_object,
    is_guid,
    moment,
    nullable,
    one_of,
    parse_duration,
    parse_moment,
)

_EXPIRATION = an_object(
    {
        "type": one_of(("AfterDuration", "AfterDateTime", "NoExpiration")),
        "endDateTime": nullable(a_moment),
        "duration": nullable(a_duration),
    },
    required=("type",),
)
_SCHEDULE_INFO = an_object({"startDateTime": nullable(a_moment), "expiration": _EXPIRATION}, required=("expiration",))
_TICKET = an_object({"ticketNumber": nullable(a_text), "ticketSystem": nullable(a_text)})


def request_shape(*further: str) -> Check:
    """The body of a request; `further` are its own names of related schedules."""
    properties = an_object(
        {
            "principalId": a_guid,
            "roleDefinitionId": a_text,
            "requestType": one_of((*ADMIN_ACTIONS, *SELF_ACTIONS)),
            "justification": nullable(a_text),
            "scheduleInfo": nullable(_SCHEDULE_INFO),
            "ticketInfo": nullable(_TICKET),
            "condition": nullable(a_text),
            "conditionVersion": nullable(a_text),
            **dict.fromkeys(further, nullable(a_text)),
        },
        required=("principalId", "roleDefinitionId", "requestType"),
    )
    return an_object({"properties": properties}, required=("properties",))


def name_of(call: Call) -> str:
    """The caller's own GUID."""
    name = call.ids["id"].lower()
    if not is_guid(name):
        raise malformed(f"the name '{name}' is no GUID.", "InvalidRoleScheduleRequestName")
    return name


def wanted_of(call: Call, target_name: str) -> Wanted:
    """What the request asks for; combinations that no caller should send are loud."""
    body = call.body.object("properties") or Body({})
    info, ticket = body.object("scheduleInfo"), body.object("ticketInfo") or Body({})
    prefix, role_id = _role(body.text("roleDefinitionId"))
    target = body.text_or_none(target_name)
    return Wanted(
        action=body.text("requestType"),
        principal_id=body.guid("principalId"),
        role_id=role_id,
        role_prefix=prefix,
        scope=call.scope,
        window=_window(info, body.text("requestType"), call.ground.now()),
        justification=body.text_or_none("justification"),
        ticket=Ticket(number=ticket.text_or_none("ticketNumber"), system=ticket.text_or_none("ticketSystem")),
        condition=(body.text_or_none("condition"), body.text_or_none("conditionVersion")),
        target_schedule=target,
    )


def _role(text: str) -> tuple[str, str]:
    """What stands before the role definition, and its GUID."""
    before, _, name = text.rpartition("/")
    if not is_guid(name):
        raise bad_request("RoleNotFound", f"The role definition '{text}' is not found.")
    marker = f"/providers/{AUTHORIZATION}/roleDefinitions".lower()
    if not before.lower().endswith(marker):
        return f"?{before}", name.lower()
    return before[: -len(marker)], name.lower()


def _window(info: Body | None, action: str, now: datetime) -> Window:
    if info is None:
        if action not in ("AdminRemove", "SelfDeactivate"):
            raise malformed("a value is required for property 'scheduleInfo'.")
        return Window(start=now, end=None, kind="NoExpiration")
    given = info.text_or_none("startDateTime")
    start = parse_moment(given, "startDateTime") if given else now
    expiration = info.object("expiration") or Body({})
    kind, end = expiration.text("type"), None
    duration, until = expiration.text_or_none("duration"), expiration.text_or_none("endDateTime")
    if kind == "AfterDuration" and duration is not None and until is None:
        end = start + parse_duration(duration, "duration")
    elif kind == "AfterDateTime" and until is not None and duration is None:
        end = parse_moment(until, "endDateTime")
    elif kind != "NoExpiration" or duration is not None or until is not None:
        text = "The expiration doesn't fit its type."
        raise ArmError(400, "InvalidRoleAssignmentRequestSchedule", text, violation=True)
    return Window(start=start, end=end, kind=kind, duration=duration)


def request_wire(call: Call, request: Request, kind: str, status: str, own: Wire) -> Wire:
    """A request as every answer shows it; `own` are the properties of its kind."""
    wanted, window = request.wanted, request.wanted.window
    until = moment(window.end) if window.end is not None and window.kind == "AfterDateTime" else None
    role = f"/providers/{AUTHORIZATION}/roleDefinitions/{wanted.role_id}"
    properties: Wire = {
        **own,
        "scope": wanted.scope.path,
        "roleDefinitionId": f"{wanted.role_prefix.lstrip('?')}{role}",
        "principalId": wanted.principal_id,
        "principalType": call.subscription.access.principal_type(wanted.principal_id) or "Unknown",
        "requestType": wanted.action,
        "status": status,
        "scheduleInfo": {
            "startDateTime": moment(window.start),
            "expiration": {"type": window.kind, "endDateTime": until, "duration": window.duration},
        },
        "ticketInfo": {"ticketNumber": wanted.ticket.number, "ticketSystem": wanted.ticket.system},
        "justification": wanted.justification,
        "requestorId": request.requestor_id,
        "createdOn": moment(request.made_at),
        "condition": wanted.condition[0],
        "conditionVersion": wanted.condition[1],
        "expandedProperties": expanded(call.subscription, wanted.scope, wanted.role_id, wanted.principal_id),
    }
    return resource(wanted.scope, kind, request.id, properties)
