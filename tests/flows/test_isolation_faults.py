"""Front, worker and broker apart, and one of them dies, is late, or meets another at the same row."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from shared import api
from shared.activation.record import RUN_KIND, RequestId
from shared.activation.submitting import request_id_of, ticket_of
from shared.callers import Caller
from shared.identifiers import ObjectId
from shared.open_intents import UNSEEN
from shared.permissions import Registration
from shared.roles import Role
from shared.running.acts import ORCHESTRATORS
from shared.subscriptions.lockdown import Budget, LockDown
from shared.subscriptions.record import Change, Subscription
from tests.conftest import OpenWorld
from tests.flows.activating import REQUESTS, Locked, locked
from tests.flows.apart import apart, asked_as, pass_time, until_request, until_tenant
from tests.flows.brokering import PUT, brokered, granted
from tests.flows.financing import Finance
from tests.flows.scene import STANDARD, Scene
from tests.flows.test_isolation import requested
from tests.sandbox.arm.models.budgets import Budget as AzureBudget
from tests.sandbox.arm.routes import activation_requests
from tests.sandbox.points import cut, then_cut
from tests.sandbox.population import APPROVE, REQUEST

pytestmark = pytest.mark.sampled(3)

_AT = "/subscriptions/{id}/providers/Microsoft.Authorization/roleAssignmentScheduleRequests/{id}"
_ASK, _CANCEL = f"PUT {_AT}", f"POST {_AT}/cancel"
_MINUTE = timedelta(minutes=1)


@pytest.fixture
async def scene(open_world: OpenWorld) -> AsyncIterator[Scene]:
    """Three apps."""
    async with apart(open_world, auto_advance=False) as found:
        yield found


async def acts(found: Locked, request_id: RequestId, number: int) -> list[str]:
    """What the audit says of an act."""
    return [one.deed.outcome for one in await found.trail(request_id) if one.deed.act == number]


def lock_down_of(found: Subscription) -> LockDown:
    """How it is locked down."""
    assert found.record.lock_down is not None
    return found.record.lock_down


async def cancels(found: Locked, request_id: RequestId) -> httpx.Response:
    """Emil takes it back."""
    token = found.scene.world.token(found.emil, REQUEST)
    return await found.scene.call("POST", f"{REQUESTS}/{request_id}/cancel", token=token)


@pytest.mark.parametrize("over", [False, True], ids=["while it is sent", "once it is audited"])
async def test_the_worker_fails_nothing_that_the_broker_grants_at_that_moment(scene: Scene, *, over: bool) -> None:
    """The account is disabled after the broker has looked, and before the worker does."""
    found = await brokered(scene)
    request_id = await requested(found)
    world, points = scene.world, scene.world.points
    await pass_time(scene, 2 * _MINUTE)
    await found.decide(request_id)
    claims, fails, sent, let = asyncio.Event(), asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def broker_claims() -> None:
        claims.set()
        await let.wait()

    async def worker_fails() -> None:
        fails.set()
        await sent.wait()
        if over:
            await broker_is_over()
            await world.broker.kill()  # or its next look claims the request again

    async def broker_is_over() -> None:
        for _ in range(600):
            row = await found.record(request_id)
            if not row.has_open_intents and row.record.claim is None:
                return
            await asyncio.sleep(0.05)
        raise TimeoutError("the broker does not come to an end")

    async def broker_sent() -> None:
        sent.set()

    before = scene.world.points.passed("store.before", "PUT Requests")
    points.arm("store.before", "PUT Requests", before, broker_claims)
    points.arm("store.before", "PUT Requests", before + 1, worker_fails)
    points.arm("vendor.after", PUT, scene.world.points.passed("vendor.after", PUT), broker_sent)
    world.clock.advance(20)
    async with asyncio.timeout(60):
        await claims.wait()
        world.contoso.directory.users[found.emil.object_id].account_enabled = False
        # The worker's look comes in seconds, by the clock; its outcome is a write that is held.
        world.clock.advance(20)
        await fails.wait()
        let.set()
        await sent.wait()
    await world.host.idle(60)
    await pass_time(scene, timedelta(minutes=20))

    record = (await found.record(request_id)).record
    assert (record.state.value, found.holds()) == ("approved", True)
    assert await acts(found, request_id, 49) == ["done"]


@pytest.mark.parametrize("restarts", [True, False], ids=["and comes back", "and stays down"])
async def test_a_grant_whose_broker_died_after_it_is_audited(scene: Scene, *, restarts: bool) -> None:
    found = await brokered(scene)
    request_id = await requested(found)
    world = scene.world
    dies = world.broker.kill_and_restart if restarts else world.broker.kill
    world.points.arm("vendor.after", PUT, 0, then_cut(dies))

    await found.decide(request_id)
    await until_request(found, request_id, "approved")
    assert found.holds()
    await found.after(timedelta(hours=2))
    await until_request(found, request_id, "ended")

    assert await acts(found, request_id, 49) == ["done"]
    assert not (await found.record(request_id)).has_open_intents
    assert len(granted(found)) == 1


async def test_a_take_back_whose_broker_died_after_it_is_audited(scene: Scene) -> None:
    found = await brokered(scene)
    request_id = await requested(found)
    await found.decide(request_id)
    await until_request(found, request_id, "approved")
    await pass_time(scene, timedelta(minutes=6))
    scene.world.points.arm("vendor.after", PUT, 1, then_cut(scene.world.broker.kill))

    await scene.call("POST", f"{REQUESTS}/{request_id}/release", token=scene.world.token(found.emil, REQUEST))
    await until_request(found, request_id, "ended")
    await pass_time(scene, timedelta(minutes=20))

    assert await acts(found, request_id, 50) == ["done"]
    assert not (await found.record(request_id)).has_open_intents


async def test_a_take_back_that_was_never_sent_is_sent_by_the_next_one(scene: Scene) -> None:
    """The broker died before it could; what may have been sent is waited for, and no longer."""
    found = await brokered(scene)
    request_id = await requested(found)
    await found.decide(request_id)
    await until_request(found, request_id, "approved")
    await pass_time(scene, timedelta(minutes=6))
    scene.world.points.arm("vendor.before", PUT, 1, then_cut(scene.world.broker.kill_and_restart))

    await scene.call("POST", f"{REQUESTS}/{request_id}/release", token=scene.world.token(found.emil, REQUEST))
    await pass_time(scene, timedelta(minutes=20))

    assert not found.holds()
    assert await acts(found, request_id, 50) == [UNSEEN, "done"]


async def test_a_grant_that_never_came_through_leaves_no_open_intent(scene: Scene) -> None:
    found = await brokered(scene)
    request_id = await requested(found)
    scene.world.points.arm("vendor.before", PUT, 0, then_cut(scene.world.broker.kill))

    await found.decide(request_id)
    await pass_time(scene, 2 * _MINUTE)
    await found.after(timedelta(hours=1))
    await until_request(found, request_id, "failed")
    await pass_time(scene, timedelta(minutes=20))

    assert granted(found) == []
    assert not (await found.record(request_id)).has_open_intents


@pytest.mark.parametrize("late", [False, True], ids=["in time", "late"])
async def test_a_request_whose_answer_was_lost_is_not_refused_for_its_own_name(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, *, late: bool
) -> None:
    """PIM knows its name at once, and may list it some time later."""
    found = await locked(scene)
    activations = found.subscription.activations
    if late:
        monkeypatch.setattr(activations, "listed", list)
    scene.world.points.arm("vendor.after", _ASK, 0, then_cut(scene.world.host.kill_and_restart))
    with pytest.raises(httpx.TransportError):
        await found.ask(key="mine")

    again = await found.ask(key="mine")

    monkeypatch.undo()
    assert again.status_code == 202, again.text
    await until_request(found, again.json()["id"], "pending")
    assert len(activations.requests) == 1


async def test_a_name_that_somebody_else_made_at_pim_is_no_request_of_ours(scene: Scene) -> None:
    """Whoever knows what an engineer's request will be called asks for another one under that name."""
    found = await locked(scene)
    ben = scene.world.people.ben
    found.group.members.append(ben.object_id)
    emil = Caller(object_id=ObjectId(found.emil.object_id), roles=frozenset(), person=True, guest=False)
    name = request_id_of(ticket_of(emil, "mine"))
    await found.ask_in_portal(as_id=name, by=ben)

    answer = await found.ask(key="mine")
    await pass_time(scene, 3 * _MINUTE)
    await found.after(timedelta(minutes=15))
    await until_request(found, name, "failed")
    await pass_time(scene, 3 * _MINUTE)

    assert answer.status_code in (202, 409)
    assert (await found.record(name)).record.asked.principal_id == found.emil.object_id
    assert "activation.name_taken" in scene.world.log.read_text()


async def test_a_cancel_is_sent_also_where_the_engineer_s_list_is_late(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await locked(scene)
    request_id = await requested(found)
    monkeypatch.setattr(found.subscription.activations, "listed", list)

    taken = await cancels(found, request_id)

    monkeypatch.undo()
    assert (taken.status_code, taken.json()["state"]) == (202, "pending"), taken.text
    # What a list does not show yet is not unknown to PIM: approvers are told nothing else.
    assert (await found.record(request_id)).record.asked.status == "PendingApproval"
    assert found.status(request_id) == "Canceled"
    await until_request(found, request_id, "cancelled")
    assert await acts(found, request_id, 42) == ["done"]


async def test_a_cancel_whose_process_died_is_audited(scene: Scene) -> None:
    found = await locked(scene)
    request_id = await requested(found)
    await pass_time(scene, 2 * _MINUTE)
    scene.world.points.arm("vendor.after", _CANCEL, 0, then_cut(scene.world.host.kill_and_restart))
    with pytest.raises(httpx.TransportError):
        await cancels(found, request_id)

    await until_request(found, request_id, "cancelled", within=timedelta(minutes=30))
    await pass_time(scene, timedelta(minutes=10))

    assert await acts(found, request_id, 42) == ["done"]
    assert not (await found.record(request_id)).has_open_intents


async def test_a_role_that_was_given_back_by_a_process_that_died_is_seen_within_minutes(scene: Scene) -> None:
    found = await locked(scene)
    request_id = await requested(found)
    await found.decide(request_id)
    await pass_time(scene, timedelta(minutes=7))
    asked = scene.world.points.passed("vendor.after", _ASK)
    scene.world.points.arm("vendor.after", _ASK, asked, then_cut(scene.world.host.kill_and_restart))
    with pytest.raises(httpx.TransportError):
        await scene.call("POST", f"{REQUESTS}/{request_id}/release", token=scene.world.token(found.emil, REQUEST))
    assert not found.holds()

    await until_request(found, request_id, "ended", within=timedelta(minutes=45))
    await pass_time(scene, timedelta(minutes=10))

    assert await acts(found, request_id, 43) == ["done"]
    assert not (await found.record(request_id)).has_open_intents


async def test_a_decision_is_told_although_its_wake_could_not_be_left(scene: Scene) -> None:
    found = await locked(scene)
    request_id = await requested(found)
    await pass_time(scene, 2 * _MINUTE)
    before = scene.world.points.passed("store.before", "PUT Wakes")
    for nth in range(12):  # a connection that breaks is tried twice in a try
        scene.world.points.arm("store.before", "PUT Wakes", before + nth, cut)

    deciding = asyncio.create_task(found.decide(request_id))
    async with asyncio.timeout(60):
        while not deciding.done():
            await asyncio.wait([deciding], timeout=0.2)
            scene.world.clock.advance(1)

    assert deciding.result().status_code == 200, deciding.result().text
    assert found.holds()
    assert "orchestration.not_woken" in scene.world.log.read_text()


async def test_one_item_that_cannot_be_read_hides_none_of_the_others(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the engineer's own list: another request there has something that we do not know."""
    found = await locked(scene)
    other = await found.ask_in_portal("other")
    found.subscription.activations.cancel(other)
    usual = activation_requests._wire

    def odd(call: Any, activation: Any) -> Any:
        wire: Any = usual(call, activation)
        return (
            {**wire, "properties": {**wire["properties"], "createdOn": None}}
            if activation.request.id == other
            else wire
        )

    monkeypatch.setattr(activation_requests, "_wire", odd)

    answer = await found.ask(key="mine")

    assert answer.status_code == 202, answer.text
    assert "activation.unreadable" in scene.world.log.read_text()


async def test_a_budget_that_no_worker_has_read_for_more_than_a_day_counts_for_nothing(scene: Scene) -> None:
    found = await locked(scene)
    found.subscription.set_budget(AzureBudget(name="production", amount=1000, spent=900))

    def declare(one: Subscription) -> Change:
        lock_down = replace(lock_down_of(one), budget=Budget(azure_name="production"))
        return Change(record=replace(one.record, lock_down=lock_down))

    await scene.subscriptions.update(found.id, declare)
    await scene.world.worker.run_timer("read_budgets")
    fresh = (await found.ask(dryRun=True)).json()["money"]["budget"]
    await scene.world.worker.kill()
    await found.after(timedelta(hours=25))
    old = (await found.ask(dryRun=True)).json()["money"]["budget"]

    assert (fresh["left"], old["left"]) == ("100", None)
    assert "too long ago to count" in old["notes"][0]


async def test_what_the_engineer_took_back_in_the_portal_is_decided_by_nobody(scene: Scene) -> None:
    found = await locked(scene)
    request_id = await requested(found)
    found.subscription.activations.cancel(request_id)

    answer = await found.decide(request_id)

    assert answer.status_code == 409
    assert "asks nobody" in answer.json()["detail"]
    await until_request(found, request_id, "cancelled")


async def test_a_decision_in_the_portal_that_a_rule_forbids_is_told_to_who_comes_second(scene: Scene) -> None:
    """Whose approval it was is known to an approver alone, and at once."""
    found = await locked(scene)
    await found.rule(senior_above=Decimal(1))
    request_id = await requested(found)
    await found.decide_in_portal(request_id, found.frank)

    second = await found.decide(request_id, found.ivan)

    assert second.status_code == 409
    assert "seniorOnly" in [one.code for one in (await found.record(request_id)).record.violations]


async def test_the_broker_s_app_asks_nothing_of_a_request_that_pim_decides(scene: Scene) -> None:
    found = await locked(scene)
    request_id = await requested(found)
    scene.world.points.arm("vendor.after", _CANCEL, 0, then_cut(scene.world.host.kill))
    with pytest.raises(httpx.TransportError):
        await cancels(found, request_id)
    await scene.world.worker.kill()

    await pass_time(scene, timedelta(minutes=10))

    assert (await found.record(request_id)).has_open_intents
    assert asked_as(scene.world, Role.BROKER) == frozenset()


async def test_a_verdict_after_a_decision_in_the_portal_counts_for_nothing(scene: Scene) -> None:
    """The front cannot look whether it was decided there a moment ago."""
    found = await locked(scene)
    await found.rule(senior_above=Decimal(1))
    request_id = await requested(found)
    await pass_time(scene, 2 * _MINUTE)
    await found.decide_in_portal(request_id, found.ivan)
    scene.world.clock.advance(5)

    answer = await Finance(found).says(request_id, "approve")
    await until_request(found, request_id, "approved")
    await pass_time(scene, _MINUTE)

    assert answer.status_code == 202
    assert "financeDemanded" in [one.code for one in (await found.record(request_id)).record.violations]


async def test_an_orchestration_without_its_run_row_ends_at_once(scene: Scene) -> None:
    """Whoever has the system key of Durable may start one."""
    found = await locked(scene)
    request_id = await requested(found)
    worker, strange = scene.world.worker, {"subject": request_id, "number": 99, "nonce": "mine"}
    await worker.start_orchestration(ORCHESTRATORS[RUN_KIND], strange, "strange")

    await pass_time(scene, _MINUTE)

    ended = worker.orchestration("strange")
    assert ended is not None
    assert ended.status == "Completed"


async def test_three_sweeps_at_once_start_one_run(scene: Scene) -> None:
    scene.consented(*STANDARD)
    await scene.post(scene.world.people.ana)
    worker = scene.world.worker

    await asyncio.gather(*(worker.run_timer("sweep_runs") for _ in range(3)))
    await until_tenant(scene, "Ready", within=timedelta(hours=2))

    assert len([one for one in worker.orchestrations() if one.id.startswith("onboarding-")]) == 1
    assert (scene.world.violations(), scene.world.failures) == ([], [])


async def test_no_operation_of_the_front_asks_to_be_another(scene: Scene) -> None:
    """Every one of them, by everybody, with bodies of every kind."""
    found = await locked(scene)
    scene.consented(*STANDARD)
    await scene.post(scene.world.people.ana)
    await until_tenant(scene, "Ready", within=timedelta(hours=2))
    request_id = await requested(found)
    await pass_time(scene, 2 * _MINUTE)
    world, ana = scene.world, scene.world.people.ana.object_id
    everybody = [world.operator_token(), world.token(found.emil, REQUEST), world.token(found.fiona, APPROVE), None]
    ids = {"tenantId": scene.target, "subscriptionId": found.id, "id": request_id, "analyst": ana}
    bodies: list[Any] = [None, {}, {"analysts": {"userIds": [ana]}}, {"reason": "because", "decision": "deny"}]
    failed = []
    for operation in sorted(api.OPERATIONS, key=lambda one: one.method != "GET"):
        path = f"/api/{operation.path}".format_map({**ids, "date": "2026-03-02", "state": "x"})
        for token in everybody:
            for body in bodies if operation.method != "GET" else bodies[:1]:
                answer = await scene.call(operation.method, path, body, token=token)
                failed += [f"{operation.name} {answer.status_code}"] if answer.status_code >= 500 else []
        assert asked_as(world, Role.FRONT) <= {Registration.API, Registration.LOOKUP}, operation.name
    assert failed == []
