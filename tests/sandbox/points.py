"""Every place where something can be made to go wrong.

The servers of the world call `hit` as they pass such a place; all hits are recorded in order. A test arms one of them
with an action: the kill of the app's process, a pause, or `Cut`, which makes the server drop the connection without an
answer. With a fault generator attached, restarts of the host happen at hits too.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.sandbox.faults import Fault, Faults

type Action = Callable[[], Awaitable[object]]


class Cut(Exception):
    """Raised by an action: drop the connection, send no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One passing of a place; nth counts the same kind and label from 0."""

    kind: str
    label: str
    nth: int


class Points:
    """The record of hits and the actions waiting for one."""

    def __init__(self, faults: Faults | None = None, restart: Action | None = None) -> None:
        self.log: list[Hit] = []
        self.faults = faults
        self.restart = restart
        self.paused = False
        self._counts: Counter[tuple[str, str]] = Counter()
        self._armed: dict[Hit, Action] = {}

    def arm(self, kind: str, label: str, nth: int, action: Action) -> None:
        """Run the action at that hit, once. A hit that already happened never comes again."""
        self._armed[Hit(kind=kind, label=label, nth=nth)] = action

    def passed(self, kind: str, label: str) -> int:
        """How often a place was passed by now: the number of its next hit."""
        return self._counts[kind, label]

    @property
    def armed(self) -> frozenset[Hit]:
        """The hits that are still waited for."""
        return frozenset(self._armed)

    async def hit(self, kind: str, label: str) -> None:
        """Record the passing; run what was armed for it. Raises Cut if the connection is to be dropped.

        Paused: nothing of all that.
        """
        if self.paused:
            return
        passing = Hit(kind=kind, label=label, nth=self._counts[kind, label])
        self._counts[kind, label] += 1
        self.log.append(passing)
        action = self._armed.pop(passing, None)
        if action is not None:
            await action()
        elif self.faults is not None and self.restart is not None and self._restarts(passing):
            await self.restart()
            raise Cut(passing)

    def _restarts(self, passing: Hit) -> bool:
        # Not where a request only comes in: nothing of ours is under way there, and the caller would have to try again.
        if self.faults is None or passing.kind == "http.before":
            return False
        return self.faults.decide("restart", f"{passing.kind} {passing.label}", passing.nth) is Fault.RESTART


def then_cut(action: Action) -> Action:
    """An action that also drops the connection of the server that passed the place."""

    async def acted() -> None:
        await action()
        raise Cut

    return acted


async def cut() -> None:
    """An action that only drops the connection."""
    raise Cut
