"""Nights of renewal in a scene: time goes by, and what PIM holds is looked at by truth."""

from datetime import UTC, datetime, timedelta

from tests.flows.scene import Scene
from tests.sandbox.graph.models.pim_records import Schedule
from tests.sandbox.personas import Person

EVENING = datetime(2026, 3, 2, 20, 0, 20, tzinfo=UTC)
_SWEPT = timedelta(minutes=4)


async def night_after(scene: Scene, days: int) -> None:
    """Let the night after so many days come and go; nobody is at work before it."""
    clock = scene.world.clock
    then = (clock.now() + timedelta(days=days)).replace(hour=2, minute=35, second=1)
    clock.advance((then - clock.now()).total_seconds())
    await scene.settle()
    clock.advance(_SWEPT.total_seconds())
    await scene.settle()


def held(scene: Scene, person: Person | None = None) -> Schedule | None:
    """What PIM holds for an analyst, by truth."""
    return scene.world.fabrikam.pim.of(scene.account(person or scene.world.people.ana).id)


def end_of(scene: Scene, person: Person | None = None) -> datetime:
    """When it ends."""
    found = held(scene, person)
    assert found is not None
    assert found.end is not None
    return found.end


def midnight(scene: Scene) -> datetime:
    """The start of today."""
    return scene.world.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)


def requests(scene: Scene) -> list[str]:
    """What PIM was asked for, in order."""
    return [one.wanted.action for one in scene.world.fabrikam.pim.requests.values()]


async def told(scene: Scene) -> dict[str, tuple[str, str | None]]:
    """What today's report says of each of the tenant's eligibilities: outcome and why."""
    answer = await scene.call("GET", f"/api/renewals/{midnight(scene):%Y-%m-%d}")
    assert answer.status_code == 200, answer.text
    found = [one for one in answer.json()["tenants"] if one["tenantId"] == scene.target]
    return {one["principalId"]: (one["outcome"], one["why"]) for tenant in found for one in tenant["eligibilities"]}
