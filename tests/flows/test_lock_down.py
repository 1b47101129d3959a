"""Locking a role down: the policy is patched where it differs, who is declared is made eligible, and the record tells it."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.conftest import OpenWorld
from tests.flows.locking import to_lock
from tests.flows.renewing import EVENING
from tests.flows.scene import Scene
from tests.sandbox.arm.models.policy import END_USER_ASSIGNMENT, MFA, TICKET

pytestmark = pytest.mark.sampled(6)


@pytest.fixture
async def scene(open_world: OpenWorld) -> AsyncIterator[Scene]:
    """A world where it is evening."""
    async with Scene(await open_world(start=EVENING)) as opened:
        yield opened


async def test_a_role_is_locked_down_and_who_is_declared_is_eligible(scene: Scene) -> None:
    found, began = to_lock(scene), scene.world.clock.now()
    people = scene.world.people

    first = await found.put()

    assert (first.status_code, first.json()["lockDown"]["state"]) == (202, "locking")
    assert first.headers["Location"].endswith(found.managed.path)
    await scene.settle()
    seen = await found.view()
    assert (seen["state"], seen["problems"]) == ("locked", [])
    assert found.approvers() == [found.finance.id, people.ivan.object_id]
    assert set(found.policy.demanded(END_USER_ASSIGNMENT)) == {MFA, TICKET, "Justification"}
    held = found.managed.held()
    assert held is not None
    assert held.end is not None
    assert abs(held.end - began - timedelta(days=180)) < timedelta(minutes=5)
    [role] = seen["inForce"]
    assert (role["approval"], role["mfa"], role["ticket"], role["differences"]) == (True, True, True, [])
    assert role["longestActivation"] == "PT8H"
    assert {one["principalId"] for one in seen["approvers"]} == {
        one.object_id for one in (people.fiona, people.cleo, people.ivan)
    }
    assert {one["reach"] for one in seen["approvers"]} == {"ok"}
    deeds = [(one.deed.act, one.deed.outcome) for one in await found.managed.entries()]
    assert deeds == [(34, "done"), (35, "done"), (36, "done")]
    kept = await found.managed.kept()
    assert {one.state.value for one in kept.intents.values()} == {"closed"}
    assert kept.record.renewing is None
    assert await scene.runs.list_open() == []
