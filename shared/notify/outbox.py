"""The table of what is to be told: a message for each destination, kept until it was delivered.

Two rows are inserted together: `kept` is the message, deleted once it was delivered; `told` stays, so that the same fact is
not told again on the same day. Both in one partition: there are few, and a transaction has one.
"""

from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from shared.identifiers import NewId
from shared.notify.destinations import Destinations
from shared.notify.notices import Destination, Kept, Notice, message_id, payload
from shared.notify.teams import card
from shared.rows import Row, encode
from shared.tables import Operation, Stale, Table, Write

_ALL = "outbox"
_KEPT, _TOLD, _STOP = "kept", "told", "stop"
_PAGE, _SORTED = 200, 4000
_ALL_KEPT = "PartitionKey eq @p and RowKey ge @f and RowKey lt @b"
_NEVER = "never"
"""Of what is not tried any more; greater than any moment."""


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """That a destination takes nothing any more, at that address."""

    fingerprint: str
    since: datetime


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A message as it was read."""

    kept: Kept
    nonce: str
    etag: str


class Outbox:
    """What is to be told, and was."""

    def __init__(
        self, table: Table, destinations: Destinations, url: str, new_id: NewId, *, tells: bool = True
    ) -> None:
        """`tells`: whether this app knows the destinations. In another one what is to be told would be lost."""
        self._table = table
        self._tells = tells
        self._destinations = destinations
        self._url = url
        self._new_id = new_id

    async def tell(self, day: date, notice: Notice) -> None:
        """Keep the notice for every destination, unless its fact was told on that day. Safe twice."""
        if not self._tells:
            raise RuntimeError("only the app that delivers knows whom to tell")
        for destination in self._destinations.urls:
            kept = Kept(
                id=message_id(day, notice, destination),
                day=day,
                destination=destination,
                type=notice.kind,
                told=notice.at,
                since=notice.at,
                due=notice.at,
                body=(payload if destination is Destination.WEBHOOK else card)(notice, self._url),
                request_id="" if notice.activation is None else notice.activation.request_id,
            )
            nonce = self._new_id()
            told = Row(partition=_ALL, key=_key(_TOLD, kept), body=encode(kept.type), nonce=nonce)
            rows = (_row(kept, nonce), told)
            try:
                await self._table.transact([Operation(write=Write.INSERT, row=row) for row in rows], guard=told)
            except Stale:
                continue

    async def due(self, destination: Destination, now: datetime, most: int) -> list[Found]:
        """What is to be sent there by now, no more than so many, the oldest first of the first thousands."""
        found = [one async for one in self._pages(destination, {"d": _moment(now)}, _SORTED)]
        return sorted(found, key=lambda one: (one.kept.due, one.kept.id))[:most]

    async def undelivered(self, destination: Destination, most: int | None = None) -> AsyncIterator[Found]:
        """What is kept for it, by day: all, or no more than a page above so many."""
        async for one in self._pages(destination, {}, most):
            yield one

    async def change(self, found: Found, kept: Kept) -> Found | None:
        """Write a message that was read as it is to be; None where somebody changed it meanwhile."""
        nonce = self._new_id()
        try:
            await self._table.replace(_row(kept, nonce, found.etag))
        except Stale:
            return None
        return Found(kept=kept, nonce=nonce, etag="")

    async def change_mine(self, mine: Found, kept: Kept) -> bool:
        """The same for one that this process has changed before: only while nobody else did since."""
        row = await self._table.get(_ALL, _key(_KEPT, mine.kept))
        if row is None or row.nonce != mine.nonce:
            return False
        return await self.change(_found(row), kept) is not None

    async def delivered(self, kept: Kept) -> None:
        """It needs no keeping any more. Safe twice."""
        await self._table.delete(_ALL, _key(_KEPT, kept))

    async def again(self, now: datetime) -> int:
        """Let everything that is kept be sent anew, whatever stopped it. Gives how much that is."""
        count = 0
        for destination in Destination:
            await self._table.delete(_ALL, _stop_key(destination))
            async for one in self.undelivered(destination):
                kept = replace(one.kept, due=now, since=now, tries=0, stopped="")
                count += await self.change(one, kept) is not None
        return count

    async def stop(self, destination: Destination, now: datetime) -> bool:
        """The destination takes nothing any more. Whether that is new."""
        stop = Stop(fingerprint=self._destinations.fingerprint(destination), since=now)
        key, nonce = _stop_key(destination), self._new_id()
        there = await self._table.insert(Row(partition=_ALL, key=key, body=encode(stop), nonce=nonce))
        if there is None:
            return True
        if there.decode(Stop).fingerprint == stop.fingerprint:
            return False
        try:
            await self._table.replace(Row(partition=_ALL, key=key, body=encode(stop), nonce=nonce, etag=there.etag))
        except Stale:
            return False
        return True

    async def stopped(self, destination: Destination) -> datetime | None:
        """Since when the destination takes nothing, at the address that it has now."""
        row = await self._table.get(_ALL, _stop_key(destination))
        known = None if row is None else row.decode(Stop)
        same = known is not None and known.fingerprint == self._destinations.fingerprint(destination)
        return known.since if known is not None and same else None

    async def purge(self, before: date, most: int) -> int:
        """Forget what was told before a day, no more than so many rows. Gives how many."""
        count = 0
        for kind in (_TOLD, _KEPT):
            for destination in Destination:
                first = f"{kind}|{destination}|"
                rows = await self._table.partition(_ALL, first=first, before=f"{first}{before.isoformat()}")
                for row in rows[: most - count]:
                    await self._table.delete(_ALL, row.key)
                    count += 1
        return count

    async def _pages(
        self, destination: Destination, parameters: dict[str, str], most: int | None
    ) -> AsyncIterator[Found]:
        """What is kept for it, and due by `d`. A filter on no key gives pages that may be empty, and yet have a next one."""
        first = f"{_KEPT}|{destination}|"
        query = _ALL_KEPT + (" and due le @d" if parameters else "")
        bounds = {"p": _ALL, "f": first, "b": f"{first}~"}
        token: Any = None
        count = 0
        while True:
            rows, token = await self._table.page(query, {**bounds, **parameters}, size=_PAGE, token=token)
            for row in rows:
                yield _found(row)
            count += len(rows)
            if token is None or (most is not None and count >= most):
                return


def _found(row: Row) -> Found:
    return Found(kept=row.decode(Kept), nonce=row.nonce, etag=row.etag)


def _row(kept: Kept, nonce: str, etag: str = "") -> Row:
    due = _NEVER if kept.stopped else _moment(kept.due)
    return Row(partition=_ALL, key=_key(_KEPT, kept), body=encode(kept), nonce=nonce, etag=etag, columns={"due": due})


def _key(kind: str, kept: Kept) -> str:
    return f"{kind}|{kept.destination}|{kept.day.isoformat()}|{kept.id}"


def _stop_key(destination: Destination) -> str:
    return f"{_STOP}|{destination}"


def _moment(when: datetime) -> str:
    """A column is compared as text."""
    return f"{when:%Y-%m-%dT%H:%M:%SZ}"
