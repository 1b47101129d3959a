"""Requests for eligibilities on the wire (section 3.2)."""

from datetime import datetime

from tests.sandbox.arm.call import Answer, Call, page
from tests.sandbox.arm.errors import ArmError, bad_request, malformed, not_found
from tests.sandbox.arm.filters import AS_APPROVER, AS_REQUESTOR, AS_TARGET, AT_SCOPE, PRINCIPAL
from tests.sandbox.arm.models.records import ADMIN_ACTIONS, SELF_ACTIONS, Request, Ticket, Wanted, Window
from tests.sandbox.arm.router import AUTHORIZATION, STABLE, Route
from tests.sandbox.arm.routes.expanded import expanded
from tests.sandbox.graph.wire import (
    Body,
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

_ACTION = f"{AUTHORIZATION}/roleEligibilityScheduleRequests"
_EXPIRATION = an_object(
    {
        "type": one_of(("AfterDuration", "AfterDateTime", "NoExpiration")),
        "endDateTime": nullable(a_moment),
        "duration": nullable(a_duration),
    },
    required=("type",),
)
_PROPERTIES = an_object(
    {
        "principalId": a_guid,
        "roleDefinitionId": a_text,
        "requestType": one_of((*ADMIN_ACTIONS, *SELF_ACTIONS)),
        "justification": nullable(a_text),
        "scheduleInfo": nullable(
            an_object({"startDateTime": nullable(a_moment), "expiration": _EXPIRATION}, required=("expiration",))
        ),
        "ticketInfo": nullable(an_object({"ticketNumber": nullable(a_text), "ticketSystem": nullable(a_text)})),
        "condition": nullable(a_text),
        "conditionVersion": nullable(a_text),
        "targetRoleEligibilityScheduleId": nullable(a_text),
        "targetRoleEligibilityScheduleInstanceId": nullable(a_text),
    },
    required=("principalId", "roleDefinitionId", "requestType"),
)
_REQUEST = an_object({"properties": _PROPERTIES}, required=("properties",))


def _put(call: Call) -> Answer:
    request = _made(call, store=True)
    return Answer(status=201, body=_wire(call, request))


def _validate(call: Call) -> Answer:
    """A dry run: the same checks, nothing is stored."""
    return Answer(body=_wire(call, _made(call, store=False)))


def _made(call: Call, *, store: bool) -> Request:
    name = call.ids["id"].lower()
    if not is_guid(name):
        raise malformed(f"the name '{name}' is no GUID.", "InvalidRoleEligibilityScheduleRequestName")
    wanted = _wanted(call)
    request = call.subscription.pim.request(name, wanted, call.caller.requestor, store=store)
    if request.swallowed:
        # Section 1: it looks accepted and never shows up. No correct caller sends it, so tests hear of it.
        call.violate(f"arm: the role of {wanted.action} has the prefix '{wanted.role_prefix}', so nothing comes of it")
    return request


def _list(call: Call) -> Answer:
    found = [one for one in call.subscription.pim.listed_requests() if call.scope.holds(one.wanted.scope)]
    me = call.caller.object_id
    match call.filter:
        case None:
            pass
        case wanted if wanted.name == AT_SCOPE:
            found = [one for one in found if one.wanted.scope.same_as(call.scope)]
        case wanted if wanted.name == PRINCIPAL:
            found = [one for one in found if one.wanted.principal_id == wanted.value.lower()]
        case wanted if wanted.name == AS_REQUESTOR:
            found = [one for one in found if one.requestor_id == me]
        case wanted if wanted.name == AS_TARGET:
            found = [one for one in found if one.wanted.principal_id == me]
        case _:
            found = []
    return page(call, [_wire(call, one) for one in found])


def _read(call: Call) -> Answer:
    return Answer(body=_wire(call, _find(call)))


def _cancel(call: Call) -> Answer:
    return Answer(body=_wire(call, call.subscription.pim.cancel(_find(call).id)))


def _find(call: Call) -> Request:
    found = call.subscription.pim.kept_request(call.ids["id"])
    if found is None or not found.wanted.scope.same_as(call.scope):
        raise not_found("RoleAssignmentRequestNotFound", f"The request '{call.ids['id']}' is not found.")
    return found


def _wanted(call: Call) -> Wanted:
    body = call.body.object("properties") or Body({})
    info, ticket = body.object("scheduleInfo"), body.object("ticketInfo") or Body({})
    prefix, role_id = _role(body.text("roleDefinitionId"))
    target = body.text_or_none("targetRoleEligibilityScheduleId")
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


def _wire(call: Call, request: Request) -> Wire:
    wanted, window = request.wanted, request.wanted.window
    until = moment(window.end) if window.end is not None and window.kind == "AfterDateTime" else None
    role = f"/providers/{AUTHORIZATION}/roleDefinitions/{wanted.role_id}"
    return {
        "properties": {
            "targetRoleEligibilityScheduleId": request.target_schedule_id,
            "targetRoleEligibilityScheduleInstanceId": None,
            "scope": wanted.scope.path,
            "roleDefinitionId": f"{wanted.role_prefix.lstrip('?')}{role}",
            "principalId": wanted.principal_id,
            "principalType": call.subscription.access.principal_type(wanted.principal_id) or "Unknown",
            "requestType": wanted.action,
            "status": call.subscription.pim.status_of(request),
            "approvalId": None,
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
        },
        "name": request.id,
        "id": f"{wanted.scope.path}/providers/{AUTHORIZATION}/RoleEligibilityScheduleRequests/{request.id}",
        "type": f"{AUTHORIZATION}/RoleEligibilityScheduleRequests",
    }


ROUTES = (
    Route(
        line="GET /roleEligibilityScheduleRequests",
        handler=_list,
        versions=STABLE,
        action=f"{_ACTION}/read",
        filters=frozenset({AT_SCOPE, PRINCIPAL, AS_REQUESTOR, AS_TARGET, AS_APPROVER}),
        lists=True,
    ),
    Route(line="GET /roleEligibilityScheduleRequests/{id}", handler=_read, versions=STABLE, action=f"{_ACTION}/read"),
    Route(
        line="PUT /roleEligibilityScheduleRequests/{id}",
        handler=_put,
        versions=STABLE,
        action=f"{_ACTION}/write",
        body=_REQUEST,
    ),
    Route(
        line="POST /roleEligibilityScheduleRequests/{id}/validate",
        handler=_validate,
        versions=STABLE,
        action=f"{_ACTION}/write",
        body=_REQUEST,
    ),
    Route(
        line="POST /roleEligibilityScheduleRequests/{id}/cancel",
        handler=_cancel,
        versions=STABLE,
        action=f"{_ACTION}/cancel/action",
    ),
)
