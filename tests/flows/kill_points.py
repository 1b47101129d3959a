"""Where a story is killed: the points that its undisturbed run passed, the part of the story that each belongs to, and which
of them are taken where not all are.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from shared.lockdown import messages as locking
from shared.renewal.messages import END as END_RENEWALS
from shared.renewal.messages import PLAN, PLAN_SUBSCRIPTIONS, RENEW, RENEW_ON_SUBSCRIPTION
from shared.running.acts import ACTS, BEGIN, BY_NUMBER, END
from shared.upkeep.messages import END_NIGHT, LOOK_AFTER, SEAL_AUDIT
from tests.sandbox.points import Hit

KINDS = ("vendor.before", "vendor.after", "store.before", "store.after", "episode.before", "episode.after")

START, FINISH, NIGHT = "start", "end", "night"
_NIGHTS = (
    LOOK_AFTER,
    SEAL_AUDIT,
    END_NIGHT,
    PLAN,
    RENEW,
    PLAN_SUBSCRIPTIONS,
    RENEW_ON_SUBSCRIPTION,
    END_RENEWALS,
    locking.LOOK,
    locking.END_LOOK,
)
_SECTIONS = {
    BEGIN.name: START,
    END.name: FINISH,
    **{one.name: NIGHT for one in _NIGHTS},
} | {step.activity.name: f"act-{act.number}" for act in BY_NUMBER.values() for step in act.steps}
SECTIONS = tuple(dict.fromkeys((START, *(f"act-{act.number}" for act in ACTS), FINISH)))
"""The POST with the first activity, the acts, the last activity."""

WRITES_IN_TENANTS = (*(f"act-{number}" for number in range(3, 10)), "act-11")
"""Parts that send Graph more than reads by GET: the acts that write, and hunting, which reads by POST."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A place to kill at, and the part of the onboarding that it belongs to."""

    section: str
    hit: Hit

    def __str__(self) -> str:
        return f"{self.section}: {self.hit.kind} {self.hit.label} [{self.hit.nth}]"


def attributed(log: list[Hit]) -> list[Point]:
    """The points of a log with their parts: a write belongs to the activity that runs, an episode to what it calls."""
    points: list[Point] = []
    episodes: list[Hit] = []
    section = START
    for number, hit in enumerate(log):
        if _is_told_by_the_next(log, number):
            continue
        if hit.kind == "activity.before":
            section = _SECTIONS[hit.label]
            points += [Point(section=section, hit=one) for one in episodes]
            episodes.clear()
        elif hit.kind in KINDS:
            if hit.kind.startswith("episode"):
                episodes.append(hit)
            else:
                points.append(Point(section=section, hit=hit))
    return points + [Point(section=section, hit=one) for one in episodes]


def _is_told_by_the_next(log: list[Hit], number: int) -> bool:
    """Whether dying after this write leaves nothing else behind than dying before the next one, which is a point too."""
    following = (hit.kind for hit in log[number + 1 :] if not hit.kind.endswith("-read.before"))
    return log[number].kind == "store.after" and next(following, "") in ("store.before", "vendor.before")


def parts(count: int, *few: int) -> list[int]:
    """The parts of a story's points to kill at: a few, or with KILLS=all every one. They interleave: each has all kinds."""
    return list(range(count)) if _kills_all() else list(few)


def every_other(points: list[Point], turn: int) -> list[Point]:
    """Half of them, beginning with the first or the second in turn, or with KILLS=all every one. Of one: that one."""
    return points if _kills_all() else points[turn % 2 :: 2] or points


def in_turn(sections: Sequence[str], turns: Sequence[int] = range(1, 4)) -> list[tuple[int, str]]:
    """Seeds, or turns of another kind, with parts: they go round, or with KILLS=all each comes with every part."""
    if _kills_all():
        return [(turn, section) for turn in turns for section in sections]
    return [(turns[number % len(turns)], section) for number, section in enumerate(sections)]


def seeds(few: int, every: int) -> range:
    """Seeds of bad weather: a few, or with KILLS=all every one."""
    return range(1, 1 + (every if _kills_all() else few))


def _kills_all() -> bool:
    return os.environ.get("KILLS") == "all"
