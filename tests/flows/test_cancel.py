"""Cancel, arriving while each activity runs: what was under way ends honestly, nothing new begins, a retry goes on."""

import asyncio
from collections import Counter
from pathlib import Path

import httpx
import pytest

from shared.renewal.messages import TENANT_KIND
from shared.run import Run
from shared.running.acts import ORCHESTRATORS
from shared.tenants.record import ActState
from tests.flows.killing import Undisturbed, opened, story, to_rest, to_the_end
from tests.flows.scene import Scene
from tests.flows.standing import carried_out, differences, standing
from tests.flows.stopping import ACTIVITIES, Cancel, come_late, kept, middle
from tests.sandbox.points import Cut, then_cut
from tests.sandbox.session import Session

pytestmark = pytest.mark.sampled(2)

READING = ("vendor-read.before", "login.before", "store-read.before")
WRITING = ("vendor.before",)
WRITING_ACTIVITIES = (
    "trust_source",
    "allow_inbound_sync",
    "trust_target",
    "ensure_synchronization",
    "assign_analysts",
    "start_synchronization",
    "provision_analyst",
    "ensure_security_reader",
)
READING_ACTIVITIES = tuple(name for name in ACTIVITIES if name not in WRITING_ACTIVITIES)


@pytest.mark.parametrize("activity", READING_ACTIVITIES)
async def test_a_cancel_while_an_activity_reads(
    activity: str, undisturbed: Undisturbed, session: Session, tmp_path: Path
) -> None:
    async with opened(session, tmp_path / "world") as scene:
        await _cancelled_and_taken_up_again(scene, undisturbed, activity, READING)


@pytest.mark.parametrize("activity", WRITING_ACTIVITIES)
async def test_a_cancel_while_an_activity_writes(
    activity: str, undisturbed: Undisturbed, session: Session, tmp_path: Path
) -> None:
    """What is sent by then is carried out, read back and audited; nothing is sent after it."""
    async with opened(session, tmp_path / "world") as scene:
        await _cancelled_and_taken_up_again(scene, undisturbed, activity, WRITING)


@pytest.mark.matrix
@pytest.mark.parametrize("activity", WRITING_ACTIVITIES)
async def test_a_cancel_before_an_activity_writes(
    activity: str, undisturbed: Undisturbed, session: Session, tmp_path: Path
) -> None:
    async with opened(session, tmp_path / "world") as scene:
        await _cancelled_and_taken_up_again(scene, undisturbed, activity, READING)


@pytest.mark.parametrize(
    "activity",
    [
        pytest.param(one, marks=() if one in ("trust_source", "ensure_synchronization") else pytest.mark.matrix)
        for one in WRITING_ACTIVITIES
    ],
)
async def test_a_cancel_and_a_kill_while_an_activity_writes(
    activity: str, undisturbed: Undisturbed, session: Session, tmp_path: Path
) -> None:
    """The intent is open and nobody knows what came of it: the run's end reads back and tells."""
    async with opened(session, tmp_path / "world") as scene:
        await _cancelled_and_taken_up_again(scene, undisturbed, activity, ("vendor.after",), kill=True)


async def test_a_tenant_that_waits_is_cancelled_at_once(scene: Scene) -> None:
    await scene.post(scene.world.people.ana)
    assert await scene.settle() == "WaitingForConsent"

    answer = await scene.call("POST", f"/api/tenants/{scene.target}/cancel")

    assert (answer.status_code, answer.json()["state"]) == (202, "Cancelled")
    assert await scene.settle() == "Cancelled"
    await _is_honest(scene)


async def test_a_run_that_does_not_show_on_the_record_yet_can_be_cancelled(scene: Scene) -> None:
    """The process died between the run's row and the first record of the tenant."""
    world = scene.world
    scene.consented()
    world.points.arm("store.after", "POST Runs", 1, then_cut(world.host.kill_and_restart))
    with pytest.raises(httpx.TransportError):
        await scene.post(world.people.ana)
    assert await scene.tenants.read(scene.target) is None
    assert await scene.open_run() is not None

    answer = await scene.call("POST", f"/api/tenants/{scene.target}/cancel")

    assert (answer.status_code, answer.json()["state"]) == (202, "Cancelling")
    assert await to_rest(scene) == "Cancelled"
    assert list(scene.sent()) == []
    await _is_honest(scene)
    assert await scene.retry() == "Ready"


@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_a_further_run_that_does_not_show_on_the_record_yet_can_be_cancelled(method: str, scene: Scene) -> None:
    """The tenant rests meanwhile; the sweeper would start the run a little later."""
    await scene.post(scene.world.people.ana)
    assert await scene.settle() == "WaitingForConsent"
    scene.consented()
    await _dies_before_it_shows(scene, method, "/retry" if method == "POST" else "")
    before = list(scene.sent())

    answer = await scene.call("POST", f"/api/tenants/{scene.target}/cancel")

    assert (answer.status_code, answer.json()["state"]) == (202, "Cancelling")
    assert await to_the_end(scene) == "Cancelled"
    assert list(scene.sent()) == before
    await _is_honest(scene)


async def test_letting_a_ready_tenant_go_can_be_cancelled_before_it_shows_on_the_record(scene: Scene) -> None:
    await scene.onboarded()
    await _dies_before_it_shows(scene, "DELETE", "")
    before = list(scene.sent())

    answer = await scene.call("POST", f"/api/tenants/{scene.target}/cancel")

    assert (answer.status_code, answer.json()["state"]) == (202, "Cancelling")
    assert await to_the_end(scene) == "Cancelled"
    assert list(scene.sent()) == before
    await _is_honest(scene)


async def test_a_run_whose_record_could_not_be_written_can_be_cancelled(scene: Scene) -> None:
    """The store took the run's row, and then nothing more of that request."""
    await scene.post(scene.world.people.ana)
    assert await scene.settle() == "WaitingForConsent"
    scene.consented()
    is_down = True

    async def fail() -> None:
        if is_down:
            raise Cut

    nth = scene.world.points.passed("store.before", "PUT Tenants")
    for one in range(nth, nth + 20):
        scene.world.points.arm("store.before", "PUT Tenants", one, fail)
    assert (await scene.call("POST", f"/api/tenants/{scene.target}/retry")).status_code == 503
    is_down = False

    answer = await scene.call("POST", f"/api/tenants/{scene.target}/cancel")

    assert (answer.status_code, answer.json()["state"]) == (202, "Cancelling")
    assert await to_the_end(scene) == "Cancelled"
    assert list(scene.sent()) == []


async def test_a_renewal_that_is_at_work_is_no_run_of_the_tenant_to_cancel(scene: Scene) -> None:
    await scene.onboarded()
    renewal = Run(
        subject=scene.target,
        kind=TENANT_KIND,
        number=(await scene.tenant()).record.run + 1,
        orchestration_id="renewal",
        nonce="renewal",
        opened=scene.world.clock.now(),
        requested_by="somebody",
    )
    assert await scene.runs.insert(renewal) is None

    answer = await scene.call("POST", f"/api/tenants/{scene.target}/cancel")

    assert answer.status_code == 409
    assert (await scene.tenant()).record.state == "Ready"


async def test_a_cancel_is_refused_where_nothing_runs(scene: Scene) -> None:
    await scene.onboarded()

    assert (await scene.call("POST", f"/api/tenants/{scene.target}/cancel")).status_code == 409
    assert await scene.settle() == "Ready"


async def test_a_second_cancel_changes_nothing(scene: Scene) -> None:
    await scene.post(scene.world.people.ana)
    await scene.settle()
    await scene.call("POST", f"/api/tenants/{scene.target}/cancel")
    before = await kept(scene)

    answer = await scene.call("POST", f"/api/tenants/{scene.target}/cancel")

    assert (answer.status_code, answer.json()["state"]) == (202, "Cancelled")
    assert before == await kept(scene)


async def _dies_before_it_shows(scene: Scene, method: str, path: str) -> None:
    """The process dies between the run's row and the tenant's record."""
    record = (await scene.tenant()).record
    dies = then_cut(scene.world.host.kill_and_restart)
    scene.world.points.arm("store.after", "POST Runs", scene.world.points.passed("store.after", "POST Runs"), dies)
    with pytest.raises(httpx.TransportError):
        await scene.call(method, f"/api/tenants/{scene.target}{path}")
    run = await scene.open_run()
    assert run is not None
    assert (await scene.tenant()).record.run_nonce == record.run_nonce != run.nonce


async def _cancelled_and_taken_up_again(
    scene: Scene, undisturbed: Undisturbed, activity: str, kinds: tuple[str, ...], *, kill: bool = False
) -> None:
    world = scene.world
    hit = middle(undisturbed.log, activity, *kinds)
    assert hit is not None
    late = asyncio.Event()
    if not kill:
        world.host.deliver_twice(activity, late)
    cancel = Cancel(scene, then_cut(world.host.kill_and_restart) if kill else None)
    world.points.arm(hit.kind, hit.label, hit.nth, cancel)

    assert await story(scene) == "Cancelled"

    assert cancel.answer is not None
    assert (cancel.answer.status_code, cancel.answer.json()["state"]) == (202, "Cancelling")
    assert cancel.others == [409, 409]
    assert cancel.sent == len(scene.sent())
    # A night may have come in between.
    assert len([one for one in world.host.orchestrations() if one.name == ORCHESTRATORS["onboarding"]]) == 1
    await _is_honest(scene)

    if not kill:
        before = await kept(scene)
        await come_late(scene, activity, late)
        assert await scene.settle() == "Cancelled"
        assert before == await kept(scene)

    assert (await scene.call("POST", f"/api/tenants/{scene.target}/retry")).status_code == 202
    assert await to_rest(scene) == "Ready"
    assert differences(undisturbed.standing, carried_out(await standing(scene))) == []


async def _is_honest(scene: Scene) -> None:
    """A cancelled tenant: nothing is said to run, and what was carried out is audited, once.

    Where an answer was lost that alone would tell (provisioning on demand), the trail says that it was sent.
    """
    tenant = await scene.tenant()
    entries = await scene.entries()

    assert (tenant.record.cancel, tenant.record.problem, tenant.record.deadline) == (False, None, None)
    assert await scene.open_run() is None
    assert {one.state for one in tenant.acts.values()} <= {ActState.DONE, ActState.PENDING}
    assert {one.state.value for one in tenant.intents.values()} <= {"closed"}
    outcomes = Counter(one.deed.outcome for one in entries)
    assert outcomes.keys() <= {"done", "not sent", "sent, but not to be seen"}
    assert outcomes["done"] <= len(scene.applied()) <= outcomes["done"] + outcomes["sent, but not to be seen"]
