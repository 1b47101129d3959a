"""Slots: one row that every instance of the app advances by ETag, so that no two calls share a moment."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from shared.errors import StoreConflict
from shared.services import new_id
from shared.slots import SPACING, Slots
from tests.clients.shelf import Shelf, shelf
from tests.sandbox.azurite import Azurite
from tests.sandbox.points import cut

_LIMIT, _SPAN = 5, timedelta(seconds=10)
"""What the services allow: five calls in ten seconds."""


@pytest.fixture
async def at(tmp_path: Path, azurite: Azurite) -> AsyncIterator[Shelf]:
    """An account of its own."""
    async with shelf(tmp_path, azurite) as opened:
        yield opened


def slots(at: Shelf, writer: int = 0) -> Slots:
    return Slots(at.table("Slots", writer), at.clock, new_id)


def assert_within_the_limit(taken: list[datetime]) -> None:
    """However the window lies, no more than five calls are in it."""
    moments = sorted(taken)
    for first, sixth in zip(moments, moments[_LIMIT:], strict=False):
        assert sixth - first >= _SPAN
    assert all(later - earlier >= SPACING for earlier, later in pairwise(moments))


async def test_the_first_slot_is_now_and_the_next_ones_keep_their_distance(at: Shelf) -> None:
    now = at.clock.now()

    taken = [await slots(at).reserve("contoso", "provisionOnDemand") for _ in range(7)]

    assert taken[0] - now < timedelta(seconds=5)
    assert_within_the_limit(taken)


async def test_two_writers_at_the_same_moment_never_share_a_slot(at: Shelf) -> None:
    one, other = slots(at, 0), slots(at, 1)

    taken = await asyncio.gather(
        *(each.reserve("contoso", "provisionOnDemand") for _ in range(8) for each in (one, other))
    )

    assert len(set(taken)) == 16
    assert_within_the_limit(list(taken))


async def test_a_slot_that_was_not_used_is_not_saved_up(at: Shelf) -> None:
    """After a pause the next slot is now, not in the past, or many would follow at once."""
    await slots(at).reserve("contoso", "provisionOnDemand")
    at.clock.advance(60)
    now = at.clock.now()

    taken = [await slots(at).reserve("contoso", "provisionOnDemand") for _ in range(6)]

    assert taken[0] >= now
    assert_within_the_limit(taken)


async def test_limits_of_their_own_do_not_wait_for_each_other(at: Shelf) -> None:
    now = at.clock.now()

    taken = [
        await slots(at).reserve(tenant, family)
        for tenant in ("contoso", "northwind")
        for family in ("provisionOnDemand", "reports")
    ]

    assert all(slot - now < SPACING for slot in taken)


@pytest.mark.parametrize("nth", [0, 1])
async def test_a_lost_answer_gives_one_slot_to_one_caller(at: Shelf, nth: int) -> None:
    """The first is an insert, the second an update; both are found again by the writer's nonce."""
    at.points.arm("store.after", "POST Slots" if nth == 0 else "PUT Slots", 0, cut)

    taken = [await slots(at).reserve("contoso", "reports") for _ in range(3)]

    assert at.points.armed == frozenset()
    assert_within_the_limit(taken)
    assert taken[2] - taken[0] < SPACING * 3


async def test_a_row_that_others_keep_winning_is_given_up_in_the_end(at: Shelf) -> None:
    await slots(at).reserve("contoso", "reports")
    rival = slots(at, 1)

    async def win() -> None:
        await rival.reserve("contoso", "reports")

    # Between each of our reads and writes somebody else is faster.
    for nth in range(200):
        at.points.arm("store.before", "PUT Slots", nth * 2, win)

    with pytest.raises(StoreConflict):
        await slots(at).reserve("contoso", "reports")
