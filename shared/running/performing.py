"""How every act runs: fence, act row, deadline, work, and what each failure means. The acts themselves are in
activities.py.
"""

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

import msgspec

from shared.errors import (
    Conflict,
    Forbidden,
    NotConsented,
    NotFound,
    PimUnavailable,
    Rejected,
    StoreConflict,
    StoreUnavailable,
    Throttled,
    Unavailable,
)
from shared.identifiers import ObjectId, TenantId
from shared.notify.notices import Kind, Notice
from shared.permissions import Registration
from shared.privileged import Ensured, Fence, NotYet, PrivilegedWrite, RunStopped, check_fence
from shared.running.acts import BY_NUMBER
from shared.running.advice import NO_PIM, RETRY, is_for_target, not_consented, refused
from shared.running.consents import asked_again
from shared.running.deadlines import deadline
from shared.running.leftovers import left_by
from shared.running.messages import ActCall, ActOutcome, Again, Done, Ended
from shared.running.refusals import lacking
from shared.services import Services
from shared.tenants.change import Change
from shared.tenants.record import Act, ActState, Goal, Left, Problem, Tenant
from shared.tenants.states import WAITING, State

_log = logging.getLogger(__name__)

type Work = Callable[[Services, ActCall, Tenant], Awaitable[ActOutcome]]

_STORE_PAUSE_SECONDS = 20.0
_VENDOR_PAUSE_SECONDS = 15.0
_SLOWEST_SECONDS = 60.0


def fence(call: ActCall) -> Fence:
    """The fence of a call's run."""
    return Fence(run=call.run.number, nonce=call.run.nonce)


async def perform(
    services: Services, call: ActCall, number: int, work: Work, *, late: Work | None = None
) -> ActOutcome:
    """Run one step of an act. Safe twice; answers a value for all that is foreseen.

    `late`: what is done instead when the act's time is over; without it, the run fails.
    """
    try:
        tenant = await _enter(services, call, number)
        act = tenant.acts[number]
        if _is_behind(tenant, call, number):
            return Done(act.detail)
        until = act.since + deadline(services.settings.deadlines, number, len(tenant.analysts))
        if services.clock.now() > until:
            if late is None:
                return await _leave(services, call, number, _too_late(act))
            work = late
        outcome = await _work(services, call, number, tenant, work)
        now = services.clock.now()
        return await _leave(services, call, number, _paced(outcome, now - act.since, until - now))
    except RunStopped:
        return Ended(None)
    except (StoreConflict, StoreUnavailable) as error:
        return _postponed(call, number, error)


def analyst_of(call: ActCall) -> ObjectId:
    """The analyst that a call is about."""
    if call.analyst is None:
        raise ValueError("this act goes by analyst")
    return call.analyst


async def ensure[Image](
    services: Services,
    call: ActCall,
    write: PrivilegedWrite[Image],
    *,
    just_read: Ensured[Image] | None = None,
    looks_back: bool = True,
) -> Ensured[Image] | NotYet:
    """Make one thing so, within this call's run."""
    return await services.intents.ensure(
        _tenant_id(call), fence(call), write, just_read=just_read, looks_back=looks_back
    )


async def leave_to_kit(services: Services, call: ActCall, number: int, why: str) -> Done:
    """Note what the act leaves to the target's administrator, by what is known of it, and be done with it."""
    tenant = await services.tenants.update(_tenant_id(call), lambda _: None)
    left = left_by(tenant, services.settings.source_tenant_id, number, why)
    await note_left(services, call, number, left)
    return Done(f"{left.what} left to the kit: {why}" if left else "nothing was left to be done")


async def note_left(services: Services, call: ActCall, number: int, left: Left | None) -> None:
    """Put what an act leaves on the record, in the place of what it left before."""

    def decide(tenant: Tenant) -> Change | None:
        check_fence(tenant.record, fence(call))
        others = tuple(one for one in tenant.record.left_to_kit if one.act != number)
        noted = others if left is None else (*others, left)
        if noted == tenant.record.left_to_kit:
            return None
        return Change(record=msgspec.structs.replace(tenant.record, left_to_kit=noted))

    await services.tenants.update(_tenant_id(call), decide)


def _paced(outcome: ActOutcome, age: timedelta, left: timedelta) -> ActOutcome:
    """Look again soon at first, then less often, and not long after the deadline. A reserved slot has its own time."""
    if not isinstance(outcome, Again):
        return outcome
    pace = 0.0 if outcome.slot is not None else min(_SLOWEST_SECONDS, age.total_seconds() / 4)
    last = max(1.0, left.total_seconds() + 1.0)
    return msgspec.structs.replace(outcome, seconds=min(last, max(outcome.seconds, pace)))


def _postponed(call: ActCall, number: int, error: Exception) -> Again:
    _log.warning("act.postponed tenant_id=%s run=%s act=%s reason=%s", call.run.subject, call.run.number, number, error)
    return Again(_STORE_PAUSE_SECONDS, str(error))


def _is_behind(tenant: Tenant, call: ActCall, number: int) -> bool:
    """Whether this is a late repeat: the act is done, and the run has gone on to a later one."""
    act = tenant.acts.get(number)
    if act is None or act.state is not ActState.DONE or act.run != call.run.number:
        return False
    return any(other.run == call.run.number for other in tenant.acts.values() if other.number > number)


async def _work(services: Services, call: ActCall, number: int, tenant: Tenant, work: Work) -> ActOutcome:
    try:
        return await _explained(services, call, tenant, work)
    except (StoreConflict, StoreUnavailable) as error:
        return _postponed(call, number, error)
    except Throttled as error:
        return Again(error.seconds, "the vendor asked us to wait")
    except Unavailable as error:
        return Again(
            max(_VENDOR_PAUSE_SECONDS, error.seconds),
            f"{error.call.service} did not answer {error.call.method} {error.call.path}",
        )
    except (NotFound, Conflict) as error:
        return Again(_VENDOR_PAUSE_SECONDS, f"not replicated yet: {error.call.code} for {error.call.path}")
    except (NotConsented, PimUnavailable, Forbidden, Rejected) as error:
        return await _stopped(services, call, number, tenant, error)


async def _stopped(
    services: Services,
    call: ActCall,
    number: int,
    tenant: Tenant,
    error: NotConsented | PimUnavailable | Forbidden | Rejected,
) -> ActOutcome:
    """What no repeat heals: a consent that is missing, a tenant without PIM, a refusal. An offboarding leaves to the kit
    what cannot be done in the target, if it may; what PIM held ended with it.
    """
    record = tenant.record
    match error:
        case NotConsented():
            if record.target_by_kit and is_for_target(error):
                return await leave_to_kit(services, call, number, not_consented(error).what)
            return await _without_consent(services, call, tenant, error)
        case PimUnavailable():
            if record.goal is Goal.OFFBOARDING:
                return await leave_to_kit(services, call, number, NO_PIM.what)
            return Ended(State.BLOCKED, NO_PIM)
        case _:
            if record.target_by_kit and error.call.tenant_id == record.tenant_id:
                return await leave_to_kit(services, call, number, refused(error).what)
            return Ended(State.FAILED, refused(error))


async def _explained(services: Services, call: ActCall, tenant: Tenant, work: Work) -> ActOutcome:
    """The work; a refusal for want of a permission is raised as such."""
    try:
        return await work(services, call, tenant)
    except Forbidden as error:
        if (missing := await lacking(services, error)) is not None:
            raise missing from error
        raise


async def _without_consent(services: Services, call: ActCall, tenant: Tenant, error: NotConsented) -> Ended:
    """A consent of the target is asked for again, and act 1 proves it again; the source's own are an operator's."""
    if not is_for_target(error):
        return Ended(State.FAILED, not_consented(error))
    now = services.clock.now()

    def decide(found: Tenant) -> Change:
        check_fence(found.record, fence(call))
        return asked_again(found, error, now, services.new_id)

    known = tenant.consents.get(Registration(error.registration))
    # Setup is removed on our own word; and what was told once is not proved any more.
    lost = known is not None and known.proved is not None and known.registration is not Registration.SETUP
    if lost:
        told = Notice(kind=Kind.ACCESS_LOST, at=now, tenant_id=_tenant_id(call), registration=error.registration)
        await services.outbox.tell(now.date(), told)
    tenant = await services.tenants.update(_tenant_id(call), decide)
    if lost:
        _log.warning("tenant.access_lost tenant_id=%s registration=%s", call.run.subject, error.registration)
    return Ended(State.WAITING_FOR_CONSENT, not_consented(error, tenant.record.goal))


async def _enter(services: Services, call: ActCall, number: int) -> Tenant:
    now = services.clock.now()

    def decide(tenant: Tenant) -> Change | None:
        check_fence(tenant.record, fence(call))
        act = tenant.acts.get(number)
        if act is not None and act.run == call.run.number and act.state in (ActState.RUNNING, ActState.WAITING):
            return None
        if _is_behind(tenant, call, number):
            return None
        running = Act(number=number, state=ActState.RUNNING, run=call.run.number, since=now)
        return Change(record=tenant.record, acts=[running])

    return await services.tenants.update(_tenant_id(call), decide)


async def _leave(services: Services, call: ActCall, number: int, outcome: ActOutcome) -> ActOutcome:
    now = services.clock.now()

    def decide(tenant: Tenant) -> Change | None:
        check_fence(tenant.record, fence(call))
        act = tenant.acts[number]
        match outcome:
            case Done(detail, more) if more or not call.last:
                left = msgspec.structs.replace(act, state=ActState.RUNNING, detail=detail)
            case Done(detail):
                left = msgspec.structs.replace(act, state=ActState.DONE, ended=now, detail=detail)
            case Again(_, reason):
                left = msgspec.structs.replace(act, state=ActState.WAITING, detail=reason)
            case Ended(_, problem):
                what = problem.what if problem else ""
                waits = outcome.state in WAITING
                state = ActState.WAITING if waits else ActState.FAILED
                left = msgspec.structs.replace(act, state=state, ended=None if waits else now, detail=what)
        return None if left == act else Change(record=tenant.record, acts=[left])

    await services.tenants.update(_tenant_id(call), decide)
    if isinstance(outcome, Done) and call.last and not outcome.more:
        _log.info("act.done tenant_id=%s run=%s act=%s", call.run.subject, call.run.number, number)
    return outcome


def _too_late(act: Act) -> Ended:
    name = BY_NUMBER[act.number].name
    what = f"Act {act.number} ({name}) did not come to an end in time. Last seen: {act.detail or 'no answer'}"
    return Ended(State.FAILED, Problem(code="Deadline", what=what, do=RETRY))


def _tenant_id(call: ActCall) -> TenantId:
    return TenantId(call.run.subject)
