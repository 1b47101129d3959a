"""A request for the broker, killed at every point of its story: asked for, agreed by two, granted, given back, ended."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.activation.record import RequestId
from shared.subscriptions.lockdown import Quorum
from tests.flows.activating import REQUESTS, Locked
from tests.flows.brokering import SETTINGS, brokered, granted
from tests.flows.dying import Story, killed, nothing
from tests.flows.kill_points import parts
from tests.flows.killing import BEGINS
from tests.flows.scene import Scene
from tests.flows.test_activation_kills import patiently
from tests.sandbox.faults import Faults
from tests.sandbox.population import REQUEST
from tests.sandbox.session import Session
from tests.sandbox.world import World

pytestmark = [pytest.mark.matrix]

_MINUTES = timedelta(minutes=3)
_PARTS = 12


@asynccontextmanager
async def opened(session: Session, folder: Path, **options: Any) -> AsyncIterator[Locked]:
    """A world with a subscription of the mode broker, whose quorum is both."""
    async with (
        World(folder=folder, session=session, start=BEGINS, auto_advance=False, settings=SETTINGS, **options) as world,
        Scene(world) as scene,
    ):
        world.faults.paused = world.points.paused = True
        found = await brokered(scene, quorum=Quorum.BOTH)
        await found.rest()
        world.faults.paused = world.points.paused = False
        yield found


async def told(found: Locked) -> RequestId:
    """The whole story."""
    answer = await patiently(found, lambda: found.ask(key="mine"), 202)
    request_id = RequestId(answer.json()["id"])
    await found.rest()
    await patiently(found, lambda: found.decide(request_id, found.fiona), 202)
    await patiently(found, lambda: found.decide(request_id, found.ivan), 200, 409)
    await found.rest()
    for _ in range(6):
        await found.after(_MINUTES)
    path, token = f"{REQUESTS}/{request_id}/release", found.scene.world.token(found.emil, REQUEST)
    await patiently(found, lambda: found.scene.call("POST", path, token=token), 200, 202)
    for number in range(32):
        # What is known of it by the index alone is looked at again at its end.
        await found.after(timedelta(hours=2) if number == 22 else _MINUTES)
        ended = (await found.record(request_id)).record.state == "ended"
        if ended and not await found.scene.runs.list_open() and not await found.store.open_hints():
            break
    return request_id


async def wrong(found: Locked, request_id: RequestId) -> list[str]:
    """What is not as it should be at the end."""
    activation = await found.record(request_id)
    record = activation.record
    done = Counter(one.deed.act for one in await found.trail(request_id) if one.deed.outcome == "done")
    actions = [one.request.wanted.action for one in granted(found)]
    checks = {
        "granted once, and taken back": actions == ["AdminAssign", "AdminRemove"],
        "one grant by truth": len(found.subscription.activations.schedules) == 1,
        "audited, each write of the broker once": (done[49], done[50]) == (1, 1) and {45, 46, 48} <= set(done),
        "ended before its end": record.state == "ended" and not found.holds(),
        "nobody is at it": record.claim is None,
        "agreed by both": {one.by for one in record.voices} == {found.fiona.object_id, found.ivan.object_id},
        "decided by the second": record.decision is not None and record.decision.by == found.ivan.object_id,
        "no violation": record.violations == (),
        "no open intent": {one.state.value for one in activation.intents.values()} == {"closed"},
        "no open run": await found.scene.runs.list_open() == [],
        "no hint left": await found.store.open_hints() == [],
    }
    trail = [(one.deed.act, one.deed.outcome) for one in await found.trail(request_id)]
    return [f"{name}: {trail[-2:]} {record}" for name, holds in checks.items() if not holds]


async def _told(found: Locked, _: RequestId | None) -> RequestId:
    return await told(found)


STORY = Story(name="broker", opened=opened, before=nothing, told=_told, wrong=wrong)


@pytest.mark.timeout(1500)
@pytest.mark.parametrize("part", parts(_PARTS, 0, 5))
async def test_killed_at_any_point_it_comes_to_the_same_end(session: Session, tmp_path: Path, part: int) -> None:
    assert await killed(STORY, session, tmp_path, part, _PARTS) == []


@pytest.mark.parametrize("seed", range(4))
async def test_on_a_bad_day_it_comes_to_the_same_end(session: Session, tmp_path: Path, seed: int) -> None:
    async with opened(session, tmp_path, faults=Faults.harsh(seed)) as found:
        assert await wrong(found, await told(found)) == []
