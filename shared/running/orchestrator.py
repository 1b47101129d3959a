"""The order of a tenant's run: begin, the acts that are left, end. No I/O, no clock, no decisions of its own.

A run that must wait for a person ends in a waiting state; the next one passes over what is done. Waits for machines
are durable timers.
"""

from datetime import datetime, timedelta

import msgspec

from shared.durable import ActivityFailed, Context, Sleeper, Steps, call
from shared.run import RunKey
from shared.running.acts import BEGIN, BY_NUMBER, END
from shared.running.messages import ActCall, ActOutcome, Again, Done, EndCall, Ended, Plan
from shared.tenants.record import Problem
from shared.tenants.states import State
from shared.wire import Activity

_TRIES = 4
"""Times that a failing activity is called. Its own failures are values; what raises is a bug, or the store out of
reach."""

_FIRST_PAUSE_SECONDS = 20.0


def follow_plan(context: Context, run: RunKey) -> Steps[None]:
    """One run of one tenant, of whatever kind: the plan says what is left, and where it leads."""
    sleeper = Sleeper(context)
    while True:
        opening = yield from _until_settled(context, sleeper, BEGIN, ActCall(run=run))
        if isinstance(opening, Plan):
            ended = yield from _perform(context, sleeper, run, opening)
        else:
            ended = opening if isinstance(opening, Ended) else Ended(State.FAILED)
        closing = yield from _until_settled(context, sleeper, END, EndCall(run=run, ended=ended))
        if isinstance(closing, (Done, Ended)):
            return


def _perform(context: Context, sleeper: Sleeper, run: RunKey, plan: Plan) -> Steps[Ended]:
    for number in plan.acts:
        for step in BY_NUMBER[number].steps:
            calls = [ActCall(run=run, analyst=analyst) for analyst in (plan.analysts if step.by_analyst else (None,))]
            outcome = yield from _rounds(context, sleeper, step.activity, calls)
            if isinstance(outcome, Ended):
                return outcome
            if not outcome.more and not step.by_analyst:
                break
    return Ended(plan.then)


def _rounds(
    context: Context, sleeper: Sleeper, activity: Activity[ActCall, ActOutcome], calls: list[ActCall]
) -> Steps[Done | Ended]:
    """Every analyst at its own time: while one waits for replication or a slot, the others are not kept waiting.

    Gives what the last of them came to.
    """
    done = Done()
    due = [(context.current_utc_datetime, one) for one in calls]
    while due:
        waiting: list[tuple[datetime, ActCall]] = []
        for number, (moment, one) in enumerate(due, start=1):
            if moment > context.current_utc_datetime:
                waiting.append((moment, one))
                continue
            last = not waiting and number == len(due)
            outcome = yield from _attempt(context, sleeper, activity, msgspec.structs.replace(one, last=last))
            if isinstance(outcome, Ended):
                return outcome
            if isinstance(outcome, Done):
                done = outcome
            if isinstance(outcome, Again):
                again = context.current_utc_datetime + timedelta(seconds=outcome.seconds)
                waiting.append((again, msgspec.structs.replace(one, slot=outcome.slot)))
        due = waiting
        if due:
            nearest = min(moment for moment, _ in due)
            woken = yield from sleeper.sleep((nearest - context.current_utc_datetime).total_seconds())
            if woken:
                due = [(context.current_utc_datetime, one) for _, one in due]
    return done


def _until_settled[P: (ActCall, EndCall), R](
    context: Context, sleeper: Sleeper, activity: Activity[P, R], payload: P
) -> Steps[R | Ended]:
    """Call an activity until it answers something other than `Again`. Every activity has its own deadline."""
    while True:
        outcome = yield from _attempt(context, sleeper, activity, payload)
        if not isinstance(outcome, Again):
            return outcome
        yield from sleeper.sleep(outcome.seconds)


def _attempt[P: (ActCall, EndCall), R](
    context: Context, sleeper: Sleeper, activity: Activity[P, R], payload: P
) -> Steps[R | Ended]:
    """Call an activity once; one that raises, a few times."""
    reason = ""
    for failures in range(1, _TRIES + 1):
        try:
            return (yield from call(context, activity, payload))
        except ActivityFailed as failure:
            reason = str(failure)
        if failures < _TRIES:
            yield from sleeper.sleep(_FIRST_PAUSE_SECONDS * 2**failures)
    return _unexpected(activity.name, reason)


def _unexpected(activity: str, reason: str) -> Ended:
    problem = Problem(
        code="Unexpected",
        what=f"{activity} failed {_TRIES} times: {reason[:200]}",
        do="Look at the app's log for this time, then POST /api/tenants/{tenantId}/retry.",
    )
    return Ended(State.FAILED, problem)
