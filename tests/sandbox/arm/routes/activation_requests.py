"""Requests for active assignments on the wire: activations, and what administrators assign (section 4)."""

from tests.sandbox.answers import Answer
from tests.sandbox.arm.call import Call, page
from tests.sandbox.arm.errors import not_found
from tests.sandbox.arm.filters import AS_APPROVER, AS_REQUESTOR, AS_TARGET, AT_SCOPE, PRINCIPAL
from tests.sandbox.arm.models.activations import Activation
from tests.sandbox.arm.models.records import ADMIN_ACTIONS
from tests.sandbox.arm.router import AUTHORIZATION, STABLE, Route
from tests.sandbox.arm.routes.approvals import APPROVALS, waits_for
from tests.sandbox.arm.routes.request_bodies import name_of, request_shape, request_wire, wanted_of
from tests.sandbox.graph.wire import Body, Wire

_ACTION = f"{AUTHORIZATION}/roleAssignmentScheduleRequests"
_LINKED = "linkedRoleEligibilityScheduleId"
_REQUEST = request_shape(_LINKED, "targetRoleAssignmentScheduleId", "targetRoleAssignmentScheduleInstanceId")


def _put(call: Call) -> Answer:
    return Answer(status=201, body=_wire(call, _made(call, store=True)))


def _validate(call: Call) -> Answer:
    return Answer(body=_wire(call, _made(call, store=False)))


def _made(call: Call, *, store: bool) -> Activation:
    """Whoever is eligible may activate without any right; below the subscription they must see the resource group."""
    name, wanted = name_of(call), wanted_of(call, "targetRoleAssignmentScheduleId")
    if wanted.action in ADMIN_ACTIONS:
        call.require(f"{_ACTION}/write")
    elif call.scope.group is not None:
        call.require("Microsoft.Resources/subscriptions/resourceGroups/read")
    linked = (call.body.object("properties") or Body({})).text_or_none(_LINKED)
    made = call.subscription.activations.request(name, wanted, call.caller.requestor, linked, store=store)
    if made.request.swallowed:
        call.violate(f"arm: the role of {wanted.action} has the prefix '{wanted.role_prefix}', so nothing comes of it")
    return made


def _list(call: Call) -> Answer:
    found = [one for one in call.subscription.activations.listed() if call.scope.holds(one.request.wanted.scope)]
    me, chosen = call.caller.object_id, call.filter
    if chosen is not None:
        match chosen.name:
            case "atScope()":
                found = [one for one in found if one.request.wanted.scope.same_as(call.scope)]
            case "principalId":
                found = [one for one in found if one.request.wanted.principal_id == chosen.value.lower()]
            case "asRequestor()":
                found = [one for one in found if one.request.requestor_id == me]
            case "asTarget()":
                found = [one for one in found if one.request.wanted.principal_id == me]
            case _:
                found = [one for one in found if waits_for(call, call.subscription, one)]
    return page(call, [_wire(call, one) for one in found])


def _read(call: Call) -> Answer:
    return Answer(body=_wire(call, _find(call)))


def _cancel(call: Call) -> Answer:
    """One's own, or anybody's with the right. Whether an application may is an open question."""
    found = _find(call)
    if found.request.requestor_id != call.caller.object_id:
        spared = not (call.caller.is_application and call.ground.switches.is_flipped("arm-applications-cannot-cancel"))
        call.require(f"{_ACTION}/cancel/action", granted=spared)
    return Answer(body=_wire(call, call.subscription.activations.cancel(found.request.id)))


def _find(call: Call) -> Activation:
    found = call.subscription.activations.kept(call.ids["id"])
    if found is None or not found.request.wanted.scope.same_as(call.scope):
        raise not_found("RoleAssignmentRequestNotFound", f"The request '{call.ids['id']}' is not found.")
    return found


def _wire(call: Call, activation: Activation) -> Wire:
    """The approval's id was seen as a path and as a bare GUID (section 4.1)."""
    approval_id = activation.approval.id if activation.approval else None
    if approval_id is not None and not call.ground.switches.is_flipped("arm-approval-id-is-bare"):
        approval_id = f"{APPROVALS}/{approval_id}"
    own: Wire = {
        "targetRoleAssignmentScheduleId": activation.request.target_schedule_id,
        "targetRoleAssignmentScheduleInstanceId": None,
        _LINKED: activation.linked,
        "approvalId": approval_id,
    }
    status = call.subscription.activations.status_of(activation)
    return request_wire(call, activation.request, "RoleAssignmentScheduleRequests", status, own)


ROUTES = (
    Route(
        call="GET /roleAssignmentScheduleRequests",
        handler=_list,
        versions=STABLE,
        action=f"{_ACTION}/read",
        filters=frozenset({AT_SCOPE, PRINCIPAL, AS_REQUESTOR, AS_TARGET, AS_APPROVER}),
        lists=True,
    ),
    Route(call="GET /roleAssignmentScheduleRequests/{id}", handler=_read, versions=STABLE, action=f"{_ACTION}/read"),
    Route(call="PUT /roleAssignmentScheduleRequests/{id}", handler=_put, versions=STABLE, body=_REQUEST),
    Route(call="POST /roleAssignmentScheduleRequests/{id}/validate", handler=_validate, versions=STABLE, body=_REQUEST),
    Route(call="POST /roleAssignmentScheduleRequests/{id}/cancel", handler=_cancel, versions=STABLE),
)
