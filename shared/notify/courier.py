"""Delivers what the outbox keeps: claims a message, sends it, and notes what came of it.

A claim is the time of the next try, written before the message is sent: two hosts do not send the same, and what a killed
host had claimed is sent when that time has come, under the same id. A destination that fails is left alone until the next
minute, and holds up no other. By one delivery what is told of one request arrives in its order, but for what is tried again.
"""

import asyncio
import logging
from collections.abc import Iterable
from datetime import timedelta
from itertools import islice
from typing import assert_never

from msgspec.structs import replace

from shared.clock import Clock
from shared.errors import StoreConflict, StoreUnavailable
from shared.notify.destinations import Destinations
from shared.notify.notices import Destination, Kept
from shared.notify.outbox import Found, Outbox
from shared.notify.posting import Post
from shared.notify.waits import Again, Answered, Delivered, GivenUp, Gone, Refused, is_late, judge, pause

_log = logging.getLogger(__name__)

_AT_ONCE, _ROUNDS = 8, 12
"""So that also where every answer takes its whole time a delivery ends within functionTimeout."""

REFUSED, GIVEN_UP = "refused", "given up"
_DO = "look at the receiver and at the settings of its address, then POST /api/outbox/retry"

_KEPT_DAYS = 30
_PURGED_AT_ONCE, _PURGES = 500, 20


class Courier:
    """Delivers for one process."""

    def __init__(self, outbox: Outbox, post: Post, destinations: Destinations, clock: Clock) -> None:
        self._outbox = outbox
        self._post = post
        self._destinations = destinations
        self._clock = clock

    async def deliver(self) -> None:
        """Send what is due. One that fails keeps no other."""
        if self._destinations.urls:
            await asyncio.gather(*(self._deliver_to(one) for one in Destination))

    async def purge(self) -> None:
        """Forget what is older than a month, delivered or not."""
        before = self._clock.now().date() - timedelta(days=_KEPT_DAYS)
        for _ in range(_PURGES):
            if await self._outbox.purge(before, _PURGED_AT_ONCE) < _PURGED_AT_ONCE:
                return

    async def _deliver_to(self, destination: Destination) -> None:
        due = await self._outbox.due(destination, self._clock.now(), _AT_ONCE * _ROUNDS)
        if not due:
            return
        if destination not in self._destinations.urls or await self._outbox.stopped(destination) is not None:
            await self._drop_late(due)
            return
        for some in islice(_rounds(due), _ROUNDS):
            if not all(await asyncio.gather(*(self._one(found) for found in some))):
                return

    async def _one(self, found: Found) -> bool:
        """Whether its destination is worth another message now."""
        try:
            return await self._sent(found)
        except (StoreConflict, StoreUnavailable) as error:
            _log.warning("notice.postponed message_id=%s reason=%s", found.kept.id, error)
            return False

    async def _sent(self, found: Found) -> bool:
        now, tries = self._clock.now(), found.kept.tries + 1
        claimed = await self._outbox.change(found, replace(found.kept, tries=tries, due=now + pause(tries)))
        if claimed is None:
            return True
        answered = await self._post.send(claimed.kept)
        return await self._note(claimed, answered)

    async def _note(self, mine: Found, answered: Answered) -> bool:
        kept, now = mine.kept, self._clock.now()
        match judge(answered, kept.tries, kept.since, now):
            case Delivered():
                await self._outbox.delivered(kept)
                _log.info("notice.delivered %s tries=%s", _named(kept), kept.tries)
                return True
            case Again(due):
                await self._outbox.change_mine(mine, replace(kept, due=due, problem=answered.told))
                _log.info("notice.not_delivered %s reason=%s again=%s", _named(kept), answered.told, due)
                return False
            case Refused():
                if await self._outbox.change_mine(mine, replace(kept, stopped=REFUSED, problem=answered.told)):
                    _log.error("notice.refused %s reason=%s do=%s", _named(kept), answered.told, _DO)
                return True
            case GivenUp():
                if await self._outbox.change_mine(mine, replace(kept, stopped=GIVEN_UP, problem=answered.told)):
                    _log.error("notice.given_up %s reason=%s do=%s", _named(kept), answered.told, _DO)
                return False
            case Gone():
                await self._outbox.change_mine(mine, replace(kept, problem=answered.told))
                if await self._outbox.stop(kept.destination, now):
                    _log.error("notice.destination_gone destination=%s do=%s", kept.destination, _DO)
                return False
            case verdict:
                assert_never(verdict)

    async def _drop_late(self, some: Iterable[Found]) -> None:
        """What cannot be sent waits, as long as it may: a person may set another address meanwhile."""
        for one in some:
            if is_late(one.kept.since, self._clock.now()):
                given_up = replace(one.kept, stopped=GIVEN_UP)
                if await self._outbox.change(one, given_up) is not None:
                    _log.error("notice.given_up %s reason=%s do=%s", _named(one.kept), "no destination", _DO)


def _rounds(due: Iterable[Found]) -> list[list[Found]]:
    """What is sent at once: no two of the same request, and none before an older one of it."""
    rounds: list[list[Found]] = []
    free: dict[str, int] = {}
    for one in due:
        name = one.kept.request_id
        at = free.get(name, 0) if name else 0
        while at < len(rounds) and len(rounds[at]) == _AT_ONCE:
            at += 1
        if at == len(rounds):
            rounds.append([])
        rounds[at].append(one)
        free[name] = at + 1
    return rounds


def _named(kept: Kept) -> str:
    """By its id alone: the name of its alarm is what people watch the log for, and it was logged."""
    return f"message_id={kept.id} destination={kept.destination}"
