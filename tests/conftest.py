"""What the tests share: the processes of a session, worlds made of them, how a failure is told."""

import gc
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.choosing import mark_long, of_part
from tests.sandbox.azurite import Azurite
from tests.sandbox.host import Zygote
from tests.sandbox.session import Session
from tests.sandbox.world import World

MORNING = datetime(2026, 3, 2, 9, 10, 20, tzinfo=UTC)
"""When the worlds of tests begin, unless told: the hourly timer that begins a night has just passed."""

PART = "TENANTRY_TESTS_PART"


class _ToldAtOnce:
    """A failure is told when it happens: a run of an hour may be stopped before its summary."""

    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self._terminal = terminal

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._terminal.write_line(f"\n{report.nodeid}, {report.when}: failed\n{report.longreprtext}")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Where there is a terminal: a worker of xdist has none."""
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None:
        session.config.pluginmanager.register(_ToldAtOnce(terminal))


def pytest_collection_finish() -> None:
    """What was imported stays. To look through it again in every full collection is a tenth of what the tests compute."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Which tests are long, and, of one part only, which are of it."""
    mark_long(items)
    if part := os.environ.get(PART):
        chosen = of_part([item.nodeid for item in items], part)
        config.hook.pytest_deselected(items=[item for item in items if item.nodeid not in chosen])
        items[:] = [item for item in items if item.nodeid in chosen]


type OpenWorld = Callable[..., Awaitable[World]]


@pytest.fixture(scope="session")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """The processes of the session. Under xdist every worker has its own; they get ready while the first tests run."""
    with Session(tmp_path_factory.mktemp("session")) as running:
        yield running


@pytest.fixture(scope="session")
def azurite(session: Session) -> Azurite:
    """The session's Table Storage; started when the first account is taken."""
    return session.azurite


@pytest.fixture(scope="session")
def zygote(session: Session) -> Zygote:
    """The session's warmed parent of app processes."""
    return session.zygote


@pytest.fixture
async def open_world(tmp_path: Path, session: Session) -> AsyncIterator[OpenWorld]:
    """Opens worlds with options of World's; each must end without violations.

    A test that provokes violations looks at them and clears the lists.
    """
    worlds: list[World] = []
    async with AsyncExitStack() as leaving:

        async def opened(**options: Any) -> World:
            chosen = {"start": MORNING, **options}
            world = World(folder=tmp_path / f"world-{len(worlds)}", session=session, **chosen)
            worlds.append(world)
            return await leaving.enter_async_context(world)

        yield opened
    for world in worlds:
        assert world.violations() == []


@pytest.fixture
async def world(open_world: OpenWorld) -> World:
    """A world where nothing goes wrong."""
    return await open_world()
