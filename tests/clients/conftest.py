"""The vendor clients against the clouds, in this process: no host, no app."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.clients.bench import Bench, Open


@pytest.fixture
async def open_bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Open]:
    """Opens a bench, with options of the clouds' scene."""
    async with AsyncExitStack() as leaving:

        async def opened(*, flipped: tuple[str, ...] = ()) -> Bench:
            return await leaving.enter_async_context(Bench.opened(tmp_path, monkeypatch, flipped))

        yield opened


@pytest.fixture
async def bench(open_bench: Open) -> Bench:
    """A bench where nothing goes wrong."""
    return await open_bench()
