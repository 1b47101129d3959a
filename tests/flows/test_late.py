"""Activities are delivered at least once: late, when the run that sent them is over, or twice at the same moment."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from shared.durable import WAKE
from shared.run import key_of
from shared.running.acts import BEGIN, ORCHESTRATORS
from shared.tenants.record import ActState
from tests.flows.killing import Undisturbed, opened, story, to_rest
from tests.flows.refusal import Refusal
from tests.flows.scene import Scene
from tests.flows.standing import differences, in_any_order, standing
from tests.flows.stopping import ACTIVITIES, Cancel, come_late, kept, middle
from tests.flows.writes import PARTNERS, REQUEST_ELIGIBILITY
from tests.sandbox.graph.errors import GraphError, throttled
from tests.sandbox.points import Hit
from tests.sandbox.session import Session

pytestmark = pytest.mark.sampled(2)

INSIDE = ("vendor.before", "vendor-read.before", "login.before", "store-read.before")
_READS = (
    "GET /organization",
    f"GET {PARTNERS}/{{id}}",
    "GET /servicePrincipals/{id}/appRoleAssignedTo",
)
IN_TURN = ("trust_source", "ensure_synchronization", "provision_analyst", "ensure_security_reader")


@pytest.mark.parametrize(
    "activity", [pytest.param(one, marks=() if one in IN_TURN else pytest.mark.matrix) for one in ACTIVITIES]
)
async def test_an_activity_of_a_cancelled_run_that_comes_in_the_middle_of_the_next_changes_nothing(
    activity: str, undisturbed: Undisturbed, session: Session, tmp_path: Path
) -> None:
    async with opened(session, tmp_path / "world") as scene:
        world, late, seen = scene.world, asyncio.Event(), list[object]()
        hit = middle(undisturbed.log, activity, *INSIDE)
        assert hit is not None
        world.host.deliver_twice(activity, late)
        world.points.arm(hit.kind, hit.label, hit.nth, Cancel(scene))
        assert await story(scene) == "Cancelled"

        async def let_it_come() -> None:
            seen.append(await kept(scene))
            await come_late(scene, activity, late)
            seen.append(await kept(scene))

        runs_so_far = sum(each.label == BEGIN.name and each.kind == "activity.after" for each in world.points.log)
        world.points.arm("activity.after", BEGIN.name, runs_so_far, let_it_come)
        assert (await scene.call("POST", f"/api/tenants/{scene.target}/retry")).status_code == 202

        assert await to_rest(scene) == "Ready"
        assert len(seen) == 2
        assert seen[0] == seen[1]
        assert differences(undisturbed.standing, await standing(scene)) == []


@pytest.mark.parametrize(
    "activity", [pytest.param(one, marks=() if one in IN_TURN else pytest.mark.matrix) for one in ACTIVITIES]
)
async def test_an_activity_that_comes_again_when_the_tenant_is_ready_changes_nothing(
    activity: str, undisturbed: Undisturbed, session: Session, tmp_path: Path
) -> None:
    async with opened(session, tmp_path / "world") as scene:
        late = asyncio.Event()
        scene.world.host.deliver_twice(activity, late)
        assert await story(scene) == "Ready"
        before = await kept(scene)

        await come_late(scene, activity, late)

        assert await scene.settle() == "Ready"
        assert before == await kept(scene)
        assert differences(undisturbed.standing, await standing(scene)) == []


@pytest.mark.parametrize("activity", ["prove_consent", "run_preflight", "trust_source", "assign_analysts"])
@pytest.mark.parametrize("error", [throttled(60), GraphError(503, "ServiceUnavailable", "")], ids=["429", "503"])
async def test_an_activity_that_comes_again_when_the_run_has_gone_on_asks_nobody_anything(
    activity: str, error: GraphError, scene: Scene
) -> None:
    """The vendor would refuse to answer: an act that is done must not begin to wait for that."""
    world, late, asked, states = scene.world, asyncio.Event(), list[Hit](), set[ActState]()
    world.host.deliver_twice(activity, late)

    async def let_it_come() -> None:
        before = len(world.points.log)
        refusals = [Refusal(world.points, call, error, reads=True) for call in _READS]
        await come_late(scene, activity, late)
        for refusal in refusals:
            refusal.lift()
        asked.extend(hit for hit in world.points.log[before:] if hit.kind.startswith(("vendor", "login")))
        states.update(act.state for act in (await scene.tenant()).acts.values() if act.number < 9)

    world.points.arm("vendor.before", REQUEST_ELIGIBILITY, 0, let_it_come)

    await scene.onboarded()

    assert (asked, states) == ([], {ActState.DONE})
    assert {act.state for act in (await scene.tenant()).acts.values()} == {ActState.DONE}


@pytest.mark.parametrize(
    "activity", [pytest.param(one, marks=() if one in IN_TURN else pytest.mark.matrix) for one in ACTIVITIES]
)
async def test_an_activity_that_comes_again_at_once_changes_nothing(
    activity: str, undisturbed: Undisturbed, session: Session, tmp_path: Path
) -> None:
    """Its repeat runs beside the activities that follow it."""
    async with opened(session, tmp_path / "world") as scene:
        scene.world.host.deliver_twice(activity)

        assert await story(scene) == "Ready"

        assert differences(in_any_order(undisturbed.standing), in_any_order(await standing(scene))) == []


async def test_a_wake_that_comes_before_anybody_waits_cuts_one_wait_short_and_not_every_later_one(
    undisturbed: Undisturbed, session: Session, tmp_path: Path
) -> None:
    """The SDK keeps such an event; handed out again and again it would make a run look without a pause."""
    async with opened(session, tmp_path / "world") as scene:
        world = scene.world

        async def wake() -> None:
            [instance] = world.host.orchestrations()
            await world.host.raise_event(instance.id, WAKE, {})

        world.points.arm("activity.before", "prove_consent", 0, wake)

        assert await story(scene) == "Ready"

        looks, usual = (
            sum(hit.kind == "activity.before" for hit in log) for log in (world.points.log, undisturbed.log)
        )
        assert usual <= looks <= usual + 2
        assert differences(undisturbed.standing, await standing(scene)) == []


async def test_everything_delivered_twice_at_the_same_moment_makes_no_twin(
    undisturbed: Undisturbed, session: Session, tmp_path: Path
) -> None:
    """Two orchestrations of one run, as if every activity had two deliveries; both look for the application at once."""
    async with opened(session, tmp_path / "world") as scene:
        world, both = scene.world, asyncio.Barrier(2)
        began = asyncio.Event()
        twin = asyncio.Event()

        async def start_the_twin() -> None:
            began.set()
            await twin.wait()

        world.points.arm("episode.before", ORCHESTRATORS["onboarding"], 0, start_the_twin)
        for nth in range(2):
            world.points.arm("vendor-read.before", "GET /v1.0/servicePrincipals", nth, both.wait)
        telling = asyncio.create_task(story(scene))
        await began.wait()
        run = await scene.open_run()
        assert run is not None
        await world.host.start_orchestration(ORCHESTRATORS["onboarding"], msgspec.to_builtins(key_of(run)), "the-twin")
        twin.set()

        assert await telling == "Ready"
        await scene.settle()
        assert both.n_waiting == 0
        assert world.points.armed == frozenset()
        assert differences(in_any_order(undisturbed.standing), in_any_order(await standing(scene))) == []
