"""The order of a night's look at what is locked down: every subscription by pages, then those once more that could not be
looked at. No I/O, no decisions. A policy that differs gets a run of its own, by a run row: the night waits for none.
"""

from shared.durable import Context, Sleeper, Steps
from shared.identifiers import SubscriptionId
from shared.lockdown.messages import END_LOOK, LOOK, LockedNightEnd
from shared.run import RunKey
from shared.running.messages import PageCall
from shared.running.nightly import Pass, Passed, patiently, through


def look_after_subscriptions(context: Context, run: RunKey) -> Steps[None]:
    """One night."""
    sleeper = Sleeper(context)
    looked_at = drifted = 0

    def go(page: PageCall) -> Steps[Passed]:
        nonlocal looked_at, drifted
        found = yield from patiently(context, sleeper, LOOK, page)
        looked_at, drifted = looked_at + found.looked_at, drifted + found.drifted
        return Passed(cursor=found.cursor, postponed=found.postponed)

    night = yield from through(sleeper, run, [Pass(go=go)])
    [given_up] = night.given_up
    ended = LockedNightEnd(
        run=run,
        looked_at=looked_at,
        drifted=drifted,
        given_up=tuple(SubscriptionId(one) for one in given_up),
        failed=night.failed,
    )
    yield from patiently(context, sleeper, END_LOOK, ended)
