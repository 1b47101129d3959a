"""`python -m tests.replay.record`: record the histories anew, from runs in the sandbox.

A history that is there stands for instances that may be running somewhere: it is only replaced when its orchestrator was
drained, and the commit says so.
"""

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from shared.permissions import MULTI_TENANT
from tests.flows.activating import locked
from tests.flows.declaring import declared
from tests.flows.killing import bad_day, story
from tests.flows.locking import to_lock
from tests.flows.renewing import night_after
from tests.flows.scene import Scene
from tests.replay.replaying import HISTORIES
from tests.sandbox.session import Session
from tests.sandbox.world import World

EVENING = datetime(2026, 3, 2, 20, 0, 20, tzinfo=UTC)


async def _two_analysts(scene: Scene) -> None:
    await scene.onboarded(scene.world.people.ana, scene.world.people.ben)


async def _bad_day(scene: Scene) -> None:
    assert await story(scene) == "Ready"


async def _consent_missing(scene: Scene) -> None:
    await scene.post(scene.world.people.ana)
    await scene.settle()


async def _other_analysts(scene: Scene) -> None:
    people = scene.world.people
    await scene.onboarded(people.ana, people.ben)
    body = {"userIds": [people.ana.object_id, people.cleo.object_id]}
    await scene.call("PUT", f"/api/tenants/{scene.target}/analysts", body)
    await scene.settle()


async def _cancelled(scene: Scene) -> None:
    async def cancel() -> None:
        await scene.call("POST", f"/api/tenants/{scene.target}/cancel")

    scene.world.points.arm("activity.before", "provision_analyst", 0, cancel)
    scene.consented()
    await scene.post(scene.world.people.ana)
    await scene.settle()


async def _with_hunting(scene: Scene) -> None:
    scene.consented(*MULTI_TENANT)
    await scene.post(scene.world.people.ana, features=["hunting"])
    await scene.settle()


async def _let_go(scene: Scene) -> None:
    await scene.onboarded(scene.world.people.ana)
    await scene.call("DELETE", f"/api/tenants/{scene.target}")
    await scene.settle()


async def _a_night(scene: Scene) -> None:
    await scene.onboarded(scene.world.people.ana)
    scene.world.clock.advance(6.2 * 3600)
    await scene.settle()


async def _a_renewal(scene: Scene) -> None:
    await scene.onboarded(scene.world.people.ana, scene.world.people.ben)
    scene.world.clock.advance(170 * 24 * 3600 + 6.7 * 3600)
    await scene.settle()


async def _on_a_subscription(scene: Scene) -> None:
    await declared(scene, days=10)
    await night_after(scene, 1)


async def _an_activation(scene: Scene) -> None:
    scene.world.host.auto_advance = False
    found = await locked(scene)
    request_id = await found.asked()
    await found.after(timedelta(hours=1, minutes=5))
    await found.decide(request_id)
    await found.after(timedelta(minutes=1))


async def _locked_down(scene: Scene) -> None:
    await to_lock(scene).locked()


async def _locked_down_late(scene: Scene) -> None:
    found, azure = to_lock(scene), scene.world.clouds.azure

    async def recover() -> None:
        azure.recover(found.managed.subscription)

    instances = "GET /subscriptions/{id}/providers/Microsoft.Authorization/roleEligibilityScheduleInstances"
    scene.world.points.arm("vendor-read.before", instances, 3, recover)
    azure.kill(found.managed.subscription, "deleted")
    await found.locked()


async def _night_of_a_lock_down(scene: Scene) -> None:
    found = to_lock(scene)
    await found.locked()
    found.policy.approve_by()
    await night_after(scene, 1)


STORIES: dict[str, tuple[Callable[[Scene], Awaitable[None]], str]] = {
    "onboarding-of-two-analysts": (_two_analysts, "onboard_tenant"),
    "onboarding-that-waits-for-consent": (_consent_missing, "onboard_tenant"),
    "onboarding-on-a-bad-day": (_bad_day, "onboard_tenant"),
    "onboarding-that-was-cancelled": (_cancelled, "onboard_tenant"),
    "other-analysts": (_other_analysts, "onboard_tenant"),
    "onboarding-with-hunting": (_with_hunting, "onboard_tenant"),
    "offboarding": (_let_go, "offboard_tenant"),
    "a-night": (_a_night, "look_after_tenants"),
    "a-renewal": (_a_renewal, "renew_eligibilities"),
    "renewal-of-a-tenant": (_a_renewal, "renew_tenant"),
    "renewal-on-a-subscription": (_on_a_subscription, "renew_subscription"),
    "an-activation": (_an_activation, "follow_activation"),
    "lock-down": (_locked_down, "lock_down_subscription"),
    "lock-down-that-waits": (_locked_down_late, "lock_down_subscription"),
    "night-of-a-lock-down": (_night_of_a_lock_down, "look_after_subscriptions"),
}
"""Each with the orchestrator whose newest run it records."""


async def _record(session: Session, folder: Path, name: str) -> None:
    told, orchestrator = STORIES[name]
    faults = bad_day(1) if name.endswith("bad-day") else None
    async with (
        World(folder=folder / name, session=session, start=EVENING, faults=faults) as world,
        Scene(world) as scene,
    ):
        await told(scene)
        newest = [one for one in world.host.orchestrations() if one.name == orchestrator][-1]
        started = world.host.history(newest.id)
        run = {
            "orchestrator": newest.name,
            "id": newest.id,
            "input": next(one["Input"] for one in started if one["EventType"] == 0),
            "history": started,
        }
    (HISTORIES / f"{name}.json").write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")


async def main() -> None:
    """Record what is not there yet."""
    HISTORIES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, Session(Path(folder)) as session:
        for name in STORIES:
            if not (HISTORIES / f"{name}.json").exists():
                await _record(session, Path(folder), name)


if __name__ == "__main__":
    asyncio.run(main())
