"""Kills while a tenant is let go: the app's process dies at a point of the recorded run, in the end all is as without.

`make test` kills at a point or two; `make matrix` at every other point of each part, with KILLS=all at every one, and on bad
days.
"""

from pathlib import Path

import pytest

from tests.flows.kill_points import KINDS, Point, every_other, in_turn
from tests.flows.killing import Undisturbed, bad_day, killed
from tests.flows.letting_go import SECTIONS, WRITES_IN_TENANTS
from tests.sandbox.session import Session

FEW = (("act-21", "vendor"), ("act-26", "store"))
"""Parts and kinds for `make test`; each costs an onboarding and an offboarding."""

GROUPS = [
    (section, kind)
    for section in SECTIONS
    for kind in KINDS
    if not kind.startswith("vendor") or section in WRITES_IN_TENANTS
]


def test_every_part_of_the_recorded_run_has_points_of_every_kind(undisturbed_leave: Undisturbed) -> None:
    """And no point lies outside the groups that the matrix goes through."""
    assert set(GROUPS) == {(point.section, point.hit.kind) for point in undisturbed_leave.points}


def test_the_recorded_run_is_worth_comparing_with(undisturbed_leave: Undisturbed) -> None:
    """Every write audited once, nothing left: what a broken run has, the others must not be held to."""
    found = undisturbed_leave.standing
    trail = found["audit"]
    assert isinstance(trail, list)

    assert (found["state"], found["problem"], found["open run"]) == ("Offboarded", None, False)
    assert found["kept"] == ({}, {}, {}, None)
    assert (found["left"], found["changed for good"]) == (((), ()), {})
    assert len([one for one in trail if one[0] > 20]) == undisturbed_leave.writes.total() == 8
    assert {one[-1] for one in trail} == {"done"}


@pytest.mark.parametrize(("section", "category"), FEW, ids=lambda value: value)
async def test_a_kill_changes_nothing_in_the_end(
    section: str, category: str, undisturbed_leave: Undisturbed, session: Session, tmp_path: Path
) -> None:
    point = undisturbed_leave.pick(section, category)

    assert await killed(session, tmp_path / "killed", undisturbed_leave, point) == []


@pytest.mark.matrix
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("section", "kind"), GROUPS, ids=lambda value: value)
async def test_a_kill_at_any_point_changes_nothing_in_the_end(
    section: str, kind: str, undisturbed_leave: Undisturbed, session: Session, tmp_path: Path
) -> None:
    points: list[Point] = every_other(undisturbed_leave.of(section, kind), GROUPS.index((section, kind)))

    wrong = {
        str(point): await killed(session, tmp_path / f"{n}", undisturbed_leave, point) for n, point in enumerate(points)
    }

    assert {point: lines for point, lines in wrong.items() if lines} == {}


@pytest.mark.matrix
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("seed", "section"), in_turn(SECTIONS))
async def test_a_kill_on_a_bad_day_changes_nothing_in_the_end(
    seed: int, section: str, undisturbed_leave: Undisturbed, session: Session, tmp_path: Path
) -> None:
    kinds = [kind for kind in KINDS if undisturbed_leave.of(section, kind)]
    points = undisturbed_leave.of(section, kinds[(seed + SECTIONS.index(section)) % len(kinds)])
    point = points[seed * 7 % len(points)]

    assert (
        await killed(
            session, tmp_path / "killed", undisturbed_leave, point, faults=bad_day(seed), must_pass=point.hit.nth == 0
        )
        == []
    )
