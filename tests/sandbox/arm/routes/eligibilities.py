"""Eligibilities on the wire: what was scheduled, and what is in force now (section 3.1)."""

from uuid import NAMESPACE_OID, uuid5

from tests.sandbox.answers import Answer
from tests.sandbox.arm.call import Call, page
from tests.sandbox.arm.errors import not_found
from tests.sandbox.arm.filters import AS_TARGET, ASSIGNED_TO, AT_SCOPE, PRINCIPAL
from tests.sandbox.arm.models.records import Schedule
from tests.sandbox.arm.router import AUTHORIZATION, STABLE, Route
from tests.sandbox.arm.routes.resources import path_of, resource, schedule_wire
from tests.sandbox.graph.wire import Wire, moment

type Row = tuple[Schedule, str, str]
"""A schedule, whom it makes eligible, and how: Direct, Group or Inherited."""

_FILTERS = frozenset({AT_SCOPE, AS_TARGET, ASSIGNED_TO, PRINCIPAL})


def _list_schedules(call: Call) -> Answer:
    return page(call, [_schedule_wire(call, *row) for row in _rows(call)])


def _read_schedule(call: Call) -> Answer:
    call.subscription.pim.require_licence()
    for one in call.subscription.pim.shown():
        if one.id == call.ids["id"].lower() and one.scope.same_as(call.scope):
            return Answer(body=_schedule_wire(call, one, one.principal_id, "Direct"))
    raise not_found("RoleEligibilityScheduleNotFound", f"The schedule '{call.ids['id']}' is not found.")


def _list_instances(call: Call) -> Answer:
    now, pim = call.ground.now(), call.subscription.pim
    begun = [row for row in _rows(call) if pim.seen_window(row[0]).start <= now]
    return page(call, [_instance_wire(call, *row) for row in begun if _in_force(call, row[0])])


def _in_force(call: Call, schedule: Schedule) -> bool:
    """An instance ends with its window, whatever may stay in the list of schedules."""
    end = call.subscription.pim.seen_window(schedule).end
    return end is None or call.ground.now() < end


def _rows(call: Call) -> list[Row]:
    """Without a filter this scope and those below, with atScope() this one and those above (section 3.1)."""
    call.subscription.pim.require_licence()
    shown, wanted = call.subscription.pim.shown(), call.filter
    if wanted is None:
        return _told(call, [one for one in shown if call.scope.holds(one.scope)])
    if wanted.name == AT_SCOPE:
        return _told(call, [one for one in shown if one.scope.holds(call.scope)])
    near = [one for one in shown if call.scope.holds(one.scope) or one.scope.holds(call.scope)]
    if wanted.name == PRINCIPAL:
        return [row for row in _told(call, near) if row[1] == wanted.value.lower()]
    target = call.caller.object_id if wanted.name == AS_TARGET else wanted.value.lower()
    if wanted.name == AS_TARGET:
        near = [one for one in near if one.scope.same_as(call.scope)]
    return [row for row in _told(call, near, members=True) if row[1] == target]


def _told(call: Call, shown: list[Schedule], *, members: bool = False) -> list[Row]:
    rows: list[Row] = []
    members = members or call.ground.switches.is_flipped("arm-lists-show-group-members")
    for one in shown:
        rows.append((one, one.principal_id, "Direct" if call.scope.holds(one.scope) else "Inherited"))
        group = call.subscription.tenant.directory.groups.get(one.principal_id) if members else None
        rows.extend((one, member, "Group") for member in (group.members if group else ()))
    return rows


def _common(call: Call, schedule: Schedule, principal_id: str, member_type: str) -> Wire:
    return schedule_wire(call, schedule, call.subscription.pim.seen_window(schedule), principal_id, member_type)


def _schedule_wire(call: Call, schedule: Schedule, principal_id: str, member_type: str) -> Wire:
    request = None
    if schedule.request_id:
        request = path_of(schedule.scope, "RoleEligibilityScheduleRequests", schedule.request_id)
    properties = {
        **_common(call, schedule, principal_id, member_type),
        "roleEligibilityScheduleRequestId": request,
        "updatedOn": moment(schedule.modified_at),
    }
    return resource(schedule.scope, "RoleEligibilitySchedules", schedule.id, properties)


def _instance_wire(call: Call, schedule: Schedule, principal_id: str, member_type: str) -> Wire:
    name = str(uuid5(NAMESPACE_OID, f"{schedule.id}/{principal_id}"))
    properties = {
        **_common(call, schedule, principal_id, member_type),
        "roleEligibilityScheduleId": path_of(schedule.scope, "RoleEligibilitySchedules", schedule.id),
    }
    return resource(schedule.scope, "RoleEligibilityScheduleInstances", name, properties)


ROUTES = (
    Route(
        call="GET /roleEligibilitySchedules",
        handler=_list_schedules,
        versions=STABLE,
        action=f"{AUTHORIZATION}/roleEligibilitySchedules/read",
        filters=_FILTERS,
        lists=True,
    ),
    Route(
        call="GET /roleEligibilitySchedules/{id}",
        handler=_read_schedule,
        versions=STABLE,
        action=f"{AUTHORIZATION}/roleEligibilitySchedules/read",
    ),
    Route(
        call="GET /roleEligibilityScheduleInstances",
        handler=_list_instances,
        versions=STABLE,
        action=f"{AUTHORIZATION}/roleEligibilityScheduleInstances/read",
        filters=_FILTERS,
        lists=True,
    ),
)
