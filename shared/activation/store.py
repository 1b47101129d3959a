"""The table of activation requests: a partition each (partitions.py), the plans, and what hints at them.

A row key is `record` or `intent|{hash}`. Plans: partition `plan`, by ticket. Hints, in a table of their own: partition
`open`, by subscription and request; and a partition for each requestor, by date and request. A hint is written before its
record, so that nothing open is ever missed, and is re-read before anything is done by it.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import datetime

import msgspec

from shared.activation.record import OUTLIVED, Activation, Change, KeptPlan, Request, RequestId, State
from shared.clock import Clock
from shared.identifiers import NewId, ObjectId, SubscriptionId
from shared.partitions import RECORD, Partitions, Shape, by_kind, with_changes
from shared.rows import Row, encode
from shared.side_by_side import each_of
from shared.subjects import Intent
from shared.tables import Table, readable

_OPEN, _PLAN = "open", "plan"
_KINDS = (RECORD, "intent")
_AT_ONCE = 20
_ASKED = "PartitionKey ne @o and RowKey ge @f and RowKey lt @b"
_PAGE = 500


class Hint(msgspec.Struct, frozen=True, kw_only=True):
    """What the index knows of a request: enough to see whether it is worth a look. `end`: when it is to be over; None where
    time alone changes nothing.
    """

    request_id: RequestId
    subscription_id: SubscriptionId
    state: State
    end: datetime | None = None
    brokered: bool = False


class ActivationStore:
    """Reads and writes requests and plans."""

    def __init__(self, requests: Table, index: Table, clock: Clock, new_id: NewId) -> None:
        self._requests = requests
        self._index = index
        self._new_id = new_id
        shape = Shape(
            name="request",
            assemble=_assemble,
            record_of=lambda change: (change.record.request_id, change.record),
            rows=_rows,
            applied=_applied,
            may=lambda _, __: True,
            before=self._hint_at,
        )
        self._partitions: Partitions[Activation, Change] = Partitions(requests, clock, new_id, shape)

    async def read(self, request_id: RequestId) -> Activation | None:
        """The request, or None."""
        return await self._partitions.read(request_id)

    async def seen(self, request_id: RequestId) -> Activation | None:
        """The request as this invocation last read or wrote it; read, where it did not."""
        return await self._partitions.seen(request_id)

    async def create(self, record: Request) -> bool:
        """Insert a request that is not there. False when it is."""
        return await self._partitions.create(Change(record=record))

    async def update(self, request_id: RequestId, decide: Callable[[Activation], Change | None]) -> Activation:
        """Change a request by a pure function of what is there; None changes nothing. Gives it as it is now.

        Raises StoreConflict when others keep changing it, and whatever `decide` raises.
        """
        found = await self._partitions.update(request_id, decide)
        if not found.record.is_open:
            await self._index.delete(_OPEN, _open_key(found.record))
        return found

    async def change(self, request_id: RequestId, decide: Callable[[Request], Request | None]) -> Activation:
        """As `update`, of the record alone."""

        def changing(found: Activation) -> Change | None:
            record = decide(found.record)
            return None if record is None or record == found.record else Change(record=record)

        return await self.update(request_id, changing)

    async def change_intents(
        self, request_id: RequestId, decide: Callable[[Activation], Sequence[Intent] | None]
    ) -> Activation:
        """As `update`, of intents alone."""

        def changing(found: Activation) -> Change | None:
            intents = decide(found)
            return None if intents is None else Change(record=found.record, intents=intents)

        return await self.update(request_id, changing)

    async def open_hints(self, subscription_id: SubscriptionId | None = None) -> list[Hint]:
        """What may be open, everywhere or on one subscription."""
        if subscription_id is None:
            rows = await self._index.partition(_OPEN)
        else:
            rows = await self._index.partition(_OPEN, first=f"{subscription_id}|", before=f"{subscription_id}|~")
        return [hint for row in rows if (hint := readable(row, Hint)) is not None]

    async def forget_hint(self, hint: Hint) -> bool:
        """Delete the hint of a request that is not open any more. False: it is open, or was not written yet."""
        row = await self._requests.get(hint.request_id, RECORD)
        record = None if row is None else row.decode(Request)
        if record is None or record.is_open:
            return False
        await self._index.delete(_OPEN, _open_key(record))
        return True

    async def open_of(self, subscription_id: SubscriptionId | None = None) -> list[Request]:
        """What is open, everywhere or on one subscription, the oldest first."""
        hints = await self.open_hints(subscription_id)
        found = await self._read_each([hint.request_id for hint in hints])
        return sorted((one for one in found if one.is_open), key=lambda one: (one.asked.created, one.request_id))

    async def of_person(self, person: ObjectId, since: datetime) -> list[Request]:
        """What somebody asked for since a moment, the oldest first."""
        rows = await self._index.partition(person, first=f"{since:%Y-%m-%d}")
        found = await self._read_each([RequestId(row.key.partition("|")[2]) for row in rows])
        return sorted((one for one in found if one.asked.created >= since), key=lambda one: one.asked.created)

    async def asked_since(self, since: datetime) -> AsyncIterator[RequestId]:
        """Every request that was asked for since that day."""
        token = None
        while True:
            bounds = {"o": _OPEN, "f": f"{since:%Y-%m-%d}", "b": "~"}
            rows, token = await self._index.page(_ASKED, bounds, size=_PAGE, token=token)
            for row in rows:
                yield RequestId(row.key.partition("|")[2])
            if token is None:
                return

    async def keep_plan(self, plan: KeptPlan) -> KeptPlan:
        """Keep a plan under its ticket. Safe twice: gives the one that was there first."""
        row = Row(partition=_PLAN, key=plan.ticket, body=encode(plan), nonce=self._new_id())
        there = await self._requests.insert(row)
        return plan if there is None else there.decode(KeptPlan)

    async def plan(self, ticket: str) -> KeptPlan | None:
        """The plan of a ticket, which may be anything that somebody typed."""
        if not ticket.isalnum() or not ticket.isascii() or len(ticket) > 64:
            return None
        row = await self._requests.get(_PLAN, ticket)
        return None if row is None else row.decode(KeptPlan)

    async def _read_each(self, ids: Sequence[RequestId]) -> list[Request]:
        async def one(request_id: RequestId) -> Request | None:
            row = await self._requests.get(request_id, RECORD)
            return None if row is None else readable(row, Request)

        return [found for found in await each_of(ids, one, at_once=_AT_ONCE) if found is not None]

    async def _hint_at(self, known: Activation | None, change: Change) -> None:
        record = change.record
        hint = _hint(record)
        if record.is_open and (known is None or _hint(known.record) != hint):
            row = Row(partition=_OPEN, key=_open_key(record), body=encode(hint), nonce=self._new_id())
            await self._index.upsert(row)
        if known is None:
            key = f"{record.asked.created:%Y-%m-%d}|{record.request_id}"
            row = Row(partition=record.asked.principal_id, key=key, body=encode(hint), nonce=self._new_id())
            await self._index.upsert(row)


def _hint(record: Request) -> Hint:
    return Hint(
        request_id=record.request_id,
        subscription_id=record.subscription_id,
        state=record.state,
        end=record.end if record.is_open and all(one.code != OUTLIVED for one in record.violations) else None,
        brokered=record.brokered,
    )


def _open_key(record: Request) -> str:
    return f"{record.subscription_id}|{record.request_id}"


def _rows(change: Change) -> Iterable[tuple[str, object | None]]:
    for intent in change.intents:
        yield f"intent|{intent.key}", intent


def _applied(found: Activation, change: Change, etag: str) -> Activation:
    intents = {one.key: one for one in change.intents}
    return Activation(record=change.record, etag=etag, intents=with_changes(found.intents, intents))


def _assemble(rows: Sequence[Row]) -> Activation | None:
    found = by_kind("request", rows, _KINDS)
    if not found[RECORD]:
        return None
    [(_, record)] = found[RECORD]
    return Activation(
        record=record.decode(Request),
        etag=record.etag,
        intents={key: row.decode(Intent) for key, row in found["intent"]},
    )
