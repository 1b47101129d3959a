"""Letting a tenant go that never became Ready: whatever its onboarding has written by then is undone, and nothing else."""

from collections import Counter
from datetime import timedelta

import pytest

from tests.flows.letting_go import delete, let_go
from tests.flows.pictures import changes, picture
from tests.flows.refusal import Refusal
from tests.flows.scene import Scene
from tests.flows.writes import ONCE, PARTNERS
from tests.sandbox.points import then_cut

pytestmark = pytest.mark.sampled(2)


def _after_each_write() -> list[object]:
    """Call, and how often the same call was sent before this one."""
    nths = [Counter(before for _, before in ONCE[:at])[call] for at, (_, call) in enumerate(ONCE)]
    return [
        pytest.param(f"{call.split(' ')[0]} /v1.0{call.split(' ')[1]}", nth, id=f"act-{act}-{call.rpartition('/')[2]}")
        for (act, call), nth in zip(ONCE, nths, strict=True)
    ]


@pytest.mark.parametrize(("label", "nth"), _after_each_write())
async def test_an_onboarding_that_was_cancelled_after_any_write_is_undone(scene: Scene, label: str, nth: int) -> None:
    scene.consented()
    before = picture(scene.world)

    async def cancel() -> None:
        await scene.call("POST", f"/api/tenants/{scene.target}/cancel")

    scene.world.points.arm("vendor.after", label, nth, cancel)
    await scene.post(scene.world.people.ana)
    assert await scene.settle() == "Cancelled"
    assert changes(before, picture(scene.world))

    assert await let_go(scene) == "Offboarded"

    record = await scene.record()
    assert (record["leftToKit"], record["skipped"]) == ([], [])
    assert changes(before, picture(scene.world)) == {}


@pytest.mark.parametrize(("label", "nth"), _after_each_write())
async def test_an_onboarding_whose_run_died_with_the_answer_to_any_write_is_undone(
    scene: Scene, label: str, nth: int
) -> None:
    """Nobody read back what was sent: the run of the offboarding begins with that."""
    world = scene.world
    scene.consented()
    before = picture(world)

    async def die() -> None:
        await world.host.kill_and_restart()
        for one in world.host.orchestrations():
            await world.host.terminate(one.id)

    world.points.arm("vendor.after", label, nth, then_cut(die))
    await scene.post(world.people.ana)
    await scene.settle()
    world.clock.advance(timedelta(minutes=5))
    assert await scene.settle() == "Failed", await scene.record()

    assert await let_go(scene) == "Offboarded"

    assert changes(before, picture(world)) == {}


async def test_one_that_waits_for_a_person_is_let_go(scene: Scene) -> None:
    people = scene.world.people
    scene.consented()
    scene.world.contoso.directory.users[people.ben.object_id].sms_sign_in = True
    before = picture(scene.world)
    await scene.post(people.ana, people.ben)
    assert await scene.settle() == "WaitingForPerson"

    assert await let_go(scene) == "Offboarded"

    assert changes(before, picture(scene.world)) == {}


async def test_one_that_is_blocked_is_let_go_at_once(scene: Scene) -> None:
    scene.consented()
    scene.world.fabrikam.policies.allow_invites_from = "none"
    before = picture(scene.world)
    await scene.post(scene.world.people.ana)
    assert await scene.settle() == "Blocked"
    began = scene.world.clock.now()

    assert await let_go(scene) == "Offboarded"

    assert changes(before, picture(scene.world)) == {}
    assert scene.sent() == []
    assert scene.world.clock.now() - began < timedelta(minutes=2)


async def test_one_that_failed_is_let_go(scene: Scene) -> None:
    scene.consented()
    before = picture(scene.world)
    Refusal(scene.world.points, f"POST {PARTNERS}", passes=1)
    await scene.post(scene.world.people.ana)
    assert await scene.settle() == "Failed"

    assert await let_go(scene) == "Offboarded"

    assert changes(before, picture(scene.world)) == {}


async def test_one_whose_application_somebody_deleted_is_let_go_and_its_accounts_are_named(scene: Scene) -> None:
    """Without a job nobody deletes the accounts."""
    await scene.onboarded()
    account = scene.account(scene.world.people.ana).id
    scene.world.clock.advance(timedelta(hours=1))
    scene.delete_application()

    assert await let_go(scene) == "Offboarded"

    [left] = (await scene.record())["leftToKit"]
    assert (left["act"], left["objects"], left["why"]) == (24, [account], "the synchronization job is gone")


async def test_twice_is_once(scene: Scene) -> None:
    await scene.onboarded()
    assert await let_go(scene) == "Offboarded"
    already = len(scene.sent())

    answer = await delete(scene)

    assert (answer.status_code, answer.json()["state"]) == (200, "Offboarded")
    assert await scene.settle() == "Offboarded"
    assert len(scene.sent()) == already


async def test_it_can_be_onboarded_again_and_let_go_again(scene: Scene) -> None:
    people = scene.world.people
    scene.consented()
    before = picture(scene.world)
    await scene.onboarded(people.ana)
    await let_go(scene)

    answer = await scene.post(people.ben)
    assert answer.status_code == 202
    assert await scene.settle() == "Ready", await scene.record()
    record = await scene.record()
    assert [one["displayName"] for one in record["analysts"]] == ["Ben Analyst"]
    assert max(one["number"] for one in record["acts"]) == 12
    assert (record["leftToKit"], record["skipped"]) == ([], [])

    assert await let_go(scene) == "Offboarded"
    assert changes(before, picture(scene.world)) == {}
