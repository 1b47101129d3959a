"""Front, worker and broker apart: the front works with Tenantry Lookup and who is signed in, and the others do the rest."""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from shared.activation.record import RequestId
from shared.permissions import Registration
from shared.roles import Role
from tests.app.approver import Approver
from tests.app.visitor import Visitor
from tests.conftest import OpenWorld
from tests.flows.activating import PLAN, REQUESTS, Locked, locked
from tests.flows.apart import (
    apart,
    asked_as,
    pass_time,
    run_timers,
    until,
    until_held,
    until_request,
    until_tenant,
)
from tests.flows.brokering import PUT, brokered, granted
from tests.flows.financing import Finance
from tests.flows.locking import to_lock
from tests.flows.scene import STANDARD, Scene
from tests.sandbox.arm.models.budgets import Budget
from tests.sandbox.points import then_cut
from tests.sandbox.population import BROKER_CLIENT_ID, REQUEST

pytestmark = pytest.mark.sampled(6)

_FRONT = frozenset({Registration.API, Registration.LOOKUP})
_MINUTE = timedelta(minutes=1)


@pytest.fixture
async def scene(open_world: OpenWorld) -> AsyncIterator[Scene]:
    """Three apps."""
    async with apart(open_world, auto_advance=False) as found:
        yield found


async def requested(found: Locked, **changes: Any) -> RequestId:
    """Emil asks, at the front."""
    answer = await found.ask(**changes)
    assert answer.status_code == 202, answer.text
    return RequestId(answer.json()["id"])


def hold(scene: Scene) -> None:
    """Nobody acted as somebody else, and nothing happened that must not."""
    assert asked_as(scene.world, Role.FRONT) <= _FRONT
    assert asked_as(scene.world, Role.WORKER).isdisjoint({Registration.API, Registration.BROKER})
    assert asked_as(scene.world, Role.BROKER) <= {Registration.LOOKUP, Registration.BROKER}
    assert (scene.world.violations(), scene.world.failures) == ([], [])


async def test_a_tenant_that_is_posted_at_the_front_is_onboarded_by_the_worker(scene: Scene) -> None:
    scene.consented(*STANDARD)

    answer = await scene.post(scene.world.people.ana)

    assert answer.status_code == 202, answer.text
    assert (await scene.record())["state"] == "Onboarding"
    assert asked_as(scene.world, Role.WORKER) == frozenset()
    await until_tenant(scene, "Ready", within=timedelta(hours=2))
    assert asked_as(scene.world, Role.FRONT) == {Registration.LOOKUP}
    assert {Registration.SETUP, Registration.ACCESS, Registration.SOURCE} <= asked_as(scene.world, Role.WORKER)
    hold(scene)


async def test_a_run_that_was_left_is_started_by_the_next_sweep_without_a_grace(scene: Scene) -> None:
    scene.consented(*STANDARD)
    await scene.post(scene.world.people.ana)

    await run_timers(scene.world, "sweep_runs")

    run = await scene.open_run()
    assert run is not None
    assert run.started is not None
    assert "run.started_by_sweeper" in scene.world.log.read_text()


async def test_a_consent_that_comes_back_to_the_front_is_proved_by_the_worker(scene: Scene) -> None:
    await scene.post(scene.world.people.ana)
    await until_tenant(scene, "WaitingForConsent")

    for registration in STANDARD:
        page = await Visitor(scene).consent(registration)
        assert page.status == 200

    await until_tenant(scene, "Ready", within=timedelta(hours=2))
    hold(scene)


async def test_what_an_operator_asks_at_the_front_takes_lookup_alone(scene: Scene) -> None:
    """Every operation that changes something, in turn."""
    scene.consented(*STANDARD)
    people, path = scene.world.people, f"/api/tenants/{scene.target}"
    await scene.post(people.ana)
    await until_tenant(scene, "Ready", within=timedelta(hours=2))

    asked = [
        await scene.call("PUT", f"{path}/analysts?dryRun=true", {"userIds": [people.ben.object_id]}),
        await scene.call("PATCH", path, {"trust": {"mfa": False}}),
        await scene.call("POST", f"{path}/cancel"),
        await scene.call("GET", f"{path}/kit"),
        await scene.call("POST", "/api/renewals?dryRun=true", {}),
        await scene.call("GET", "/api/eligibilities"),
        await scene.call("GET", "/api/outbox"),
        await scene.call("GET", "/api/health", token=None),
    ]
    await until_tenant(scene, "Cancelled", "Ready", within=timedelta(hours=1))
    asked += [await scene.call("POST", f"{path}/retry"), await scene.call("DELETE", f"{path}?dryRun=true")]

    assert [one.status_code for one in asked if one.status_code >= 400 and one.status_code != 409] == []
    assert {one["configured"] for one in asked[6].json()["value"]} == {None}
    assert asked_as(scene.world, Role.FRONT) == {Registration.LOOKUP}


async def test_a_subscription_is_locked_down_by_the_worker_which_keeps_its_budget_for_the_front(scene: Scene) -> None:
    to_be = to_lock(scene, days=100)
    to_be.managed.subscription.set_budget(Budget(name="production", amount=1000, spent=900))

    answer = await to_be.put(budget={"azureName": "production"})

    assert answer.status_code == 202, answer.text

    async def state() -> str:
        return str((await to_be.view())["state"])

    await until(scene, state, "locked")
    asked = {"subscriptionId": to_be.managed.id, "hours": 2, "reason": "A build machine", "plan": PLAN, "dryRun": True}
    shown = await scene.call("POST", REQUESTS, asked, token=scene.world.token(scene.world.people.engineer, REQUEST))
    assert (shown.json()["money"]["budget"]["left"], shown.json()["money"]["budget"]["source"]) == ("100", "azure")
    hold(scene)


async def test_an_engineer_asks_an_approver_decides_and_the_worker_sees_it_through(scene: Scene) -> None:
    found = await locked(scene)

    request_id = await requested(found)
    assert (await found.shown(request_id))["state"] == "pending"
    decided = await found.decide(request_id)

    assert (decided.status_code, decided.json()["request"]["state"]) == (200, "approved"), decided.text
    assert found.holds()
    await pass_time(scene, 2 * _MINUTE)
    assert (await found.record(request_id)).record.in_force
    assert "activation.decided" in found.sent()
    await found.after(timedelta(hours=2))
    await until_request(found, request_id, "ended")
    assert not found.holds()
    assert asked_as(scene.world, Role.FRONT) == _FRONT
    hold(scene)


async def test_a_request_is_taken_back_and_a_role_given_back_by_the_engineers_own_token(scene: Scene) -> None:
    found = await locked(scene)
    token = scene.world.token(found.emil, REQUEST)
    first = await requested(found, key="first")
    taken = await scene.call("POST", f"{REQUESTS}/{first}/cancel", token=token)
    second = await requested(found, key="second")
    await found.decide(second)
    await pass_time(scene, timedelta(minutes=6))
    given = await scene.call("POST", f"{REQUESTS}/{second}/release", token=token)

    assert (taken.status_code, taken.json()["state"]) == (200, "cancelled"), taken.text
    assert given.status_code == 200, given.text
    assert not found.holds()
    await until_request(found, second, "ended")
    hold(scene)


async def test_a_request_of_the_portal_is_approved_at_the_front_s_page(scene: Scene) -> None:
    found = await locked(scene)
    request_id = await found.ask_in_portal()
    await pass_time(scene, 3 * _MINUTE)
    address = f"/api/approvals/{request_id}"

    async with Approver(scene.world, found.fiona) as fiona:
        page = await fiona.submit(await fiona.open(address), address, verdict="approve", reason="CHG1")

    assert "approved" in page.text
    assert found.holds()
    await until_request(found, request_id, "approved")
    hold(scene)


async def test_finance_denies_at_the_front_and_the_worker_cancels(scene: Scene) -> None:
    found = await locked(scene)
    await found.rule(senior_above=Decimal(1))
    request_id = await requested(found)
    await pass_time(scene, 2 * _MINUTE)

    answer = await Finance(found).says(request_id, "deny")

    assert answer.status_code == 202, answer.text
    await until_request(found, request_id, "cancelled")
    assert found.status(request_id) == "Canceled"
    hold(scene)


async def test_a_request_that_was_decided_in_the_portal_is_told_at_the_decision(scene: Scene) -> None:
    found = await locked(scene)
    request_id = await requested(found)
    await found.decide_in_portal(request_id, found.frank)

    second = await found.decide(request_id)

    assert second.status_code == 409
    assert f"approved by {found.frank.object_id}" in second.json()["detail"]
    await until_request(found, request_id, "approved")


async def test_what_persons_approve_the_broker_s_app_grants_and_takes_back(scene: Scene) -> None:
    found = await brokered(scene)
    request_id = await requested(found)

    decided = await found.decide(request_id)

    assert decided.status_code == 200, decided.text
    assert granted(found) == []
    await until_held(found, within=2 * _MINUTE)
    await until_request(found, request_id, "approved")
    await pass_time(scene, timedelta(minutes=6))
    token = scene.world.token(found.emil, REQUEST)
    given = await scene.call("POST", f"{REQUESTS}/{request_id}/release", token=token)
    assert given.status_code == 202, given.text
    await until_held(found, held=False, within=timedelta(minutes=10))
    await until_request(found, request_id, "ended")
    assert asked_as(scene.world, Role.BROKER) == {Registration.LOOKUP, Registration.BROKER}
    assert [one.request.wanted.action for one in granted(found)] == ["AdminAssign", "AdminRemove"]
    hold(scene)


async def test_the_broker_s_app_that_dies_after_its_grant_grants_no_second_time(scene: Scene) -> None:
    found = await brokered(scene)
    request_id = await requested(found)
    scene.world.points.arm("vendor.after", PUT, 0, then_cut(scene.world.broker.kill_and_restart))

    await found.decide(request_id)
    await until_request(found, request_id, "approved")
    await pass_time(scene, timedelta(minutes=20))

    assert [one.request.id for one in granted(found)] == [request_id]
    assert not (await found.record(request_id)).has_open_intents
    assert [one.deed.outcome for one in await found.trail(request_id) if one.deed.act == 49] == ["done"]


async def test_an_approval_that_the_broker_s_app_does_not_carry_out_within_an_hour_fails(scene: Scene) -> None:
    found = await brokered(scene)
    request_id = await requested(found)
    await scene.world.broker.kill()

    await found.decide(request_id)
    await pass_time(scene, 2 * _MINUTE)
    await found.after(timedelta(hours=1))
    await until_request(found, request_id, "failed")

    assert "within an hour" in (await found.shown(request_id))["problem"]
    await scene.world.broker.restart()
    await pass_time(scene, 2 * _MINUTE)
    assert granted(found) == []


async def test_a_broker_that_no_registration_trusts_says_what_it_lacks(scene: Scene) -> None:
    found = await brokered(scene)
    scene.world.clouds.distrust(BROKER_CLIENT_ID)
    request_id = await requested(found)

    await found.decide(request_id)
    await until_request(found, request_id, "failed")

    assert "Tenantry Broker may not do it" in (await found.shown(request_id))["problem"]


async def test_a_wake_is_left_once_and_raised_once(scene: Scene) -> None:
    found = await locked(scene)
    request_id = await requested(found)
    await pass_time(scene, 2 * _MINUTE)
    await scene.call("POST", f"{REQUESTS}/{request_id}/cancel", token=scene.world.token(found.emil, REQUEST))

    rows = [one async for one in scene._state.get_table_client("Wakes").list_entities()]
    await run_timers(scene.world, "sweep_runs")
    left = [one async for one in scene._state.get_table_client("Wakes").list_entities()]

    assert [one["RowKey"] for one in rows] == [f"activation-{request_id}-1"]
    assert left == []
