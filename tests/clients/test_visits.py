"""Visits to Entra that are under way: each comes back once, to whoever began it, whatever the store's answers are."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from shared.approvals.visits import Visit, Visits, fingerprint
from shared.services import new_id
from tests.clients.shelf import Shelf, shelf
from tests.sandbox.azurite import Azurite
from tests.sandbox.points import cut

_BROWSER = "a browser's own"


@pytest.fixture
async def at(tmp_path: Path, azurite: Azurite) -> AsyncIterator[Shelf]:
    """An account of its own."""
    async with shelf(tmp_path, azurite) as opened:
        yield opened


def visits(at: Shelf, host: int = 0) -> Visits:
    return Visits(at.table("Visits", host), at.clock, new_id)


async def begun(at: Shelf) -> str:
    state = visits(at).new_state()
    until = at.clock.now() + timedelta(minutes=10)
    await visits(at).begin(
        state, Visit(browser=fingerprint(_BROWSER), flow=msgspec.Raw(b'{"nonce":"n"}'), until=until, back="/x")
    )
    return state


async def test_a_visit_that_another_host_takes_in_between_is_spent_once(at: Shelf) -> None:
    state = await begun(at)
    taken: list[Visit | None] = []

    async def meanwhile() -> None:
        taken.append(await visits(at, 1).spend(state, _BROWSER))

    at.points.arm("store.before", "PUT Visits", 0, meanwhile)
    mine = await visits(at).spend(state, _BROWSER)

    assert mine is None
    assert taken[0] is not None
    assert taken[0].back == "/x"


async def test_of_many_at_once_one_has_it(at: Shelf) -> None:
    state = await begun(at)

    found = await asyncio.gather(*(visits(at, host).spend(state, _BROWSER) for host in (0, 1) for _ in range(4)))

    assert len([one for one in found if one is not None]) == 1


@pytest.mark.parametrize("kind", ["store.before", "store.after"])
async def test_a_lost_answer_of_the_store_loses_no_visit_and_gives_it_once(at: Shelf, kind: str) -> None:
    state = await begun(at)
    at.points.arm(kind, "PUT Visits", 0, cut)

    assert await visits(at).spend(state, _BROWSER) is not None
    assert await visits(at).spend(state, _BROWSER) is None


async def test_what_was_kept_is_gone_once_it_is_spent_and_forgotten_after_an_hour(at: Shelf) -> None:
    state, other = await begun(at), await begun(at)
    assert state != other
    await visits(at).spend(state, _BROWSER)
    rows, _ = await at.table("Visits").page("", {}, size=10, token=None)
    assert sorted(b"nonce" in row.body for row in rows) == [False, True]
    assert all(state not in row.key and _BROWSER.encode() not in row.body for row in rows)

    assert await visits(at).forget() == 0
    at.clock.advance(timedelta(hours=2))
    assert await visits(at).forget() == 2
    assert await visits(at).spend(other, _BROWSER) is None
