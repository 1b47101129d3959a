"""How a run begins and ends: from the run row to the record, and back to a resting state."""

import logging
from datetime import datetime

import msgspec

from shared.errors import StoreConflict, StoreUnavailable
from shared.identifiers import TenantId
from shared.run import Run, RunKey, StartOrchestration, key_of, orchestration_id
from shared.running.closing import forgotten
from shared.running.consents import still_to_prove, unproved
from shared.running.launching import launch
from shared.running.messages import ActCall, Again, BeginOutcome, Done, EndCall, Ended, EndOutcome, Resume
from shared.running.opening import first_record, has_begun, may_begin, next_record
from shared.running.planning import plan
from shared.running.starting import Onboarding, Payload, goal_of, payload_of
from shared.services import Services
from shared.settings import Deadlines
from shared.tenants.change import Change
from shared.tenants.record import Act, ActState, Problem, Record, Tenant
from shared.tenants.states import UNDER_WAY, WAITING, State
from shared.writes.rebuilding import rebuilt

_log = logging.getLogger(__name__)

_PAUSE_SECONDS = 20.0


async def open_run(
    services: Services,
    start: StartOrchestration | None,
    tenant_id: TenantId,
    number: int,
    requested_by: str,
    payload: Payload,
) -> Run | None:
    """Insert a run, show it on the record, start it. None: it is under way; else the run that holds the tenant.

    Where nothing can be started from (`start` None), the sweeper does.
    """
    kind = goal_of(payload).value
    run = Run(
        subject=tenant_id,
        kind=kind,
        number=number,
        orchestration_id=orchestration_id(kind, tenant_id, number),
        nonce=services.new_id(),
        opened=services.clock.now(),
        requested_by=requested_by,
        wanted=msgspec.Raw(msgspec.json.encode(payload)),
    )
    holder = await services.runs.insert(run)
    if holder is not None:
        return holder
    if not await begin(services, run):
        await services.runs.close(key_of(run), "followed")
        return run
    await launch(services, start, run)
    return None


async def begin(services: Services, run: Run) -> bool:
    """Make the record show the run. Safe twice. False when another run came first."""
    tenant_id = TenantId(run.subject)
    payload = payload_of(run)
    now = services.clock.now()
    tenant = await services.tenants.read(tenant_id)
    if (
        tenant is None
        and isinstance(payload, Onboarding)
        and await services.tenants.create(first_record(run, payload, now, services.new_id))
    ):
        return True

    def decide(found: Tenant) -> Change | None:
        if has_begun(found, run, payload) or not may_begin(found, run, payload):
            return None
        return next_record(found, run, payload, now, services.new_id)

    return (await services.tenants.update(tenant_id, decide)).record.run_nonce == run.nonce


async def begin_onboarding_run(services: Services, call: ActCall) -> BeginOutcome:
    """The first activity of a run: the record shows it, open intents are closed by reading back, the acts left are
    known.
    """
    tenant_id = TenantId(call.run.subject)
    try:
        run = await services.runs.open_run(tenant_id)
        if run is None or run.nonce != call.run.nonce or not await begin(services, run):
            return Ended(None)
        tenant = await services.tenants.read(tenant_id)
        if tenant is None or tenant.record.cancel:
            return Ended(None)
        wait = await close_intents(services, tenant_id)
    except (StoreConflict, StoreUnavailable) as error:
        return _postponed(call.run, error)
    if wait and services.clock.now() < run.opened + services.settings.deadlines.replication:
        return Again(min(wait, 60.0), "an earlier write cannot be judged yet")
    payload = payload_of(run)
    return plan(tenant, change=isinstance(payload, Onboarding) and payload.change)


async def end_onboarding_run(services: Services, call: EndCall) -> EndOutcome:
    """The last activity of a run: the tenant comes to rest, the run row is closed. Safe twice."""
    tenant_id = TenantId(call.run.subject)
    try:
        tenant = await services.tenants.read(tenant_id)
        if tenant is None or tenant.record.run_nonce != call.run.nonce:
            await services.runs.close(call.run, "followed")
            return Done()
        cancelled = tenant.record.cancel
        over = call.ended.state is State.OFFBOARDED and not cancelled
        if (unjudged := await _look_back(services, tenant, call, waits=cancelled or over, last=over)) is not None:
            return unjudged
        if over:
            await _forget(services, tenant_id, call)
        now = services.clock.now()
        resumed = False

        def decide(found: Tenant) -> Change | None:
            nonlocal resumed
            record = found.record
            resumed = not record.cancel and _answered_meanwhile(found, call.ended, now)
            if record.run_nonce != call.run.nonce or record.state not in (*UNDER_WAY, State.CANCELLING):
                return None
            if resumed or record.cancel is not cancelled:
                return None
            rest = at_rest(record, call.ended, services.settings.deadlines, now)
            return Change(record=rest, acts=stopped_acts(found, rest.state, now))

        tenant = await services.tenants.update(tenant_id, decide)
        if resumed:
            return Resume()
        if tenant.record.run_nonce == call.run.nonce and tenant.record.cancel:
            return Again(1.0, "cancelled at the last moment: what was under way is looked at first")
        await services.runs.close(call.run, tenant.record.state.value)
    except (StoreConflict, StoreUnavailable) as error:
        return _postponed(call.run, error)
    _tell(tenant)
    return Done(tenant.record.state.value)


def _postponed(run: RunKey, error: Exception) -> Again:
    _log.warning("run.postponed subject=%s run=%s reason=%s", run.subject, run.number, error)
    return Again(_PAUSE_SECONDS, str(error))


def at_rest(record: Record, ended: Ended, deadlines: Deadlines, now: datetime) -> Record:
    """The record as a run leaves it."""
    state = State.CANCELLED if record.cancel else ended.state or State.FAILED
    problem = None if record.cancel or state in _GOOD else ended.problem or _UNEXPLAINED
    return msgspec.structs.replace(
        record,
        state=state,
        since=now,
        cancel=False,
        problem=problem,
        what_to_do=(problem.do,) if problem else (),
        deadline=(record.deadline or now + deadlines.consent) if state in WAITING else None,
    )


def stopped_acts(tenant: Tenant, state: State, now: datetime) -> list[Act]:
    """The acts that a run leaves under way, as they stand when the tenant rests. One that waits for a person waits on."""
    if state in WAITING:
        return []
    stopped, ended = _STOPPED.get(state, ActState.FAILED), None if state is State.CANCELLED else now
    return [
        msgspec.structs.replace(act, state=stopped, ended=ended)
        for act in tenant.acts.values()
        if act.state in (ActState.RUNNING, ActState.WAITING)
    ]


# Only a late repeat of a done act can be under way when a tenant becomes Ready.
_STOPPED = {State.CANCELLED: ActState.PENDING, State.READY: ActState.DONE, State.OFFBOARDED: ActState.DONE}
_GOOD = (State.READY, State.OFFBOARDED)

_UNEXPLAINED = Problem(
    code="Interrupted",
    what="The run ended without saying why.",
    do="Look at the app's log for this time, then POST /api/tenants/{tenantId}/retry.",
)


async def _look_back(services: Services, tenant: Tenant, call: EndCall, *, waits: bool, last: bool) -> Again | None:
    """Close what is open. Only a cancel, or an end for good, waits for what cannot be judged yet; otherwise the next run
    looks at it first.
    """
    wait = await close_intents(services, tenant.record.tenant_id, last=last)
    if not wait or not waits:
        return None
    if services.clock.now() < _waits_since(tenant) + services.settings.deadlines.replication:
        return Again(min(wait, 60.0), "a write that was under way cannot be judged yet")
    _log.warning("intents.left_open tenant_id=%s run=%s", tenant.record.tenant_id, call.run.number)
    return None


def _waits_since(tenant: Tenant) -> datetime:
    """When the end of a run began: at its cancel, or with its last act."""
    ended = [act.ended for act in tenant.acts.values() if act.ended is not None and act.run == tenant.record.run]
    return max([tenant.record.since, *ended])


async def _forget(services: Services, tenant_id: TenantId, call: EndCall) -> None:
    """Before the tenant comes to rest: many rows take more than one transaction, and each can be repeated until then."""

    def decide(found: Tenant) -> Change | None:
        record = found.record
        mine = record.run_nonce == call.run.nonce and record.state in UNDER_WAY and not record.cancel
        return forgotten(found) if mine else None

    await services.tenants.update(tenant_id, decide)


async def close_intents(services: Services, tenant_id: TenantId, *, last: bool = False) -> float:
    """Close what is open by reading back. Gives the seconds to wait for what cannot be judged yet.

    An audit that cannot be written holds nobody for ever: it is logged.
    """
    try:
        return await services.intents.close_open(
            tenant_id, lambda tenant, intent: rebuilt(services, tenant, intent), last=last
        )
    except (StoreConflict, StoreUnavailable) as error:
        _log.warning("intents.postponed tenant_id=%s reason=%s", tenant_id, error)
        return _PAUSE_SECONDS


def _answered_meanwhile(tenant: Tenant, ended: Ended, now: datetime) -> bool:
    """The consent came back between the last look and this end: the callback found the run open and left it to us."""
    if ended.state is not State.WAITING_FOR_CONSENT:
        return False
    return still_to_prove(tenant, unproved(tenant), now)


def _tell(tenant: Tenant) -> None:
    record = tenant.record
    if record.state is State.READY:
        _log.info("tenant.ready tenant_id=%s run=%s", record.tenant_id, record.run)
    elif record.state is State.OFFBOARDED:
        _log.info("tenant.offboarded tenant_id=%s run=%s", record.tenant_id, record.run)
    elif record.state is not State.CANCELLED:
        code = record.problem.code if record.problem else ""
        _log.warning("tenant.stopped tenant_id=%s state=%s problem=%s", record.tenant_id, record.state.value, code)
