"""What was asked for and only takes its time is waited for: no second call, no twin, no word of an earlier run."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.conftest import OpenWorld
from tests.flows.killing import opened
from tests.flows.scene import Scene
from tests.flows.writes import INSTANTIATE, PROVISION, onboarding_of, templated
from tests.sandbox.graph.models.applications import AppRole, ServicePrincipal
from tests.sandbox.session import Session

pytestmark = pytest.mark.sampled(1)

_TELLS_NO_ID = "on-demand-result-has-target-id"


async def test_provisioning_is_asked_for_once_while_the_account_is_only_slow_to_show(scene: Scene) -> None:
    """Eight minutes, of the fifteen that an account may stay hidden; the few slots are left to those who need them."""
    people, points = scene.world.people, scene.world.points
    analysts = people.ana, people.ben, people.cleo

    async def hide() -> None:
        scene.hide_accounts(timedelta(minutes=8))

    for nth in range(len(analysts)):
        points.arm("vendor.after", PROVISION, nth, hide)

    await scene.onboarded(*analysts)

    assert scene.sent().count(PROVISION) == len(analysts)
    assert onboarding_of(len(analysts)) == templated(scene.applied())
    moved = [hit for hit in points.log if (hit.kind, hit.label) == ("store.after", "PUT Slots")]
    assert len(moved) == len(analysts) - 1  # the first slot is an insert


async def test_an_application_without_a_role_that_provisions_gets_no_twin(open_world: OpenWorld) -> None:
    world = await open_world(settings={"TENANTRY_REPLICATION_DEADLINE_MINUTES": "10"})
    async with Scene(world) as scene:
        kept: list[tuple[ServicePrincipal, tuple[AppRole, ...]]] = []

        async def hide_its_roles() -> None:
            [application] = scene.synchronizations()
            kept.append((application, application.app_roles))
            application.app_roles = ()

        world.points.arm("vendor.after", INSTANTIATE, 0, hide_its_roles)
        scene.consented()

        await scene.post(world.people.ana)

        assert await scene.settle() == "Failed"
        record = await scene.record()
        assert [one["number"] for one in record["acts"] if one["state"] == "Failed"] == [6]
        assert record["problem"]["code"] == "Deadline"
        assert "shows no app role" in record["problem"]["what"]
        [(application, roles)] = kept
        assert [application] == scene.synchronizations()

        application.app_roles = roles

        assert await scene.retry() == "Ready"
        assert [application] == scene.synchronizations()
        assert onboarding_of(1) == templated(scene.applied())


async def test_where_only_the_log_tells_the_account_an_entry_of_an_earlier_run_counts_for_nothing(
    session: Session, tmp_path: Path
) -> None:
    async with opened(session, tmp_path / "world", flipped={_TELLS_NO_ID}) as scene:
        people = scene.world.people
        ben = scene.world.contoso.directory.users[people.ben.object_id]
        ben.sms_sign_in = True
        scene.consented()
        await scene.post(people.ana, people.ben)
        assert await scene.settle() == "WaitingForPerson"
        assert "Ben Analyst" in (await scene.record())["problem"]["what"]

        ben.sms_sign_in = False

        assert await scene.retry() == "Ready"
        assert {scene.account(one).id for one in (people.ana, people.ben)} == {
            one.principal_id for one in scene.world.fabrikam.pim.active()
        }
