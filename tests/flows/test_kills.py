"""Kills: the app's process dies by SIGKILL at a point of the recorded run, and in the end everything is as without.

`make test` kills at a few points; `make matrix` at every one.
"""

from pathlib import Path

import pytest

from tests.flows.kill_points import KINDS, SECTIONS, WRITES_IN_TENANTS, Point
from tests.flows.killing import Undisturbed, killed
from tests.flows.writes import ONCE
from tests.sandbox.session import Session

FEW = (("act-5", "vendor"), ("act-8", "vendor"), ("act-9", "store"), ("act-11", "episode"))
"""Parts and kinds for `make test`; each costs an onboarding."""

GROUPS = [
    (section, kind)
    for section in SECTIONS
    for kind in KINDS
    if not kind.startswith("vendor") or section in WRITES_IN_TENANTS
]


def test_every_part_of_the_recorded_run_has_points_of_every_kind(undisturbed: Undisturbed) -> None:
    """And no point lies outside the groups that the matrix goes through."""
    found = {(point.section, point.hit.kind) for point in undisturbed.points}

    assert set(GROUPS) == found


def test_the_recorded_run_is_worth_comparing_with(undisturbed: Undisturbed) -> None:
    """Every write audited once and closed, nothing made twice: what a broken run has, the others must not be held to."""
    found = undisturbed.standing
    entries, intents = found["audit"], found["intents"]
    assert isinstance(entries, list)
    assert isinstance(intents, list)

    assert (found["state"], found["problem"], found["open run"]) == ("Ready", None, False)
    assert len(entries) == len(set(entries)) == len(intents) == len(ONCE)
    assert {("closed", "done")} == {(state, outcome) for _, state, outcome in intents}
    assert found["jobs"] == [(True, "Active", 1, None)]
    assert (found["enterprise applications"], found["assignments"]) == (1, ["ana@contoso.com"])
    assert found["requests taken by PIM"] == ["adminAssign"]


@pytest.mark.parametrize(("section", "category"), FEW, ids=lambda value: value)
async def test_a_kill_changes_nothing_in_the_end(
    section: str, category: str, undisturbed: Undisturbed, session: Session, tmp_path: Path
) -> None:
    point = undisturbed.pick(section, category)

    assert await killed(session, tmp_path / "killed", undisturbed, point) == []


@pytest.mark.matrix
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("section", "kind"), GROUPS, ids=lambda value: value)
async def test_a_kill_at_any_point_changes_nothing_in_the_end(
    section: str, kind: str, undisturbed: Undisturbed, session: Session, tmp_path: Path
) -> None:
    points: list[Point] = undisturbed.of(section, kind)

    wrong = {str(point): await killed(session, tmp_path / f"{n}", undisturbed, point) for n, point in enumerate(points)}

    assert {point: lines for point, lines in wrong.items() if lines} == {}
