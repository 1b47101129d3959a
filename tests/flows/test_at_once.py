"""Two at the same moment: one run, and whoever comes second is pointed at it."""

import asyncio
from collections.abc import Sequence

import httpx
import pytest

from tests.flows.refusal import Refusal
from tests.flows.scene import Scene
from tests.flows.writes import PARTNERS, onboarding_of, templated

pytestmark = pytest.mark.sampled(2)


async def test_of_two_posts_for_one_tenant_one_opens_the_run_and_the_other_is_pointed_at_it(scene: Scene) -> None:
    people = scene.world.people
    scene.consented()

    answers = await asyncio.gather(scene.post(people.ana), scene.post(people.ana))

    _one_of(answers)
    assert {f"{scene.world.host.url}/api/tenants/{scene.target}"} == {one.headers["Location"] for one in answers}
    assert await scene.settle() == "Ready"
    assert len(scene.world.host.orchestrations()) == 1
    assert onboarding_of(1) == templated(scene.applied())


async def test_of_two_posts_with_different_wishes_one_wish_is_kept_whole(scene: Scene) -> None:
    people = scene.world.people
    scene.consented()

    answers = await asyncio.gather(scene.post(people.ana, duration="P30D"), scene.post(people.ben, duration="P60D"))

    first = _one_of(answers)
    assert await scene.settle() == "Ready"
    analyst, duration = ((people.ana, "P30D"), (people.ben, "P60D"))[first]
    [eligibility] = (await scene.record())["eligibilities"]
    assert (analyst.object_id, duration) == (eligibility["analyst"], eligibility["wanted"])
    assert [scene.account(analyst).id] == [one.principal_id for one in scene.world.fabrikam.pim.active()]
    assert onboarding_of(1) == templated(scene.applied())


async def test_a_post_while_a_run_is_open_is_pointed_at_it_and_disturbs_nothing(scene: Scene) -> None:
    people = scene.world.people
    answers: list[httpx.Response] = []

    async def ask_again() -> None:
        answers.extend([await scene.post(analyst) for analyst in (people.ana, people.ben)])
        answers.append(await scene.call("POST", f"/api/tenants/{scene.target}/retry"))

    scene.world.points.arm("vendor.before", f"PATCH /v1.0{PARTNERS}/{{id}}", 1, ask_again)

    await scene.onboarded(people.ana)

    assert [one.status_code for one in answers] == [409, 409, 409]
    assert all(one.headers["Location"].endswith(scene.target) for one in answers)
    assert onboarding_of(1) == templated(scene.applied())


async def test_of_two_retries_one_goes_on(scene: Scene) -> None:
    refusal = Refusal(scene.world.points, f"POST {PARTNERS}", passes=1)
    scene.consented()
    await scene.post(scene.world.people.ana)
    assert await scene.settle() == "Failed"
    refusal.lift()
    path = f"/api/tenants/{scene.target}/retry"

    answers = await asyncio.gather(*(scene.call("POST", path) for _ in range(3)))

    assert sorted(one.status_code for one in answers) == [202, 409, 409]
    assert await scene.settle() == "Ready"
    assert len(scene.world.host.orchestrations()) == 2
    assert onboarding_of(1) == templated(scene.applied())


def _one_of(answers: Sequence[httpx.Response]) -> int:
    """Which of them was taken."""
    codes = [one.status_code for one in answers]
    assert sorted(codes) == [202, 409], [one.text for one in answers]
    return codes.index(202)
