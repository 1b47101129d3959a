"""Letting a tenant go whose access goes by a group, that has no PIM, or whose enterprise application was adopted: what a
person made is left to that person, and named.
"""

import pytest

from shared.claims import SYNCHRONIZATION
from shared.identifiers import TenantId
from tests.conftest import OpenWorld
from tests.flows.letting_go import let_go, states
from tests.flows.pictures import changes, picture
from tests.flows.scene import Scene
from tests.flows.test_access import a_group, by, carry_out, eligible
from tests.flows.test_adopted import assign, made_by_hand

pytestmark = pytest.mark.sampled(1)

_ADOPTS = {"TENANTRY_SOURCE_MODE": "adopted"}


async def test_the_group_of_the_target_loses_its_eligibility_and_stays(scene: Scene) -> None:
    people, group = scene.world.people, a_group(scene)
    scene.consented()
    before = picture(scene.world)
    await scene.post(people.ana, access=by(group))
    assert await scene.settle() == "WaitingForPerson"
    await carry_out(scene, (await scene.record())["problem"]["do"])
    assert await scene.retry() == "Ready"
    assert eligible(scene) == {group.id}

    assert await let_go(scene) == "Offboarded"

    # The account went, and with it its place in the group.
    assert changes(before, picture(scene.world)) == {}
    assert (await scene.record())["leftToKit"] == []


async def test_a_group_that_was_asked_for_and_never_recorded_loses_its_eligibility_too(scene: Scene) -> None:
    group = a_group(scene)
    scene.consented()
    before = picture(scene.world)

    async def cancel() -> None:
        await scene.call("POST", f"/api/tenants/{scene.target}/cancel")

    scene.world.points.arm(
        "vendor.after", "POST /v1.0/roleManagement/directory/roleEligibilityScheduleRequests", 0, cancel
    )
    await scene.post(scene.world.people.ana, access=by(group))
    assert await scene.settle() == "Cancelled"
    assert eligible(scene) == {group.id}

    assert await let_go(scene) == "Offboarded"

    assert changes(before, picture(scene.world)) == {}


@pytest.mark.parametrize("by_group", [False, True], ids=["accounts", "group"])
async def test_without_pim_what_an_administrator_assigned_to_a_group_is_left_to_them(
    scene: Scene, *, by_group: bool
) -> None:
    people, fabrikam = scene.world.people, scene.world.fabrikam
    fabrikam.licences.p2 = False
    group = a_group(scene) if by_group else None
    scene.consented()
    wish = {"access": by(group)} if group else {}
    await scene.post(people.ana, withoutPim="wait", **wish)
    assert await scene.settle() == "WaitingForPerson"
    scene.world.clock.advance(600)  # by then the accounts are known everywhere
    await carry_out(scene, (await scene.record())["problem"]["do"])
    assert await scene.retry() == "Ready"

    assert await let_go(scene) == "Offboarded"

    left = (await scene.record())["leftToKit"]
    assert [(one["act"], one["objects"]) for one in left] == ([(21, [])] if by_group else [])
    kit = (await scene.call("GET", f"/api/tenants/{scene.target}/kit")).text
    assert ("a group's assignment you remove" in kit) is True
    assert ("the group's assignment of Security Reader" in kit) is by_group
    assert "adminRemove" not in kit


async def test_an_adopted_application_is_left_with_what_was_there(open_world: OpenWorld) -> None:
    async with Scene(await open_world(settings=_ADOPTS)) as scene:
        people, contoso = scene.world.people, scene.world.contoso
        principal = made_by_hand(scene)
        scene.consented()
        before = picture(scene.world)
        assign(scene, principal, people.ana.object_id)
        await scene.post(people.ana, synchronizationServicePrincipalId=principal.id)
        assert await scene.settle() == "Ready"

        assert await let_go(scene) == "WaitingForPerson"
        record = await scene.record()
        assert "Ana Analyst" in record["problem"]["what"]
        assert (states(record)[21], states(record)[22]) == ("Done", "Waiting")
        [hers] = [
            one.id for one in contoso.applications.assignments.values() if one.principal_id == people.ana.object_id
        ]
        contoso.applications.unassign(hers)
        assert await scene.retry() == "Offboarded"

        secrets = f"Contoso.applications.principals.{principal.id}.secrets."
        rest = changes(before, picture(scene.world))
        assert all(path.startswith(secrets) for path in rest), rest
        assert (await scene.record())["leftToKit"] == []
        # Another target may be served by it from now on.
        other = TenantId(contoso.id)
        assert await scene.claims.take(SYNCHRONIZATION, principal.id, other) == other


async def test_a_job_that_was_there_before_stays_as_it_was(open_world: OpenWorld) -> None:
    async with Scene(await open_world(settings=_ADOPTS)) as scene:
        people, contoso = scene.world.people, scene.world.contoso
        principal = made_by_hand(scene)
        job = contoso.jobs.create(principal, "Azure2Azure")
        scene.let_it_spread()
        assign(scene, principal, people.ana.object_id)
        scene.consented()
        await scene.post(people.ana, synchronizationServicePrincipalId=principal.id)
        assert await scene.settle() == "Ready"
        assert job.schedule == "Active"

        contoso.applications.assignments.clear()
        assert await let_go(scene) == "Offboarded"

        assert list(contoso.jobs.jobs) == [job.id]
        assert job.schedule == "Paused"
