"""Kills and bad days while the analysts of a tenant change: in the end all is as without.

`make test` kills once; `make matrix` in every act that writes in a tenant, once more in every part, and on bad days.
"""

from pathlib import Path

import pytest

from tests.flows.changing import SECTIONS, STORIES, WRITES_IN_TENANTS
from tests.flows.kill_points import KINDS, NIGHT, parts, seeds
from tests.flows.killing import Undisturbed, bad_day, killed, record
from tests.sandbox.session import Session

pytestmark = pytest.mark.sampled(1)


@pytest.fixture(scope="session")
def told() -> dict[str, Undisturbed]:
    """What this process has recorded."""
    return {}


@pytest.fixture(params=STORIES)
async def undisturbed(
    request: pytest.FixtureRequest, told: dict[str, Undisturbed], session: Session, tmp_path: Path
) -> Undisturbed:
    """Each story without kills, told once in each process of the tests."""
    name: str = request.param
    if name not in told:
        told[name] = await record(session, tmp_path / "undisturbed", STORIES[name])
    return told[name]


def test_the_recorded_run_is_worth_comparing_with(undisturbed: Undisturbed) -> None:
    """One came and one left, each write was audited once, and every act that writes has points."""
    found = undisturbed.standing
    trail = found["audit"]
    assert isinstance(trail, list)

    assert (found["state"], found["problem"], found["open run"]) == ("Ready", None, False)
    assert {one[-1] for one in trail} == {"done"}
    assert undisturbed.writes.total() == 5
    people = {"ana@contoso.com", "cleo@contoso.com"}
    assignments = found["assignments"]
    assert isinstance(assignments, list)
    assert people <= set(assignments)
    assert "ben@contoso.com" not in assignments
    assert all(undisturbed.of(section, "vendor.after") for section in WRITES_IN_TENANTS)


@pytest.mark.parametrize("section", WRITES_IN_TENANTS)
async def test_a_kill_changes_nothing_in_the_end(
    section: str, undisturbed: Undisturbed, session: Session, tmp_path: Path
) -> None:
    point = undisturbed.pick(section, "vendor")

    assert await killed(session, tmp_path / "killed", undisturbed, point) == []


@pytest.mark.matrix
@pytest.mark.timeout(600)
@pytest.mark.parametrize("section", [*SECTIONS, NIGHT])
async def test_a_kill_in_any_part_changes_nothing_in_the_end(
    section: str, undisturbed: Undisturbed, session: Session, tmp_path: Path
) -> None:
    """At kinds of points that take turns, over both stories; with KILLS=all at two in each."""
    wrong = {}
    kinds = [kind for kind in KINDS if undisturbed.of(section, kind)]
    turn, story = [*SECTIONS, NIGHT].index(section), [*STORIES.values()].index(undisturbed.story)
    for kind in {kinds[(turn + 3 * half) % len(kinds)] for half in parts(2, story)} if kinds else ():
        points = undisturbed.of(section, kind)
        point = points[len(points) // 2]
        wrong[str(point)] = await killed(session, tmp_path / kind, undisturbed, point)

    assert {point: lines for point, lines in wrong.items() if lines} == {}


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.matrix) for seed in seeds(2, 4)[1:])])
async def test_a_bad_day_changes_nothing_in_the_end(
    seed: int, undisturbed: Undisturbed, session: Session, tmp_path: Path
) -> None:
    section = WRITES_IN_TENANTS[seed % len(WRITES_IN_TENANTS)]
    point = undisturbed.pick(section, "vendor")

    found = await killed(session, tmp_path / "killed", undisturbed, point, faults=bad_day(seed), must_pass=False)

    assert found == []
