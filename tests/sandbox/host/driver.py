"""The Functions host as tests and the demo see it: starts and kills the app, runs timers, shows orchestrations."""

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from aiohttp import web

from tests.sandbox.clock import PATH_VARIABLE, SharedClock
from tests.sandbox.host.activities import Activities
from tests.sandbox.host.bindings import FunctionInfo, HostSettings, read_functions
from tests.sandbox.host.circle import Circle
from tests.sandbox.host.front import Front
from tests.sandbox.host.hub import Hub
from tests.sandbox.host.management import Management
from tests.sandbox.host.messages import Order
from tests.sandbox.host.orchestrations import Orchestrations
from tests.sandbox.host.runtime import Runtime
from tests.sandbox.host.schedules import Schedules
from tests.sandbox.host.snapshot import Orchestration
from tests.sandbox.host.timekeeper import Timekeeper
from tests.sandbox.host.worker import Worker
from tests.sandbox.host.zygote import Zygote
from tests.sandbox.points import Points

_LARGEST_REQUEST_BYTES = 100 * 1024 * 1024
_FROM_THE_MACHINE = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")


class Host:
    """One function app under the driver. The URL is fixed from the beginning; everything else begins with start."""

    def __init__(
        self,
        *,
        app_directory: Path,
        environment: Mapping[str, str],
        hub: Path,
        log: Path,
        clock: SharedClock,
        points: Points,
        zygote: Zygote,
        auto_advance: bool = True,
        install: str | None = None,
        circle: Circle | None = None,
    ) -> None:
        """`circle`: of the hosts on this clock. Without one it is alone, and `auto_advance` is its own."""
        self.environment = dict(environment)
        self._directory = app_directory.resolve()
        self._log = log.resolve()
        self._clock = clock
        self._zygote = zygote
        # Who puts the clock into the app: a module:function, called before function_app is loaded.
        has_services = (self._directory / "shared" / "services.py").exists()
        self._install = install if install is not None else "shared.services:install" if has_services else ""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._hub = Hub(hub)
        self._circle = circle or Circle(auto_advance=auto_advance)
        self._runtime = Runtime(
            hub=self._hub,
            clock=clock,
            points=points,
            settings=HostSettings.read(self._directory),
            on_turn=self._circle.turned,
        )
        self._orchestrations = Orchestrations(self._runtime)
        self._activities = Activities(self._runtime, self._orchestrations.wake)
        self._orchestrations.on_activities = self._activities.dispatch
        self._schedules = Schedules(self._runtime)
        self._timekeeper = Timekeeper(self._runtime, self._schedules, self._orchestrations.wake, self._circle)
        self._front = Front(self._runtime)
        self._management = Management(self._runtime, self._orchestrations)
        self._runtime.client_binding = self._management.binding(self.url)
        self._runner: web.AppRunner | None = None
        self._stopping = False
        self.starts = 0  # of the app's process
        self._changing = asyncio.Lock()
        self._subscriptions = contextlib.ExitStack()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Fork the app, wait until it is indexed, open the front. Raises AppFailedToLoad."""
        try:
            self._subscriptions.callback(self._clock.on_move(self._runtime.wake.set))
            self._subscriptions.callback(self._circle.join(self._runtime, self._timekeeper.fire_due))
            application = web.Application(client_max_size=_LARGEST_REQUEST_BYTES)
            self._management.add_to(application.router)
            application.router.add_route("*", r"/{path:[\s\S]*}", self._front.handle)
            self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
            await self._runner.setup()
            await self.restart()
            await web.SockSite(self._runner, self._socket).start()
            self._runtime.spawn(self._timekeeper.run(), counts=False)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Kill the app and end all that runs; nothing is left behind. Safe to call twice."""
        self._stopping = True
        self._drop_worker()  # first and without waiting: also a cancelled stop leaves no process
        self._subscriptions.close()  # nor does another host's turn start anything here
        try:
            await self._runtime.stop()
            if self._runner is not None:
                await self._runner.cleanup()
        finally:
            self._drop_worker()
            self._socket.close()
            self._hub.close()

    async def kill(self) -> None:
        """SIGKILL the app's process. Work waits until it is back; HTTP callers are refused."""
        self._runtime.down = True
        self._drop_worker()
        self._circle.turned()

    async def restart(self) -> None:
        """Start the app anew, with the environment as it is now; one that runs is killed first."""
        self._runtime.down = False
        # Shielded: whoever asked may be cancelled (a request of the app that died), the restart goes on.
        await asyncio.shield(self._runtime.spawn(self._restart()))

    async def kill_and_restart(self) -> None:
        """What a crash of the machine looks like to the app: gone in an instant, back a moment later."""
        self._drop_worker()
        await self.restart()

    async def _restart(self) -> None:
        async with self._changing:
            self._drop_worker()
            self._runtime.coming, self._runtime.broken = True, None
            try:
                await self._start_worker()
            except Exception as error:
                self._runtime.broken = error
                self._runtime.use(None)
                raise
            finally:
                self._runtime.coming = False
        self._orchestrations.resume_all()
        self._activities.dispatch()

    async def _start_worker(self) -> None:
        if self._stopping:
            raise RuntimeError("the host has stopped")
        given = {name: os.environ[name] for name in _FROM_THE_MACHINE if name in os.environ}
        environment = {**given, **self.environment, PATH_VARIABLE: str(self._clock.path.resolve())}
        self._runtime.environment = environment
        order = Order(
            directory=str(self._directory), environment=environment, log=str(self._log), install=self._install
        )
        worker = Worker(self._zygote, order, self._runtime.wake.set, self._died)
        await worker.start()
        try:
            functions = read_functions(worker.functions)
            self._runtime.functions = {function.name: function for function in functions}
            self._front.load()
            self._schedules.load()
        except BaseException:
            worker.kill()
            raise
        self.starts += 1
        self._runtime.use(worker)

    def _drop_worker(self) -> None:
        if (worker := self._runtime.worker) is not None:
            self._runtime.worker = None
            worker.kill()

    def _died(self) -> None:
        # Nobody killed it. As in Azure, the host starts another one.
        self._runtime.violations.append("the app's process died by itself; see its log")
        self._drop_worker()
        self._runtime.coming = True
        self._runtime.spawn(self._restart())

    @property
    def functions(self) -> list[FunctionInfo]:
        """What the worker found in the app."""
        return list(self._runtime.functions.values())

    @property
    def violations(self) -> list[str]:
        """What must never happen: a replay that differs, an unknown Durable call, an app that died by itself."""
        return self._runtime.violations

    @property
    def failures(self) -> list[tuple[str, str]]:
        """Function and message of each invocation that raised (activities, timers, HTTP)."""
        return self._runtime.failures

    @property
    def auto_advance(self) -> bool:
        """Whether the clock jumps to the next durable timer when everybody only waits, for all hosts of the circle."""
        return self._circle.auto_advance

    @auto_advance.setter
    def auto_advance(self, wanted: bool) -> None:
        self._circle.auto_advance = wanted

    def be_patient_with(self, *prefixes: str) -> None:
        """Make no jump for orchestrations whose ids begin so: they wait for people."""
        self._circle.patient = prefixes

    async def idle(self, timeout: float) -> None:  # noqa: ASYNC109 - the caller's deadline, named as such
        """Wait until nothing runs, is queued or is due in any host of the circle, and no jump of the clock is to come.

        Raises TimeoutError.
        """
        try:
            async with asyncio.timeout(timeout):
                await self._circle.idle()
        except TimeoutError:
            raise TimeoutError(f"not idle after {timeout} s; {self._circle.told()}") from None

    @property
    def app_process(self) -> int:
        """The id of the app's process; 0 while there is none. For benchmarks, which read what it used."""
        worker = self._runtime.worker
        return worker.pid if worker is not None else 0

    @property
    def rests(self) -> bool:
        """Whether nothing runs, and nothing will run by itself but timer functions, in any host of the circle."""
        return self._circle.rests

    def still(self) -> contextlib.AbstractAsyncContextManager[bool]:
        """A moment in which nothing runs and the clock does not jump. True if nothing will run by itself after it."""
        return self._circle.still()

    async def run_timer(self, function_name: str) -> None:
        """Run a timer function now and wait for it. Raises TimerFunctionFailed."""
        with self._runtime.busy:
            await self._schedules.run(function_name)

    def deliver_twice(self, activity_name: str, until: asyncio.Event | None = None) -> None:
        """Run the next activity of that name a second time, once its first result was read (and `until` is set)."""
        self._activities.deliver_twice(activity_name, until)

    def orchestrations(self) -> list[Orchestration]:
        """All instances, the oldest first."""
        return [Orchestration.of(each) for each in self._hub.instances()]

    def orchestration(self, instance_id: str) -> Orchestration | None:
        """One instance."""
        found = self._hub.instance(instance_id)
        return None if found is None else Orchestration.of(found)

    def history(self, instance_id: str) -> list[dict[str, Any]]:
        """The history events of an instance."""
        return [json.loads(text) for text in self._hub.history(instance_id)]

    async def start_orchestration(self, name: str, payload: object = None, instance_id: str | None = None) -> str:
        """Start an instance as the SDK's client would. Raises AlreadyRunning, LookupError."""
        return self._orchestrations.start(name, instance_id, None if payload is None else json.dumps(payload))

    async def raise_event(self, instance_id: str, name: str, payload: object = None) -> None:
        """Send an external event as the SDK's client would; one to a missing instance is lost."""
        self._orchestrations.raise_event(instance_id, name, json.dumps(json.dumps(payload)))

    async def terminate(self, instance_id: str, reason: str = "") -> None:
        """End an instance."""
        self._orchestrations.terminate(instance_id, reason)

    async def finished(self, instance_id: str, timeout: float = 30) -> Orchestration:  # noqa: ASYNC109 - as above
        """Wait until the instance has ended. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            return Orchestration.of(await self._orchestrations.ended(instance_id))
