"""Wakes that one app leaves for another: one a row, raised and forgotten, but not what was left again meanwhile."""

from pathlib import Path

from shared.services import new_id
from shared.wakes import Wakes
from tests.clients.shelf import shelf
from tests.sandbox.azurite import Azurite


async def test_a_wake_is_one_row_however_often_it_is_left(tmp_path: Path, azurite: Azurite) -> None:
    async with shelf(tmp_path, azurite) as at:
        wakes = Wakes(at.table("Wakes"), new_id)
        for one in ("first", "second", "first"):
            await wakes.leave(one)

        assert [one.orchestration_id for one in await wakes.left()] == ["first", "second"]


async def test_what_was_left_again_while_it_was_raised_stays(tmp_path: Path, azurite: Azurite) -> None:
    async with shelf(tmp_path, azurite) as at:
        front, worker = Wakes(at.table("Wakes", 0), new_id), Wakes(at.table("Wakes", 1), new_id)
        await front.leave("again")
        await front.leave("once")
        again, once = await worker.left()
        await front.leave("again")

        await worker.raised(again)
        await worker.raised(once)
        await worker.raised(once)

        assert [one.orchestration_id for one in await worker.left()] == ["again"]
