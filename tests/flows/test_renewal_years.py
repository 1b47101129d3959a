"""Years of renewal: while a person says once a year that it is needed, there is no gap of a second; then it ends."""

from datetime import timedelta
from itertools import pairwise

import pytest

from tests.conftest import OpenWorld
from tests.flows.renewing import EVENING, end_of, held, midnight, night_after, requests
from tests.flows.scene import Scene

pytestmark = [pytest.mark.sampled(0), pytest.mark.timeout(300)]


async def reviewed(scene: Scene) -> None:
    """Olga says that it is still needed."""
    answer = await scene.call("POST", f"/api/tenants/{scene.target}/review", {})
    assert answer.status_code == 200, answer.text


async def test_a_tenant_is_kept_eligible_for_three_years_without_a_gap_of_a_second(open_world: OpenWorld) -> None:
    """The nights between are quiet ones: two weeks are passed over at a time, less than the window."""
    async with Scene(await open_world(start=EVENING)) as scene:
        await scene.onboarded()
        first, until = held(scene), scene.world.clock.now() + timedelta(days=3 * 365)
        next_review = scene.world.clock.now() + timedelta(days=300)
        while scene.world.clock.now() < until:
            ends = end_of(scene)
            await night_after(scene, 14)
            assert ends > scene.world.clock.now() or end_of(scene) > ends
            if scene.world.clock.now() > next_review:
                await reviewed(scene)
                next_review += timedelta(days=300)

        assert held(scene) is first
        made = [(one.made_at, one.wanted.window.end) for one in scene.world.fabrikam.pim.requests.values()]
        assert all(ends is not None and at < ends for (_, ends), (at, _) in pairwise(made))
        assert set(requests(scene)) <= {"adminAssign", "adminExtend", "adminUpdate"}
        assert 6 <= len(made) - 1 <= 8
        renewals = [one for one in await scene.entries() if one.deed.act == 31]
        assert len(renewals) == len(requests(scene)) - 1
        assert {one.deed.on_whose_word for one in renewals} == {scene.world.people.operator.object_id}


async def test_without_a_person_s_word_after_a_year_it_ends_with_its_alarms(open_world: OpenWorld) -> None:
    async with Scene(await open_world(start=EVENING)) as scene:
        await scene.onboarded()
        for _ in range(24):
            await night_after(scene, 14)
        log = scene.world.log
        assert "renewal.review_due" in log.read_text()
        assert "renewal.at_risk" not in log.read_text()
        written = len(requests(scene))
        for _ in range(14):
            await night_after(scene, 14)

        assert held(scene) is None
        assert len(requests(scene)) <= written + 1
        assert "renewal.at_risk" in log.read_text()
        assert "why=ReviewOver" in log.read_text()

        await reviewed(scene)
        await night_after(scene, 1)
        assert end_of(scene) == midnight(scene) + timedelta(days=180)
