"""A write that landed, and whose answer was lost: nothing is made a second time, whether the store's or the vendor's."""

from datetime import timedelta

import pytest

from tests.flows.scene import Scene
from tests.flows.writes import INSTANTIATE, onboarding_of, templated
from tests.sandbox.graph.models.applications import SYNC_TEMPLATE, ServicePrincipal
from tests.sandbox.points import cut

pytestmark = pytest.mark.sampled(2)

_STORE = ("POST Runs", "BATCH Tenants", "POST Audit", "PUT ByState", "POST Slots")


@pytest.mark.parametrize("label", _STORE)
async def test_an_insert_whose_answer_was_lost_has_no_twin(scene: Scene, label: str) -> None:
    for nth in (0, 1):
        scene.world.points.arm("store.after", label, nth, cut)

    await scene.onboarded()

    assert not {hit for hit in scene.world.points.armed if hit.nth == 0}, "the point was never passed"
    assert len(scene.world.host.orchestrations()) == 1
    assert onboarding_of(1) == templated(scene.applied())
    entries = await scene.entries()
    assert len(entries) == len({entry.deed.object_name for entry in entries}) == sum(onboarding_of(1).values())


async def test_a_lost_answer_on_instantiate_makes_one_application_however_slow_the_directory(scene: Scene) -> None:
    """Nobody told its id, and for nine minutes no list shows it: waiting is all that keeps a twin away."""

    async def hide_it() -> None:
        [application] = scene.synchronizations()
        assert application.made_at is not None
        application.made_at += timedelta(minutes=9)
        await cut()

    scene.world.points.arm("vendor.after", INSTANTIATE, 0, hide_it)
    began = scene.world.clock.now()

    await scene.onboarded()

    assert len(scene.synchronizations()) == len(scene.world.contoso.jobs.jobs) == 1
    assert scene.sent().count(INSTANTIATE) == 1
    assert scene.world.clock.now() - began > timedelta(minutes=9)


async def test_of_two_applications_with_the_very_same_name_none_is_guessed(scene: Scene) -> None:
    """The answer that told the id was lost, and somebody who read the name made a second application of it."""
    applications, points = scene.world.contoso.applications, scene.world.points
    strangers: list[ServicePrincipal] = []

    async def copy_the_name() -> None:
        synchronization = (await scene.tenant()).record.synchronization
        assert synchronization is not None
        strangers.append(applications.instantiate(SYNC_TEMPLATE, synchronization.name)[1])
        await cut()

    points.arm("vendor.after", INSTANTIATE, 0, copy_the_name)
    scene.consented()

    await scene.post(scene.world.people.ana)

    assert await scene.settle() == "Blocked"
    problem = (await scene.record())["problem"]
    assert problem["code"] == "AmbiguousApplication"
    assert scene.target in problem["what"]
    assert await scene.retry() == "Blocked"
    assert not any(one.secrets for one in scene.synchronizations())

    applications.delete_principal(strangers[0].id)

    assert await scene.retry() == "Ready"
    assert len(scene.synchronizations()) == 1
