"""Requests for eligibilities on the wire (section 6.2)."""

from datetime import datetime, timedelta

from tests.sandbox.answers import Answer
from tests.sandbox.graph.call import NO_CONTENT, Call, collection, entity
from tests.sandbox.graph.errors import GraphError, malformed
from tests.sandbox.graph.models.pim_records import Request, Wanted, Window
from tests.sandbox.graph.query import Options
from tests.sandbox.graph.router import Route
from tests.sandbox.graph.routes.eligibilities import REQUEST_FILTER, schedule_info
from tests.sandbox.graph.wire import (
    Body,
    Wire,
    a_duration,
    a_flag,
    a_guid,
    a_moment,
    a_text,
    an_object,
    moment,
    nullable,
    one_of,
    parse_duration,
    parse_moment,
)

_REQUESTS = "/roleManagement/directory/roleEligibilityScheduleRequests"
_ACTIONS = (
    "adminAssign",
    "adminUpdate",
    "adminRemove",
    "selfActivate",
    "selfDeactivate",
    "adminExtend",
    "adminRenew",
    "selfExtend",
    "selfRenew",
)
_EXPIRATION = an_object(
    {
        "type": one_of(("notSpecified", "noExpiration", "afterDateTime", "afterDuration")),
        "endDateTime": nullable(a_moment),
        "duration": nullable(a_duration),
    },
    required=("type",),
    type_name="expirationPattern",
)
_SCHEDULE_INFO = an_object(
    {"startDateTime": nullable(a_moment), "expiration": _EXPIRATION},
    required=("expiration",),
    type_name="requestSchedule",
)
_REQUEST = an_object(
    {
        "action": one_of(_ACTIONS),
        "principalId": a_guid,
        "roleDefinitionId": a_guid,
        "directoryScopeId": a_text,
        "justification": nullable(a_text),
        "isValidationOnly": nullable(a_flag),
        "scheduleInfo": nullable(_SCHEDULE_INFO),
        "ticketInfo": nullable(
            an_object({"ticketNumber": nullable(a_text), "ticketSystem": nullable(a_text)}, type_name="ticketInfo")
        ),
    },
    required=("action", "principalId", "roleDefinitionId", "directoryScopeId"),
    type_name="unifiedRoleEligibilityScheduleRequest",
)


_LATE = timedelta(minutes=5)
"""A start that is older than this lies in the past."""


def _post(call: Call) -> Answer:
    principal = call.tenant.applications.by_app_id(call.app_id)
    now = call.estate.ground.now()
    wanted = _wanted(call.body, now)
    changes = wanted.action in ("adminExtend", "adminUpdate") and wanted.window.start < now - _LATE
    if changes and call.estate.ground.switches.is_flipped("past-start-refused"):
        raise GraphError(400, "InvalidRoleAssignmentRequestSchedule", "The start of the request lies in the past.")
    request = call.tenant.pim.request(wanted, principal.id if principal else None)
    return entity(
        call,
        "roleManagement/directory/roleEligibilityScheduleRequests/$entity",
        _request_wire(call, request),
        status=201,
    )


def _list_requests(call: Call) -> Answer:
    call.tenant.pim.require_licence(reading=True)
    kept = [one for one in call.tenant.pim.requests.values() if call.tenant.pim.kept_request(one.id)]
    return collection(
        call, "roleManagement/directory/roleEligibilityScheduleRequests", [_request_wire(call, one) for one in kept]
    )


def _read_request(call: Call) -> Answer:
    call.tenant.pim.require_licence(reading=True)
    request = call.tenant.pim.kept_request(call.id())
    if request is None:
        raise GraphError(404, "ResourceNotFound", "The requested resource is not found.")
    return entity(
        call, "roleManagement/directory/roleEligibilityScheduleRequests/$entity", _request_wire(call, request)
    )


def _cancel(call: Call) -> Answer:
    call.tenant.pim.cancel(call.id())
    return NO_CONTENT


def _wanted(body: Body, now: datetime) -> Wanted:
    """The request's window, resolved; combinations that no caller should send are loud."""
    info = body.object("scheduleInfo")
    action = body.text("action")
    if info is None and action != "adminRemove":
        raise malformed("A value is required for property 'scheduleInfo'.")
    start, end, kind = now, None, "noExpiration"
    if info is not None:
        given_start = info.text_or_none("startDateTime")
        start = parse_moment(given_start, "startDateTime") if given_start else now
        expiration = info.object("expiration") or Body({})
        kind = expiration.text("type")
        duration, until = expiration.text_or_none("duration"), expiration.text_or_none("endDateTime")
        if kind == "afterDuration" and duration is not None and until is None:
            end = start + parse_duration(duration, "duration")
        elif kind == "afterDateTime" and until is not None and duration is None:
            end = parse_moment(until, "endDateTime")
        elif kind != "noExpiration" or duration is not None or until is not None:
            raise GraphError(
                400, "InvalidRoleAssignmentRequestSchedule", "The expiration doesn't fit its type.", violation=True
            )
    ticket = body.object("ticketInfo")
    return Wanted(
        action=action,
        principal_id=body.guid("principalId"),
        role_id=body.guid("roleDefinitionId"),
        scope=body.text("directoryScopeId"),
        window=Window(start=start, end=end, end_type=kind),
        justification=body.text_or_none("justification"),
        ticket=(ticket.text_or_none("ticketNumber"), ticket.text_or_none("ticketSystem")) if ticket else None,
        validation_only=bool(body.flag_or_none("isValidationOnly")),
    )


def _request_wire(call: Call, request: Request) -> Wire:
    wanted = request.wanted
    ticket = wanted.ticket or (None, None)
    return {
        "id": request.id,
        "status": call.tenant.pim.status_of(request),
        "createdDateTime": moment(request.made_at),
        "completedDateTime": moment(request.made_at),
        "approvalId": None,
        "customData": None,
        "action": wanted.action,
        "principalId": wanted.principal_id,
        "roleDefinitionId": wanted.role_id,
        "directoryScopeId": wanted.scope,
        "appScopeId": None,
        "isValidationOnly": wanted.validation_only,
        "targetScheduleId": request.target_schedule_id,
        "justification": wanted.justification,
        "scheduleInfo": schedule_info(wanted.window),
        "ticketInfo": {"ticketNumber": ticket[0], "ticketSystem": ticket[1]},
    }


ROUTES = (
    Route(call=f"POST {_REQUESTS}", handler=_post, body=_REQUEST, service="pim"),
    Route(
        call=f"GET {_REQUESTS}", handler=_list_requests, options=Options(filter=REQUEST_FILTER, top=999), service="pim"
    ),
    Route(call=f"GET {_REQUESTS}/{{id}}", handler=_read_request, service="pim"),
    Route(call=f"POST {_REQUESTS}/{{id}}/cancel", handler=_cancel, service="pim"),
)
