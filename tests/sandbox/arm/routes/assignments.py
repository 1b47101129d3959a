"""Who holds which role: PIM's active assignments, and plain role assignments, among which PIM's stand too (section 2.3)."""

from uuid import NAMESPACE_OID, uuid5

from tests.sandbox.answers import Answer
from tests.sandbox.arm.call import Call, page
from tests.sandbox.arm.filters import AS_TARGET, ASSIGNED_TO, AT_SCOPE, PRINCIPAL, Filter
from tests.sandbox.arm.models.records import Schedule
from tests.sandbox.arm.models.scope import Scope
from tests.sandbox.arm.router import AUTHORIZATION, STABLE, Route
from tests.sandbox.arm.routes.expanded import role_path
from tests.sandbox.arm.routes.resources import path_of, resource, schedule_wire
from tests.sandbox.graph.wire import Wire, moment

_FILTERS = frozenset({AT_SCOPE, AS_TARGET, ASSIGNED_TO, PRINCIPAL})


def _list_schedules(call: Call) -> Answer:
    return page(call, [_schedule_wire(call, one) for one in _chosen(call)])


def _list_instances(call: Call) -> Answer:
    now = call.ground.now()
    return page(call, [_instance_wire(call, one) for one in _chosen(call) if one.window.start <= now])


def _list_assignments(call: Call) -> Answer:
    """Plain ones for good, and one for each active assignment of PIM's while it lasts."""
    now, subscription = call.ground.now(), call.subscription
    found = [
        _assignment_wire(call, one.id, one.principal_id, one.role.id, one.scope)
        for one in subscription.access.assignments.values()
        if _fits(call, one.scope, one.principal_id)
    ]
    found.extend(
        _assignment_wire(call, _origin(one), one.principal_id, one.role_id, one.scope)
        for one in subscription.activations.shown()
        if one.window.start <= now and _fits(call, one.scope, one.principal_id)
    )
    return page(call, found)


def _chosen(call: Call) -> list[Schedule]:
    call.subscription.rules.require_licence()
    return [one for one in call.subscription.activations.shown() if _fits(call, one.scope, one.principal_id)]


def _fits(call: Call, scope: Scope, principal_id: str) -> bool:
    chosen = call.filter or Filter("")
    near = call.scope.holds(scope) or scope.holds(call.scope)
    if chosen.name == AT_SCOPE:
        return scope.holds(call.scope)
    if chosen.name == PRINCIPAL:
        return near and principal_id == chosen.value.lower()
    if chosen.name in (ASSIGNED_TO, AS_TARGET):
        target = call.caller.object_id if chosen.name == AS_TARGET else chosen.value.lower()
        group = call.subscription.tenant.directory.groups.get(principal_id)
        return near and (principal_id == target or (group is not None and target in group.members))
    return call.scope.holds(scope)


def _origin(schedule: Schedule) -> str:
    return str(uuid5(NAMESPACE_OID, f"{schedule.id}/assignment"))


def _common(call: Call, schedule: Schedule) -> Wire:
    linked = call.subscription.activations.linked_to(schedule)
    return {
        **schedule_wire(call, schedule, schedule.window, schedule.principal_id, "Direct"),
        "linkedRoleEligibilityScheduleId": linked,
        "assignmentType": "Activated" if linked else "Assigned",
    }


def _schedule_wire(call: Call, schedule: Schedule) -> Wire:
    request = path_of(schedule.scope, "RoleAssignmentScheduleRequests", schedule.request_id or "")
    properties = {
        **_common(call, schedule),
        "roleAssignmentScheduleRequestId": request,
        "updatedOn": moment(schedule.modified_at),
    }
    return resource(schedule.scope, "RoleAssignmentSchedules", schedule.id, properties)


def _instance_wire(call: Call, schedule: Schedule) -> Wire:
    name = _origin(schedule)
    properties = {
        **_common(call, schedule),
        "originRoleAssignmentId": path_of(schedule.scope, "roleAssignments", name),
        "roleAssignmentScheduleId": path_of(schedule.scope, "RoleAssignmentSchedules", schedule.id),
    }
    return resource(schedule.scope, "RoleAssignmentScheduleInstances", name, properties)


def _assignment_wire(call: Call, name: str, principal_id: str, role_id: str, scope: Scope) -> Wire:
    properties: Wire = {
        "roleDefinitionId": role_path(call.subscription, role_id, scope),
        "principalId": principal_id,
        "principalType": call.subscription.access.principal_type(principal_id) or "Unknown",
        "scope": scope.path,
        "condition": None,
        "conditionVersion": None,
    }
    return resource(scope, "roleAssignments", name, properties)


ROUTES = (
    Route(
        call="GET /roleAssignmentSchedules",
        handler=_list_schedules,
        versions=STABLE,
        action=f"{AUTHORIZATION}/roleAssignmentSchedules/read",
        filters=_FILTERS,
        lists=True,
    ),
    Route(
        call="GET /roleAssignmentScheduleInstances",
        handler=_list_instances,
        versions=STABLE,
        action=f"{AUTHORIZATION}/roleAssignmentScheduleInstances/read",
        filters=_FILTERS,
        lists=True,
    ),
    Route(
        call="GET /roleAssignments",
        handler=_list_assignments,
        versions=("2022-04-01",),
        action=f"{AUTHORIZATION}/roleAssignments/read",
        filters=frozenset({AT_SCOPE, ASSIGNED_TO, PRINCIPAL}),
        lists=True,
    ),
)
