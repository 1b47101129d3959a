"""Counts what is running or queued, so that someone can wait for quiet."""

import asyncio
from collections.abc import Callable
from typing import Self


class Busy:
    """A context manager that may be entered any number of times at once."""

    def __init__(self, on_quiet: Callable[[], None]) -> None:
        self.count = 0
        self.entered = 0
        self._on_quiet = on_quiet
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._stir = asyncio.Event()

    def __enter__(self) -> Self:
        self.count += 1
        self.entered += 1
        self._quiet.clear()
        self._stir.set()
        self._stir = asyncio.Event()
        return self

    def __exit__(self, *_: object) -> None:
        self.count -= 1
        if self.count == 0:
            self._quiet.set()
            self._on_quiet()

    async def quiet(self) -> None:
        """Wait until nothing is under way."""
        await self._quiet.wait()

    async def stirred(self) -> None:
        """Wait until something begins."""
        await self._stir.wait()
