"""What Graph says of requests that it only validates. Each asks for what is there already, or for nobody: even one that was
carried out would change nothing.
"""

from datetime import timedelta

import msgspec

from shared.doctor.asking import Told, Wish
from shared.doctor.findings import Finding, either, likely, other, unsettled
from shared.doctor.visit import Look, TenantVisit, refused
from shared.graph.pim import RoleAssignment, ScheduleInstance
from shared.permissions import (
    LIST_ELIGIBILITY_INSTANCES,
    LIST_ROLE_ASSIGNMENTS,
    REQUEST_ELIGIBILITY,
    SECURITY_READER,
    Registration,
)

_ROLE = "eligibility-needs-directory-role"
_NOBODY = "subject-not-found-is-400"
_PAST, _WINDOW, _RENEW = "past-start-refused", "extend-window-enforced", "renew-needs-expired"
_OF_ONE = (_PAST, _WINDOW, _RENEW)
_DAY, _LATE, _PORTAL = timedelta(days=1), timedelta(minutes=10), timedelta(days=14)


async def _of_nobody(visit: TenantVisit) -> list[Finding]:
    now = visit.clock.now()
    wish = Wish(action="adminAssign", principal_id=visit.new_id(), start=now, end=now + _DAY)
    told = await visit.asker.would_graph(visit.id, wish)
    if told.status == 403 and await _may_ask(visit):
        text = f"refused with {told.brief}, though its token has the permission"
        return [other(_ROLE, text), *unsettled([_NOBODY], text)]
    if told.code != "SubjectNotFound":
        return refused((_ROLE, _NOBODY), told, Registration.ACCESS)
    told_of_nobody = either(_NOBODY, f"it came with {told.status}", is_other=told.status == 400)
    if await _holds_roles(visit):
        return [told_of_nobody, *unsettled([_ROLE], "Tenantry Access holds a directory role there")]
    return [told_of_nobody, likely(_ROLE, "requests are looked at, and Tenantry Access holds no directory role")]


async def _may_ask(visit: TenantVisit) -> bool:
    """Whether its token has the permission, so that something else is missing."""
    claims = await visit.asker.claims(Registration.ACCESS, visit.id)
    return set(REQUEST_ELIGIBILITY.permissions) <= set(claims.roles)


async def _holds_roles(visit: TenantVisit) -> bool:
    own = (await visit.asker.claims(Registration.ACCESS, visit.id)).oid
    query = {"$filter": f"principalId eq '{own}'"}
    told, rows = await visit.asker.listed(LIST_ROLE_ASSIGNMENTS, Registration.ACCESS, visit.id, (), query)
    return not told.taken or any(msgspec.json.decode(row, type=RoleAssignment).principal_id == own for row in rows)


async def _of_one(visit: TenantVisit) -> list[Finding]:
    query = {"$filter": f"roleDefinitionId eq '{SECURITY_READER}'"}
    told, rows = await visit.asker.listed(LIST_ELIGIBILITY_INSTANCES, Registration.ACCESS, visit.id, (), query)
    if not told.taken:
        return refused(_OF_ONE, told, Registration.ACCESS)
    ours = {one.principal_id for one in visit.tenant.eligibilities.values() if not one.plain}
    found = [msgspec.json.decode(row, type=ScheduleInstance) for row in rows]
    held = [one for one in found if one.direct and one.end_date_time is not None and one.principal_id in ours]
    now = visit.clock.now()
    longest = max(held, key=lambda one: one.end_date_time or now, default=None)
    if longest is None or longest.end_date_time is None:
        return unsettled(_OF_ONE, "no eligibility of ours with an end is in force")
    same = Wish(
        action="adminUpdate",
        principal_id=longest.principal_id,
        start=now - timedelta(seconds=1),
        end=longest.end_date_time,
    )
    control = await visit.asker.would_graph(visit.id, same)
    if control.status == 403 and await _may_ask(visit):
        return unsettled(_OF_ONE, f"requests are refused with {control.brief}: a directory role is needed first")
    if not control.taken:
        return refused(_OF_ONE, control, Registration.ACCESS)
    late = await visit.asker.would_graph(visit.id, msgspec.structs.replace(same, start=now - _LATE))
    renewed = await visit.asker.would_graph(visit.id, msgspec.structs.replace(same, action="adminRenew"))
    return [
        *_told_by(_PAST, late, "InvalidRoleAssignmentRequestSchedule"),
        *_told_by(_RENEW, renewed, "RoleAssignmentExists"),
        *await _extended(visit, same),
    ]


async def _extended(visit: TenantVisit, same: Wish) -> list[Finding]:
    if same.end - visit.clock.now() <= _PORTAL:
        return unsettled([_WINDOW], "every eligibility of ours ends within 14 days")
    told = await visit.asker.would_graph(visit.id, msgspec.structs.replace(same, action="adminExtend"))
    return _told_by(_WINDOW, told, "InvalidRoleAssignmentRequest")


def _told_by(fact: str, told: Told, code: str) -> list[Finding]:
    """Beside a request that was validated: taken too, or refused as the other answer says."""
    if told.taken or told.code == code:
        return [either(fact, f"validated with {told.brief}", is_other=not told.taken)]
    return refused((fact,), told, Registration.ACCESS)


GRAPH_REQUESTS: tuple[Look[TenantVisit], ...] = (
    Look(facts=(_ROLE, _NOBODY), by=_of_nobody, validates=True),
    Look(facts=_OF_ONE, by=_of_one, validates=True),
)
