"""A deployment that may make no applications and assign nobody: a person does, the acts verify, and wait."""

from collections.abc import AsyncIterator

import pytest

from shared.identifiers import TenantId
from shared.permissions import Registration
from tests.conftest import OpenWorld
from tests.flows.scene import Scene
from tests.flows.test_night import night
from tests.sandbox.graph.models.applications import SYNC_TEMPLATE, ServicePrincipal
from tests.sandbox.population import CLIENT_IDS

pytestmark = pytest.mark.sampled(2)


@pytest.fixture
async def scene(open_world: OpenWorld) -> AsyncIterator[Scene]:
    async with Scene(await open_world(settings={"TENANTRY_SOURCE_MODE": "adopted"})) as opened:
        yield opened


def made_by_hand(scene: Scene) -> ServicePrincipal:
    """The configuration that a person made in the portal."""
    _, principal = scene.world.contoso.applications.instantiate(SYNC_TEMPLATE, "Fabrikam")
    scene.let_it_spread()
    return principal


def assign(scene: Scene, principal: ServicePrincipal, *who: str) -> None:
    for one in who:
        scene.world.contoso.applications.assign(principal, one, principal.app_roles[0].id)
    scene.let_it_spread()


async def test_the_acts_wait_for_the_assignments_and_write_neither_application_nor_assignment(scene: Scene) -> None:
    people, principal = scene.world.people, made_by_hand(scene)
    scene.consented()
    await scene.post(people.ana, people.ben, synchronizationServicePrincipalId=principal.id)
    assert await scene.settle() == "WaitingForPerson"
    assert "Ana Analyst, Ben Analyst" in (await scene.record())["problem"]["what"]
    assign(scene, principal, people.ana.object_id, people.ben.object_id)

    assert await scene.retry() == "Ready"

    assert [principal.id] == [one.id for one in scene.synchronizations()]
    assert not any("instantiate" in call or "appRoleAssignedTo" in call for call in scene.sent())
    held = scene.world.clouds.granted(CLIENT_IDS[Registration.SOURCE], TenantId(scene.world.contoso.id))
    assert not {"Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All"} & held


async def test_an_assigned_group_counts_with_a_warning(scene: Scene) -> None:
    people, principal = scene.world.people, made_by_hand(scene)
    assign(scene, principal, people.analysts.id)
    scene.consented()

    await scene.post(people.ana, synchronizationServicePrincipalId=principal.id)

    assert await scene.settle() == "Ready"
    assert any("removed by the synchronization itself" in one for one in (await scene.record())["warnings"])


@pytest.mark.parametrize("fate", ["unknown", "strange"])
async def test_an_unfit_application_is_a_person_s_business(fate: str, scene: Scene) -> None:
    principal = made_by_hand(scene)
    named = principal.id if fate == "strange" else "a0000000-0000-4000-8000-000000000000"
    principal.template_id = None if fate == "strange" else principal.template_id
    scene.consented()

    await scene.post(scene.world.people.ana, synchronizationServicePrincipalId=named)

    assert await scene.settle() == "WaitingForPerson"
    assert (await scene.record())["problem"]["code"] == "UnfitApplication"


async def test_an_application_that_serves_another_target_is_not_taken(scene: Scene) -> None:
    principal = made_by_hand(scene)
    claims = scene.claims
    await claims.take("synchronization", principal.id, TenantId(scene.world.contoso.id))  # as another tenant's
    scene.consented()

    await scene.post(scene.world.people.ana, synchronizationServicePrincipalId=principal.id)

    assert await scene.settle() == "Blocked"
    assert scene.world.contoso.id in (await scene.record())["problem"]["what"]
    assert principal.secrets == {}


async def test_the_application_must_be_named(scene: Scene) -> None:
    answer = await scene.post(scene.world.people.ana)

    assert (answer.status_code, answer.json()["field"]) == (400, "synchronizationServicePrincipalId")


async def test_a_leaver_who_is_still_assigned_is_named_and_has_lost_the_eligibility(scene: Scene) -> None:
    world, people, principal = scene.world, scene.world.people, made_by_hand(scene)
    assign(scene, principal, people.ana.object_id, people.ben.object_id, people.cleo.object_id)
    scene.consented()
    await scene.post(synchronizationServicePrincipalId=principal.id)
    assert await scene.settle() == "Ready"
    people.analysts.members.remove(people.cleo.object_id)

    assert await night(scene) == "WaitingForPerson"

    assert "Cleo Analyst" in (await scene.record())["problem"]["what"]
    assert world.fabrikam.pim.of(scene.account(people.cleo).id) is None
    applications = world.contoso.applications
    [hers] = [one.id for one in applications.assignments.values() if one.principal_id == people.cleo.object_id]
    applications.unassign(hers)
    assert await scene.retry() == "Ready"
    assert people.cleo.object_id not in {one["objectId"] for one in (await scene.record())["analysts"]}
