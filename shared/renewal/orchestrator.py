"""The order of a renewal: a plan for each page of tenants, and of subscriptions; beside the next pages a sub-orchestration
for each in which something is due; then those once more that could not be looked at. No I/O, no decisions.
"""

from collections.abc import Mapping
from datetime import timedelta

from msgspec.structs import replace

from shared.durable import ActivityFailed, Children, Context, Sleeper, Steps, call
from shared.identifiers import SubscriptionId, TenantId
from shared.renewal.messages import (
    END,
    PLAN,
    PLAN_SUBSCRIPTIONS,
    RENEW,
    RENEW_ON_SUBSCRIPTION,
    RENEW_ONE,
    RENEW_ONE_SUBSCRIPTION,
    EndCall,
    Page,
    Plan,
    Renew,
    RenewCall,
    RenewOne,
    RenewOver,
)
from shared.run import RunKey
from shared.running.messages import Again, PageCall
from shared.running.nightly import Pass, Passed, patiently, through

_TRIES = 4
_FIRST_PAUSE_SECONDS = 20.0
_LONGEST = timedelta(hours=2)
"""The activity has a deadline of its own; this is for a store that is out of reach."""

_NOTHING, _FAILED = RenewOver(), RenewOver(again=True)


def renew_eligibilities(context: Context, run: RunKey) -> Steps[None]:
    """One run over all tenants and subscriptions, or over those that were named."""
    sleeper = Sleeper(context)
    ended = EndCall(run=run, looked_at=0, changed=0)
    pages = 0
    children = Children(context)
    so_far: dict[str, RenewOver] = {}

    def over(plan: Plan, child: RenewOne) -> Pass:
        begun: set[str] = set()

        def go(page: PageCall) -> Steps[Passed]:
            nonlocal ended, pages
            pages += 1
            planned = yield from patiently(context, sleeper, plan, page, children)
            # One whose state changes while the pages go by is listed twice.
            fresh = replace(planned, due=tuple(one for one in planned.due if one not in begun))
            begun.update(fresh.due)
            children.add(child, _calls(context, run, fresh, pages, so_far))
            ended = replace(ended, looked_at=ended.looked_at + planned.looked_at)
            return Passed(cursor=planned.cursor, postponed=planned.postponed)

        def finish() -> Steps[tuple[str, ...]]:
            nonlocal ended
            outcomes = yield from children.outcomes(child)
            begun.clear()
            over = {one.subject_id: _FAILED if outcome is None else outcome for one, outcome in outcomes}
            so_far.update((one, outcome.after(so_far.get(one, _NOTHING))) for one, outcome in over.items())
            again = tuple(one for one, outcome in over.items() if outcome.again)
            ended = replace(
                ended,
                looked_at=ended.looked_at - len(again),
                changed=ended.changed + sum(one.changed for one in over.values()),
            )
            return again

        return Pass(go=go, finish=finish)

    passes = (over(PLAN, RENEW_ONE), over(PLAN_SUBSCRIPTIONS, RENEW_ONE_SUBSCRIPTION))
    night = yield from through(sleeper, run, passes)
    tenants, subscriptions = night.given_up
    given_up = replace(
        ended,
        failed=night.failed,
        given_up=tuple(TenantId(one) for one in tenants),
        given_up_subscriptions=tuple(SubscriptionId(one) for one in subscriptions),
    )
    yield from patiently(context, sleeper, END, given_up)


def renew_tenant(context: Context, one: RenewCall) -> Steps[RenewOver]:
    """One tenant, until nothing is left to be waited for. Gives a value for a failure, too."""
    return (yield from _renew_one(context, RENEW, one))


def renew_subscription(context: Context, one: RenewCall) -> Steps[RenewOver]:
    """As above, one subscription."""
    return (yield from _renew_one(context, RENEW_ON_SUBSCRIPTION, one))


def _renew_one(context: Context, activity: Renew, one: RenewCall) -> Steps[RenewOver]:
    sleeper = Sleeper(context)
    failures, until = 0, context.current_utc_datetime + _LONGEST
    while failures < _TRIES and context.current_utc_datetime < until:
        try:
            outcome = yield from call(context, activity, one)
        except ActivityFailed:
            failures += 1
            yield from sleeper.sleep(_FIRST_PAUSE_SECONDS * failures)
            continue
        if not isinstance(outcome, Again):
            return outcome
        yield from sleeper.sleep(outcome.seconds)
    return _FAILED


def _calls(
    context: Context, run: RunKey, planned: Page, page: int, so_far: Mapping[str, RenewOver]
) -> dict[str, RenewCall]:
    return {
        _id(context, subject_id, page): RenewCall(
            run=run,
            subject_id=subject_id,
            nonce=f"{run.nonce}-{page}",
            orchestration_id=_id(context, subject_id, page),
            wish=planned.wish,
            changes=so_far.get(subject_id, _NOTHING).changed,
            refused=so_far.get(subject_id, _NOTHING).refused,
        )
        for subject_id in planned.due
    }


def _id(context: Context, subject_id: str, page: int) -> str:
    return f"{context.instance_id}-{page}-{subject_id}"
