"""Eligibilities on the wire: what was scheduled, and what is in force now (section 6.3)."""

from tests.sandbox.answers import Answer
from tests.sandbox.graph.call import Call, collection, entity
from tests.sandbox.graph.errors import GraphError
from tests.sandbox.graph.filters import EQUAL
from tests.sandbox.graph.models.pim_records import Schedule, Window
from tests.sandbox.graph.query import Options
from tests.sandbox.graph.router import Route
from tests.sandbox.graph.routes.role_policies import role_wire
from tests.sandbox.graph.wire import Wire, moment

_PIM = "/roleManagement/directory"
_EITHER = EQUAL | {"ne"}
REQUEST_FILTER = dict.fromkeys(("principalId", "roleDefinitionId", "directoryScopeId"), _EITHER)
_FILTER = {**REQUEST_FILTER, "memberType": _EITHER}
_EXPAND = frozenset({"principal", "roleDefinition"})
_BASE = frozenset({"id", "principalId", "roleDefinitionId", "directoryScopeId", "appScopeId", "memberType"})
_SCHEDULE = _BASE | {"createdUsing", "createdDateTime", "modifiedDateTime", "status", "scheduleInfo"}
_INSTANCE = _BASE | {"startDateTime", "endDateTime", "roleEligibilityScheduleId"}


def _list_schedules(call: Call) -> Answer:
    call.tenant.pim.require_licence(reading=True)
    return collection(
        call,
        "roleManagement/directory/roleEligibilitySchedules",
        [_schedule_wire(call, one) for one in call.tenant.pim.shown()],
    )


def _read_schedule(call: Call) -> Answer:
    call.tenant.pim.require_licence(reading=True)
    for one in call.tenant.pim.shown():
        if one.id == call.id():
            return entity(call, "roleManagement/directory/roleEligibilitySchedules/$entity", _schedule_wire(call, one))
    raise GraphError(404, "ResourceNotFound", "The requested resource is not found.")


def _list_instances(call: Call) -> Answer:
    """What is in force now; members of an eligible group have rows of their own (section 6.3)."""
    call.tenant.pim.require_licence(reading=True)
    now = call.estate.ground.now()
    found: list[Wire] = []
    for one in call.tenant.pim.shown():
        if one.window.seen.start > now:
            continue
        found.append(_instance_wire(call, one, one.principal_id, "Direct"))
        group = call.tenant.directory.groups.get(one.principal_id)
        found.extend(_instance_wire(call, one, member, "Group") for member in (group.members if group else ()))
    return collection(call, "roleManagement/directory/roleEligibilityScheduleInstances", found)


def schedule_info(window: Window) -> Wire:
    """An end is always told as a date too, whatever the request said."""
    expiration: Wire = {
        "type": window.end_type,
        "endDateTime": moment(window.end) if window.end else None,
        "duration": None,
    }
    return {"startDateTime": moment(window.start), "recurrence": None, "expiration": expiration}


def _schedule_wire(call: Call, schedule: Schedule) -> Wire:
    return {
        **_common(call, schedule.id, schedule.principal_id, schedule.role_id),
        "createdUsing": schedule.id,
        "createdDateTime": moment(schedule.made_at or schedule.start),
        "modifiedDateTime": moment(schedule.modified_at),
        "status": "Provisioned",
        "memberType": "Direct",
        "scheduleInfo": schedule_info(schedule.window.seen),
    }


def _instance_wire(call: Call, schedule: Schedule, principal_id: str, member_type: str) -> Wire:
    return {
        **_common(call, f"{schedule.id}-{member_type[0]}-{principal_id}", principal_id, schedule.role_id),
        "startDateTime": moment(schedule.window.seen.start),
        "endDateTime": moment(schedule.window.seen.end) if schedule.window.seen.end else None,
        "memberType": member_type,
        "roleEligibilityScheduleId": schedule.id,
    }


def _common(call: Call, row_id: str, principal_id: str, role_id: str) -> Wire:
    wire: Wire = {
        "id": row_id,
        "principalId": principal_id,
        "roleDefinitionId": role_id,
        "directoryScopeId": "/",
        "appScopeId": None,
    }
    if "roleDefinition" in call.query.expand:
        wire["roleDefinition"] = role_wire(role_id)
    if "principal" in call.query.expand:
        user = call.tenant.directory.users.get(principal_id)
        name = user.display_name if user else call.tenant.directory.groups[principal_id].display_name
        wire["principal"] = {
            "@odata.type": f"#microsoft.graph.{'user' if user else 'group'}",
            "id": principal_id,
            "displayName": name,
        }
    return wire


ROUTES = (
    Route(
        call=f"GET {_PIM}/roleEligibilitySchedules",
        handler=_list_schedules,
        options=Options(select=_SCHEDULE, expand=_EXPAND, filter=_FILTER, top=999),
        service="pim",
    ),
    Route(
        call=f"GET {_PIM}/roleEligibilitySchedules/{{id}}",
        handler=_read_schedule,
        options=Options(select=_SCHEDULE),
        service="pim",
    ),
    Route(
        call=f"GET {_PIM}/roleEligibilityScheduleInstances",
        handler=_list_instances,
        options=Options(
            select=_INSTANCE, expand=_EXPAND, filter={**_FILTER, "roleEligibilityScheduleId": _EITHER}, top=999
        ),
        service="pim",
    ),
)
