"""Fixtures for the self-tests of the sandbox."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.sandbox.host import Zygote
from tests.world.host_scene import Scene


@pytest.fixture(scope="session")
def warm_zygote() -> Iterator[Zygote]:
    """One for all tests of the driver."""
    with Zygote() as zygote:
        yield zygote


@pytest.fixture
async def scene(tmp_path: Path, warm_zygote: Zygote) -> AsyncIterator[Scene]:
    """A running host with the fixture app."""
    made = Scene(tmp_path, warm_zygote)
    async with made.client:
        try:
            await made.host.start()
            yield made
        finally:
            await made.host.stop()
            made.clock.close()
