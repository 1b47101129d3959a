"""A host with the fixture app, for the driver's own tests."""

import os
import select
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from tests.sandbox.clock import SharedClock
from tests.sandbox.host import Circle, Host, Zygote
from tests.sandbox.points import Points

APP = Path(__file__).parent / "fixture_app"
START = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)


class Scene:
    """A folder with clock, hub, log and journal, and the host on it. `open_host` makes another on the same folder."""

    def __init__(self, folder: Path, zygote: Zygote) -> None:
        self.folder = folder
        self.zygote = zygote
        self.clock = SharedClock.create(folder / "clock", START)
        self.points = Points()
        self.client = httpx.AsyncClient(timeout=20)
        self.host = self.open_host()

    def open_host(
        self, *, app: Path = APP, auto_advance: bool = True, hub: str = "hub.sqlite", circle: Circle | None = None
    ) -> Host:
        environment = {
            "FIXTURE_JOURNAL": str(self.folder / "journal"),
            "AZURE_FUNCTIONS_DURABLE_STRICT_TYPING": "1",
        }
        return Host(
            app_directory=app,
            environment=environment,
            hub=self.folder / hub,
            log=self.folder / "log",
            clock=self.clock,
            points=self.points,
            zygote=self.zygote,
            auto_advance=auto_advance,
            install="installed:install",
            circle=circle,
        )

    @property
    def journal(self) -> list[str]:
        """What the app did."""
        path = self.folder / "journal"
        return path.read_text().splitlines() if path.exists() else []

    async def run(self, name: str, payload: object = None, instance_id: str | None = None) -> Any:
        """Run an orchestration to its end and give its output."""
        started = await self.host.start_orchestration(name, payload, instance_id)
        finished = await self.host.finished(started)
        assert finished.status == "Completed", finished
        return finished.output

    async def ask(self, verb: str, instance: str, body: object = None) -> httpx.Response:
        """Have the app call its durable client."""
        return await self.client.post(f"{self.host.url}/api/client/{verb}/{instance}", json=body)


def wait_for_death(pid: int, seconds: float) -> bool:
    """Whether the process is gone within that time."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        readable, _, _ = select.select([descriptor], [], [], seconds)
        return bool(readable)
    finally:
        os.close(descriptor)
