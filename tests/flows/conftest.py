"""What the flow tests share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.flows.killing import Undisturbed, record
from tests.flows.letting_go import OFFBOARDING
from tests.flows.scene import Scene
from tests.sandbox.session import Session
from tests.sandbox.world import World


@pytest.fixture
async def scene(world: World) -> AsyncIterator[Scene]:
    """A scene in a world where nothing goes wrong."""
    async with Scene(world) as opened:
        yield opened


@pytest.fixture(scope="session")
def recorded() -> list[Undisturbed]:
    """What this process has recorded: nothing, or the one undisturbed run."""
    return []


@pytest.fixture(scope="session")
def recorded_leave() -> list[Undisturbed]:
    """As above, of an offboarding."""
    return []


@pytest.fixture
async def undisturbed_leave(recorded_leave: list[Undisturbed], session: Session, tmp_path: Path) -> Undisturbed:
    """An offboarding without kills, told once in each process of the tests."""
    if not recorded_leave:
        recorded_leave.append(await record(session, tmp_path / "undisturbed-leave", OFFBOARDING))
    return recorded_leave[0]


@pytest.fixture
async def undisturbed(recorded: list[Undisturbed], session: Session, tmp_path: Path) -> Undisturbed:
    """The run without kills, told once in each process of the tests."""
    if not recorded:
        recorded.append(await record(session, tmp_path / "undisturbed"))
    return recorded[0]
