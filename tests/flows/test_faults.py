"""Every kind of fault, alone and together: the tenant becomes Ready, and things stand as after the undisturbed run."""

from pathlib import Path

import pytest

from tests.flows.kill_points import seeds
from tests.flows.killing import Undisturbed, bad_day, opened, story
from tests.flows.standing import differences, standing
from tests.sandbox.faults import Fault, Faults
from tests.sandbox.session import Session

pytestmark = pytest.mark.sampled(1)

KINDS: dict[str, dict[str, float | tuple[float, float]]] = {
    "throttle": {"throttle": 0.3},
    "server-error": {"server_error": 0.3},
    "lost-answer": {"lost_answer": 0.3},
    "store-refused": {"refused_store": 0.3},
    "slow-replication": {"replication_seconds": (30.0, 240.0)},
    "restart": {"restart": 0.02},
}
"""Far more than a bad day has, of one thing each."""

SEEDS = seeds(2, 3)
IN_TURN = 1
"""Seeds in the default part; the rest are the matrix's."""


def _seeds() -> list[object]:
    return [pytest.param(seed, marks=() if seed <= IN_TURN else pytest.mark.matrix) for seed in SEEDS]


@pytest.mark.parametrize("seed", _seeds())
@pytest.mark.parametrize("kind", KINDS)
async def test_one_kind_of_fault_changes_nothing_in_the_end(
    kind: str, seed: int, undisturbed: Undisturbed, session: Session, tmp_path: Path
) -> None:
    faults = Faults(seed, **KINDS[kind])  # type: ignore[arg-type]  # each name with its own type

    assert await _differences(faults, undisturbed, session, tmp_path) == []


@pytest.mark.parametrize("seed", _seeds())
async def test_a_bad_day_with_a_brisk_directory_changes_nothing_in_the_end(
    seed: int, undisturbed: Undisturbed, session: Session, tmp_path: Path
) -> None:
    assert await _differences(bad_day(seed), undisturbed, session, tmp_path) == []


@pytest.mark.matrix
@pytest.mark.parametrize("seed", SEEDS)
async def test_a_bad_day_changes_nothing_in_the_end(
    seed: int, undisturbed: Undisturbed, session: Session, tmp_path: Path
) -> None:
    assert await _differences(Faults.harsh(seed), undisturbed, session, tmp_path) == []


@pytest.mark.matrix
@pytest.mark.parametrize("seed", SEEDS)
async def test_everything_at_once_and_often_changes_nothing_in_the_end(
    seed: int, undisturbed: Undisturbed, session: Session, tmp_path: Path
) -> None:
    faults = Faults(
        seed,
        throttle=0.15,
        server_error=0.1,
        lost_answer=0.15,
        refused_store=0.15,
        replication_seconds=(30.0, 600.0),
        restart=0.01,
    )

    assert await _differences(faults, undisturbed, session, tmp_path) == []


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_fault_does_happen(kind: str) -> None:
    """By the decisions that the seed gives, so that the tests above cannot pass on a fine day."""
    faults = Faults(IN_TURN, **KINDS[kind])  # type: ignore[arg-type]  # as above

    happening = [
        faults.decide(each, "POST /anything", nth) for each in ("vendor", "store", "restart") for nth in range(200)
    ]

    assert faults.replication("partners") > 30 or any(isinstance(one, Fault) for one in happening)


async def _differences(faults: Faults, undisturbed: Undisturbed, session: Session, tmp_path: Path) -> list[str]:
    async with opened(session, tmp_path / "world", faults=faults) as scene:
        await story(scene)
        return differences(undisturbed.standing, await standing(scene))
