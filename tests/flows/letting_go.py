"""What the tests of offboarding share: the operator's DELETE, consents that are taken back and given again."""

import re

import httpx

from shared.permissions import Registration
from tests.flows.scene import Scene
from tests.sandbox.population import CLIENT_IDS


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
