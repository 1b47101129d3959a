"""The driver's side of one app process: from fork to death. A restart is another Worker."""

import asyncio
import itertools
import socket
from collections.abc import Callable
from pathlib import Path

from tests.sandbox.host.messages import Answer, Function, Invoke, Moved, Order, Ready, framed, read_from_app
from tests.sandbox.host.zygote import Zygote


class AppLost(Exception):
    """The app's process died before it answered."""


class AppFailedToLoad(Exception):
    """The worker could not index the app; the text is its traceback."""


class Worker:
    """One app process and the invocations under way in it."""

    def __init__(
        self, zygote: Zygote, order: Order, on_moved: Callable[[], None], on_death: Callable[[], None]
    ) -> None:
        self.functions: list[Function] = []
        self.lost = False
        self._zygote = zygote
        self._order = order
        self._on_moved = on_moved
        self._on_death = on_death
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self.pid = 0
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Fork and wait until the app is indexed. Raises AppFailedToLoad."""
        await asyncio.to_thread(self._zygote.wait_until_warm)
        ours, theirs = socket.socketpair()
        with theirs:
            self.pid = self._zygote.fork(self._order, theirs)
        try:
            reader, self._writer = await asyncio.open_connection(sock=ours)
            try:
                ready = await read_from_app(reader)
            except (asyncio.IncompleteReadError, ConnectionError):
                raise AppFailedToLoad(f"the app's process died:\n{_tail(Path(self._order.log))}") from None
            while not isinstance(ready, Ready):  # the app may have moved the clock while it was loaded
                ready = await read_from_app(reader)
            if ready.error is not None:
                raise AppFailedToLoad(ready.error)  # noqa: TRY301 - all failures end the process alike
        except BaseException:
            self.kill()
            if self._writer is None:
                ours.close()
            raise
        self.functions = ready.functions
        self._listening = asyncio.create_task(self._listen(reader))

    async def invoke(self, function: str, **inputs: object) -> Answer:
        """Run a function. Raises AppLost when the process dies meanwhile."""
        if self.lost or self._writer is None:
            raise AppLost
        number = next(self._numbers)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            self._writer.write(framed(Invoke(number, function, **inputs)))  # type: ignore[arg-type]  # the fields of Invoke
            return await answer
        finally:
            del self._waiting[number]

    def kill(self) -> None:
        """SIGKILL; the process is gone when this returns."""
        self.lost = True
        if self.pid:
            self._zygote.kill(self.pid)
            self.pid = 0
        if self._listening is not None:
            self._listening.cancel()
        self._let_go()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                message = await read_from_app(reader)
                if isinstance(message, Moved):
                    self._on_moved()
                elif isinstance(message, Answer):
                    waiting = self._waiting.get(message.number)
                    if waiting is not None and not waiting.done():
                        waiting.set_result(message)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.lost = True
            self._let_go()
            self._on_death()

    def _let_go(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(AppLost())


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-4000:] if log.exists() else "(no log)"
