"""The audit trail: an append-only record of every privileged act, one hash chain a subject.

An entry holds its sequence number and the hash of the one before it. The row key is the inverted sequence, so the
first row is the head. Entries are inserted, never updated; this app's identity may do no more.
"""

import hashlib
from datetime import datetime

import msgspec

from shared.errors import ChainBroken
from shared.rows import Row, encode
from shared.tables import Table

_SEQUENCES = 10**12
GENESIS = "0" * 64


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what to which tenant, when, on whose word, why, and how it ended."""

    at: datetime
    registration: str
    on_whose_word: str
    tenant_id: str
    act: int
    run: int
    what: str
    why: str
    object_name: str
    wanted: msgspec.Raw
    before: msgspec.Raw
    outcome: str
    request_id: str


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One link of a subject's chain."""

    subject: str
    sequence: int
    previous: str
    deed: Deed
    hash: str = ""


def sealed(subject: str, sequence: int, previous: str, deed: Deed) -> Entry:
    """The entry with its hash: SHA-256 over its JSON in field order, with an empty hash."""
    entry = Entry(subject=subject, sequence=sequence, previous=previous, deed=deed)
    return msgspec.structs.replace(entry, hash=hashlib.sha256(msgspec.json.encode(entry)).hexdigest())


def verify(entries: list[Entry]) -> None:
    """Check a whole chain, oldest first. Raises ChainBroken that names the first wrong entry."""
    previous = GENESIS
    for number, entry in enumerate(entries, start=1):
        expected = sealed(entry.subject, number, previous, entry.deed)
        if entry != expected:
            raise ChainBroken(f"{entry.subject} entry {number}")
        previous = entry.hash


class Audit:
    """The audit table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def next_entry(self, subject: str, deed: Deed) -> Entry:
        """The entry that would follow the head. Nothing is written."""
        head = await self._table.first(subject)
        if head is None:
            return sealed(subject, 1, GENESIS, deed)
        last = head.decode(Entry)
        return sealed(subject, last.sequence + 1, last.hash, deed)

    async def append(self, entry: Entry) -> bool:
        """Insert an entry. Equal content there already is success; False when another entry took its place."""
        row = Row(
            partition=entry.subject,
            key=f"{_SEQUENCES - entry.sequence:012d}",
            body=encode(entry),
            nonce=entry.hash,
        )
        return await self._table.insert(row) is None

    async def entries(self, subject: str) -> list[Entry]:
        """A subject's chain, oldest first."""
        return [row.decode(Entry) for row in reversed(await self._table.partition(subject))]
