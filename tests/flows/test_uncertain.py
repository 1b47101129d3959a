"""Answers that contradict each other: what is audited is what was done, and what was half done comes to its end."""

from datetime import timedelta
from functools import partial

import pytest

from shared.tenants.record import ActState
from tests.flows.refusal import Refusal
from tests.flows.scene import Scene
from tests.flows.test_twice import as_if_never_done
from tests.flows.writes import INSTANTIATE, PARTNERS, REQUEST_ELIGIBILITY
from tests.sandbox.graph.errors import not_found, throttled
from tests.sandbox.points import cut

pytestmark = pytest.mark.sampled(1)

_FIND = "GET /v1.0/servicePrincipals"
_TRUST = f"PATCH {PARTNERS}/{{id}}"


async def test_a_write_that_landed_is_audited_as_done_although_its_repeat_was_throttled(scene: Scene) -> None:
    """The first answer is lost, the repeat is refused before it is looked at: nobody may conclude that nothing was sent."""
    points, label = scene.world.points, _TRUST.replace(" ", " /v1.0")

    async def refuse_the_repeat() -> None:
        points.arm("vendor.before", label, 1, _throttle)
        await cut()

    async def _throttle() -> None:
        raise throttled(30)

    points.arm("vendor.after", label, 0, refuse_the_repeat)

    await scene.onboarded()

    [entry, _] = [one for one in await scene.entries() if one.deed.object_name.startswith("partner settings")]
    assert (entry.deed.act, entry.deed.outcome) == (3, "done")
    assert points.armed == frozenset()


async def test_what_is_made_again_by_a_retry_is_made_although_the_first_try_was_throttled(scene: Scene) -> None:
    await _cancelled_after(scene, INSTANTIATE)
    scene.delete_application()
    scene.world.clock.advance(timedelta(minutes=20))
    again = Refusal(scene.world.points, INSTANTIATE.replace("/v1.0", ""), throttled(60))

    async def serve() -> None:
        again.lift()

    scene.world.points.arm(
        "vendor-read.before", _FIND, scene.world.points.passed("vendor-read.before", _FIND) + 4, serve
    )

    assert await scene.retry() == "Ready"
    assert again.hits > 0
    assert len(scene.synchronizations()) == 1


async def test_a_job_that_was_made_again_by_hand_is_adopted(scene: Scene) -> None:
    contoso = scene.world.contoso
    await _cancelled_after(scene, "POST /v1.0/servicePrincipals/{id}/appRoleAssignedTo")
    [application] = scene.synchronizations()
    [old] = contoso.jobs.jobs.values()
    contoso.jobs.delete(old)
    new = contoso.jobs.create(application, "Azure2Azure")
    scene.world.clock.advance(timedelta(minutes=20))

    states = [await scene.retry() for _ in range(2)]

    assert states == ["Failed", "Ready"]
    assert list(contoso.jobs.jobs.values()) == [new]
    assert new.starts == 1


async def test_an_act_is_not_done_while_one_of_its_analysts_still_waits(scene: Scene) -> None:
    """What an earlier run wrote down of somebody proves nothing in this one."""
    people, pim = scene.world.people, scene.world.fabrikam.pim
    await scene.onboarded(people.ana, people.ben)
    first = min(people.ana, people.ben, key=lambda one: one.object_id)
    for eligibility in pim.active():
        if eligibility.principal_id == scene.account(first).id:
            eligibility.removed_at = scene.world.clock.now()
    scene.let_it_spread()
    await as_if_never_done(scene)
    Refusal(scene.world.points, REQUEST_ELIGIBILITY.replace("/v1.0", ""), not_found("the account"))
    second = scene.world.points.passed("activity.after", "ensure_security_reader") + 1
    scene.world.points.arm("activity.after", "ensure_security_reader", second, partial(_cancel, scene))

    assert await scene.retry() == "Cancelled"

    assert (await scene.tenant()).acts[9].state is ActState.PENDING


async def _cancel(scene: Scene) -> None:
    assert (await scene.call("POST", f"/api/tenants/{scene.target}/cancel")).status_code == 202


async def _cancelled_after(scene: Scene, last: str) -> None:
    scene.world.points.arm("vendor.after", last, 0, partial(_cancel, scene))
    scene.consented()
    await scene.post(scene.world.people.ana)
    assert await scene.settle() == "Cancelled"
