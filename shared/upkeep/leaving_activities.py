"""The acts around analysts who leave, and eligibilities that nobody is to hold any more (13, 21 to 23). Each is safe to
repeat.
"""

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from shared.eligibility.record import Eligibility
from shared.errors import NotConsented, NotFound
from shared.identifiers import ObjectId
from shared.onboarding.adopted_activities import in_scope
from shared.privileged import NotYet, check_fence
from shared.running.leftovers import group_assigned
from shared.running.messages import ActCall, ActOutcome, Again, Done, Ended
from shared.running.needs import unrecorded
from shared.running.performing import ensure, fence, note_left, perform
from shared.running.planning import surplus, surplus_of_leavers
from shared.services import Services
from shared.subjects import IntentState
from shared.tenants.change import Change
from shared.tenants.record import Goal, Problem, Skipped, Tenant
from shared.tenants.states import State
from shared.upkeep.earlier_accounts import with_earlier_accounts
from shared.writes.eligibility import eligibility_removal, intent_of, was_there_before
from shared.writes.synchronization import is_gone, unassignment

_AT_ONCE = 8
"""Removals in one call of an activity: well within functionTimeout also on a slow day."""

type Chosen = Callable[[Tenant], dict[str, Eligibility]]

_DELETED = "SubjectNotFound"


async def remove_eligibilities(services: Services, call: ActCall) -> ActOutcome:
    """Act 21: nobody holds an eligibility of ours who is not to."""
    return await perform(services, call, 21, _remove_eligibilities)


async def remove_other_eligibilities(services: Services, call: ActCall) -> ActOutcome:
    """Act 13: what another access mode had made is gone, once what is wanted now is in force."""
    return await perform(services, call, 13, _remove_other_eligibilities)


async def remove_from_scope(services: Services, call: ActCall) -> ActOutcome:
    """Act 22: nobody is in scope of the synchronization who is not to be."""
    return await perform(services, call, 22, _remove_from_scope)


async def forget_leavers(services: Services, call: ActCall) -> ActOutcome:
    """Act 23: nothing of those who left is left, so their rows go."""
    return await perform(services, call, 23, _forget_leavers)


async def _remove_eligibilities(services: Services, call: ActCall, tenant: Tenant) -> ActOutcome:
    if tenant.record.goal is Goal.OFFBOARDING and (left := group_assigned(tenant)) is not None:
        await note_left(services, call, 21, left)
    try:
        return await _without(services, call, tenant, surplus_of_leavers)
    except NotConsented:
        # Taking somebody out of scope must not wait for a consent in the target. An offboarding asks for it.
        if tenant.record.goal is Goal.OFFBOARDING:
            raise
        return Done(f"{len(surplus_of_leavers(tenant))} left: Tenantry Access is not consented")


async def _remove_other_eligibilities(services: Services, call: ActCall, tenant: Tenant) -> ActOutcome:
    return await _without(services, call, tenant, surplus)


async def _without(services: Services, call: ActCall, tenant: Tenant, chosen: Chosen) -> ActOutcome:
    """Remove some of the eligibilities of ours. A plain assignment is not ours to remove: its account goes. What somebody
    else had made is left to them.
    """
    tenant = await _with_unrecorded(services, call, tenant)
    wanted = chosen(tenant)
    for key, row in list(wanted.items())[:_AT_ONCE]:
        stays = row.plain or was_there_before(tenant, row.principal_id)
        if not stays and not await _is_removed(services, call, tenant, row.principal_id):
            continue
        skipped = _left_alone(tenant, row) if stays and not row.plain else ()

        def forget(found: Tenant, key: str = key, skipped: tuple[Skipped, ...] = skipped) -> Change | None:
            check_fence(found.record, fence(call))
            if key not in found.eligibilities:
                return None
            return Change(
                record=replace(found.record, skipped=(*found.record.skipped, *skipped)), forgotten_eligibilities=[key]
            )

        tenant = await services.tenants.update(tenant.record.tenant_id, forget)
    left = len(chosen(tenant))
    if not left:
        return Done("nobody holds one who is not to")
    return Again(1.0 if left < len(wanted) else 10.0, f"{left} eligibilities are still to be removed")


def _left_alone(tenant: Tenant, row: Eligibility) -> tuple[Skipped, ...]:
    """What an offboarding tells of an eligibility that was there before, where we changed its end."""
    intent = intent_of(tenant, row.principal_id)
    if tenant.record.goal is not Goal.OFFBOARDING or intent is None or not intent.landed:
        return ()
    left = bytes(intent.after).decode()
    return (
        Skipped(
            act=21,
            where=tenant.record.tenant_id,
            what=intent.object_name,
            why="It was there before us, so it is not removed; its end is what we asked for.",
            before=bytes(intent.before).decode(),
            left=left,
            now=left,
        ),
    )


async def _with_unrecorded(services: Services, call: ActCall, tenant: Tenant) -> Tenant:
    """What was asked for leavers by a run that stopped before it kept the answer is looked at as if it had come."""

    def decide(found: Tenant) -> Change | None:
        check_fence(found.record, fence(call))
        rows = unrecorded(found)
        return Change(record=found.record, eligibilities=rows) if rows else None

    return await services.tenants.update(tenant.record.tenant_id, decide)


async def _is_removed(services: Services, call: ActCall, tenant: Tenant, principal: ObjectId) -> bool:
    try:
        write = eligibility_removal(services, tenant, {"principal": principal})
        return not isinstance(await ensure(services, call, write), NotYet)
    except NotFound as error:
        # PIM may not know a deleted account any more; what it held is gone with it.
        if error.call.code != _DELETED:
            raise
        return await services.directory.target_user(tenant.record.tenant_id, principal) is None


async def _remove_from_scope(services: Services, call: ActCall, tenant: Tenant) -> ActOutcome:
    known = tenant.record.synchronization
    if known is None or not known.service_principal_id:
        return Done("there is no synchronization")
    try:
        if known.adopted:
            return await _unassigned_by_hand(services, tenant)
        return await _without_assignments(services, call, tenant)
    except NotFound:
        if not await is_gone(services, tenant):
            raise
        return Done("the synchronization is gone")


async def _unassigned_by_hand(services: Services, tenant: Tenant) -> ActOutcome:
    """An adopted application's assignments are a person's."""
    people, groups = await in_scope(services, tenant)
    still = set(tenant.leavers) & people.union(*groups.values())
    if not still:
        return Done(f"{len(tenant.leavers)} analysts out of scope, by a person's act")
    problem = Problem(
        code="StillInScope",
        what=f"Still assigned to the adopted enterprise application, by name or by a group: {_names(tenant, still)}.",
        do="An administrator of the source tenant takes them out; then POST .../retry.",
    )
    return Ended(State.WAITING_FOR_PERSON, problem)


async def _without_assignments(services: Services, call: ActCall, tenant: Tenant) -> ActOutcome:
    if tenant.record.goal is Goal.OFFBOARDING:
        looked = await with_earlier_accounts(services, call, tenant)
        if isinstance(looked, Again):
            return looked
        tenant = looked
    known = tenant.record.synchronization
    there = await services.applications.assignments(known.service_principal_id if known else "")
    # One that was taken out by a call whose end nobody saw is looked at once more.
    unfinished = {
        ObjectId(one.arguments["analyst"])
        for one in tenant.intents.values()
        if one.kind == "unassignment" and one.state is not IntentState.CLOSED
    }
    stays = {key for key, one in tenant.leavers.items() if one.earlier_account}
    assigned = sorted(({ObjectId(one.principal_id) for one in there} | unfinished) & set(tenant.leavers) - stays)
    for analyst in assigned[:_AT_ONCE]:
        result = await ensure(services, call, unassignment(services, tenant, {"analyst": analyst}))
        if isinstance(result, NotYet):
            return Again(result.seconds, result.reason)
    left = len(assigned[_AT_ONCE:])
    if left:
        return Again(1.0, f"{left} analysts are still to be taken out of scope")
    kept = f"; had an account before, which stays: {_names(tenant, stays)}" if stays else ""
    return Done(f"{len(tenant.leavers) - len(stays)} analysts out of scope{kept}")


def _names(tenant: Tenant, analysts: Iterable[ObjectId]) -> str:
    return ", ".join(sorted(tenant.leavers[one].display_name for one in analysts))


async def _forget_leavers(services: Services, call: ActCall, tenant: Tenant) -> ActOutcome:
    if surplus_of_leavers(tenant):
        outcome = await _without(services, call, tenant, surplus_of_leavers)
        if isinstance(outcome, Again):
            return outcome

    def decide(found: Tenant) -> Change | None:
        check_fence(found.record, fence(call))
        gone = sorted(found.leavers)
        return Change(record=found.record, forgotten_analysts=gone) if gone else None

    await services.tenants.update(tenant.record.tenant_id, decide)
    return Done("nothing of theirs is left")
