"""What the flow tests share."""

from collections.abc import AsyncIterator

import pytest

from tests.flows.scene import Scene
from tests.sandbox.world import World


@pytest.fixture
async def scene(world: World) -> AsyncIterator[Scene]:
    """A scene in a world where nothing goes wrong."""
    async with Scene(world) as opened:
        yield opened
