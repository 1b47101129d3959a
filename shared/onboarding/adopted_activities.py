"""Acts 6 and 7 where the deployment adopts enterprise applications: a person made one and assigns the analysts; the acts
verify, say what is missing, and wait.
"""

from collections.abc import Collection, Mapping

import msgspec

from shared.claims import SYNCHRONIZATION
from shared.graph.sync_shapes import TEMPLATE, Assignment
from shared.identifiers import ObjectId
from shared.permissions import SourceMode
from shared.privileged import check_fence
from shared.running.messages import ActCall, ActOutcome, Done, Ended
from shared.running.performing import fence, perform
from shared.services import Services
from shared.tenants.change import Change
from shared.tenants.record import Analyst, Problem, Synchronization, Tenant
from shared.tenants.states import State
from shared.writes.synchronization import held

_BY_GROUP = (
    "Analysts are in scope by an assigned group: who leaves it is removed by the synchronization itself, unasked."
)


async def check_scope(services: Services, call: ActCall) -> ActOutcome:
    """Act 7, first: where applications are adopted, every analyst is in scope by a person's act; else each is assigned."""
    return await perform(services, call, 7, _check_scope)


async def adopt(services: Services, call: ActCall, tenant: Tenant) -> Tenant | Ended:
    """Act 6: the enterprise application that was named, claimed for this tenant; or what is wrong with it."""
    named = tenant.record.wanted.service_principal_id
    application = await services.applications.service_principal(named)
    if application is None or application.application_template_id != TEMPLATE:
        return Ended(State.WAITING_FOR_PERSON, _unfit(named, "is not there" if application is None else _NO_TEMPLATE))
    holder = await services.claims.take(SYNCHRONIZATION, application.id, tenant.record.tenant_id)
    if holder != tenant.record.tenant_id:
        return Ended(State.BLOCKED, _unfit(named, f"serves the target tenant {holder} already"))
    known = Synchronization(name=application.display_name or "", service_principal_id=application.id, adopted=True)

    def decide(found: Tenant) -> Change | None:
        check_fence(found.record, fence(call))
        there = found.record.synchronization
        if there is not None and there.service_principal_id == known.service_principal_id:
            return None
        return Change(record=msgspec.structs.replace(found.record, synchronization=known))

    return await services.tenants.update(tenant.record.tenant_id, decide)


async def _check_scope(services: Services, call: ActCall, tenant: Tenant) -> ActOutcome:
    if services.settings.source_mode is SourceMode.OWN:
        return Done("by analyst", more=True)
    people, groups = await in_scope(services, tenant)
    covered = people.union(*groups.values())
    await _warn(services, call, tenant, by_group=bool((covered - people) & set(tenant.staying)))
    lacking = [one for key, one in tenant.staying.items() if one.problem is None and key not in covered]
    if lacking:
        return Ended(State.WAITING_FOR_PERSON, _not_in_scope(held(tenant), lacking))
    return Done(f"{len(tenant.staying)} analysts in scope, by a person's act")


async def in_scope(
    services: Services, tenant: Tenant
) -> tuple[frozenset[ObjectId], Mapping[ObjectId, frozenset[ObjectId]]]:
    """Who is assigned by name, and the direct members of each assigned group: nested groups don't count."""
    assigned: Collection[Assignment] = await services.applications.assignments(held(tenant).service_principal_id)
    people = frozenset(one.principal_id for one in assigned if one.principal_type == "User")
    groups = {}
    for one in assigned:
        if one.principal_type == "Group":
            members = await services.directory.direct_members(one.principal_id)
            groups[one.principal_id] = frozenset(member.id for member in members if member.is_user)
    return people, groups


async def _warn(services: Services, call: ActCall, tenant: Tenant, *, by_group: bool) -> None:
    def decide(found: Tenant) -> Change | None:
        check_fence(found.record, fence(call))
        others = tuple(one for one in found.record.warnings if one != _BY_GROUP)
        warnings = (*others, _BY_GROUP) if by_group else others
        if warnings == found.record.warnings:
            return None
        return Change(record=msgspec.structs.replace(found.record, warnings=warnings))

    await services.tenants.update(tenant.record.tenant_id, decide)


_NO_TEMPLATE = "was not made from the template of cross-tenant synchronization"


def _unfit(service_principal_id: str, what: str) -> Problem:
    return Problem(
        code="UnfitApplication",
        what=f"The enterprise application {service_principal_id} {what}.",
        do="An administrator of the source tenant makes one for this target alone (Cross-tenant synchronization, "
        "Configurations); offboard the tenant, or POST it again with its id while nothing was written; or POST .../retry "
        "when this one is right.",
    )


def _not_in_scope(known: Synchronization, analysts: list[Analyst]) -> Problem:
    names = ", ".join(sorted(one.display_name for one in analysts))
    return Problem(
        code="NotInScope",
        what=f"Not assigned to the enterprise application {known.service_principal_id}: {names}.",
        do="An administrator of the source tenant assigns them (Users and groups of that application), each or by a group; "
        "then POST .../retry.",
    )
