"""The order of a night: the audit is sealed, then every tenant by pages, then those once more that could not be looked at.
No I/O, no decisions.

Tenants whose analysts changed get runs of their own, by run rows: a night waits for none of them.
"""

from shared.durable import ActivityFailed, Context, Sleeper, Steps, call
from shared.identifiers import TenantId
from shared.run import RunKey
from shared.running.messages import PageCall
from shared.running.nightly import Pass, Passed, patiently, through
from shared.upkeep.messages import END_NIGHT, LOOK_AFTER, SEAL_AUDIT, NightCall, SealCall, Sealed

_TRIES = 3
_PAUSE_SECONDS = 60.0


def look_after_tenants(context: Context, run: RunKey) -> Steps[None]:
    """One night."""
    sleeper = Sleeper(context)
    yield from _seal(context, sleeper, run)
    looked_at = opened = 0

    def look(page: PageCall) -> Steps[Passed]:
        nonlocal looked_at, opened
        found = yield from patiently(context, sleeper, LOOK_AFTER, page)
        looked_at, opened = looked_at + found.looked_at, opened + found.opened
        return Passed(cursor=found.cursor, postponed=found.postponed)

    night = yield from through(sleeper, run, [Pass(go=look)])
    [given_up] = night.given_up
    yield from call(
        context,
        END_NIGHT,
        NightCall(
            run=run,
            looked_at=looked_at,
            opened=opened,
            given_up=tuple(TenantId(one) for one in given_up),
            failed=night.failed,
        ),
    )


def _seal(context: Context, sleeper: Sleeper, run: RunKey) -> Steps[None]:
    """Seal the audit's heads. A night that cannot is over all the same: its activity has said so, or died, and that no
    `audit.sealed` comes is watched for.
    """
    for failures in range(1, _TRIES + 1):
        try:
            sealed = yield from call(context, SEAL_AUDIT, SealCall(run=run))
        except ActivityFailed:
            sealed = Sealed(done=False)
        if sealed.done:
            return
        if failures < _TRIES:
            yield from sleeper.sleep(_PAUSE_SECONDS * failures)
