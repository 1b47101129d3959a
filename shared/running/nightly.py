"""The order in which a night's work goes through the tenants, whatever the work. No I/O, no decisions."""

from collections.abc import Callable
from dataclasses import dataclass

from shared.durable import ActivityFailed, Context, Sleeper, Steps, call
from shared.identifiers import TenantId
from shared.run import RunKey
from shared.running.messages import Cursor, PageCall
from shared.wire import Activity

_AGAIN_SECONDS = (600.0, 1800.0, 3600.0)
"""Waits before those that were postponed are looked at again in the same night."""

_TRIES = 3
_PAUSE_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """What is left of a page that was gone through: where the next one begins, and which are to be looked at again."""

    cursor: Cursor | None
    postponed: tuple[TenantId, ...]


type Pass = Callable[[PageCall], Steps[Passed]]


def through_tenants(sleeper: Sleeper, run: RunKey, go: Pass) -> Steps[tuple[TenantId, ...]]:
    """Every tenant by pages, then those once more that were postponed. Gives those that were given up."""
    postponed: list[TenantId] = []
    cursor = None
    while True:
        passed = yield from go(PageCall(run=run, cursor=cursor))
        postponed += passed.postponed
        cursor = passed.cursor
        if cursor is None:
            break
    for wait in _AGAIN_SECONDS:
        if not postponed:
            break
        yield from sleeper.sleep(wait)
        passed = yield from go(PageCall(run=run, only=tuple(postponed)))
        postponed = list(passed.postponed)
    return tuple(postponed)


def patiently[R](context: Context, sleeper: Sleeper, activity: Activity[PageCall, R], page: PageCall) -> Steps[R]:
    """Look at a page. One that cannot be read at all is tried a few times, and then fails the night."""
    for failures in range(1, _TRIES):
        try:
            return (yield from call(context, activity, page))
        except ActivityFailed:
            yield from sleeper.sleep(_PAUSE_SECONDS * failures)
    return (yield from call(context, activity, page))
