"""What the tests of offboarding share: the operator's DELETE, consents that are taken back and given again, and the
story whose points are killed at.
"""

import re

import httpx

from shared.permissions import Registration
from shared.running.acts import OFFBOARDING as ACTS
from tests.flows.kill_points import FINISH, START
from tests.flows.killing import Story, ask_patiently, fair_weather, to_the_end
from tests.flows.pictures import changes, picture
from tests.flows.scene import Scene
from tests.flows.standing import Standing
from tests.sandbox.population import CLIENT_IDS

SECTIONS = (START, *(f"act-{act.number}" for act in ACTS), FINISH)
WRITES_IN_TENANTS = ("act-21", "act-22", "act-25", "act-26", "act-27")


async def delete(scene: Scene, **parameters: str) -> httpx.Response:
    """DELETE /api/tenants/{tenantId}."""
    asked = "&".join(f"{name}={value}" for name, value in parameters.items())
    return await scene.call("DELETE", f"/api/tenants/{scene.target}" + (f"?{asked}" if asked else ""))


async def let_go(scene: Scene, **parameters: str) -> str:
    """DELETE, and let it come to rest; gives the tenant's state."""
    answer = await delete(scene, **parameters)
    assert answer.status_code == 202, answer.text
    return await scene.settle()


async def withdraw(scene: Scene, *registrations: Registration) -> None:
    """The target's administrator deletes our applications, some hours ago: no token is held any more either."""
    for registration in registrations:
        scene.world.clouds.revoke(CLIENT_IDS[registration], scene.target)
    await scene.world.host.kill_and_restart()


async def consent(scene: Scene, registration: Registration) -> str:
    """The administrator follows the link of the record, accepts at Entra and is sent back; gives the page's text."""
    consents = (await scene.record())["consents"]
    [link] = [one["link"] for one in consents if one["registration"] == registration.value]
    clouds = scene.world.clouds
    page = await scene.call("GET", link, token=None)
    [entra] = re.findall(rf'href="({re.escape(clouds.authority)}[^"]*)"', page.text)
    back = await clouds.open_consent(entra.replace("&amp;", "&"), scene.world.people.administrator)
    answer = await scene.call("GET", back, token=None)
    assert answer.status_code == 200
    return str(answer.text)


def states(record: dict[str, list[dict[str, object]]]) -> dict[object, object]:
    """The acts that a record shows, and how they stand."""
    return {one["number"]: one["state"] for one in record["acts"]}


async def let_go_patiently(scene: Scene) -> str:
    """As a person does it: the DELETE again when its connection broke; gives the state in which the tenant rests."""
    await ask_patiently(scene, lambda: delete(scene))
    return await to_the_end(scene)


async def left_behind(scene: Scene) -> Standing:
    """How things stand when a tenant was let go: both tenants by truth, the record, the audit trail; without ids."""
    tenant = await scene.tenant()
    record = tenant.record
    directory = scene.world.fabrikam.directory
    names = {one.id: one.user_principal_name for one in (*directory.users.values(), *directory.deleted_users.values())}
    names |= {one.id: one.user_principal_name for one in scene.world.contoso.directory.users.values()}
    trail = []
    for entry in await scene.entries():
        name = entry.deed.object_name
        for object_id, known_as in names.items():
            name = name.replace(object_id, known_as)
        trail.append((entry.deed.act, entry.deed.what, name, entry.deed.outcome))
    return {
        "state": record.state.value,
        "problem": record.problem,
        "acts": {number: act.state.value for number, act in sorted(tenant.acts.items()) if number > 20},
        "open run": (await scene.open_run()) is not None,
        "kept": (tenant.analysts, tenant.eligibilities, tenant.intents, record.synchronization),
        "left": (record.left_to_kit, record.skipped),
        "audit": trail,
        "changed for good": changes(scene.at_first, picture(scene.world)),
        "deleted accounts": sorted(names[one] for one in directory.deleted_users),
    }


async def ready_since_the_night(scene: Scene) -> None:
    """Onboarded, and looked after by the day's night, so that none comes in between."""
    scene.consented()
    scene.at_first = picture(scene.world)
    with fair_weather(scene):
        await scene.onboarded()
        scene.world.clock.advance(_TO_THE_NEXT_LOOK)
        await scene.settle()


_TO_THE_NEXT_LOOK = 600

OFFBOARDING = Story(
    before=ready_since_the_night, told=let_go_patiently, standing=left_behind, ends="Offboarded", sections=SECTIONS
)
"""Fabrikam with one analyst, Ready and then let go."""
