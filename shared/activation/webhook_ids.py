"""Which webhooks were acted on: by their ids, for thirty days. Safe twice.

A repeat of one that was answered gets that answer; one whose answer was never stored is acted on again; another body under
the same id is refused.
"""

import hashlib
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from shared.rows import Row, encode
from shared.tables import Stale, Table

KEPT = timedelta(days=30)
_PAGE = 500


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """One webhook that was received. `answer`: what it was answered with; empty until then."""

    body_hash: str
    at: datetime
    answer: str = ""


class WebhookIds:
    """The table of ids; their hashes are the keys, since an id may hold anything."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def receive(self, message_id: str, body: bytes, now: datetime) -> Received | None:
        """Note that it was received. Gives what is known of that id by now; None where the body is another."""
        mine = Received(body_hash=hashlib.sha256(body).hexdigest(), at=now)
        there = await self._table.insert(_row(message_id, mine))
        known = mine if there is None else there.decode(Received)
        return known if known.body_hash == mine.body_hash else None

    async def answered(self, message_id: str, received: Received, answer: str) -> None:
        """Keep its answer. The first one stays."""
        partition, key = _keys(message_id)
        row = await self._table.get(partition, key)
        if row is None or row.decode(Received).answer:
            return
        try:
            await self._table.replace(_row(message_id, replace(received, answer=answer), etag=row.etag))
        except Stale:
            return

    async def purge(self, now: datetime) -> int:
        """Forget what was received long ago. Gives how many."""
        count, token, before = 0, None, now - KEPT
        while True:
            rows, token = await self._table.page("", {}, size=_PAGE, token=token)
            for row in rows:
                if row.decode(Received).at < before:
                    await self._table.delete(row.partition, row.key, etag=row.etag)
                    count += 1
            if token is None:
                return count


def _keys(message_id: str) -> tuple[str, str]:
    digest = hashlib.sha256(message_id.encode()).hexdigest()
    return digest[:2], digest


def _row(message_id: str, received: Received, *, etag: str = "") -> Row:
    partition, key = _keys(message_id)
    return Row(
        partition=partition, key=key, body=encode(received), nonce=f"{received.body_hash}{received.answer}", etag=etag
    )
