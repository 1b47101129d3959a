"""Tables on the real Azurite: lost answers, races and the largest rows."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from shared.errors import StoreUnavailable
from shared.rows import ENTITY_BYTES, Row, encode
from shared.tables import BATCH_ROWS, Operation, Stale, Write
from tests.clients.shelf import Shelf, shelf
from tests.sandbox.azurite import Azurite
from tests.sandbox.points import cut

_LOST = ["store.before", "store.after"]


@pytest.fixture
async def at(tmp_path: Path, azurite: Azurite) -> AsyncIterator[Shelf]:
    """An account of its own."""
    async with shelf(tmp_path, azurite) as opened:
        yield opened


def row(value: object = "first", *, key: str = "k", nonce: str = "n1", etag: str = "") -> Row:
    return Row(partition="p", key=key, body=encode(value), nonce=nonce, etag=etag)


async def stored(at: Shelf, value: object = "first") -> Row:
    """A row that is there, with its ETag."""
    assert await at.table().insert(row(value)) is None
    found = await at.table().get("p", "k")
    assert found is not None
    return found


async def test_a_table_that_is_not_there_is_made_by_whoever_comes_first(at: Shelf) -> None:
    assert await at.table("Empty").get("p", "k") is None
    assert await at.table("Empty").partition("p") == []
    assert await at.table("Fresh").insert(row()) is None
    await asyncio.gather(*(at.table("Raced", writer).upsert(row(key=str(writer))) for writer in (0, 1)))

    assert len(await at.table("Raced").partition("p")) == 2


@pytest.mark.parametrize("character", ["x", "\u20ac", "\U0001f600"])
async def test_the_largest_row_is_kept_whole(at: Shelf, character: str) -> None:
    largest = character * ((ENTITY_BYTES - 2) // len(character.encode()))

    await at.table().insert(row(largest))

    found = await at.table().get("p", "k")
    assert found is not None
    assert found.decode(str) == largest


async def test_a_row_that_shrinks_keeps_nothing_of_its_old_body(at: Shelf) -> None:
    there = await stored(at, "x" * 100_000)

    await at.table().replace(replace(row("short", nonce="n2"), etag=there.etag))

    found = await at.table().get("p", "k")
    assert found is not None
    assert found.decode(str) == "short"


async def test_an_insert_gives_the_row_that_was_there_first(at: Shelf) -> None:
    await stored(at)

    there = await at.table(writer=1).insert(row("second", nonce="n2"))

    assert there is not None
    assert (there.decode(str), there.nonce) == ("first", "n1")


@pytest.mark.parametrize("kind", _LOST)
async def test_an_insert_whose_answer_was_lost_counts_as_ours(at: Shelf, kind: str) -> None:
    at.points.arm(kind, "POST Things", 1, cut)  # the first one makes the table
    assert await at.table().insert(row("other", key="other")) is None

    assert await at.table().insert(row()) is None

    assert len(await at.table().partition("p")) == 2


@pytest.mark.parametrize("kind", _LOST)
async def test_a_replacement_whose_answer_was_lost_counts_as_ours(at: Shelf, kind: str) -> None:
    there = await stored(at)
    at.points.arm(kind, "PUT Things", 0, cut)

    await at.table().replace(replace(row("second", nonce="n2"), etag=there.etag))

    assert at.points.armed == frozenset()
    found = await at.table().get("p", "k")
    assert found is not None
    assert found.decode(str) == "second"


async def test_a_row_that_somebody_changed_is_stale(at: Shelf) -> None:
    there = await stored(at)
    await at.table(writer=1).replace(replace(row("theirs", nonce="n2"), etag=there.etag))

    with pytest.raises(Stale):
        await at.table().replace(replace(row("ours", nonce="n3"), etag=there.etag))
    with pytest.raises(Stale):
        await at.table().delete("p", "k", etag=there.etag)
    await at.table().delete("p", "k")
    with pytest.raises(Stale):
        await at.table().replace(replace(row("ours", nonce="n3"), etag=there.etag))


async def test_a_deletion_of_what_is_gone_is_fine(at: Shelf) -> None:
    there = await stored(at)
    at.points.arm("store.after", "DELETE Things", 0, cut)

    await at.table().delete("p", "k", etag=there.etag)
    await at.table().delete("p", "k", etag=there.etag)
    await at.table().delete("p", "k")

    assert await at.table().get("p", "k") is None


def batch(guard: Row, *others: Row) -> list[Operation]:
    write = Write.UPDATE if guard.etag else Write.INSERT
    return [*(Operation(write=Write.UPSERT, row=one) for one in others), Operation(write=write, row=guard)]


@pytest.mark.parametrize("kind", _LOST)
async def test_a_transaction_whose_answer_was_lost_counts_as_ours(at: Shelf, kind: str) -> None:
    there = await stored(at)
    at.points.arm(kind, "BATCH Things", 0, cut)
    guard = replace(row("second", nonce="n2"), etag=there.etag)

    etag = await at.table().transact(batch(guard, row("beside", key="b")), guard=guard)

    found = {one.key: one for one in await at.table().partition("p")}
    assert {key: one.decode(str) for key, one in found.items()} == {"k": "second", "b": "beside"}
    assert found["k"].etag == etag


@pytest.mark.parametrize("kind", _LOST)
@pytest.mark.parametrize("verb", ["POST", "PUT"])
async def test_a_transaction_of_one_row_whose_answer_was_lost_counts_as_ours(at: Shelf, verb: str, kind: str) -> None:
    etag = (await stored(at)).etag if verb == "PUT" else ""
    at.points.arm(kind, f"{verb} Things", 0, cut)
    guard = replace(row("second", nonce="n2"), etag=etag)

    etag = await at.table().transact(batch(guard), guard=guard)

    assert not at.points.armed
    [found] = await at.table().partition("p")
    assert (found.decode(str), found.etag) == ("second", etag)


@pytest.mark.parametrize("others", [[], [row("beside", key="b")]], ids=["alone", "with another row"])
async def test_a_transaction_on_a_changed_guard_writes_nothing(at: Shelf, others: list[Row]) -> None:
    there = await stored(at)
    await at.table(writer=1).replace(replace(row("theirs", nonce="n2"), etag=there.etag))
    guard = replace(row("ours", nonce="n3"), etag=there.etag)

    with pytest.raises(Stale):
        await at.table().transact(batch(guard, *others), guard=guard)

    assert [one.decode(str) for one in await at.table().partition("p")] == ["theirs"]


@pytest.mark.parametrize("others", [[], [row("beside", key="b")]], ids=["alone", "with another row"])
async def test_a_transaction_that_is_to_insert_what_is_there_writes_nothing(at: Shelf, others: list[Row]) -> None:
    there = await stored(at)
    guard = row("ours", nonce="n3")

    with pytest.raises(Stale):
        await at.table().transact(batch(guard, *others), guard=guard)

    assert [one.etag for one in await at.table().partition("p")] == [there.etag]


async def test_a_transaction_takes_as_many_rows_as_the_store_allows(at: Shelf) -> None:
    guard = row()
    others = [row("x" * 2000, key=f"row-{number:03d}") for number in range(BATCH_ROWS - 1)]

    await at.table().transact(batch(guard, *others), guard=guard)

    assert len(await at.table().partition("p")) == BATCH_ROWS


async def test_a_part_of_a_partition_is_read_by_its_keys(at: Shelf) -> None:
    guard = row(key="record")
    keys = ["act|01", "act|02", "analyst|x", "intent|x"]
    await at.table().transact(batch(guard, *(row(key=key) for key in keys)), guard=guard)

    found = await at.table().partition("p", first="act|", before="analyst|")
    first = await at.table().first("p")

    assert [one.key for one in found] == ["act|01", "act|02"]
    assert first is not None
    assert first.key == "act|01"


async def test_a_quote_in_a_key_or_value_cannot_break_out_of_a_query(at: Shelf) -> None:
    await stored(at)

    assert await at.table().partition("p' or PartitionKey ne 'x") == []
    assert await at.table().get("p", "k' or RowKey ne 'x") is None


async def test_a_store_that_stays_away_is_reported_after_some_tries(at: Shelf) -> None:
    await stored(at)
    before = len(at.writes())
    for nth in range(40):
        at.points.arm("store.before", "PUT Things", nth, cut)

    with pytest.raises(StoreUnavailable):
        await at.table().upsert(row())

    # aiohttp repeats a PUT by itself when a kept connection drops, so each of our tries may count twice.
    assert 6 <= len(at.writes()) - before <= 12
