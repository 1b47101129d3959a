"""The order of a lock-down: begin, each role's policy, then the eligibilities, then the approvers, end. No I/O, no decisions.

A policy comes before the eligibility that it is for: nobody is made eligible for a role that is open.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from shared.durable import ActivityFailed, Context, Sleeper, Steps, call
from shared.lockdown.messages import (
    BEGIN,
    CHECK_APPROVERS,
    END,
    LOCK_ROLE,
    MAKE_ELIGIBLE,
    LockCall,
    LockEnd,
    LockPlan,
    Went,
)
from shared.run import RunKey
from shared.running.messages import Again
from shared.tenants.record import Problem
from shared.wire import Activity

_TRIES = 4
_FIRST_PAUSE_SECONDS = 20.0


def lock_down_subscription(context: Context, run: RunKey) -> Steps[None]:
    """One run of one subscription."""
    sleeper = Sleeper(context)
    ended = LockEnd(run=run)
    plan = yield from _settled(context, sleeper, BEGIN, LockCall(run=run))
    if isinstance(plan, LockPlan):
        for activity, payload in _acts(run, plan):
            went = yield from _settled(context, sleeper, activity, payload)
            ended = _after(ended, went)
            if ended.failed:
                break
    else:
        ended = _after(ended, plan)
    yield from _settled(context, sleeper, END, ended)


def _acts(run: RunKey, plan: LockPlan) -> Iterator[tuple[Activity[LockCall, Again | Went], LockCall]]:
    for role in plan.roles:
        yield LOCK_ROLE, LockCall(run=run, role=role)
    for key in plan.eligibilities:
        yield MAKE_ELIGIBLE, LockCall(run=run, eligibility=key)
    yield CHECK_APPROVERS, LockCall(run=run)


def _after[R](ended: LockEnd, outcome: R | Went) -> LockEnd:
    if not isinstance(outcome, Went):
        return ended
    return replace(ended, problems=(*ended.problems, *outcome.problems), failed=ended.failed or outcome.stops)


def _settled[P, R](context: Context, sleeper: Sleeper, activity: Activity[P, R], payload: P) -> Steps[R | Went]:
    """Call an activity until it answers something other than `Again`; one that raises, a few times. Each has a deadline of
    its own.
    """
    failures, reason = 0, ""
    while failures < _TRIES:
        try:
            outcome = yield from call(context, activity, payload)
        except ActivityFailed as failure:
            failures, reason = failures + 1, str(failure)
            yield from sleeper.sleep(_FIRST_PAUSE_SECONDS * 2**failures)
            continue
        if not isinstance(outcome, Again):
            return outcome
        yield from sleeper.sleep(outcome.seconds)
    return Went(problems=(_unexpected(activity.name, reason),), stops=True)


def _unexpected(activity: str, reason: str) -> Problem:
    return Problem(
        code="Unexpected",
        what=f"{activity} failed {_TRIES} times: {reason[:200]}",
        do="Look at the app's log for this time, then send the same PUT again.",
    )
