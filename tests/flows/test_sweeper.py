"""The minute's sweep: what a dead process left behind is started, closed or taken up again, and nothing else is touched."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import msgspec
import pytest

from shared.permissions import MULTI_TENANT, Registration
from tests.app.visitor import Visitor
from tests.flows.killing import Undisturbed, opened, story, to_rest
from tests.flows.scene import Scene
from tests.flows.standing import carried_out, differences, standing
from tests.flows.stopping import kept, middle
from tests.sandbox.points import Hit, then_cut
from tests.sandbox.session import Session
from tests.sandbox.switches import SWITCHES

pytestmark = pytest.mark.sampled(2)

MINUTE = timedelta(minutes=1)
LONGER_THAN_GRACE = timedelta(minutes=3)


@pytest.fixture
async def scene(session: Session, tmp_path: Path) -> AsyncIterator[Scene]:
    """A scene whose clock begins at the same time of day as the recorded run."""
    async with opened(session, tmp_path / "world") as found:
        yield found


@pytest.mark.parametrize(
    ("label", "nth"),
    [("POST Runs", 1), ("BATCH Tenants", 0)],
    ids=["after-the-insert", "after-the-record"],
)
async def test_a_run_that_was_never_started_is_started(
    label: str, nth: int, scene: Scene, undisturbed: Undisturbed
) -> None:
    """The process died in the POST, and the operator did not ask again."""
    world = scene.world
    scene.consented(*MULTI_TENANT)
    world.points.arm("store.after", label, nth, then_cut(world.host.kill_and_restart))
    with pytest.raises(httpx.TransportError):
        await scene.post(world.people.ana, features=["hunting"])
    await scene.settle()
    run = await scene.open_run()
    assert run is not None
    assert (run.started, world.host.orchestrations()) == (None, [])

    await world.host.run_timer("sweep_runs")
    assert world.host.orchestrations() == []  # it may still be on its way through the request

    world.clock.advance(LONGER_THAN_GRACE)
    assert await scene.settle() == "Ready"
    assert [run.orchestration_id] == [each.id for each in world.host.orchestrations()]
    assert differences(undisturbed.standing, await standing(scene)) == []


async def test_a_run_that_was_started_and_not_noted_is_not_started_twice(
    scene: Scene, undisturbed: Undisturbed
) -> None:
    """The process died between the start of the orchestration and the note of it, and the sweep comes in the middle."""
    world = scene.world
    world.points.arm("store.before", "PUT Runs", 0, then_cut(world.host.kill_and_restart))
    world.points.arm(*_at(_inside(undisturbed, "trust_target")), lambda: _sweep_later(scene))

    assert await story(scene) == "Ready"

    assert world.points.armed == frozenset()
    assert len(world.host.orchestrations()) == 1
    assert differences(undisturbed.standing, await standing(scene)) == []


@pytest.mark.parametrize("activity", ["trust_source", "ensure_synchronization", "ensure_security_reader"])
@pytest.mark.parametrize("reason", ["ended", "gone"])
async def test_a_run_whose_orchestration_came_to_nothing_fails_with_the_reason_and_a_retry_goes_on(
    activity: str, reason: str, scene: Scene, undisturbed: Undisturbed
) -> None:
    """Somebody terminated it by hand, or purged it too."""
    world = scene.world

    async def end_it() -> None:
        [instance] = world.host.orchestrations()
        await world.host.terminate(instance.id, "by hand")
        await world.host.finished(instance.id)
        if reason == "gone":
            async with httpx.AsyncClient(trust_env=False) as client:
                address = f"{world.host.url}/runtime/webhooks/durabletask/instances/{instance.id}"
                assert (await client.delete(address)).status_code == 200

    world.points.arm(*_at(_inside(undisturbed, activity)), end_it)

    assert await story(scene) == "Failed"

    record = await scene.record()
    assert f"its orchestration is {reason}" in record["problem"]["what"]
    assert "retry" in record["problem"]["do"]
    assert [one["state"] for one in record["acts"] if one["state"] not in ("Done", "Pending")] in (["Failed"], [])
    assert await scene.open_run() is None

    assert (await scene.call("POST", f"/api/tenants/{scene.target}/retry")).status_code == 202
    assert await to_rest(scene) == "Ready"
    assert differences(undisturbed.standing, carried_out(await standing(scene))) == []


async def test_a_sweep_leaves_a_run_alone_that_is_under_way(scene: Scene, undisturbed: Undisturbed) -> None:
    world = scene.world
    world.points.arm(*_at(_inside(undisturbed, "assign_analysts")), lambda: _sweep_later(scene))

    assert await story(scene) == "Ready"

    assert world.points.armed == frozenset()
    assert [(await scene.tenant()).record.run] == [1]
    assert differences(undisturbed.standing, await standing(scene)) == []


async def test_a_run_that_is_under_way_for_longer_than_any_may_be_is_told(
    scene: Scene, undisturbed: Undisturbed
) -> None:
    """Something in it hangs. It is left alone: a person looks."""
    world = scene.world

    async def hang() -> None:
        world.clock.advance(timedelta(hours=29))
        await world.host.run_timer("sweep_runs")
        assert "run.stuck" not in world.log.read_text()
        world.clock.advance(timedelta(hours=2))
        await world.host.run_timer("sweep_runs")

    world.points.arm(*_at(_inside(undisturbed, "assign_analysts")), hang)

    await story(scene)

    told = [line for line in world.log.read_text().splitlines() if "run.stuck" in line]
    assert told
    assert all(f"subject={scene.target} run=1" in line for line in told)


async def test_a_sweep_of_a_tenant_at_rest_changes_nothing(scene: Scene) -> None:
    """But for what a night saw of its health."""
    await story(scene)
    before, *others = await kept(scene)

    scene.world.clock.advance(timedelta(days=20))
    await scene.settle()
    await scene.world.host.run_timer("sweep_runs")

    after, *others_now = await kept(scene)
    assert others == others_now
    assert msgspec.structs.replace(after, health=None, etag=before.etag) == before


async def test_a_consent_whose_callback_died_before_it_opened_the_run_is_proved_all_the_same(
    scene: Scene, undisturbed: Undisturbed
) -> None:
    """The answer is stored; the administrator closed the browser on the broken page."""
    world, farid = scene.world, Visitor(scene)
    await scene.post(world.people.ana, features=["hunting"])
    assert await scene.settle() == "WaitingForConsent"
    back = await farid.at_entra(await farid.open(await farid.link()))
    runs = world.points.passed("store.before", "POST Runs")
    world.points.arm("store.before", "POST Runs", runs, then_cut(world.host.kill_and_restart))
    with pytest.raises(httpx.TransportError):
        await farid.open(back)
    assert await scene.settle() == "WaitingForConsent"
    assert await scene.open_run() is None

    world.clock.advance(MINUTE)
    await scene.settle()
    consents = {one["registration"]: one["state"] for one in (await scene.record())["consents"]}
    assert consents[Registration.SETUP.value] == "proved"

    await farid.consent(Registration.ACCESS)
    await to_rest(scene)
    await farid.consent(Registration.HUNT)
    assert await to_rest(scene) == "Ready"
    assert differences(undisturbed.standing, await standing(scene)) == []


async def test_a_person_who_never_came_ends_the_wait(session: Session, tmp_path: Path) -> None:
    """The application lacks a directory role: somebody in the target has to give it."""
    assert "eligibility-needs-directory-role" in SWITCHES
    async with opened(session, tmp_path / "world", flipped={"eligibility-needs-directory-role"}) as scene:
        assert await story(scene) == "WaitingForPerson"
        waited_for = (await scene.record())["problem"]["what"]

        scene.world.clock.advance(timedelta(days=14, minutes=2))
        assert await scene.settle() == "Failed"

        record = await scene.record()
        assert record["problem"]["code"] == "NobodyCame"
        assert waited_for in record["problem"]["what"]
        assert "Waiting" not in {one["state"] for one in record["acts"]}
        assert (await scene.call("POST", f"/api/tenants/{scene.target}/retry")).status_code == 202
        assert await to_rest(scene) == "WaitingForPerson"


async def test_a_sweep_whose_process_dies_is_made_good_by_the_next(scene: Scene, undisturbed: Undisturbed) -> None:
    """The run was inserted and not started; the sweep that finds it is killed as it starts it."""
    world = scene.world
    scene.consented(*MULTI_TENANT)
    world.points.arm("store.after", "POST Runs", 1, then_cut(world.host.kill_and_restart))
    world.points.arm("timer.after", "sweep_runs", 0, then_cut(world.host.kill_and_restart))
    with pytest.raises(httpx.TransportError):
        await scene.post(world.people.ana, features=["hunting"])

    assert await to_rest(scene) == "Ready"
    assert world.points.armed == frozenset()
    assert len(world.host.orchestrations()) == 1
    assert differences(undisturbed.standing, await standing(scene)) == []


def _inside(undisturbed: Undisturbed, activity: str) -> Hit:
    hit = middle(undisturbed.log, activity, "vendor.before")
    assert hit is not None
    return hit


def _at(hit: Hit) -> tuple[str, str, int]:
    return hit.kind, hit.label, hit.nth


async def _sweep_later(scene: Scene) -> None:
    """A sweep when the run is old enough to be looked at, while it is under way."""
    scene.world.clock.advance(LONGER_THAN_GRACE)
    await scene.world.host.run_timer("sweep_runs")
