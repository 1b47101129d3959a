"""The order in which a night's work goes through tenants, and subscriptions, whatever the work. No I/O, no decisions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared.durable import ActivityFailed, Context, Sleeper, Steps, call
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
    postponed: tuple[str, ...]


type Pass = Callable[[PageCall], Steps[Passed]]


def through(sleeper: Sleeper, run: RunKey, passes: Sequence[Pass]) -> Steps[list[tuple[str, ...]]]:
    """Everything by pages, one pass after the other; then those of each once more that were postponed. Gives those of each
    that were given up. A pass whose page cannot be read at all keeps the others from nothing; then it fails the night.
    """
    postponed: list[tuple[str, ...]] = [()] * len(passes)
    failed: ActivityFailed | None = None
    for number, go in enumerate(passes):
        try:
            postponed[number] = yield from _pages(run, go)
        except ActivityFailed as error:
            failed = error
    for wait in _AGAIN_SECONDS:
        if not any(postponed):
            break
        yield from sleeper.sleep(wait)
        for number, go in enumerate(passes):
            if postponed[number]:
                postponed[number] = (yield from go(PageCall(run=run, only=postponed[number]))).postponed
    if failed is not None:
        raise failed
    return postponed


def _pages(run: RunKey, go: Pass) -> Steps[tuple[str, ...]]:
    postponed: list[str] = []
    cursor = None
    while True:
        passed = yield from go(PageCall(run=run, cursor=cursor))
        postponed += passed.postponed
        cursor = passed.cursor
        if cursor is None:
            return tuple(postponed)


def patiently[R](context: Context, sleeper: Sleeper, activity: Activity[PageCall, R], page: PageCall) -> Steps[R]:
    """Look at a page. One that cannot be read at all is tried a few times, and then fails the night."""
    for failures in range(1, _TRIES):
        try:
            return (yield from call(context, activity, page))
        except ActivityFailed:
            yield from sleeper.sleep(_PAUSE_SECONDS * failures)
    return (yield from call(context, activity, page))
