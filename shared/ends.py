"""The index of ends: which eligibilities end on a day, in targets and on subscriptions. It only hints, so each is read."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from shared.clock import Clock
from shared.eligibility.record import Eligibility, Ending
from shared.identifiers import NewId, SubscriptionId, TenantId
from shared.rows import Row, encode
from shared.tables import Stale, Table, readable

HINT_SETTLES = timedelta(minutes=10)
"""A hint is written before the record; one younger than this may be right in a moment."""

_ON_SUBSCRIPTION = "s:"


class Hint(msgspec.Struct, frozen=True):
    """When it was noted."""

    at: datetime


class Ends:
    """The table of hints, and the tables that they hint at."""

    def __init__(self, by_end: Table, tenants: Table, subscriptions: Table, clock: Clock, new_id: NewId) -> None:
        self._by_end = by_end
        self._tenants = tenants
        self._subscriptions = subscriptions
        self._clock = clock
        self._new_id = new_id

    async def list(self, first: datetime, before: datetime, *, size: int, token: Any) -> tuple[list[Ending], Any]:
        """One page of the eligibilities that end on these days, the earliest first, and the next page's token."""
        days = {"f": _day(first), "b": _day(before)}
        hints, following = await self._by_end.page(
            "PartitionKey ge @f and PartitionKey lt @b", days, size=size, token=token
        )
        found: list[Ending] = []
        for hint in hints:
            ending = await self._read(hint.key)
            if ending is not None and _day(ending.end) == hint.partition:
                found.append(ending)
            elif self._clock.now() - hint.decode(Hint).at > HINT_SETTLES:
                await forget(self._by_end, hint)
        return sorted(found, key=lambda one: (one.end, one.tenant_id or one.subscription_id or "")), following

    async def _read(self, hinted: str) -> Ending | None:
        subject_id, _, key = hinted.removeprefix(_ON_SUBSCRIPTION).partition("|")
        there = hinted.startswith(_ON_SUBSCRIPTION)
        row = await (self._subscriptions if there else self._tenants).get(subject_id, f"elig|{key}")
        eligibility = None if row is None else readable(row, Eligibility)
        if eligibility is None or eligibility.ends is None:
            return None
        if there:
            return Ending(row=eligibility, end=eligibility.ends, subscription_id=SubscriptionId(subject_id))
        return Ending(row=eligibility, end=eligibility.ends, tenant_id=TenantId(subject_id))


type Note = Callable[[str, Mapping[str, Eligibility], Iterable[Eligibility]], Awaitable[None]]


def noting(by_end: Table, clock: Clock, new_id: NewId, *, on_subscription: bool = False) -> Note:
    """Notes when a subject's eligibilities end that are to be written, where that is not known yet: before the record, for a
    hint too many is harmless.
    """

    async def note(subject_id: str, known: Mapping[str, Eligibility], written: Iterable[Eligibility]) -> None:
        for one in written:
            there = known.get(one.key)
            if one.ends is None or (there is not None and there.ends == one.ends):
                continue
            named = f"{_ON_SUBSCRIPTION if on_subscription else ''}{subject_id}|{one.key}"
            hint = Row(partition=_day(one.ends), key=named, body=encode(Hint(clock.now())), nonce=new_id())
            await by_end.upsert(hint)

    return note


async def forget(table: Table, hint: Row) -> None:
    """Delete a hint that is not true, or is not any more."""
    try:
        await table.delete(hint.partition, hint.key, etag=hint.etag)
    except Stale:
        return  # it just came true again


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d}"
