"""Cancelling in the middle of an activity, and activities that come late: what the tests of both share."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from shared.chain import Entry
from shared.running.acts import ACTS, BEGIN, END
from shared.tenants.record import Tenant
from tests.flows.scene import Scene
from tests.sandbox.points import Hit

ACTIVITIES = (BEGIN.name, *(step.activity.name for act in ACTS for step in act.steps), END.name)

_LATE_SECONDS = 20


def middle(log: list[Hit], activity: str, *kinds: str) -> Hit | None:
    """The first passing of such a kind while the activity's first call ran, in the log of an undisturbed run."""
    inside = False
    for hit in log:
        if hit.kind in ("activity.before", "activity.after") and hit.label == activity:
            if inside:
                return None
            inside = True
        elif inside and hit.kind in kinds and not hit.label.endswith("/validateCredentials"):
            return hit
    return None


class Cancel:
    """The operator's call, made from within a point: it keeps what was answered, and what had been sent by then."""

    def __init__(self, scene: Scene, then: Callable[[], Awaitable[object]] | None = None) -> None:
        self._scene = scene
        self._then = then
        self.answer: httpx.Response | None = None
        self.others: list[int] = []
        self.sent = 0

    async def __call__(self) -> None:
        scene = self._scene
        self.answer = await scene.call("POST", f"/api/tenants/{scene.target}/cancel")
        # While it winds up nobody gets a next run.
        for answer in (
            await scene.call("POST", f"/api/tenants/{scene.target}/retry"),
            await scene.post(scene.world.people.ana),
        ):
            self.others.append(answer.status_code)
        self.sent = len(scene.sent())
        if self._then is not None:
            await self._then()


async def kept(scene: Scene) -> tuple[Tenant, list[Entry], list[str], Any]:
    """Everything that an activity could change: the tenant with its ETag, the audit trail, what Graph was sent, the run."""
    return await scene.tenant(), await scene.entries(), list(scene.sent()), await scene.open_run()


async def come_late(scene: Scene, activity: str, go: asyncio.Event) -> None:
    """Let the activity that was kept aside run now, to its end."""
    world = scene.world
    came = asyncio.Event()
    before = world.points.passed("activity.after", activity)

    async def note() -> None:
        came.set()

    world.points.arm("activity.after", activity, before, note)
    go.set()
    async with asyncio.timeout(_LATE_SECONDS):
        await came.wait()
