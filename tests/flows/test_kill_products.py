"""Kills together with everything else that can go wrong: a second kill, bad days, the other answer to every question.

The plain matrix is complete; its products are sampled: every part of the onboarding is killed in once, and seeds, kinds of
points and answers take turns. With KILLS=all each seed kills in every part, and each answer stands in two acts.
"""

from pathlib import Path
from typing import Any

import pytest

from tests.flows.kill_points import KINDS, SECTIONS, WRITES_IN_TENANTS, Point, in_turn, parts
from tests.flows.killing import Undisturbed, bad_day, killed
from tests.flows.test_switches import FLIPPED
from tests.sandbox.faults import Faults
from tests.sandbox.session import Session

pytestmark = [pytest.mark.matrix, pytest.mark.timeout(300)]

SLOW = (1,)
"""Seeds with the slowest directory, which costs four times the rest."""

ALONE = [
    (switch, WRITES_IN_TENANTS[(number + 4 * half) % len(WRITES_IN_TENANTS)])
    for number, switch in enumerate(FLIPPED)
    for half in parts(2, 0)
]


@pytest.mark.parametrize(("seed", "section"), in_turn(SECTIONS))
async def test_a_kill_on_a_bad_day_changes_nothing_in_the_end(
    seed: int, section: str, undisturbed: Undisturbed, session: Session, tmp_path: Path
) -> None:
    point = pick(undisturbed, section, seed)
    faults = Faults.harsh(seed) if seed in SLOW else bad_day(seed)

    first = point.hit.nth == 0
    assert await killed(session, tmp_path / "killed", undisturbed, point, faults=faults, must_pass=first) == []


@pytest.mark.parametrize(("turn", "section"), in_turn(SECTIONS, (1, 3)))
async def test_a_kill_under_the_other_answers_changes_nothing_in_the_end(
    turn: int, section: str, undisturbed: Undisturbed, session: Session, tmp_path: Path
) -> None:
    """All questions at once. The points are those of the usual answers; a later passing of one may not come here."""
    point = pick(undisturbed, section, turn)

    options: dict[str, Any] = {"flipped": FLIPPED, "must_pass": point.hit.nth == 0}
    assert await killed(session, tmp_path / "killed", undisturbed, point, **options) == []


@pytest.mark.parametrize(("switch", "section"), ALONE)
async def test_a_kill_under_one_other_answer_changes_nothing_in_the_end(
    switch: str, section: str, undisturbed: Undisturbed, session: Session, tmp_path: Path
) -> None:
    """Each question alone, in one of the acts that write in a tenant, which take turns."""
    point = pick(undisturbed, section, FLIPPED.index(switch))

    options: dict[str, Any] = {"flipped": {switch}, "must_pass": point.hit.nth == 0}
    assert await killed(session, tmp_path / "killed", undisturbed, point, **options) == []


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("category", ["store", "episode"])
async def test_a_second_kill_while_the_first_is_made_good_changes_nothing_in_the_end(
    category: str, section: str, undisturbed: Undisturbed, session: Session, tmp_path: Path
) -> None:
    kind = "episode.after" if category == "episode" else "store.before"
    if category == "store" and section in WRITES_IN_TENANTS:
        kind = "vendor.after"
    [point, *_] = undisturbed.of(section, kind)

    assert await killed(session, tmp_path / "killed", undisturbed, point, again=True) == []


def pick(undisturbed: Undisturbed, section: str, turn: int) -> Point:
    """The part's point for this turn: kinds go round, and within a kind the turn chooses which."""
    kinds = [kind for kind in KINDS if undisturbed.of(section, kind)]
    points = undisturbed.of(section, kinds[(turn + SECTIONS.index(section)) % len(kinds)])
    return points[turn * 7 % len(points)]
