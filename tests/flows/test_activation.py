"""An engineer asks for a locked role, an approver decides by their own token, and the grant ends by itself."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.conftest import OpenWorld
from tests.flows.activating import Locked, locked
from tests.flows.scene import Scene


@pytest.fixture
async def found(open_world: OpenWorld) -> AsyncIterator[Locked]:
    """A locked subscription."""
    async with Scene(await open_world(receiving=True, auto_advance=False)) as scene:
        yield await locked(scene)


async def test_a_request_with_a_plan_is_approved_and_ends_by_itself(found: Locked) -> None:
    answer = await found.ask()

    assert answer.status_code == 202, answer.text
    request_id = answer.json()["id"]
    assert found.status(request_id) == "PendingApproval"
    await found.rest()
    shown = await found.shown(request_id)
    assert (shown["state"], shown["requester"]) == ("pending", found.emil.object_id)

    decided = await found.decide(request_id)
    assert decided.status_code == 200, decided.text
    assert found.holds()
    await found.rest()
    shown = await found.shown(request_id)
    assert (shown["state"], shown["decision"]["by"]) == ("approved", found.fiona.object_id)
    await found.after(timedelta(hours=2, minutes=4))
    assert not found.holds()
    await found.after()
    assert (await found.shown(request_id))["state"] == "ended"


async def test_a_request_in_the_portal_is_found_by_the_watcher(found: Locked) -> None:
    request_id = await found.ask_in_portal()

    await found.after()
    shown = await found.shown(request_id)
    assert (shown["state"], shown["money"]["estimate"]) == ("pending", None)
    await found.decide_in_portal(request_id, found.frank, "Deny")
    await found.after()
    shown = await found.shown(request_id)
    assert (shown["state"], shown["decision"]["by"]) == ("denied", None)
