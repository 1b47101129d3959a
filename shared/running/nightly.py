"""The order in which a night's work goes through tenants, and subscriptions, whatever the work. No I/O, no decisions."""

from collections.abc import Callable, Sequence
from itertools import batched

import msgspec

from shared.durable import ActivityFailed, Children, Context, Sleeper, Steps, call
from shared.run import RunKey
from shared.running.messages import Cursor, PageCall
from shared.wire import Activity

PAGE = 50
"""Subjects looked at by one call of an activity."""

_AGAIN_SECONDS = (600.0, 1800.0, 3600.0)
"""Waits before those that were postponed are looked at again in the same night."""

_TRIES = 3
_PAUSE_SECONDS = 60.0


class Passed(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of a page that was gone through: where the next one begins, and which are to be looked at again."""

    cursor: Cursor | None
    postponed: tuple[str, ...]


type Going = Callable[[PageCall], Steps[Passed]]


class Pass(msgspec.Struct, frozen=True, kw_only=True):
    """What is done with each page. `finish`: waits for what the pages have begun, and gives those to be looked at again."""

    go: Going
    finish: Callable[[], Steps[tuple[str, ...]]] | None = None


class Night(msgspec.Struct, frozen=True, kw_only=True):
    """What a night came to: those of each pass that were given up, and whether a page could not be read at all."""

    given_up: list[tuple[str, ...]]
    failed: bool


def through(sleeper: Sleeper, run: RunKey, passes: Sequence[Pass]) -> Steps[Night]:
    """Everything by pages, one pass after the other, then what the pages have begun; then those once more that were
    postponed. A page that cannot be read at all keeps the other passes from nothing.
    """
    failed = False
    looked: list[tuple[str, ...]] = []
    for one in passes:
        ids, whole = yield from _pages(run, one.go)
        looked.append(ids)
        failed |= not whole
    postponed = yield from _finished(passes, looked)
    for wait in _AGAIN_SECONDS:
        if not any(postponed):
            break
        yield from sleeper.sleep(wait)
        looked = []
        for one, ids in zip(passes, postponed, strict=True):
            left = yield from _once_more(run, one.go, ids)
            looked.append(left)
        postponed = yield from _finished(passes, looked)
    return Night(given_up=postponed, failed=failed)


def _finished(passes: Sequence[Pass], postponed: Sequence[tuple[str, ...]]) -> Steps[list[tuple[str, ...]]]:
    """Those that are to be looked at again, with what the pages had begun at its end."""
    found: list[tuple[str, ...]] = []
    for one, ids in zip(passes, postponed, strict=True):
        begun = (yield from one.finish()) if one.finish is not None else ()
        found.append(tuple(dict.fromkeys((*ids, *begun))))
    return found


def _once_more(run: RunKey, go: Going, ids: Sequence[str]) -> Steps[tuple[str, ...]]:
    """By pages as well: all of them at once would take longer than an activity may."""
    postponed: list[str] = []
    for some in batched(ids, PAGE, strict=False):
        try:
            passed = yield from go(PageCall(run=run, only=some))
        except ActivityFailed:
            postponed += some
        else:
            postponed += passed.postponed
    return tuple(postponed)


def _pages(run: RunKey, go: Going) -> Steps[tuple[tuple[str, ...], bool]]:
    """Those that were postponed, and whether it went to the end."""
    postponed: list[str] = []
    cursor = None
    while True:
        try:
            passed = yield from go(PageCall(run=run, cursor=cursor))
        except ActivityFailed:
            return tuple(postponed), False
        postponed += passed.postponed
        cursor = passed.cursor
        if cursor is None:
            return tuple(postponed), True


def patiently[P: msgspec.Struct, R](
    context: Context, sleeper: Sleeper, activity: Activity[P, R], payload: P, beside: Children | None = None
) -> Steps[R]:
    """Call an activity; one that fails altogether, a few times. Raises ActivityFailed."""
    for failures in range(1, _TRIES):
        try:
            return (yield from call(context, activity, payload, beside))
        except ActivityFailed:
            yield from sleeper.sleep(_PAUSE_SECONDS * failures)
    return (yield from call(context, activity, payload, beside))
