"""A cancel ends although a write that was under way cannot be read any more, and all the others are told of."""

from dataclasses import fields
from datetime import timedelta
from typing import Never

import pytest

from shared.subjects import IntentState
from tests.conftest import OpenWorld
from tests.flows.scene import Scene
from tests.flows.writes import PROVISION
from tests.sandbox.graph.errors import GraphError
from tests.sandbox.graph.models.directory import User
from tests.sandbox.points import cut

pytestmark = pytest.mark.sampled(1)

_ASSIGN = "POST /v1.0/servicePrincipals/{id}/appRoleAssignedTo"
_TEN_MINUTES = {"TENANTRY_REPLICATION_DEADLINE_MINUTES": "10"}
_A_LITTLE = timedelta(minutes=2)


class _Unreadable(User):
    """An account whose every read fails, and for longer than a caller sits out."""

    def wire(self) -> Never:
        raise GraphError(503, "ServiceUnavailable", "", headers={"Retry-After": "60"})


async def test_a_cancel_ends_at_the_deadline_where_the_application_of_an_open_write_is_gone(
    open_world: OpenWorld,
) -> None:
    """The answer of the assignment was lost, so whether it came to anything could only be read."""
    world = await open_world(settings=_TEN_MINUTES)
    async with Scene(world) as scene:

        async def delete_and_cancel() -> None:
            scene.delete_application()
            await _cancel(scene)
            await cut()

        world.points.arm("vendor.after", _ASSIGN, 0, delete_and_cancel)
        scene.consented()
        began = world.clock.now()
        await scene.post(world.people.ana)

        assert await scene.settle() == "Cancelled"

        assert timedelta(0) < (await scene.tenant()).record.since - began < timedelta(minutes=10) + _A_LITTLE
        assert await scene.open_run() is None
        assert scene.sent().count(_ASSIGN) == 1


async def test_one_account_that_cannot_be_read_keeps_no_other_from_being_told_of(open_world: OpenWorld) -> None:
    world = await open_world(settings=_TEN_MINUTES)
    async with Scene(world) as scene:
        analysts = world.people.ana, world.people.ben, world.people.cleo

        async def hide() -> None:
            scene.hide_accounts(timedelta(minutes=5))

        async def hide_break_the_first_and_cancel() -> None:
            await hide()
            intents = (await scene.tenant()).intents.values()
            _break(scene, next(one.arguments["analyst"] for one in intents if one.kind == "provisioning"))
            await _cancel(scene)

        last = len(analysts) - 1
        for nth in range(last):
            world.points.arm("vendor.after", PROVISION, nth, hide)
        world.points.arm("vendor.after", PROVISION, last, hide_break_the_first_and_cancel)
        scene.consented()
        await scene.post(*analysts)

        assert await scene.settle() == "Cancelled"

        intents = [one for one in (await scene.tenant()).intents.values() if one.kind == "provisioning"]
        assert [one.outcome for one in intents if one.state is IntentState.CLOSED] == ["done", "done"]
        assert [one.state for one in intents].count(IntentState.OPEN) == 1
        told = [one.deed.outcome for one in await scene.entries() if one.deed.object_name.startswith("account of")]
        assert told == ["done", "done"]


async def _cancel(scene: Scene) -> None:
    answer = await scene.call("POST", f"/api/tenants/{scene.target}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (202, "Cancelling")


def _break(scene: Scene, analyst: str) -> None:
    users = scene.world.fabrikam.directory.users
    account = scene.world.fabrikam.directory.counterpart(scene.world.contoso.id, analyst)
    assert account is not None
    users[account.id] = _Unreadable(**{each.name: getattr(account, each.name) for each in fields(User)})
