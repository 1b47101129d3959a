"""Resources on the wire: their envelope, and what all of PIM's schedules say."""

from tests.sandbox.arm.call import Call
from tests.sandbox.arm.models.records import Schedule, Window
from tests.sandbox.arm.models.scope import Scope
from tests.sandbox.arm.router import AUTHORIZATION
from tests.sandbox.arm.routes.expanded import expanded, role_path
from tests.sandbox.graph.wire import Wire, moment


def path_of(scope: Scope, kind: str, name: str) -> str:
    """A resource's id."""
    return f"{scope.path}/providers/{AUTHORIZATION}/{kind}/{name}"


def resource(scope: Scope, kind: str, name: str, properties: Wire) -> Wire:
    """A resource with its envelope."""
    return {
        "properties": properties,
        "name": name,
        "id": path_of(scope, kind, name),
        "type": f"{AUTHORIZATION}/{kind}",
    }


def schedule_wire(call: Call, schedule: Schedule, window: Window, principal_id: str, member_type: str) -> Wire:
    """A schedule's or an instance's properties, with the window that readers see. What is permanent has no end."""
    wire: Wire = {
        "scope": schedule.scope.path,
        "roleDefinitionId": role_path(call.subscription, schedule.role_id, schedule.scope),
        "principalId": principal_id,
        "principalType": call.subscription.access.principal_type(principal_id) or "Unknown",
        "status": "Provisioned",
        "startDateTime": moment(window.start),
        "memberType": member_type,
        "createdOn": moment(schedule.made_at or schedule.window.start),
        "condition": schedule.condition[0],
        "conditionVersion": schedule.condition[1],
        "expandedProperties": expanded(call.subscription, schedule.scope, schedule.role_id, principal_id),
    }
    if window.end is not None:
        wire["endDateTime"] = moment(window.end)
    return wire
