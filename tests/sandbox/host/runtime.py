"""What every part of the driver shares: the app's present process, the clock, the points, and what is under way."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from tests.sandbox.clock import SharedClock
from tests.sandbox.host.bindings import FunctionInfo, HostSettings
from tests.sandbox.host.busy import Busy
from tests.sandbox.host.hub import Hub
from tests.sandbox.host.messages import Answer
from tests.sandbox.host.worker import AppLost, Worker
from tests.sandbox.points import Cut, Points


class Runtime:
    """The shared state. Work waits here while the app is down."""

    def __init__(
        self, *, hub: Hub, clock: SharedClock, points: Points, settings: HostSettings, on_turn: Callable[[], None]
    ) -> None:
        self.hub = hub
        self.clock = clock
        self.points = points
        self.settings = settings
        self.wake = asyncio.Event()
        self.busy = Busy(on_turn)
        self.environment: dict[str, str] = {}
        self.functions: dict[str, FunctionInfo] = {}
        self.client_binding = ""
        self.violations: list[str] = []
        self.failures: list[tuple[str, str]] = []
        self.worker: Worker | None = None
        self.coming = False
        self.down = False  # killed, and nobody has asked for it back
        self.broken: BaseException | None = None
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()

    def durable(self, kind: str, name: str) -> FunctionInfo | None:
        """The orchestrator or activity of that name."""
        return next((f for f in self.functions.values() if f.kind == kind and f.durable_name == name), None)

    def spawn[T](self, work: Coroutine[Any, Any, T], *, counts: bool = True) -> asyncio.Task[T]:
        """Run beside everything else, until done or until the host stops. A failure of the driver itself is loud."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        if counts:  # from now on, not from when the task first runs
            self.busy.__enter__()
            task.add_done_callback(self.busy.__exit__)
        return task

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.violations.append(f"the driver failed: {error!r}")

    async def stop(self) -> None:
        """Cancel whatever runs."""
        running = list(self._tasks)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def use(self, worker: Worker | None) -> None:
        """The app's process from now on, or none."""
        self.worker = worker
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def present(self) -> Worker:
        """The app's process; waits while there is none."""
        while self.worker is None or self.worker.lost:
            if self.broken is not None:
                raise self.broken
            await self._changed.wait()
        return self.worker

    async def deliver(self, function: FunctionInfo, place: str, label: str, **inputs: object) -> Answer:
        """Run the function at least once: again if its process died before the answer counted."""
        while True:
            try:
                await self.points.hit(f"{place}.before", label)
                worker = await self.present()
                answer = await worker.invoke(function.function_id, **self.completed(function, inputs))
                await self.points.hit(f"{place}.after", label)
            except (AppLost, Cut):
                continue
            if not worker.lost:
                return answer

    def completed(self, function: FunctionInfo, inputs: dict[str, object]) -> dict[str, object]:
        """The inputs with the function's name, and the durable client for functions that take one."""
        inputs = {**inputs, "name": function.name}
        if function.clients:
            inputs = {**inputs, "text": dict.fromkeys(function.clients, self.client_binding)}
        return inputs
