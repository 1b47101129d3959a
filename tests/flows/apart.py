"""Stories in a world whose apps are apart: the front is asked, time goes by, and worker and broker do their part by timers.

`Scene` and `Locked` ask the front in such a world as they ask the one app in others; what differs is that nothing begins
before the worker's next sweep, so resting is not enough: time must pass.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from shared.activation.record import RequestId
from shared.permissions import Registration
from shared.roles import Role
from tests.conftest import OpenWorld
from tests.flows import brokering, financing
from tests.flows.activating import Locked
from tests.flows.scene import SETTLE_SECONDS, Scene
from tests.sandbox.host import Host
from tests.sandbox.population import BROKER_CLIENT_ID, CLIENT_IDS
from tests.sandbox.world import World

STEP = timedelta(seconds=20)
"""The broker's cycle, the shortest of all: a longer step would pass over turns of a timer."""

_SOON = timedelta(minutes=15)
_REGISTRATIONS = {BROKER_CLIENT_ID: Registration.BROKER, **{app_id: one for one, app_id in CLIENT_IDS.items()}}


@asynccontextmanager
async def apart(open_world: OpenWorld, **options: Any) -> AsyncIterator[Scene]:
    """A scene with front, worker and broker; alarms go out, finance may sign, and there is a broker."""
    settings = {**brokering.SETTINGS, **financing.SETTINGS, **options.pop("settings", {})}
    async with Scene(await open_world(apart=True, receiving=True, settings=settings, **options)) as scene:
        yield scene


def app_of(world: World, function: str) -> Host:
    """The app that has a function of this name."""
    [found] = [host for host in world.hosts if function in {each.name for each in host.functions}]
    return found


async def run_timers(world: World, *names: str) -> None:
    """Run timers now, one after another, each in its own app, and let what they begin come to rest."""
    for name in names:
        await app_of(world, name).run_timer(name)
        await world.host.idle(SETTLE_SECONDS)


async def pass_time(scene: Scene, time: timedelta) -> None:
    """Let time go by in steps, with all timers of all apps at work."""
    end = scene.world.clock.now() + time
    while (left := end - scene.world.clock.now()) > timedelta(0):
        scene.world.clock.advance(min(STEP, left))
        await scene.world.host.idle(SETTLE_SECONDS)


async def until(scene: Scene, told: Callable[[], Awaitable[str]], *wanted: str, within: timedelta = _SOON) -> str:
    """Let time go by until it tells one of the states wanted; gives that. Fails with what it told along the way."""
    end, seen = scene.world.clock.now() + within, [await told()]
    while seen[-1] not in wanted:
        assert scene.world.clock.now() < end, f"none of {wanted} within {within}: {list(dict.fromkeys(seen))}"
        await pass_time(scene, STEP)
        seen.append(await told())
    return seen[-1]


async def until_tenant(scene: Scene, *states: str, within: timedelta = _SOON) -> str:
    """Let time go by until the tenant is in one of the states, by the store."""

    async def told() -> str:
        found = await scene.tenants.read(scene.target)
        return found.record.state.value if found else ""

    return await until(scene, told, *states, within=within)


async def until_request(found: Locked, request_id: RequestId, *states: str, within: timedelta = _SOON) -> str:
    """Let time go by until the activation request is in one of the states, by the store."""

    async def told() -> str:
        kept = await found.store.read(request_id)
        return kept.record.state.value if kept else ""

    return await until(found.scene, told, *states, within=within)


async def until_held(found: Locked, *, held: bool = True, within: timedelta = _SOON) -> None:
    """Let time go by until Emil has the role in Azure, or has it no more."""

    async def told() -> str:
        return str(found.holds())

    await until(found.scene, told, str(held), within=within)


def asked_as(world: World, role: Role) -> frozenset[Registration]:
    """Whom an app's identity asked Entra to be, also where it was refused."""
    identity = world.identities[role].client_id
    entries = world.clouds.recorder.entries
    return frozenset(_REGISTRATIONS[str(one.app_id)] for one in entries if one.asserted_by == identity)
