"""The audit trail: an append-only record of every privileged act, one hash chain a subject.

The row key is the inverted sequence, so the first row is the head. Entries are inserted, never updated; this app's
identity may do no more.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from shared.chain import GENESIS, Deed, Entry, Unreadable, sealed
from shared.errors import AutomationError, StoreConflict, StoreUnavailable
from shared.rows import Row, encode
from shared.tables import Table

_SEQUENCES = 10**12
_TRIES = 5


class Audit:
    """The audit table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def next_entry(self, subject: str, deed: Deed) -> Entry:
        """The entry that would follow the head. Nothing is written."""
        last = await self.head(subject)
        if last is None:
            return sealed(subject, 1, GENESIS, deed)
        return sealed(subject, last.sequence + 1, last.hash, deed)

    async def head(self, subject: str) -> Entry | None:
        """The newest entry of a subject's chain."""
        row = await self._table.first(subject)
        return row.decode(Entry) if row else None

    async def append(self, entry: Entry) -> bool:
        """Insert an entry. Equal content there already is success; False when another entry took its place."""
        row = Row(
            partition=entry.subject,
            key=_key(entry),
            body=encode(entry),
            nonce=entry.hash,
        )
        return await self._table.insert(row) is None

    async def add(self, subject: str, deed: Deed) -> None:
        """Append a deed that has no intent behind it. Raises StoreConflict when others are always faster."""
        for _ in range(_TRIES):
            if await self.append(await self.next_entry(subject, deed)):
                return
        raise StoreConflict(f"audit of {subject} kept moving")

    async def around[T](self, subject: str, deed: Deed, change: Callable[[], Awaitable[T]]) -> T:
        """Append a deed before the change that it tells of, so that nothing counts untold; where that may not be, or nobody
        knows whether it was, say so.

        Raises what the change raises.
        """
        await self.add(subject, deed)
        try:
            return await change()
        except AutomationError as error:
            # Where the store's answer is lost the change may have landed, or a sweeper carries it out yet.
            told = "not known whether done" if isinstance(error, StoreUnavailable) else "not done"
            await self.add(subject, msgspec.structs.replace(deed, outcome=f"{told}: {error}"))
            raise

    async def page(self, subject: str, *, size: int, token: Any) -> tuple[list[Entry | Unreadable], Any]:
        """One page of a subject's entries, or of everybody's, the newest first of each; and the next page's token.

        A row that holds no entry of its place hides none of the others.
        """
        query, parameters = ("PartitionKey eq @s", {"s": subject}) if subject else ("", {})
        rows, following = await self._table.page(query, parameters, size=size, token=token)
        return [_entry(row) for row in rows], following

    async def entries(self, subject: str) -> list[Entry]:
        """A subject's chain, oldest first."""
        return [row.decode(Entry) for row in reversed(await self._table.partition(subject))]


def _key(entry: Entry) -> str:
    return f"{_SEQUENCES - entry.sequence:012d}"


def _entry(row: Row) -> Entry | Unreadable:
    try:
        entry = row.decode(Entry)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Unreadable(subject=row.partition, key=row.key)
    in_place = (entry.subject, _key(entry)) == (row.partition, row.key)
    return entry if in_place else Unreadable(subject=row.partition, key=row.key)
