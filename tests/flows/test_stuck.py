"""Refusals that come late, at the synchronization and at PIM: what preflight saw is not so any more."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from shared.permissions import Registration
from tests.conftest import OpenWorld
from tests.flows.scene import Scene
from tests.flows.writes import REQUEST_ELIGIBILITY, START, onboarding_of, templated
from tests.sandbox.graph.models.jobs import Problem
from tests.sandbox.graph.models.pim_records import PRIVILEGED_ROLE_ADMINISTRATOR
from tests.sandbox.graph.models.tenant import Tenant
from tests.sandbox.population import CLIENT_IDS

pytestmark = pytest.mark.sampled(2)

_BROKEN = Problem(code="InvalidCredentials", message="The job cannot reach the target tenant.")


async def test_a_job_in_quarantine_is_left_to_a_person_and_started_once_only(scene: Scene) -> None:
    contoso = scene.world.contoso

    async def break_it() -> None:
        [job] = contoso.jobs.jobs.values()
        contoso.jobs.quarantine(job, _BROKEN)

    scene.world.points.arm("vendor.after", START, 0, break_it)
    scene.consented()

    await scene.post(scene.world.people.ana)

    assert await scene.settle() == "Failed"
    problem = (await scene.record())["problem"]
    assert problem["code"] == "Quarantine"
    assert _BROKEN.message in problem["what"]
    assert "restart the job" in problem["do"]
    assert await scene.retry() == "Failed"
    [job] = contoso.jobs.jobs.values()
    assert job.starts == 1

    job.broken = None
    contoso.jobs.restart(job, frozenset({"Full"}))

    assert await scene.retry() == "Ready"
    assert job.starts == 1


async def test_where_the_permission_is_not_enough_a_person_gives_the_directory_role(open_world: OpenWorld) -> None:
    world = await open_world(flipped=["eligibility-needs-directory-role"])
    async with Scene(world) as scene:
        scene.consented()

        await scene.post(world.people.ana)

        assert await scene.settle() == "WaitingForPerson"
        record = await scene.record()
        assert "Privileged Role Administrator" in record["problem"]["do"]
        assert record["deadline"] is not None

        access = world.fabrikam.applications.by_app_id(CLIENT_IDS[Registration.ACCESS])
        assert access is not None
        world.fabrikam.pim.directory_roles.add((access.id, PRIVILEGED_ROLE_ADMINISTRATOR))

        assert await scene.retry() == "Ready"
        assert onboarding_of(1) == templated(scene.applied())


def _lose_p2(fabrikam: Tenant) -> None:
    fabrikam.licences.p2 = False


def _ask_for_mfa(fabrikam: Tenant) -> None:
    fabrikam.pim.security_reader.eligibility_rules = ["MultiFactorAuthentication"]


@pytest.mark.parametrize(("change", "code"), [(_lose_p2, "NoPim"), (_ask_for_mfa, "MfaOnEligibility")])
async def test_what_pim_refuses_after_preflight_blocks_until_it_is_put_right(
    scene: Scene, change: Callable[[Tenant], None], code: str
) -> None:
    fabrikam = scene.world.fabrikam

    async def act() -> None:
        change(fabrikam)

    scene.world.points.arm("vendor.before", START, 0, act)
    scene.consented()

    await scene.post(scene.world.people.ana)

    assert await scene.settle() == "Blocked"
    problem = (await scene.record())["problem"]
    assert code == problem["code"]
    assert "retry" in problem["do"]
    assert fabrikam.pim.active() == []

    fabrikam.licences.p2, fabrikam.pim.security_reader.eligibility_rules = True, []

    assert await scene.retry() == "Ready"
    assert onboarding_of(1) == templated(scene.applied())


async def test_a_maximum_that_became_shorter_after_preflight_is_kept_to(scene: Scene) -> None:
    fabrikam = scene.world.fabrikam

    async def shorten() -> None:
        policy = fabrikam.pim.security_reader
        policy.expiration_required, policy.maximum_duration = True, "P30D"

    scene.world.points.arm("vendor.before", REQUEST_ELIGIBILITY, 0, shorten)

    record = await scene.onboarded()

    [held] = fabrikam.pim.active()
    assert held.end is not None
    assert abs(held.end - scene.world.clock.now() - timedelta(days=30)) < timedelta(hours=1)
    assert record["eligibilities"][0]["cappedTo"] == "P30D"
