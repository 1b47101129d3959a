"""Many at a time, and not too many; and one of many that fails keeps none of the others waiting."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from types import TracebackType

import msgspec

from shared.errors import AutomationError


async def each_of[I, R](items: Iterable[I], work: Callable[[I], Awaitable[R]], *, at_once: int) -> list[R]:
    """What the work on each of them came to, in their order. The first error ends the others, and is raised."""
    gate = asyncio.Semaphore(at_once)

    async def gated(item: I) -> R:
        async with gate:
            return await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(gated(item)) for item in items]
    except ExceptionGroup as several:
        # A caller handles one error: the others are of work that had begun beside it. Its own cause stays with it.
        first = several.exceptions[0]
        raise first from first.__cause__
    return [task.result() for task in tasks]


class KeptApart:
    """The outermost edge of one of many: what fails within is told as the event, with its names, and goes no further."""

    def __init__(self, log: logging.Logger, event: str, **which: str) -> None:
        self._log = log
        self._told = " ".join((event, *(f"{name}={value}" for name, value in which.items())))

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> bool:
        """Tell of an error. What ends the process, or cancels the work, is none."""
        match error:
            case AutomationError():
                self._log.warning("%s reason=%s", self._told, error)
            case msgspec.DecodeError() | TimeoutError():
                # Without its text: that of a DecodeError holds what could not be read.
                self._log.warning("%s reason=%s", self._told, type(error).__name__)
            case Exception():
                self._log.error("%s", self._told, exc_info=error)
            case _:
                return False
        return True
