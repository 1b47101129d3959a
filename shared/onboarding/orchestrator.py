"""The order of onboarding: begin, the acts that are left, end. No I/O, no clock, no decisions of its own.

A run that must wait for a person ends in a waiting state; the next one passes over what is done. Waits for machines
are durable timers.
"""

import msgspec

from shared.durable import ActivityFailed, Context, Sleeper, Steps, call
from shared.onboarding.acts import BEGIN, BY_NUMBER, END
from shared.onboarding.messages import ActCall, Again, Done, EndCall, Ended, Plan
from shared.runs import RunKey
from shared.tenants.record import Problem
from shared.tenants.states import State
from shared.wire import Activity

_TRIES = 4
"""Times that a failing activity is called. Its own failures are values; what raises is a bug, or the store out of
reach."""

_FIRST_PAUSE_SECONDS = 20.0


def onboard_tenant(context: Context, run: RunKey) -> Steps[None]:
    """One run of one tenant's onboarding."""
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
            for analyst in plan.analysts if step.by_analyst else (None,):
                outcome = yield from _until_settled(context, sleeper, step.activity, ActCall(run=run, analyst=analyst))
                if isinstance(outcome, Ended):
                    return outcome
    return Ended(State.READY)


def _until_settled[P: (ActCall, EndCall), R](
    context: Context, sleeper: Sleeper, activity: Activity[P, R], payload: P
) -> Steps[R | Ended]:
    """Call an activity until it answers something other than `Again`. Every activity has its own deadline."""
    failures = 0
    while True:
        try:
            outcome = yield from call(context, activity, payload)
        except ActivityFailed as failure:
            failures += 1
            if failures == _TRIES:
                return _unexpected(activity.name, str(failure))
            yield from sleeper.sleep(_FIRST_PAUSE_SECONDS * 2**failures)
            continue
        if not isinstance(outcome, Again):
            return outcome
        yield from sleeper.sleep(outcome.seconds)
        payload = _with_slot(payload, outcome)


def _with_slot[P: (ActCall, EndCall)](payload: P, again: Again) -> P:
    return msgspec.structs.replace(payload, slot=again.slot) if isinstance(payload, ActCall) else payload


def _unexpected(activity: str, reason: str) -> Ended:
    problem = Problem(
        code="Unexpected",
        what=f"{activity} failed {_TRIES} times: {reason[:200]}",
        do="Look at the app's log for this time, then POST /api/tenants/{tenantId}/retry.",
    )
    return Ended(State.FAILED, problem)
