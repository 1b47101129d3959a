"""GET /api/health: 204 while store and identity answer, and never a word about what is behind the app."""

import pytest

from tests.app.unreachable import nobody_listens, unreachable_store
from tests.conftest import OpenWorld
from tests.flows.scene import Scene


async def test_a_healthy_app_says_nothing(scene: Scene) -> None:
    answer = await scene.call("GET", "/api/health", token=None)

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("broken", ["store", "identity endpoint", "identity header", "identity"])
async def test_without_store_or_identity_the_app_is_not_healthy_and_says_no_more(
    open_world: OpenWorld, broken: str
) -> None:
    address = nobody_listens()
    settings = {
        "store": {"TENANTRY_TABLES_CONNECTION_STRING": unreachable_store()},
        "identity endpoint": {"IDENTITY_ENDPOINT": f"{address}/msi/token"},
        "identity header": {"IDENTITY_HEADER": "wrong"},
        "identity": {"TENANTRY_IDENTITY_CLIENT_ID": "99999999-0000-4000-8000-000000000009"},
    }[broken]
    world = await open_world(settings=settings)

    async with Scene(world) as scene:
        answer = await scene.call("GET", "/api/health", token=None)

    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    told = answer.text.lower()
    assert not any(
        word in told for word in ("table", "stor", "identity", "127.0.0.1", "elsewhere", "azure", "traceback")
    )
    world.clouds.violations.clear()  # the wrong identity was meant


async def test_the_app_is_healthy_again_when_the_store_is(scene: Scene) -> None:
    scene.world.host.environment["TENANTRY_TABLES_CONNECTION_STRING"] = unreachable_store()
    await scene.world.host.kill_and_restart()
    assert (await scene.call("GET", "/api/health", token=None)).status_code == 503

    state, _ = scene.world.accounts
    scene.world.host.environment["TENANTRY_TABLES_CONNECTION_STRING"] = state.connection_string(scene.world.store.url)
    await scene.world.host.kill_and_restart()

    assert (await scene.call("GET", "/api/health", token=None)).status_code == 204
