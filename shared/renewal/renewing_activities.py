"""One subject's renewal: it takes the run row, writes what is due, and lets go. Called again until nothing waits.

It keeps nothing between two calls but rows: what a killed call wrote is found by looking. A tenant that rests keeps its
state; the fence is the renewal's own nonce on the record.
"""

import logging
from datetime import timedelta

from msgspec.structs import replace

from shared.eligibility.decide import length
from shared.eligibility.record import Eligibility
from shared.errors import (
    Conflict,
    Forbidden,
    NotConsented,
    NotFound,
    PimUnavailable,
    Rejected,
    RoleNotAllowed,
    StoreConflict,
    StoreUnavailable,
    Throttled,
    Unavailable,
)
from shared.privileged import Fence, NotYet, RunStopped, check_fence
from shared.renewal import telling
from shared.renewal.due import Due, capped, is_at_risk
from shared.renewal.holding import counted, let_go, take
from shared.renewal.kinds import Judged, Look, Noted, Renewable, SubjectKind
from shared.renewal.messages import RenewCall, RenewOver
from shared.renewal.report import CAPPED, PENDING, Line, Outcome, about
from shared.renewal.subscriptions import Subscriptions
from shared.renewal.tenants import Tenants
from shared.renewal.writing import refused_in, written
from shared.running.messages import Again
from shared.services import Services

_log = logging.getLogger(__name__)

_AT_ONCE = 8
"""Writes in one call of the activity: well within functionTimeout also on a slow day."""

_PAUSE_SECONDS = 20.0
_LONGEST_PAUSE_SECONDS = 300.0


async def renew_eligibilities_of_tenant(services: Services, call: RenewCall) -> Again | RenewOver:
    """Renew what is due in a tenant. Gives how much was changed, or when to come again."""
    return await _renew(services, Tenants(services), call)


async def renew_eligibilities_on_subscription(services: Services, call: RenewCall) -> Again | RenewOver:
    """As above, on a subscription."""
    return await _renew(services, Subscriptions(services), call)


async def _renew[S: Renewable](services: Services, kind: SubjectKind[S], call: RenewCall) -> Again | RenewOver:
    try:
        subject = await take(services, kind, call)
        if subject is None:
            return RenewOver(again=True)
        return await _renewed(services, kind, call, subject)
    except RunStopped:
        return RenewOver(changed=await let_go(services, kind, call), again=True)
    except (StoreConflict, StoreUnavailable) as error:
        _log.warning("renewal.postponed subject=%s reason=%s", call.subject_id, error)
        return Again(_PAUSE_SECONDS, str(error))


async def _renewed[S: Renewable](
    services: Services, kind: SubjectKind[S], call: RenewCall, subject: S
) -> Again | RenewOver:
    """The work, and what each failure means: some heal within minutes, some by a later try, some by a person."""
    renewing = subject.record.renewing
    since = renewing.since if renewing is not None else services.clock.now()
    age = services.clock.now() - since
    late = age > services.settings.deadlines.replication
    try:
        wait = await kind.close_open(call.subject_id)
        if wait and not late:
            return Again(min(wait, _pause(age)), "an earlier write cannot be judged yet")
        if await services.runs.is_cancelled(call.run):
            await _tell_written(services, kind, call, subject)
            return await _over(services, kind, call, again=False)
        return await _looked(services, kind, call, await _reread(kind, subject), None if late else age)
    except (Throttled, Unavailable, NotFound, Conflict) as error:
        _log.info("renewal.waits subject=%s reason=%s", call.subject_id, error)
        if not late:
            return Again(max(_pause(age), getattr(error, "seconds", 0.0)), str(error))
        await _tell_written(services, kind, call, subject)
        return await _over(services, kind, call, again=True)
    except (NotConsented, PimUnavailable, Forbidden, Rejected) as error:
        await _tell_written(services, kind, call, subject)
        await telling.stopped(services, kind, call.wish, subject, error)
        return await _over(services, kind, call, again=False)


def _pause(age: timedelta) -> float:
    """Look again soon at first, then less often."""
    return min(_LONGEST_PAUSE_SECONDS, max(_PAUSE_SECONDS, age.total_seconds() / 4))


async def _looked[S: Renewable](
    services: Services, kind: SubjectKind[S], call: RenewCall, subject: S, age: timedelta | None
) -> Again | RenewOver:
    """`age`: of the hold; None when its time is over, and nothing is waited for any more."""
    fence = Fence(run=subject.record.run, nonce=call.nonce)
    seen = await kind.look(subject, call.wish)

    def is_mine(found: S) -> bool:
        check_fence(found.record, fence)
        return True

    subject = await telling.keep(kind, seen, is_mine)
    seen = seen.of(subject)
    refused = {**call.refused, **refused_in(subject, fence.run)}
    due = [one for one in seen.due if one.row.key not in refused]
    changes = call.changes + (subject.record.renewing.changes if subject.record.renewing else 0)
    allowed, over_cap = capped(due, changes, services.settings.renewal.most_changes)
    waiting = [one for one in allowed[:_AT_ONCE] if not await _write(kind, fence, seen, one)]
    if age is not None and (waiting or len(allowed) > _AT_ONCE):
        return Again(_pause(age) if waiting else 1.0, f"{len(waiting)} are not in force yet")
    left = [*waiting, *due[len(allowed) :]]
    subject = await _reread(kind, subject)
    refused = {**call.refused, **refused_in(subject, fence.run)}
    lines = [*written(subject, fence.run), *_left(waiting, due, over_cap)]
    await telling.tell(services, kind, call.wish, seen, lines)
    for one in (*left, *(one for one in seen.due if one.row.key in refused)):
        if is_at_risk(one.seen, one.tonight):
            why = refused.get(one.row.key, PENDING)
            await telling.at_risk(services, call.wish, kind.of, call.subject_id, telling.as_seen(one, seen.now), why)
    return await _over(services, kind, call, again=bool(waiting) or len(allowed) > _AT_ONCE)


async def _write[S: Renewable](kind: SubjectKind[S], fence: Fence, seen: Look[S], one: Judged) -> bool:
    """Write one that is due. False: it is not to be seen yet. A refusal is kept by its intent."""
    subject_id, due, known = seen.subject.subject_id, one.verdict, telling.as_seen(one, seen.now)
    if not isinstance(due, Due):
        return True
    lasts = length(one.seen.wanted_days, one.tonight.maximum_days)
    arguments = {
        "principal": one.row.principal_id,
        "role": one.row.role_definition_id,
        "action": due.action.value,
        "start": (due.end - timedelta(days=lasts.days)).isoformat(),
        "end": due.end.isoformat(),
        "was": known.ends.isoformat() if known.ends else "",
    }
    try:
        result = await kind.ensure(seen.subject, fence, arguments)
    except (NotFound, Conflict, RoleNotAllowed) as error:
        # What was not to be written any more at the last moment is not due at the next look.
        _log.info("renewal.waits subject=%s reason=%s", subject_id, error)
        return False
    except Rejected as error:
        _log.warning("renewal.refused subject=%s reason=%s", subject_id, error)
        return True
    if isinstance(result, NotYet) or result.image is None:
        return False
    row = replace(
        known,
        end=result.image.end,
        ends_early=None,
        schedule_id=result.image.schedule_id,
        capped_to_days=lasts.capped_to,
    )
    await _keep(kind, fence, seen.subject, row, changes=int(result.changed))
    _log.info(
        "eligibility.renewed %s_id=%s principal_id=%s role=%s action=%s until=%s",
        kind.of.value,
        subject_id,
        row.principal_id,
        row.role_definition_id,
        due.action.value,
        row.end,
    )
    return True


async def _keep[S: Renewable](
    kind: SubjectKind[S], fence: Fence, subject: S, row: Eligibility, *, changes: int
) -> None:
    def decide(found: S) -> Noted | None:
        check_fence(found.record, fence)
        renewing = found.record.renewing
        if renewing is None or row in found.eligibilities.values():
            return None
        return Noted(renewing=counted(renewing, changes), rows=(replace(row, removed=None),))

    await kind.note(subject.subject_id, decide)


def _left(waiting: list[Judged], due: list[Judged], over_cap: int) -> list[Line]:
    """What was due and is left as it is."""
    told = [(one, PENDING, "PIM has not shown it in time: it is looked at again.") for one in waiting]
    more = "One run renews no more than so many in one place: the next goes on."
    told += [(one, CAPPED, more) for one in due[len(due) - over_cap :]]
    return [replace(about(one.row, Outcome.REFUSED, one.seen.end), why=why, told=what) for one, why, what in told]


async def _tell_written[S: Renewable](services: Services, kind: SubjectKind[S], call: RenewCall, subject: S) -> None:
    """What this run has written by now: the next one finds nothing due there, and would say nothing."""
    subject = await _reread(kind, subject)
    lines = written(subject, subject.record.run)
    await telling.tell_written(services, call.wish, kind.of, call.subject_id, lines)


async def _over[S: Renewable](services: Services, kind: SubjectKind[S], call: RenewCall, *, again: bool) -> RenewOver:
    subject = await kind.note(call.subject_id, lambda _: None)
    refused = refused_in(subject, subject.record.run)
    return RenewOver(changed=await let_go(services, kind, call), again=again, refused=refused)


async def _reread[S: Renewable](kind: SubjectKind[S], subject: S) -> S:
    return await kind.note(subject.subject_id, lambda _: None)
