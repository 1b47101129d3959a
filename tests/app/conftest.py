"""What the API tests share: one world for a whole module where the tests write nothing, else one for each test."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.app.visitor import Visitor
from tests.flows.scene import Scene
from tests.sandbox.session import Session
from tests.sandbox.world import World


@pytest.fixture
async def scene(world: World) -> AsyncIterator[Scene]:
    """A scene in a world where nothing goes wrong."""
    async with Scene(world) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def untouched(session: Session, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """A scene that all tests of a module look at and none changes."""
    async with World(folder=tmp_path_factory.mktemp("untouched"), session=session) as world:
        async with Scene(world) as opened:
            yield opened
        assert world.violations() == []


@pytest.fixture
async def waiting(scene: Scene) -> Scene:
    """Fabrikam was posted, and nobody has consented."""
    await scene.post(scene.world.people.ana)
    assert await scene.settle() == "WaitingForConsent"
    return scene


@pytest.fixture
def farid(waiting: Scene) -> Visitor:
    """Fabrikam's administrator."""
    return Visitor(waiting)
