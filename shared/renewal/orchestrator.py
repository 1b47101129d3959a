"""The order of a renewal: a plan for each page of tenants, a sub-orchestration for each tenant in which something is due,
then those once more that could not be looked at. No I/O, no decisions.
"""

from datetime import timedelta

from msgspec.structs import replace

from shared.durable import ActivityFailed, Context, Sleeper, Steps, call, call_children
from shared.identifiers import TenantId
from shared.renewal.messages import END, PLAN, RENEW, RENEW_ONE, EndCall, Page, TenantCall, TenantOver
from shared.run import RunKey
from shared.running.messages import Again, PageCall
from shared.running.nightly import Passed, patiently, through_tenants

_TRIES = 4
_FIRST_PAUSE_SECONDS = 20.0
_LONGEST = timedelta(hours=2)
"""The activity has a deadline of its own; this is for a store that is out of reach."""

_FAILED = TenantOver(again=True)


def renew_eligibilities(context: Context, run: RunKey) -> Steps[None]:
    """One run over all tenants, or over those that were named."""
    sleeper = Sleeper(context)
    ended = EndCall(run=run, looked_at=0, changed=0, given_up=())
    pages = 0

    def go(page: PageCall) -> Steps[Passed]:
        nonlocal ended, pages
        pages += 1
        planned = yield from patiently(context, sleeper, PLAN, page)
        outcomes = yield from _renew(context, _calls(context, run, planned, pages))
        again = [one for one, outcome in zip(planned.due, outcomes, strict=True) if outcome.again]
        ended = replace(
            ended,
            looked_at=ended.looked_at + planned.looked_at - len(again),
            changed=ended.changed + sum(one.changed for one in outcomes),
        )
        return Passed(cursor=planned.cursor, postponed=(*planned.postponed, *again))

    given_up = yield from through_tenants(sleeper, run, go)
    yield from call(context, END, replace(ended, given_up=given_up))


def renew_tenant(context: Context, one: TenantCall) -> Steps[TenantOver]:
    """One tenant, until nothing is left to be waited for. Gives a value for a failure, too."""
    sleeper = Sleeper(context)
    failures, until = 0, context.current_utc_datetime + _LONGEST
    while failures < _TRIES and context.current_utc_datetime < until:
        try:
            outcome = yield from call(context, RENEW, one)
        except ActivityFailed:
            failures += 1
            yield from sleeper.sleep(_FIRST_PAUSE_SECONDS * failures)
            continue
        if not isinstance(outcome, Again):
            return outcome
        yield from sleeper.sleep(outcome.seconds)
    return _FAILED


def _renew(context: Context, calls: dict[str, TenantCall]) -> Steps[list[TenantOver]]:
    try:
        return (yield from call_children(context, RENEW_ONE, calls))
    except ActivityFailed:
        return [_FAILED] * len(calls)


def _calls(context: Context, run: RunKey, planned: Page, page: int) -> dict[str, TenantCall]:
    return {
        _id(context, tenant_id, page): TenantCall(
            tenant_id=tenant_id,
            nonce=f"{run.nonce}-{page}",
            orchestration_id=_id(context, tenant_id, page),
            wish=planned.wish,
        )
        for tenant_id in planned.due
    }


def _id(context: Context, tenant_id: TenantId, page: int) -> str:
    return f"{context.instance_id}-{page}-{tenant_id}"
