"""The order of a night: the audit is sealed, then every tenant by pages, then those once more that could not be looked at.
No I/O, no decisions.

Tenants whose analysts changed get runs of their own, by run rows: a night waits for none of them.
"""

from shared.durable import ActivityFailed, Context, Sleeper, Steps, call
from shared.identifiers import TenantId
from shared.run import RunKey
from shared.upkeep.messages import END_NIGHT, LOOK_AFTER, SEAL_AUDIT, NightCall, Page, PageCall, SealCall, Sealed

_AGAIN_SECONDS = (600.0, 1800.0, 3600.0)
"""Waits before those that were postponed are looked at again in the same night."""

_TRIES = 3
_PAUSE_SECONDS = 60.0


def look_after_tenants(context: Context, run: RunKey) -> Steps[None]:
    """One night."""
    sleeper = Sleeper(context)
    yield from _seal(context, sleeper, run)
    looked_at = opened = 0
    postponed: list[TenantId] = []
    cursor = None
    while True:
        page = yield from _page(context, sleeper, PageCall(run=run, cursor=cursor))
        looked_at, opened = looked_at + page.looked_at, opened + page.opened
        postponed += page.postponed
        cursor = page.cursor
        if cursor is None:
            break
    for wait in _AGAIN_SECONDS:
        if not postponed:
            break
        yield from sleeper.sleep(wait)
        page = yield from _page(context, sleeper, PageCall(run=run, only=tuple(postponed)))
        looked_at, opened = looked_at + page.looked_at, opened + page.opened
        postponed = list(page.postponed)
    ended = NightCall(run=run, looked_at=looked_at, opened=opened, given_up=tuple(postponed))
    yield from call(context, END_NIGHT, ended)


def _seal(context: Context, sleeper: Sleeper, run: RunKey) -> Steps[None]:
    """Seal the audit's heads. A night that cannot is over all the same: its activity has said so, loudly."""
    for failures in range(1, _TRIES + 1):
        try:
            sealed = yield from call(context, SEAL_AUDIT, SealCall(run=run))
        except ActivityFailed:
            sealed = Sealed(done=False)
        if sealed.done:
            return
        if failures < _TRIES:
            yield from sleeper.sleep(_PAUSE_SECONDS * failures)


def _page(context: Context, sleeper: Sleeper, page: PageCall) -> Steps[Page]:
    """Look at a page. One that cannot be read at all is tried a few times, and then fails the night."""
    for failures in range(1, _TRIES):
        try:
            return (yield from call(context, LOOK_AFTER, page))
        except ActivityFailed:
            yield from sleeper.sleep(_PAUSE_SECONDS * failures)
    return (yield from call(context, LOOK_AFTER, page))
