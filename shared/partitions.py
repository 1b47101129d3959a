"""Partitions of subjects: each read whole, and written in transactions that hold its record's ETag.

All writes go through `update`: it asks a pure function what to change, writes, and reads and asks again when somebody
else was faster. What the rows mean is the business of each store, which says it by a `Shape`.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from typing import Protocol

import msgspec

from shared.clock import Clock
from shared.errors import StoreConflict
from shared.identifiers import NewId
from shared.rows import Row, encode
from shared.tables import BATCH_ROWS, Operation, Stale, Table, Write

RECORD = "record"
_TRIES = 12
_ONE_ANSWER = 1000
"""The most rows that the service puts into one answer (Table Storage, query timeout and pagination)."""


class Stored(Protocol):
    """A partition as one value."""

    @property
    def subject_id(self) -> str:
        """The partition's key."""
        ...

    @property
    def etag(self) -> str:
        """The ETag of its record."""
        ...


class Shape[S: Stored, C](msgspec.Struct, frozen=True, kw_only=True):
    """What a kind of partition is made of: subjects S, changed by changes C.

    `rows`: what a change writes beside the record, by row key; None deletes. `before`: told of every change before it is
    written. Raises where a change may not be. `may`: whether it could be written at all.
    """

    name: str
    assemble: Callable[[Sequence[Row]], S | None]
    record_of: Callable[[C], tuple[str, object]]
    rows: Callable[[C], Iterable[tuple[str, object | None]]]
    applied: Callable[[S, C, str], S]
    may: Callable[[S, C], bool]
    before: Callable[[S | None, C], Awaitable[None]]


class Partitions[S: Stored, C]:
    """One partition a subject."""

    def __init__(self, table: Table, clock: Clock, new_id: NewId, shape: Shape[S, C]) -> None:
        self._table = table
        self._clock = clock
        self._new_id = new_id
        self._shape = shape
        # The subject as this invocation last read or wrote it: the worker gives each invocation a context of its own.
        self._last_seen: ContextVar[S | None] = ContextVar(f"last_{shape.name}", default=None)

    async def read(self, subject_id: str) -> S | None:
        """The subject, or None."""
        for _ in range(_TRIES):
            subject = self._shape.assemble(rows := await self._table.partition(subject_id))
            if len(rows) < _ONE_ANSWER or await self._is_still(subject_id, subject):
                self._last_seen.set(subject)
                return subject
        raise StoreConflict(f"{self._shape.name} {subject_id} kept changing")

    async def seen(self, subject_id: str) -> S | None:
        """The subject as this invocation last read or wrote it; read, where it did not.

        What is written by it, the ETag holds.
        """
        seen = self._last_seen.get()
        return seen if seen is not None and seen.subject_id == subject_id else await self.read(subject_id)

    async def record(self, subject_id: str) -> Row | None:
        """Its record alone."""
        return await self._table.get(subject_id, RECORD)

    async def create(self, change: C) -> bool:
        """Insert a subject that is not there. False when it is."""
        try:
            await self._write(change, None)
        except Stale:
            return False
        return True

    async def update(self, subject_id: str, decide: Callable[[S], C | None]) -> S:
        """Change a subject by a pure function of what is there; None changes nothing. Gives the subject as it is now.

        A change of what this invocation saw last is tried first: the ETag holds it. Anything else that `decide` says
        of what was seen is worth nothing until it was read again.

        Raises StoreConflict when others keep changing it, and whatever `decide` raises.
        """
        seen = self._last_seen.get()
        if seen is not None and seen.subject_id == subject_id and (change := self._foreseen(seen, decide)):
            try:
                return await self._change(seen, change)
            except Stale:
                self._last_seen.set(None)
        for _ in range(_TRIES):
            subject = await self.read(subject_id)
            if subject is None:
                raise StoreConflict(f"{self._shape.name} {subject_id} is not there")
            decided = decide(subject)
            if decided is None:
                return subject
            try:
                return await self._change(subject, decided)
            except Stale:
                await self._clock.sleep(0.05)
        raise StoreConflict(f"{self._shape.name} {subject_id} kept changing")

    async def _is_still(self, subject_id: str, subject: S | None) -> bool:
        """Whether the record is as it was read. Rows of several answers may be older than the record that came last."""
        row = await self.record(subject_id)
        return (row.etag if row else None) == (subject.etag if subject else None)

    def _foreseen(self, seen: S, decide: Callable[[S], C | None]) -> C | None:
        """The change that would be made of what was seen, if it can be made at all."""
        try:
            change = decide(seen)
        except Exception:  # noqa: BLE001 - what it raises of what is there counts, and is raised after the read
            return None
        return change if change is not None and self._shape.may(seen, change) else None

    async def _change(self, subject: S, change: C) -> S:
        self._last_seen.set(None)  # until the write is known to have landed, nobody knows what is there
        changed = self._shape.applied(subject, change, await self._write(change, subject))
        self._last_seen.set(changed)
        return changed

    async def _write(self, change: C, subject: S | None) -> str:
        """Every transaction holds the record with its ETag. Rows above one batch follow in further ones, repeatably."""
        await self._shape.before(subject, change)
        partition, record = self._shape.record_of(change)
        rows = [self._operation(partition, key, value) for key, value in self._shape.rows(change)]
        etag = "" if subject is None else subject.etag
        for at in range(0, max(len(rows), 1), BATCH_ROWS - 1):
            guard = self._row(partition, RECORD, record, etag=etag)
            write = Operation(write=Write.UPDATE if etag else Write.INSERT, row=guard)
            etag = await self._table.transact([*rows[at : at + BATCH_ROWS - 1], write], guard=guard)
        return etag

    def _operation(self, partition: str, key: str, value: object | None) -> Operation:
        if value is None:
            return Operation(write=Write.DELETE, row=Row(partition=partition, key=key, body=b"", nonce=""))
        return Operation(write=Write.UPSERT, row=self._row(partition, key, value))

    def _row(self, partition: str, key: str, value: object, *, etag: str = "") -> Row:
        return Row(partition=partition, key=key, body=encode(value), nonce=self._new_id(), etag=etag)


def with_changes[K, V](known: Mapping[K, V], written: Mapping[K, V], forgotten: Sequence[K] = ()) -> dict[K, V]:
    """What is kept once some was written and some forgotten."""
    return {key: value for key, value in {**known, **written}.items() if key not in forgotten}


def by_kind(name: str, rows: Sequence[Row], kinds: Sequence[str]) -> dict[str, list[tuple[str, Row]]]:
    """The rows of a partition by the kind that their keys begin with, each with the rest of its key.

    Raises msgspec.ValidationError for a kind of row that no version of ours wrote.
    """
    found: dict[str, list[tuple[str, Row]]] = {kind: [] for kind in kinds}
    for row in rows:
        kind, _, key = row.key.partition("|")
        if kind not in found:
            raise msgspec.ValidationError(f"unknown row {kind} in a {name}'s partition")
        found[kind].append((key, row))
    return found
