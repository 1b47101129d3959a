"""The minute's sweep: starts runs that were never started, closes those that died, ends waits that are over."""

import logging
from datetime import datetime, timedelta
from typing import Any

import msgspec

from shared.durable import Hosted, Standing
from shared.identifiers import SubscriptionId, TenantId
from shared.run import Run, key_of
from shared.running.acts import LOCK_DOWN, ORCHESTRATORS
from shared.running.consents import still_to_prove, unproved
from shared.running.lifecycle import open_run, stopped_acts
from shared.running.starting import continued
from shared.services import Services
from shared.side_by_side import KeptApart, each_of
from shared.subscriptions.record import Change as SubscriptionChange
from shared.subscriptions.record import Lock, LockState, Subscription
from shared.tenants.change import Change
from shared.tenants.record import Goal, Problem, Record, Tenant
from shared.tenants.states import UNDER_WAY, WAITING, State
from shared.wakes import Left

_log = logging.getLogger(__name__)

_GRACE = timedelta(minutes=2)
"""A run this young may still be on its way through the request that opened it, unless it was left to the sweep."""

_LONGEST = timedelta(hours=30)
"""Longer than any orchestration lasts: the longest follows an activation for 26 hours."""

_AT_ONCE = 20
"""Runs looked at together: each activation request that waits has one, and each costs a question to the host every minute."""

_HISTORIES_KEPT = timedelta(days=30)
_PAGE = 200


async def sweep_runs(services: Services, orchestrations: Hosted) -> None:
    """Every minute. One subject that fails does not stop the others."""

    async def one(run: Run) -> None:
        with KeptApart(_log, "sweep.postponed", subject=run.subject):
            await _sweep(services, orchestrations, run)

    old = services.clock.now() - _GRACE
    known = [run for run in await services.runs.list_open() if run.kind in ORCHESTRATORS]
    await each_of(
        [run for run in known if run.opened <= old or (run.left and run.started is None)], one, at_once=_AT_ONCE
    )
    with KeptApart(_log, "sweep.postponed", subject="wakes"):
        await _raise_wakes(services, orchestrations)
    for state in sorted(WAITING):
        await _sweep_waiting(services, orchestrations, state)


async def purge_histories(services: Services, orchestrations: Hosted) -> None:
    """Every night: histories of orchestrations that ended long ago."""
    await orchestrations.purge_before(services.clock.now() - _HISTORIES_KEPT)


async def _sweep(services: Services, orchestrations: Hosted, run: Run) -> None:
    if run.started is None:
        await orchestrations.start(ORCHESTRATORS[run.kind], run.orchestration_id, key_of(run))
        await services.runs.mark_started(run)
        _log.info("run.started_by_sweeper subject=%s run=%s", run.subject, run.number)
        return
    standing = await orchestrations.standing(run.orchestration_id)
    if standing is Standing.RUNNING:
        if services.clock.now() - run.opened > _LONGEST:
            _log.warning("run.stuck subject=%s run=%s since=%s", run.subject, run.number, run.opened.isoformat())
        return
    still_open = await services.runs.open_run(run.subject)
    if still_open is None or still_open.nonce != run.nonce:
        return
    await _fail(services, run, f"its orchestration is {standing.value}")
    await services.runs.close(key_of(run), "failed by the sweeper")


async def _raise_wakes(services: Services, orchestrations: Hosted) -> None:
    """Those that another app left, once what it opened is started: a wake of what is not there is lost."""

    async def one(left: Left) -> None:
        with KeptApart(_log, "sweep.postponed", subject=left.orchestration_id):
            await orchestrations.wake(left.orchestration_id)
            await services.wakes.raised(left)

    await each_of(await services.wakes.left(), one, at_once=_AT_ONCE)


async def _fail(services: Services, run: Run, reason: str) -> None:
    now = services.clock.now()
    problem = Problem(
        code="Interrupted",
        what=f"Run {run.number} did not come to its end: {reason}.",
        do="POST /api/tenants/{tenantId}/retry. If it happens again, look at the app's log.",
    )

    def decide(tenant: Tenant) -> Change | None:
        record = tenant.record
        if record.run_nonce != run.nonce or record.state not in (*UNDER_WAY, State.CANCELLING):
            return None
        return Change(record=_failed(record, problem, now), acts=stopped_acts(tenant, State.FAILED, now))

    if run.kind in {goal.value for goal in Goal} and await services.tenants.read(TenantId(run.subject)) is not None:
        await services.tenants.update(TenantId(run.subject), decide)
    if run.kind == LOCK_DOWN:
        await _fail_lock(services, run, reason)
    _log.error("run.interrupted subject=%s run=%s reason=%s", run.subject, run.number, reason)


async def _fail_lock(services: Services, run: Run, reason: str) -> None:
    """As above, of a subscription that was being locked down. What it wrote is in force; the next run looks at it first."""
    now = services.clock.now()
    problem = Problem(
        code="Interrupted",
        what=f"Run {run.number} did not come to its end: {reason}.",
        do="Send the same PUT /api/subscriptions/{subscriptionId} again. If it happens again, look at the app's log.",
    )

    def decide(found: Subscription) -> SubscriptionChange | None:
        record = found.record
        if record.run_nonce != run.nonce or not record.under_way:
            return None
        lock = Lock(state=LockState.FAILED, since=now, problems=(problem,))
        return SubscriptionChange(record=msgspec.structs.replace(record, cancel=False, renewing=None, lock=lock))

    subscription_id = SubscriptionId(run.subject)
    if await services.subscriptions.read(subscription_id) is not None:
        await services.subscriptions.update(subscription_id, decide)


async def _sweep_waiting(services: Services, orchestrations: Hosted, state: State) -> None:
    token: Any = None
    while True:
        records, token = await services.tenants.list_by_state(state, size=_PAGE, token=token)
        for record in records:
            with KeptApart(_log, "sweep.postponed", subject=record.tenant_id):
                await _look_at_waiting(services, orchestrations, record)
        if token is None:
            return


async def _look_at_waiting(services: Services, orchestrations: Hosted, record: Record) -> None:
    now = services.clock.now()
    if record.deadline is not None and now > record.deadline:
        await _end_wait(services, record)
    elif record.state is State.WAITING_FOR_CONSENT:
        tenant = await services.tenants.read(record.tenant_id)
        if tenant is not None and still_to_prove(tenant, unproved(tenant), now):
            # The callback stored an answer, and died before it opened the run.
            await open_run(
                services,
                orchestrations.start,
                record.tenant_id,
                record.run + 1,
                record.requested_by,
                continued(record, only_from=State.WAITING_FOR_CONSENT),
            )


async def _end_wait(services: Services, waiting: Record) -> None:
    now = services.clock.now()

    def decide(tenant: Tenant) -> Change | None:
        record = tenant.record
        if record.state not in WAITING or record.deadline is None or now <= record.deadline:
            return None
        waited_for = record.problem.what if record.problem else record.state.value
        problem = Problem(
            code="NobodyCame",
            what=f"Nobody acted before {record.deadline:%Y-%m-%d %H:%M} UTC. Waited for: {waited_for}",
            do="POST /api/tenants/{tenantId}/retry for a new wait.",
        )
        return Change(record=_failed(record, problem, now), acts=stopped_acts(tenant, State.FAILED, now))

    await services.tenants.update(waiting.tenant_id, decide)
    _log.warning("tenant.wait_over tenant_id=%s", waiting.tenant_id)


def _failed(record: Record, problem: Problem, now: datetime) -> Record:
    return msgspec.structs.replace(
        record,
        state=State.FAILED,
        since=now,
        cancel=False,
        deadline=None,
        problem=problem,
        what_to_do=(problem.do,),
    )
