"""The demo's half year, in little: nights come by the app's own timers, and what they renewed is told at the API."""

import io
from datetime import timedelta

import pytest
from rich.console import Console

from tests.conftest import OpenWorld
from tests.flows.renewing import EVENING, end_of
from tests.flows.scene import Scene
from tests.sandbox.demo.nights import NightMissingError, Nights
from tests.sandbox.demo.report import print_renewal, summary
from tests.sandbox.demo.screen import PlainScreen
from tests.sandbox.demo.view import TenantView, read_view
from tests.sandbox.faults import Faults
from tests.sandbox.world import World

pytestmark = [pytest.mark.sampled(0), pytest.mark.timeout(300)]


async def onboarded(scene: Scene) -> TenantView:
    """Fabrikam, with an eligibility of twelve days: it is renewed within its last four."""
    await scene.onboarded(scene.world.people.ana, duration="P12D")
    return read_view((await scene.call("GET", f"/api/tenants/{scene.target}")).content)


def nights(world: World, view: TenantView, written: io.StringIO) -> Nights:
    return Nights(world, PlainScreen(Console(file=written, width=140), world.clock.now), view)


async def test_every_night_runs_and_the_eligibility_outlives_its_end(open_world: OpenWorld) -> None:
    world, written = await open_world(start=EVENING), io.StringIO()
    async with Scene(world) as scene:
        view, ended = await onboarded(scene), end_of(scene)
        passed = await nights(world, view, written).run(10)

        runs = [await scene.runs.latest(f"renewal-{EVENING + timedelta(days=day):%Y-%m-%d}") for day in range(1, 11)]
        assert all(run is not None and run.ended is not None for run in runs)
        [kept] = passed.eligibilities
        assert (passed.passed, passed.is_alive) == (10, True)
        assert (kept.before, kept.after) == (ended, end_of(scene))
        assert ended < end_of(scene)
        [night] = passed.renewed
        assert f"the night of {night.date}: 1 renewed" in written.getvalue()
        shown = io.StringIO()
        print_renewal(Console(file=shown, width=100), view, passed)
        assert f"{ended:%Y-%m-%d}" in shown.getvalue()
        assert f"{end_of(scene):%Y-%m-%d}" in shown.getvalue()
        told = summary(view, now=world.clock.now(), vendor_calls=1, half_year=passed)["renewal"]
        assert told == {
            "began": passed.began.isoformat(),
            "ended": passed.ended.isoformat(),
            "nights": 10,
            "renewedIn": [{"date": night.date, "renewed": 1}],
            "eligibilities": [
                {
                    "principalId": kept.principal_id,
                    "endBefore": ended.isoformat(),
                    "endAfter": end_of(scene).isoformat(),
                }
            ],
            "vendorCalls": passed.vendor_calls,
        }


async def test_what_is_not_renewed_is_not_called_alive(open_world: OpenWorld) -> None:
    world = await open_world(start=EVENING)
    async with Scene(world) as scene:
        view = await onboarded(scene)
        world.fabrikam.pim.security_reader.eligibility_rules.append("MultiFactorAuthentication")
        passed = await nights(world, view, io.StringIO()).run(10)

        assert (passed.renewed, passed.is_alive) == ((), False)


async def test_a_night_that_does_not_come_is_missed(open_world: OpenWorld) -> None:
    world = await open_world(start=EVENING, settings={"TENANTRY_RENEWAL_HOUR": "23"})
    async with Scene(world) as scene:
        with pytest.raises(NightMissingError, match="2026-03-03"):
            await nights(world, await onboarded(scene), io.StringIO()).run(1)


async def test_on_bad_days_with_the_app_often_down_it_is_kept_alive_all_the_same(open_world: OpenWorld) -> None:
    world = await open_world(start=EVENING)
    async with Scene(world) as scene:
        view = await onboarded(scene)
        vars(world.faults).update(vars(Faults.harsh(5)))  # the weather turns after the onboarding
        passed = await nights(world, view, io.StringIO()).run(12, every=3)

        assert (passed.passed, passed.is_alive) == (4, True)
