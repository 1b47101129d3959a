"""The log's events: alerts and queries go by their names, so each is a line of its own, once, with the tenant's id."""

import re

from shared.permissions import Registration
from tests.flows.scene import Scene
from tests.flows.writes import START
from tests.sandbox.points import then_cut
from tests.sandbox.population import CLIENT_IDS

_LINE = re.compile(r"^\S+ \S+ (?P<level>[A-Z]+) (?P<logger>shared\.\S+) (?P<event>[a-z_.]+)(?P<fields>( \w+=.*)?)$")


async def test_a_tenant_that_is_ready_is_an_event(scene: Scene) -> None:
    await scene.onboarded()

    assert _events(scene, "tenant.ready") == [("INFO", f"tenant_id={scene.target} run=1")]
    assert _events(scene, "tenant.access_lost") == []


async def test_access_that_is_lost_is_an_event(scene: Scene) -> None:
    world = scene.world

    async def withdraw() -> None:
        world.clouds.revoke(CLIENT_IDS[Registration.ACCESS], scene.target)
        await world.host.kill_and_restart()

    world.points.arm("vendor.before", START, 0, then_cut(withdraw))
    scene.consented()
    await scene.post(world.people.ana)
    assert await scene.settle() == "WaitingForConsent"

    [(level, told)] = _events(scene, "tenant.access_lost")
    assert level == "WARNING"
    assert told == f"tenant_id={scene.target} registration={Registration.ACCESS.value}"
    assert _events(scene, "tenant.ready") == []

    scene.consented()
    assert await scene.retry() == "Ready"
    assert len(_events(scene, "tenant.ready")) == len(_events(scene, "tenant.access_lost")) == 1


def _events(scene: Scene, name: str) -> list[tuple[str, str]]:
    """Level and fields of every line of the log that is this event; all that name it must be such lines."""
    lines = [line for line in scene.world.log.read_text().splitlines() if name in line]
    found = [_LINE.match(line) for line in lines]
    assert all(match is not None and match["event"] == name for match in found), lines
    return [(match["level"], match["fields"].strip()) for match in found if match is not None]
