"""Requests for eligibilities on the wire (section 3.2)."""

from tests.sandbox.answers import Answer
from tests.sandbox.arm.call import Call, page
from tests.sandbox.arm.errors import not_found
from tests.sandbox.arm.filters import AS_APPROVER, AS_REQUESTOR, AS_TARGET, AT_SCOPE, PRINCIPAL
from tests.sandbox.arm.models.records import Request
from tests.sandbox.arm.router import AUTHORIZATION, STABLE, Route
from tests.sandbox.arm.routes.request_bodies import name_of, request_shape, request_wire, wanted_of
from tests.sandbox.graph.wire import Wire

_ACTION = f"{AUTHORIZATION}/roleEligibilityScheduleRequests"
_REQUEST = request_shape("targetRoleEligibilityScheduleId", "targetRoleEligibilityScheduleInstanceId")


def _put(call: Call) -> Answer:
    request = _made(call, store=True)
    return Answer(status=201, body=_wire(call, request))


def _validate(call: Call) -> Answer:
    """A dry run: the same checks, nothing is stored."""
    return Answer(body=_wire(call, _made(call, store=False)))


def _made(call: Call, *, store: bool) -> Request:
    name = name_of(call)
    wanted = wanted_of(call, "targetRoleEligibilityScheduleId")
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


def _wire(call: Call, request: Request) -> Wire:
    own: Wire = {
        "targetRoleEligibilityScheduleId": request.target_schedule_id,
        "targetRoleEligibilityScheduleInstanceId": None,
        "approvalId": None,
    }
    return request_wire(call, request, "RoleEligibilityScheduleRequests", call.subscription.pim.status_of(request), own)


ROUTES = (
    Route(
        call="GET /roleEligibilityScheduleRequests",
        handler=_list,
        versions=STABLE,
        action=f"{_ACTION}/read",
        filters=frozenset({AT_SCOPE, PRINCIPAL, AS_REQUESTOR, AS_TARGET, AS_APPROVER}),
        lists=True,
    ),
    Route(call="GET /roleEligibilityScheduleRequests/{id}", handler=_read, versions=STABLE, action=f"{_ACTION}/read"),
    Route(
        call="PUT /roleEligibilityScheduleRequests/{id}",
        handler=_put,
        versions=STABLE,
        action=f"{_ACTION}/write",
        body=_REQUEST,
    ),
    Route(
        call="POST /roleEligibilityScheduleRequests/{id}/validate",
        handler=_validate,
        versions=STABLE,
        action=f"{_ACTION}/write",
        body=_REQUEST,
    ),
    Route(
        call="POST /roleEligibilityScheduleRequests/{id}/cancel",
        handler=_cancel,
        versions=STABLE,
        action=f"{_ACTION}/cancel/action",
    ),
)
