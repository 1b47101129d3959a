"""Years of an Azure role's renewal: while a person says once a year that it is needed, there is no gap; then it ends."""

from datetime import timedelta
from itertools import pairwise

import pytest

from tests.conftest import OpenWorld
from tests.flows.declaring import Managed, declared
from tests.flows.renewing import EVENING, midnight, night_after
from tests.flows.scene import Scene

pytestmark = [pytest.mark.sampled(0), pytest.mark.timeout(300)]


async def reviewed(found: Managed) -> None:
    """Olga says that it is still needed."""
    answer = await found.scene.call("POST", f"{found.path}/review", {})
    assert answer.status_code == 200, answer.text


async def test_engineers_are_kept_eligible_for_three_years_without_a_gap_of_a_second(open_world: OpenWorld) -> None:
    """The nights between are quiet ones: two weeks are passed over at a time, less than the window."""
    async with Scene(await open_world(start=EVENING)) as scene:
        found = await declared(scene)
        until = scene.world.clock.now() + timedelta(days=3 * 365)
        next_review = scene.world.clock.now() + timedelta(days=300)
        while scene.world.clock.now() < until:
            ends = found.end()
            await night_after(scene, 14)
            assert ends > scene.world.clock.now() or found.end() > ends
            if scene.world.clock.now() > next_review:
                await reviewed(found)
                next_review += timedelta(days=300)

        made = [(one.made_at, one.wanted.window.end) for one in found.subscription.pim.requests.values()]
        assert all(ends is not None and at < ends for (_, ends), (at, _) in pairwise(made))
        assert set(found.requests()) <= {"AdminExtend", "AdminUpdate"}
        assert 6 <= len(made) <= 8
        renewals = [one for one in await found.entries() if one.deed.act == 33]
        assert len(renewals) == len(found.requests())
        assert {one.deed.on_whose_word for one in renewals} == {scene.world.people.operator.object_id}


async def test_without_a_person_s_word_after_a_year_it_ends_with_its_alarms(open_world: OpenWorld) -> None:
    async with Scene(await open_world(start=EVENING)) as scene:
        found, log = await declared(scene), scene.world.log
        for _ in range(25):
            await night_after(scene, 14)
        assert "renewal.review_due" in log.read_text()
        assert "renewal.at_risk" not in log.read_text()
        written = len(found.requests())
        for _ in range(7):
            await night_after(scene, 14)

        assert found.held() is None
        assert len(found.requests()) <= written + 1
        assert "why=ReviewOver" in log.read_text()

        await reviewed(found)
        await night_after(scene, 1)
        assert found.end() == midnight(scene) + timedelta(days=180)
