"""Kills at every point of a run: the points come from one undisturbed run, a story is told again with one each.

A story: what was before, an operator who asks for something and repeats a request whose connection broke, and time that
passes until the tenant rests. The first of them is the onboarding, with consents given before, of Fabrikam with one
analyst and every feature.
"""

import shutil
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from shared.permissions import MULTI_TENANT
from tests.flows.kill_points import SECTIONS, Point, attributed
from tests.flows.scene import Scene
from tests.flows.standing import Standing, differences, standing
from tests.flows.writes import templated
from tests.sandbox.faults import Faults
from tests.sandbox.points import Cut, Hit
from tests.sandbox.session import Session
from tests.sandbox.world import World

BEGINS = datetime(2026, 3, 2, 9, 0, 20, tzinfo=UTC)
"""Monday morning, just after a sweep: the undisturbed run is over before the next one."""

_GRACE_SECONDS = 180.0
"""What a person lets pass before looking again: longer than a sweep takes to notice a run that was never started."""

_LOOKS = 20
_POSTS = 40
_UNDER_WAY = ("", "Onboarding", "Offboarding", "Cancelling")


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What is told: what was before it, what is asked for, and how things stand at its end. `sections`: its parts."""

    before: Callable[[Scene], Awaitable[object]]
    told: Callable[[Scene], Awaitable[str]]
    standing: Callable[[Scene], Awaitable[Standing]]
    ends: str
    sections: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Undisturbed:
    """The recorded run: its points in order, counted from where the story began, and how things stood at its end."""

    story: Story
    log: list[Hit]
    points: tuple[Point, ...]
    standing: Standing
    writes: Counter[str]

    def of(self, section: str, kind: str) -> list[Point]:
        """The points of one part and kind."""
        return [one for one in self.points if (one.section, one.hit.kind) == (section, kind)]

    def pick(self, section: str, category: str) -> Point:
        """One point of a part, always the same: before in one act, after in the next, in the middle of its kind."""
        side = ("before", "after")[(self.story.sections.index(section) + (category == "store")) % 2]
        found = self.of(section, f"{category}.{side}")
        return found[len(found) // 2]


@asynccontextmanager
async def opened(session: Session, folder: Path, **options: Any) -> AsyncIterator[Scene]:
    """A world of its own with a scene in it. What is left of it on disk goes, unless something failed."""
    async with World(folder=folder, session=session, start=BEGINS, **options) as world, Scene(world) as scene:
        yield scene
        assert world.violations() == []
    shutil.rmtree(folder)


@contextmanager
def fair_weather(scene: Scene) -> Iterator[None]:
    """For what was before a story: it has no faults."""
    scene.world.faults.paused = True
    yield
    scene.world.faults.paused = False


def bad_day(seed: int) -> Faults:
    """As Faults.harsh, with a directory that takes seconds and not minutes: the rest of the weather for less time."""
    return Faults(
        seed,
        throttle=0.08,
        server_error=0.05,
        lost_answer=0.05,
        refused_store=0.05,
        replication_seconds=(1.0, 30.0),
        restart=0.004,
    )


async def record(session: Session, folder: Path, of: Story | None = None) -> Undisturbed:
    """The undisturbed run."""
    of = of or ONBOARDING
    async with opened(session, folder) as scene:
        await of.before(scene)
        began, already = _passed(scene), templated(scene.applied())
        assert await of.told(scene) == of.ends
        log = _since(began, scene.world.points.log)
        return Undisturbed(
            story=of,
            log=log,
            points=tuple(attributed(log)),
            standing=await of.standing(scene),
            writes=templated(scene.applied()) - already,
        )


async def killed(
    session: Session,
    folder: Path,
    undisturbed: Undisturbed,
    point: Point,
    *,
    again: bool = False,
    must_pass: bool = True,
    **options: Any,
) -> list[str]:
    """Tell the story with a kill at that point: what is not as in the undisturbed run.

    `again`: killed once more at the next write to the store. `must_pass`: where the world is not as it was recorded,
    the point may not come.
    """
    hit, story = point.hit, undisturbed.story
    try:
        async with opened(session, folder, **options) as scene:
            await story.before(scene)
            began, already = _passed(scene), templated(scene.applied())
            kill = _Kill(scene.world, times=2 if again else 1)
            scene.world.points.arm(hit.kind, hit.label, began[hit.kind, hit.label] + hit.nth, kill)
            await story.told(scene)
            missed = [f"{point}: {kill.left} kills did not come"] if must_pass and kill.left else []
            writes = templated(scene.applied()) - already
            repeated = [] if options else _repeated(undisturbed.writes, writes, kills=2 if again else 1)
            return missed + repeated + differences(undisturbed.standing, await story.standing(scene))
    except TimeoutError as error:
        return [str(error)]


def _passed(scene: Scene) -> Counter[tuple[str, str]]:
    """How often each place was passed by now."""
    return Counter((hit.kind, hit.label) for hit in scene.world.points.log)


def _since(began: Counter[tuple[str, str]], log: list[Hit]) -> list[Hit]:
    """What a log has since then, counted from there."""
    return [
        Hit(kind=hit.kind, label=hit.label, nth=hit.nth - began[hit.kind, hit.label]) for hit in log[began.total() :]
    ]


def _repeated(usual: Counter[str], writes: Counter[str], *, kills: int) -> list[str]:
    """Writes carried out more often than a kill explains: each may cost one repeat of what is safe to repeat."""
    return [
        f"{call} carried out {count} times, usually {usual[call]}"
        for call, count in writes.items()
        if count > usual[call] + kills
    ]


class _Kill:
    """Kills the app's process where it is armed, and, while kills are left, at the next write to the store."""

    def __init__(self, world: World, *, times: int) -> None:
        self._world = world
        self.left = times

    async def __call__(self) -> None:
        if self.left == 0:
            return
        self.left -= 1
        if self.left:
            self._arm_next()
        await self._world.host.kill_and_restart()
        raise Cut

    def _arm_next(self) -> None:
        points = self._world.points
        passed = Counter(hit.label for hit in points.log if hit.kind == "store.before")
        for label, times in passed.items():
            points.arm("store.before", label, times, self)


async def story(scene: Scene) -> str:
    """From the POST until the tenant rests; gives its state."""
    scene.consented(*MULTI_TENANT)
    await post_patiently(scene)
    return await to_rest(scene)


async def post_patiently(scene: Scene) -> httpx.Response:
    """As a person does it: again when the connection broke or the app said that it could not."""
    return await ask_patiently(scene, lambda: scene.post(scene.world.people.ana, features=["hunting"]))


async def ask_patiently(scene: Scene, ask: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """The same for any request that starts a run."""
    for attempt in range(_POSTS):
        try:
            answer = await ask()
        except httpx.TransportError:
            continue
        if answer.status_code >= 500:
            scene.world.clock.advance(10)
            continue
        # Only after a request of which nobody knows the end may the tenant be under way, or done.
        assert answer.status_code in ((202,) if attempt == 0 else (202, 409, 200)), answer.text
        return answer
    raise TimeoutError("the app took no request")


async def to_rest(scene: Scene) -> str:
    """Let time pass until nothing of the tenant is under way; gives its state."""
    state = await scene.settle()
    for _ in range(_LOOKS):
        if state not in _UNDER_WAY:
            return state
        scene.world.clock.advance(_GRACE_SECONDS)
        state = await scene.settle()
    raise TimeoutError(f"{state or 'unknown'} after {_LOOKS} looks")


async def to_the_end(scene: Scene) -> str:
    """As `to_rest`, until no run is open: one that died before its first record begins by a sweep, and till then the tenant
    looks at rest.
    """
    for _ in range(_LOOKS):
        state = await to_rest(scene)
        if await scene.open_run() is None:
            return state
        scene.world.clock.advance(_GRACE_SECONDS)
    raise TimeoutError(f"a run is open after {_LOOKS} looks")


async def _nothing(_: Scene) -> None:
    """Nothing was before it."""


ONBOARDING = Story(before=_nothing, told=story, standing=standing, ends="Ready", sections=SECTIONS)
