"""A story of one locked subscription, told again with a kill at each point where its undisturbed telling passes."""

from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from shared.activation.record import RequestId
from tests.flows.activating import Locked
from tests.flows.kill_points import KINDS
from tests.sandbox.points import Hit, then_cut
from tests.sandbox.session import Session

_POINTS: dict[str, list[Hit]] = {}
"""Where the undisturbed telling of each story passed: found once a process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What was before (None: nothing; nothing is killed there), what is told, and what is not as it should be at its end."""

    name: str
    opened: Callable[[Session, Path], AbstractAsyncContextManager[Locked]]
    before: Callable[[Locked], Awaitable[RequestId | None]]
    told: Callable[[Locked, RequestId | None], Awaitable[RequestId]]
    wrong: Callable[[Locked, RequestId], Awaitable[list[str]]]


async def nothing(_: Locked) -> None:
    """Nothing was before it."""


async def killed(story: Story, session: Session, folder: Path, part: int, parts: int) -> list[str]:
    """What is not as it should be, with a kill at each point of that part."""
    failures: list[str] = []
    for number, hit in enumerate((await _points(story, session, folder / "undisturbed"))[part::parts]):
        async with story.opened(session, folder / str(number)) as found:
            request_id, points = await story.before(found), found.scene.world.points
            passed = Counter((one.kind, one.label) for one in points.log)[hit.kind, hit.label]
            points.arm(hit.kind, hit.label, passed + hit.nth, then_cut(found.scene.world.host.kill_and_restart))
            try:
                failures += [f"{hit}: {one}" for one in await story.wrong(found, await story.told(found, request_id))]
            except (AssertionError, TimeoutError) as error:
                failures.append(f"{hit}: {error}")
    return failures


async def _points(story: Story, session: Session, folder: Path) -> list[Hit]:
    if story.name not in _POINTS:
        async with story.opened(session, folder) as found:
            request_id, log = await story.before(found), found.scene.world.points.log
            passed, start = Counter((hit.kind, hit.label) for hit in log), len(log)
            assert await story.wrong(found, await story.told(found, request_id)) == []
            _POINTS[story.name] = [
                Hit(kind=hit.kind, label=hit.label, nth=hit.nth - passed[hit.kind, hit.label])
                for hit in log[start:]
                if hit.kind in KINDS
            ]
    return _POINTS[story.name]
