"""Renewal of many tenants: those that fail keep none of the others from being done in time."""

from datetime import timedelta

import pytest

from shared.eligibility.record import Eligibility
from shared.identifiers import ObjectId
from shared.permissions import SECURITY_READER, Registration
from shared.running.nightly import PAGE
from shared.tenants.change import Change
from tests.conftest import OpenWorld
from tests.flows.declaring import declared
from tests.flows.renewing import EVENING, midnight, night_after, stands_ready
from tests.flows.scene import Scene
from tests.sandbox.population import CLIENT_IDS, guid

_MANY = 200
"""Several pages."""

_CRAWL = timedelta(minutes=10)
_REQUESTS = "/roleManagement/directory/roleEligibilityScheduleRequests"


@pytest.mark.matrix
@pytest.mark.timeout(600)
async def test_of_many_tenants_one_dead_one_lost_and_one_throttled_to_a_crawl_the_others_are_done(
    open_world: OpenWorld,
) -> None:
    async with Scene(await open_world(start=EVENING, settings={"TENANTRY_NIGHTLY_HOUR": "23"})) as scene:
        world = scene.world
        stands = [await stands_ready(scene, f"target{number}") for number in range(_MANY)]
        (dead, first), (lost, second), (slow, third), *others = stands
        world.clouds.tenants[dead].pim.onboarded = False
        world.clouds.revoke(CLIENT_IDS[Registration.ACCESS], lost)
        world.clouds.quotas.crawling[slow] = _CRAWL
        ends = (first.end, second.end, third.end)

        await night_after(scene, 1)

        assert {held.end for _, held in others} == {midnight(scene) + timedelta(days=180)}
        assert (first.end, second.end, third.end) == ends
        written = [one.at for one in world.clouds.recorder.entries if one.method == "POST" and one.status == 201]
        assert max(written) < midnight(scene) + timedelta(hours=2, minutes=55)
        answer = await scene.call("GET", f"/api/renewals/{midnight(scene):%Y-%m-%d}")
        found = answer.json()
        assert found["counts"]["extended"] == len(others)
        assert {one["tenantId"] for one in found["tenants"] if one["problem"]} == {dead, lost, slow}
        assert found["runs"][0]["outcome"] == f"{_MANY - 1} looked at, {len(others)} renewed, 1 given up"
        log = world.log.read_text()
        assert log.count("renewal.access_lost") == 1
        assert log.count("renewal.at_risk") == 3

        del world.clouds.quotas.crawling[slow]
        await night_after(scene, 1)

        assert third.end == midnight(scene) + timedelta(days=180)


@pytest.mark.matrix
async def test_tenants_that_wait_for_pim_keep_no_later_page_waiting(open_world: OpenWorld) -> None:
    async with Scene(await open_world(start=EVENING, settings={"TENANTRY_NIGHTLY_HOUR": "23"})) as scene:
        world = scene.world
        stands = dict([await stands_ready(scene, f"target{number}") for number in range(PAGE + 5)])
        order = sorted(stands)

        async def the_first_page_crawls() -> None:
            world.clouds.quotas.crawling.update(dict.fromkeys(order[:PAGE], _CRAWL))

        world.points.arm("vendor.before", f"POST /v1.0{_REQUESTS}", 0, the_first_page_crawls)
        await night_after(scene, 1)

        tries = {one: [sent.at for sent in world.clouds.recorder.entries if sent.tenant_id == one] for one in stands}
        assert {stands[one].end for one in order[PAGE:]} == {midnight(scene) + timedelta(days=180)}
        assert max(max(tries[one]) for one in order[PAGE:]) < midnight(scene) + timedelta(hours=2, minutes=40)
        assert max(max(tries[one]) for one in order[:PAGE]) > midnight(scene) + timedelta(hours=3)


async def test_a_stranger_s_eligibility_that_found_its_way_onto_the_record_is_left_to_end(
    open_world: OpenWorld,
) -> None:
    async with Scene(await open_world(start=EVENING, settings={"TENANTRY_NIGHTLY_HOUR": "23"})) as scene:
        tenant_id, held = await stands_ready(scene, "target")
        tenant = scene.world.clouds.tenants[tenant_id]
        stranger = scene.world.clouds.person(tenant, "eve@target.example", "Eve")
        theirs = tenant.pim.grant(stranger.object_id, end=held.end)
        row = Eligibility(
            principal_id=ObjectId(stranger.object_id),
            role_definition_id=SECURITY_READER,
            analyst_id=None,
            schedule_id=theirs.id,
            end=theirs.end,
            wanted_days=180,
        )
        await scene.tenants.update(tenant_id, lambda found: Change(record=found.record, eligibilities=[row]))

        await night_after(scene, 1)

        assert held.end == midnight(scene) + timedelta(days=180)
        assert theirs.end != held.end
        assert [one.wanted.principal_id for one in tenant.pim.requests.values()] == [held.principal_id]


async def test_a_row_that_cannot_be_read_keeps_no_other_tenant_or_subscription_from_its_night(
    open_world: OpenWorld,
) -> None:
    async with Scene(await open_world(start=EVENING, settings={"TENANTRY_NIGHTLY_HOUR": "23"})) as scene:
        bad, _ = await stands_ready(scene, "bad")
        _, held = await stands_ready(scene, "good")
        bad_there, there = await declared(scene, "Bad", days=9), await declared(scene, "Good", days=9)
        await scene.spoil("Tenants", bad)
        await scene.spoil("Subscriptions", bad_there.id)

        await night_after(scene, 1)

        assert held.end == there.end() == midnight(scene) + timedelta(days=180)
        answer = await scene.call("GET", "/api/tenants")
        assert [one["tenantId"] for one in answer.json()["value"]] == [guid("good")]
        answer = await scene.call("GET", "/api/subscriptions")
        assert [one["subscriptionId"] for one in answer.json()["value"]] == [there.id]
        log = scene.world.log.read_text()
        assert f"row.unreadable partition={bad} key=record" in log
        assert f"row.unreadable partition={bad_there.id} key=record" in log
