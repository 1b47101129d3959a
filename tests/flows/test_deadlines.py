"""Everything that waits has a deadline: an act that never comes to its end says so in words, and can be tried again."""

from datetime import datetime, timedelta

import pytest

from shared.permissions import Registration
from tests.app.visitor import Visitor
from tests.conftest import OpenWorld
from tests.flows.refusal import Refusal
from tests.flows.scene import STANDARD, Scene
from tests.flows.writes import INSTANTIATE, PARTNERS, PROVISION, REQUEST_ELIGIBILITY, onboarding_of, templated
from tests.sandbox.graph.errors import GraphError, throttled
from tests.sandbox.population import CLIENT_IDS

pytestmark = pytest.mark.sampled(1)

_NEVER = (1e7, 1e7)
_A_DAY = 24 * 60 * 60
_TEN_MINUTES = {"TENANTRY_REPLICATION_DEADLINE_MINUTES": "10"}


@pytest.mark.parametrize(("act", "call", "minutes"), [(3, f"POST /v1.0{PARTNERS}", 10), (6, INSTANTIATE, 20)])
async def test_an_act_whose_result_never_shows_fails_at_its_deadline_and_makes_no_second_one(
    open_world: OpenWorld, act: int, call: str, minutes: int
) -> None:
    world = await open_world(settings=_TEN_MINUTES)
    async with Scene(world) as scene:
        replication = world.clouds.replication

        async def stop_replicating() -> None:
            replication.set(_NEVER)

        world.points.arm("vendor.before", call, 0, stop_replicating)
        scene.consented()

        await scene.post(world.people.ana)

        assert await scene.settle() == "Failed"
        _failed_in_words(await scene.record(), act, timedelta(minutes=minutes))

        replication.off()

        assert await scene.retry() == "Ready"
        assert onboarding_of(1) == templated(scene.applied())


async def test_an_account_that_never_shows_in_the_target_fails_at_the_deadline(open_world: OpenWorld) -> None:
    world = await open_world(settings={"TENANTRY_PROVISIONING_DEADLINE_MINUTES": "20"})
    async with Scene(world) as scene:
        users = world.fabrikam.directory.users
        before = set(users)

        async def hide() -> None:
            for one in users.keys() - before:
                users[one].made_at = world.clock.now() + timedelta(days=1)

        world.points.arm("vendor.after", PROVISION, 0, hide)
        scene.consented()

        await scene.post(world.people.ana)

        assert await scene.settle() == "Failed"
        record = await scene.record()
        _failed_in_words(record, 8, timedelta(minutes=20))
        assert "Ana Analyst" in record["problem"]["what"]

        [account] = users.keys() - before
        users[account].made_at = None

        assert await scene.retry() == "Ready"
        assert len(world.fabrikam.pim.active()) == 1


async def test_an_account_that_pim_never_hears_of_fails_at_the_deadline(open_world: OpenWorld) -> None:
    world = await open_world(settings=_TEN_MINUTES)
    async with Scene(world) as scene:
        replication = world.clouds.replication

        async def leave_pim_behind() -> None:
            replication.pim_seconds = _NEVER

        world.points.arm("vendor.before", REQUEST_ELIGIBILITY, 0, leave_pim_behind)
        scene.consented()

        await scene.post(world.people.ana)

        assert await scene.settle() == "Failed"
        record = await scene.record()
        _failed_in_words(record, 9, timedelta(minutes=20))
        assert "SubjectNotFound" in record["problem"]["what"]

        replication.off()

        assert await scene.retry() == "Ready"
        assert onboarding_of(1) == templated(scene.applied())


async def test_a_service_that_does_not_answer_is_named_and_holds_no_later_run_forever(open_world: OpenWorld) -> None:
    """The write may have landed, so the next run looks first; where it may not look any more it says why."""
    world = await open_world(settings=_TEN_MINUTES)
    async with Scene(world) as scene:
        broken = GraphError(503, "ServiceUnavailable", "The service is temporarily unavailable.")
        refusal = Refusal(world.points, f"PATCH {PARTNERS}/{{id}}", broken)
        scene.consented()

        await scene.post(world.people.ana)

        assert await scene.settle() == "Failed"
        record = await scene.record()
        _failed_in_words(record, 3, timedelta(minutes=10))
        assert f"PATCH {PARTNERS}/{{id}}" in record["problem"]["what"]

        world.clouds.revoke(CLIENT_IDS[Registration.SETUP], scene.target)
        await world.host.kill_and_restart()

        assert await scene.retry() == "WaitingForConsent"
        record = await scene.record()
        assert "Tenantry Setup" in record["problem"]["what"]
        assert [one["registration"] for one in record["consents"] if one["link"]] == ["Tenantry Setup"]

        refusal.lift()
        scene.consented()

        assert await scene.retry() == "Ready"
        assert onboarding_of(1) == templated(scene.applied())


async def test_a_vendor_that_asks_for_a_day_keeps_an_act_no_longer_than_its_deadline(open_world: OpenWorld) -> None:
    world = await open_world(settings=_TEN_MINUTES)
    async with Scene(world) as scene:
        refusal = Refusal(world.points, f"PATCH {PARTNERS}/{{id}}", throttled(_A_DAY))
        scene.consented()

        await scene.post(world.people.ana)

        assert await scene.settle() == "Failed"
        record = await scene.record()
        _failed_in_words(record, 3, timedelta(minutes=10))
        assert "asked us to wait" in record["problem"]["what"]
        assert refusal.hits == 1

        refusal.lift()
        world.clock.advance(_A_DAY)

        assert await scene.retry() == "Ready"
        assert onboarding_of(1) == templated(scene.applied())


async def test_the_wait_for_a_person_has_its_own_full_time(scene: Scene) -> None:
    """The consents came an hour before their wait was over; then an analyst cannot be provisioned."""
    world, ana = scene.world, scene.world.people.ana
    world.contoso.directory.users[ana.object_id].sms_sign_in = True
    began = world.clock.now()
    await scene.post(ana)
    assert await scene.settle() == "WaitingForConsent"
    world.clock.advance(timedelta(days=13, hours=23))
    farid = Visitor(scene)
    for registration in STANDARD:
        await farid.consent(registration)
        await scene.settle()

    assert await scene.settle() == "WaitingForPerson"

    record = await scene.record()
    since, deadline = (datetime.fromisoformat(record[key]) for key in ("since", "deadline"))
    assert deadline - since == timedelta(days=14)
    assert since - began > timedelta(days=13, hours=23)


async def test_a_consent_that_nobody_gives_fails_after_fourteen_days_and_can_be_asked_for_again(scene: Scene) -> None:
    await scene.post(scene.world.people.ana)
    assert await scene.settle() == "WaitingForConsent"
    record = await scene.record()
    since, deadline = (datetime.fromisoformat(record[key]) for key in ("since", "deadline"))
    assert deadline - since == timedelta(days=14)
    scene.world.clock.advance(timedelta(days=14, minutes=5).total_seconds())

    await scene.world.host.run_timer("sweep_runs")

    assert await scene.settle() == "Failed"
    problem = (await scene.record())["problem"]
    assert "Nobody acted before" in problem["what"]
    assert "retry" in problem["do"]
    scene.consented()
    assert await scene.retry() == "Ready"


def _failed_in_words(record: dict[str, object], act: int, patience: timedelta) -> None:
    """The act, its name, what was seen last, and a wait as long as it should be."""
    problem, acts = record["problem"], record["acts"]
    assert isinstance(problem, dict)
    assert isinstance(acts, list)
    [failed] = [one for one in acts if one["state"] == "Failed"]
    assert (act, "Deadline") == (failed["number"], problem["code"])
    assert f"Act {act} ({failed['name']})" in problem["what"]
    assert "Last seen: " in problem["what"]
    assert "retry" in problem["do"]
    waited = datetime.fromisoformat(failed["ended"]) - datetime.fromisoformat(failed["since"])
    assert patience <= waited < patience + timedelta(minutes=10)
