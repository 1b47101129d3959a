"""An activation, killed at every point of its story: asked for, found, decided, in force, ended. Each thing happens once."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.activation.record import RequestId
from tests.flows.activating import Locked, locked
from tests.flows.dying import Story, killed, nothing
from tests.flows.kill_points import parts
from tests.flows.killing import BEGINS
from tests.flows.scene import Scene
from tests.sandbox.faults import Faults
from tests.sandbox.session import Session
from tests.sandbox.world import World

pytestmark = [pytest.mark.matrix]

_TRIES = 12
_PARTS = 12
_MINUTES = timedelta(minutes=3)


@asynccontextmanager
async def opened(session: Session, folder: Path, **options: Any) -> AsyncIterator[Locked]:
    """A world with a locked subscription."""
    async with (
        World(folder=folder, session=session, start=BEGINS, auto_advance=False, **options) as world,
        Scene(world) as scene,
    ):
        world.faults.paused = world.points.paused = True
        found = await locked(scene)
        await found.rest()
        world.faults.paused = world.points.paused = False
        yield found


async def patiently(found: Locked, ask: Callable[[], Awaitable[httpx.Response]], *fine: int) -> httpx.Response:
    """As a person does it: again when the connection broke, or the app could not."""
    for _ in range(_TRIES):
        try:
            answer = await ask()
        except httpx.TransportError:
            continue
        if answer.status_code < 500:
            assert answer.status_code in fine, answer.text
            return answer
        await found.after(timedelta(seconds=30))
    raise TimeoutError("the app took no request")


async def told(found: Locked) -> RequestId:
    """The whole story."""
    answer = await patiently(found, lambda: found.ask(key="mine"), 202)
    request_id = RequestId(answer.json()["id"])
    await found.rest()
    await found.after(_MINUTES)
    for _ in range(4):
        answer = await patiently(found, lambda: found.decide(request_id), 200, 202, 409)
        await found.rest()
        if "at this moment" not in answer.text:
            break
        await found.after(_MINUTES)  # a process that died was at it
    for _ in range(4):
        await found.after(_MINUTES)
    found.scene.world.clock.advance(timedelta(hours=2))
    for _ in range(20):
        await found.after(_MINUTES)
        ended = (await found.record(request_id)).record.state == "ended"
        if ended and not await found.scene.runs.list_open() and not await found.store.open_hints():
            break
    return request_id


async def wrong(found: Locked, request_id: RequestId) -> list[str]:
    """What is not as it should be at the end."""
    activation = await found.record(request_id)
    record, approval = activation.record, found.at_pim(request_id).approval
    acts = Counter(one.deed.act for one in await found.trail(request_id) if one.deed.outcome == "done")
    checks = {
        "one request at PIM": list(found.subscription.activations.requests) == [request_id],
        "approved once, by Fiona": approval is not None and approval.reviewer_id == found.fiona.object_id,
        "granted once": len(found.subscription.activations.schedules) == 1,
        "audited once each": acts == {40: 1, 41: 1},
        "ended": record.state == "ended" and not found.holds(),
        "nobody is at it": record.claim is None,
        "decided by Fiona, as far as known": record.decision is not None
        and record.decision.approved
        and record.decision.by in (found.fiona.object_id, None),
        "no violation": record.violations == (),
        "no open intent": {one.state.value for one in activation.intents.values()} == {"closed"},
        "no open run": await found.scene.runs.list_open() == [],
        "no hint left": await found.store.open_hints() == [],
    }
    return [f"{name}: {record}" for name, holds in checks.items() if not holds]


async def _told(found: Locked, _: RequestId | None) -> RequestId:
    return await told(found)


STORY = Story(name="activation", opened=opened, before=nothing, told=_told, wrong=wrong)


@pytest.mark.timeout(1500)
@pytest.mark.parametrize("part", parts(_PARTS, 1, 5, 9))
async def test_killed_at_any_point_it_comes_to_the_same_end(session: Session, tmp_path: Path, part: int) -> None:
    assert await killed(STORY, session, tmp_path, part, _PARTS) == []


@pytest.mark.parametrize("seed", range(6))
async def test_on_a_bad_day_it_comes_to_the_same_end(session: Session, tmp_path: Path, seed: int) -> None:
    async with opened(session, tmp_path, faults=Faults.harsh(seed)) as found:
        assert await wrong(found, await told(found)) == []
