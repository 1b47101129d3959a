"""Renewal of Azure roles: what is declared on a subscription is extended before it ends, and nothing else is touched."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.conftest import OpenWorld
from tests.flows.declaring import declared
from tests.flows.renewing import EVENING, midnight, night_after
from tests.flows.scene import Scene


@pytest.fixture
async def scene(open_world: OpenWorld) -> AsyncIterator[Scene]:
    """A world where it is evening."""
    async with Scene(await open_world(start=EVENING)) as opened:
        yield opened


async def test_one_that_ends_soon_is_extended_and_audited_and_nothing_is_written_again_in_that_night(
    scene: Scene,
) -> None:
    found = await declared(scene)
    await night_after(scene, 0)
    await night_after(scene, 90)

    assert found.end() == midnight(scene) + timedelta(days=180)
    assert found.requests() == ["AdminExtend"]
    entry = (await found.entries())[-1]
    assert (entry.subject, entry.deed.act, entry.deed.outcome) == (found.id, 33, "done")
    assert (entry.deed.on_whose_word, entry.deed.run) == (scene.world.people.operator.object_id, 1)
    kept = await found.kept()
    assert [one.end for one in kept.eligibilities.values()] == [found.end()]
    assert kept.record.renewing is None
    assert await found.told() == {found.group.id: ("extended", None)}
    assert await scene.runs.list_open() == []
    scene.world.clock.advance(3 * 3600)
    await scene.settle()
    assert found.requests() == ["AdminExtend"]
