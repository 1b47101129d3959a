"""The nightly reconcile: access without a decision, a decision without access, what nobody was there to see."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from shared.azure_permissions import VM_CONTRIBUTOR
from tests.conftest import OpenWorld
from tests.flows.activating import Locked, locked
from tests.flows.crowding import locked_like
from tests.flows.scene import Scene
from tests.sandbox.arm.models.records import Schedule, Window

pytestmark = pytest.mark.sampled(3)

BEFORE = datetime(2026, 3, 2, 4, 8, 0, tzinfo=UTC)


@pytest.fixture
async def found(open_world: OpenWorld) -> AsyncIterator[Locked]:
    """A locked subscription, just before the reconcile."""
    async with Scene(await open_world(start=BEFORE, receiving=True, auto_advance=False)) as scene:
        yield await locked(scene)


def active(found: Locked, *, linked: str | None) -> None:
    """Ben has the role for three hours, and PIM knows of no request."""
    now = found.scene.world.clock.now()
    made = Schedule(
        id=str(uuid4()),
        request_id=None,
        principal_id=found.scene.world.people.ben.object_id,
        role_id=VM_CONTRIBUTOR,
        scope=found.subscription.scope,
        window=Window(start=now, end=now + timedelta(hours=3), kind="AfterDateTime"),
        made_at=None,
        modified_at=now,
    )
    found.subscription.activations.schedules[made.id] = made
    found.subscription.activations._linked[made.id] = linked


async def night(found: Locked) -> None:
    """The reconcile, and the delivery after it."""
    await found.after(timedelta(minutes=3))
    await found.after(timedelta(minutes=3))


async def test_access_that_nobody_decided_is_told(found: Locked) -> None:
    active(found, linked=str(uuid4()))

    await night(found)

    [told] = [one for one in found.scene.world.receiver.taken("webhook") if one["type"] == "activation.violation"]
    assert told["data"]["why"] == "accessWithoutDecision"
    assert told["data"]["principalId"] == found.scene.world.people.ben.object_id


async def test_a_row_that_cannot_be_read_keeps_no_other_subscription_waiting(found: Locked) -> None:
    [other] = await locked_like(found, 1)
    request_id = await other.ask_in_portal()
    await other.decide_in_portal(request_id, other.fiona)
    await found.scene.spoil("Requests", request_id)
    active(found, linked=str(uuid4()))

    await night(found)

    told = [one for one in found.scene.world.receiver.taken("webhook") if one["type"] == "activation.violation"]
    assert [one["data"]["subscriptionId"] for one in told] == [found.id]
    log = found.scene.world.log.read_text()
    assert f"reconcile.postponed subscription_id={other.id}" in log


async def test_an_assignment_by_an_administrator_is_not_its_business(found: Locked) -> None:
    active(found, linked=None)

    await night(found)

    assert "activation.violation" not in found.sent()


async def test_a_request_that_was_asked_for_and_granted_between_two_cycles_is_taken_up(found: Locked) -> None:
    request_id = await found.ask_in_portal()
    await found.decide_in_portal(request_id, found.fiona)

    await found.after()

    shown = await found.shown(request_id)
    assert (shown["state"], shown["decision"]["approved"]) == ("approved", True)


async def test_what_was_granted_while_nobody_was_there_is_taken_up_by_the_night(found: Locked) -> None:
    clock = found.scene.world.clock
    clock.advance(timedelta(hours=22, minutes=30))
    await found.rest()
    request_id = await found.ask_in_portal()
    await found.decide_in_portal(request_id, found.fiona)
    clock.advance(timedelta(hours=1, minutes=33))

    await night(found)

    assert (await found.shown(request_id))["state"] == "approved"


async def test_a_grant_that_somebody_ended_in_the_portal_is_seen_by_the_night(found: Locked) -> None:
    clock = found.scene.world.clock
    clock.advance(timedelta(hours=23))
    request_id = await found.asked()
    await found.decide(request_id)
    await found.after(timedelta(minutes=2))
    for one in found.subscription.activations.schedules.values():
        one.removed_at = clock.now()

    clock.advance(timedelta(minutes=58))
    await night(found)

    assert (await found.shown(request_id))["state"] == "ended"
