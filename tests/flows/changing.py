"""The stories of other analysts, whose points are killed at: an operator names them, or the source's group has changed
by the night.
"""

import re
from collections.abc import Awaitable, Callable

import httpx

from tests.flows.kill_points import FINISH, NIGHT, START
from tests.flows.killing import Story, ask_patiently, fair_weather, to_the_end
from tests.flows.scene import Scene
from tests.flows.standing import Standing, standing
from tests.flows.test_night import night

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

SECTIONS = (START, *(f"act-{number}" for number in (21, 22, 23, 7, 8, 9, 10, 12)), FINISH)
WRITES_IN_TENANTS = ("act-21", "act-22", "act-7", "act-8", "act-9")


async def _by_name(scene: Scene) -> None:
    with fair_weather(scene):
        await scene.onboarded(scene.world.people.ana, scene.world.people.ben)
        await _past_the_night(scene)


async def _named_anew(scene: Scene) -> str:
    people = scene.world.people
    wanted = {"userIds": [people.ana.object_id, people.cleo.object_id]}

    async def put() -> httpx.Response:
        return await scene.call("PUT", f"/api/tenants/{scene.target}/analysts", wanted)

    await ask_patiently(scene, put)
    return await to_the_end(scene)


async def _by_group(scene: Scene) -> None:
    people = scene.world.people
    people.analysts.members[:] = [people.ana.object_id, people.ben.object_id, *_others(scene)]
    scene.consented()
    with fair_weather(scene):
        await scene.post()
        assert await scene.settle() == "Ready"
        await _past_the_night(scene)


async def _other_members(scene: Scene) -> str:
    """Ben leaves and Cleo comes: few enough that nobody is asked."""
    people = scene.world.people
    people.analysts.members[:] = [people.ana.object_id, people.cleo.object_id, *_others(scene)]
    await night(scene)
    return await to_the_end(scene)


def _others(scene: Scene) -> list[str]:
    """Three who stay."""
    clouds, contoso = scene.world.clouds, scene.world.contoso
    known = {one.user_principal_name: one.id for one in contoso.directory.users.values()}
    found = []
    for number in range(3):
        name = f"analyst{number}@contoso.com"
        found.append(known.get(name) or clouds.person(contoso, name, f"Analyst {number}").object_id)
    return found


async def _past_the_night(scene: Scene) -> None:
    scene.world.clock.advance(600)
    await scene.settle()


async def _settled(scene: Scene) -> Standing:
    """How things stand once a cycle has taken the leaver's account as well."""
    scene.world.clock.advance(2 * 3600)
    scene.world.clouds.provisioning.settle()
    found = await standing(scene)
    trail = found["audit"]
    assert isinstance(trail, list)
    # Accounts that are gone have no name in the picture, and in two worlds two ids, by which analysts go in their order.
    told = [(act, what, _ID.sub("{id}", name), outcome) for act, what, name, outcome in trail]
    return {**found, "audit": sorted(told)}


def _story(
    before: Callable[[Scene], Awaitable[object]], told: Callable[[Scene], Awaitable[str]], *sections: str
) -> Story:
    return Story(before=before, told=told, standing=_settled, ends="Ready", sections=(*SECTIONS, *sections))


STORIES = {"named": _story(_by_name, _named_anew), "by the group": _story(_by_group, _other_members, NIGHT)}
