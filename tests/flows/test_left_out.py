"""An analyst whom the synchronization does not take: the others go on, and the one is named with the reason."""

from collections import Counter

import pytest

from tests.flows.scene import Scene
from tests.flows.writes import INSTANTIATE, PROVISION, START, onboarding_of, templated

pytestmark = pytest.mark.sampled(1)


async def test_an_analyst_who_is_skipped_does_not_stop_the_others(scene: Scene) -> None:
    people, fabrikam = scene.world.people, scene.world.fabrikam
    ben = scene.world.contoso.directory.users[people.ben.object_id]
    ben.sms_sign_in = True
    scene.consented()

    await scene.post(people.ana, people.ben, people.cleo)

    assert await scene.settle() == "WaitingForPerson"
    record = await scene.record()
    assert "Ben Analyst" in record["problem"]["what"]
    assert "SMS" in record["problem"]["do"]
    assert {people.ben.object_id} == {one["objectId"] for one in record["analysts"] if one["problem"]}
    assert {scene.account(one).id for one in (people.ana, people.cleo)} == {
        one.principal_id for one in fabrikam.pim.active()
    }

    ben.sms_sign_in = False

    assert await scene.retry() == "Ready"
    record = await scene.record()
    assert len(record["eligibilities"]) == len(fabrikam.pim.active()) == 3
    assert not any(one["problem"] for one in record["analysts"])
    # Ben's first try was carried out too, with nothing to show for it.
    assert onboarding_of(3) == templated(scene.applied()) - Counter({PROVISION: 1})


async def test_a_retry_without_a_cure_waits_again_for_the_same_person(scene: Scene) -> None:
    people = scene.world.people
    scene.world.contoso.directory.users[people.ben.object_id].sms_sign_in = True
    scene.consented()
    await scene.post(people.ana, people.ben)
    assert await scene.settle() == "WaitingForPerson"

    assert await scene.retry() == "WaitingForPerson"

    record = await scene.record()
    assert "Ben Analyst" in record["problem"]["what"]
    assert [people.ana.object_id] == [one["analyst"] for one in record["eligibilities"]]


async def test_invitations_that_are_turned_off_after_preflight_leave_everybody_out(scene: Scene) -> None:
    people, fabrikam = scene.world.people, scene.world.fabrikam

    async def turn_off() -> None:
        fabrikam.policies.allow_invites_from = "none"

    scene.world.points.arm("vendor.before", START, 0, turn_off)
    scene.consented()

    await scene.post(people.ana, people.ben)

    assert await scene.settle() == "WaitingForPerson"
    problem = (await scene.record())["problem"]
    assert problem["code"] == "AzureActiveDirectoryForbidden"
    assert "guest invitations" in problem["do"]
    assert fabrikam.pim.active() == []

    fabrikam.policies.allow_invites_from = "everyone"

    assert await scene.retry() == "Ready"
    assert len(fabrikam.pim.active()) == 2


async def test_an_analyst_who_leaves_the_source_meanwhile_does_not_stop_the_others(scene: Scene) -> None:
    people, source = scene.world.people, scene.world.contoso.directory

    async def leave() -> None:
        source.delete_user(people.ben.object_id)

    scene.world.points.arm("vendor.before", INSTANTIATE, 0, leave)
    scene.consented()

    await scene.post(people.ana, people.ben, people.cleo)

    assert await scene.settle() == "WaitingForPerson"
    record = await scene.record()
    assert "Ben Analyst" in record["problem"]["what"]
    assert "Restore" in record["problem"]["do"]
    assert {people.ana.object_id, people.cleo.object_id} == {one["analyst"] for one in record["eligibilities"]}

    source.users[people.ben.object_id] = source.deleted_users.pop(people.ben.object_id)

    assert await scene.retry() == "Ready"
    assert onboarding_of(3) == templated(scene.applied())
