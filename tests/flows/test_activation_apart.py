"""What is easily taken for something else: a lost answer for a refusal, an old grant for a new one, a late word for a new."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from msgspec.structs import replace

from shared.activation.record import RequestId, State
from shared.azure_permissions import VM_CONTRIBUTOR
from shared.identifiers import ObjectId
from shared.subscriptions.lockdown import Budget
from shared.subscriptions.record import Change
from shared.subscriptions.record import Subscription as Kept
from tests.conftest import OpenWorld
from tests.flows.activating import PLAN, REQUESTS, Locked, locked
from tests.flows.financing import SETTINGS, Finance
from tests.flows.scene import Scene
from tests.flows.test_activation_decisions import PATCH, decisions
from tests.sandbox.arm.models.budgets import Budget as AzureBudget
from tests.sandbox.arm.routes import activation_requests
from tests.sandbox.faults import Faults
from tests.sandbox.points import cut
from tests.sandbox.population import REQUEST

pytestmark = pytest.mark.sampled(4)

BUDGET = "GET /subscriptions/{id}/providers/Microsoft.Consumption/budgets/{id}"

PUT = "PUT /subscriptions/{id}/providers/Microsoft.Authorization/roleAssignmentScheduleRequests/{id}"
APPROVAL = "GET /providers/Microsoft.Authorization/roleAssignmentApprovals/{id}"
CANNOT_CANCEL = ("arm-applications-cannot-cancel",)


@pytest.fixture
async def found(open_world: OpenWorld) -> AsyncIterator[Locked]:
    """A locked subscription, with finance's webhook."""
    async with Scene(await open_world(receiving=True, auto_advance=False, settings=SETTINGS)) as scene:
        yield await locked(scene)


async def codes(found: Locked, request_id: RequestId) -> list[str]:
    """The violations on a request."""
    return [one["code"] for one in (await found.shown(request_id))["violations"]]


async def add_plan(found: Locked, request_id: RequestId, plan: dict[str, Any]) -> int:
    """POST .../plan, as Emil."""
    token = found.scene.world.token(found.emil, REQUEST)
    answer = await found.scene.call("POST", f"{REQUESTS}/{request_id}/plan", {"plan": plan}, token=token)
    return answer.status_code


async def test_a_submit_whose_answer_is_lost_is_no_refusal(found: Locked) -> None:
    found.scene.world.points.arm("vendor.after", PUT, 0, cut)

    answer = await found.ask(key="k")
    await found.rest()

    assert answer.status_code == 202, answer.text
    assert (await found.shown(answer.json()["id"]))["state"] == "pending"


async def test_what_we_took_for_over_and_pim_shows_waiting_is_open_again(found: Locked) -> None:
    request_id = await found.asked()
    await found.store.change(request_id, lambda one: replace(one, state=State.FAILED))

    await found.after()

    assert (await found.record(request_id)).record.state is State.PENDING


async def test_another_body_under_a_known_idempotency_key_is_refused(found: Locked) -> None:
    first = await found.ask(key="k")

    other = await found.ask(key="k", hours=8)

    assert (first.status_code, other.status_code, other.json()["title"]) == (202, 409, "Another request")


async def test_what_finance_denied_is_not_approved_by_us_even_where_it_cannot_be_cancelled(
    open_world: OpenWorld,
) -> None:
    async with Scene(await open_world(flipped=CANNOT_CANCEL, auto_advance=False, settings=SETTINGS)) as scene:
        finance = Finance(await locked(scene))
        found, request_id = finance.found, await finance.found.asked()
        await finance.says(request_id, "deny")
        await found.rest()

        answer = await found.decide(request_id, found.ivan)

        assert (answer.status_code, "denied" in answer.json()["detail"], found.holds()) == (409, True, False)


async def test_a_verdict_on_what_was_decided_in_the_portal_is_refused_and_hides_no_violation(found: Locked) -> None:
    finance = Finance(found)
    await found.rule(senior_above=Decimal(1))
    request_id = await found.asked()
    await found.decide_in_portal(request_id, found.ivan)

    deny = await finance.says(request_id, "deny")
    approve = await finance.says(request_id, "approve", message_id="msg_2")
    await found.rest()

    assert (deny.status_code, approve.status_code) == (409, 409)
    assert await codes(found, request_id) == ["financeDemanded"]


async def test_a_verdict_while_somebody_decides_is_to_be_sent_again(found: Locked) -> None:
    finance, request_id, said = Finance(found), await found.asked(), []

    async def deny() -> None:
        said.append(await finance.says(request_id, "deny"))

    found.scene.world.points.arm("vendor.before", PATCH, 0, deny)
    answer = await found.decide(request_id, found.ivan)

    assert (answer.status_code, said[0].status_code, said[0].json()["title"]) == (200, 409, "Being decided")
    assert await codes(found, request_id) == []


async def test_a_late_repeat_of_an_older_word_does_not_undo_a_newer_one(open_world: OpenWorld) -> None:
    async with Scene(await open_world(flipped=CANNOT_CANCEL, auto_advance=False, settings=SETTINGS)) as scene:
        finance = Finance(await locked(scene))
        request_id = await finance.found.asked()
        older = json.loads(finance.body(request_id, "approve"))
        newer = json.dumps(
            {**json.loads(finance.body(request_id, "deny")), "timestamp": "2026-03-02T09:05:00Z"}
        ).encode()
        body = json.dumps(older).encode()

        await finance.send(newer, "msg_2", finance.signed(newer, "msg_2"))
        answer = await finance.send(body, "msg_1", finance.signed(body, "msg_1"))

        assert (answer.status_code, answer.json()["title"]) == (409, "Older")


async def test_who_agreed_to_no_price_has_not_agreed_to_a_plan_that_came_later(found: Locked) -> None:
    await found.rule(senior_above=Decimal(1))
    finance, request_id = Finance(found), await found.ask_in_portal()
    await found.after()
    await finance.says(request_id)
    big = {"region": "westeurope", "days": 10, "vms": [{"size": "Standard_D4s_v5", "count": 40}]}

    assert await add_plan(found, request_id, big) == 200
    early = await found.decide(request_id, found.ivan)
    await finance.says(request_id, message_id="msg_2", reason="seen")
    later = await found.decide(request_id, found.ivan)

    assert (early.status_code, later.status_code) == (409, 200)


async def test_a_decision_on_a_price_that_has_changed_since_is_held_back(found: Locked) -> None:
    request_id = await found.ask_in_portal()
    await found.after()
    shown = (await found.shown(request_id))["money"]["pricedAt"]
    await found.after(timedelta(minutes=1))
    assert await add_plan(found, request_id, PLAN) == 200
    token = found.scene.world.token(found.fiona, "Access.Approve")
    body = {"decision": "approve", "reason": "ok", "pricedAt": shown}

    answer = await found.scene.call("POST", f"{REQUESTS}/{request_id}/decision", body, token=token)

    assert (answer.status_code, "price has changed" in answer.json()["detail"]) == (409, True)


async def test_no_plan_is_added_while_somebody_decides(found: Locked) -> None:
    request_id, told = await found.ask_in_portal(), []
    await found.after()

    async def add() -> None:
        told.append(await add_plan(found, request_id, PLAN))

    found.scene.world.points.arm("vendor.before", PATCH, 0, add)
    answer = await found.decide(request_id)

    assert (answer.status_code, told) == (200, [409])


async def test_a_budget_that_could_not_be_read_at_first_still_counts_later(found: Locked) -> None:
    def by_name(one: Kept) -> Change:
        assert one.record.lock_down is not None
        return Change(
            record=replace(one.record, lock_down=replace(one.record.lock_down, budget=Budget(azure_name="m")))
        )

    await found.scene.subscriptions.update(found.id, by_name)
    found.subscription.budgets["m"] = AzureBudget(name="m", amount=10.0)
    points = found.scene.world.points
    for nth in range(12):
        points.arm("vendor-read.before", BUDGET, nth, cut)

    answer = await found.ask()
    points._armed.clear()
    await found.after(timedelta(minutes=16))

    assert answer.status_code == 202, answer.text
    assert found.status(answer.json()["id"]) == "Canceled"


async def test_a_grant_is_told_from_the_next_one_of_the_same_person(found: Locked) -> None:
    first = await found.asked()
    await found.decide(first)
    await found.after(timedelta(minutes=10))
    body = {
        "principalId": found.emil.object_id,
        "roleDefinitionId": f"{found._pim}/roleDefinitions/{VM_CONTRIBUTOR}",
        "requestType": "SelfDeactivate",
        "justification": "done",
    }
    given_back = await found.at_azure(found.emil, "PUT", f"{found._requests}/{uuid4()}", {"properties": body})
    assert given_back.status_code == 201, given_back.text
    second = await found.asked(hours=8)
    await found.decide(second)
    await found.after()
    await found.after(timedelta(hours=2))

    assert (await found.record(first)).record.state is State.ENDED
    record = (await found.record(second)).record
    assert (record.state, record.in_force, found.holds()) == (State.APPROVED, True, True)
    assert record.end is not None
    assert record.end - record.since > timedelta(hours=7)


async def test_a_start_that_lies_ahead_is_waited_for(found: Locked) -> None:
    start = found.scene.world.clock.now() + timedelta(hours=5)
    window = {
        "startDateTime": f"{start:%Y-%m-%dT%H:%M:%SZ}",
        "expiration": {"type": "AfterDuration", "duration": "PT4H"},
    }
    request_id = await found.ask_in_portal(scheduleInfo=window)
    await found.after()
    await found.decide(request_id)
    for _ in range(8):
        await found.after(timedelta(minutes=10))

    assert await codes(found, request_id) == []
    await found.after(timedelta(hours=4))
    shown = await found.shown(request_id)
    assert (shown["state"], found.holds()) == ("approved", True)


async def test_an_end_that_somebody_put_off_is_a_violation(found: Locked) -> None:
    request_id = await found.asked()
    await found.decide(request_id)
    for one in found.subscription.activations.schedules.values():
        one.window = replace_end(one.window, None)

    await found.after(timedelta(minutes=1))

    assert await codes(found, request_id) == ["extended"]


def replace_end(window: Any, end: Any) -> Any:
    """A window with another end."""
    return type(window)(start=window.start, end=end, kind="NoExpiration", duration=None)


async def test_what_was_approved_and_over_while_the_app_was_down_is_no_violation(found: Locked) -> None:
    request_id, host = await found.asked(), found.scene.world.host
    await host.kill()
    await found.decide_in_portal(request_id, found.ivan)
    found.scene.world.clock.advance(timedelta(hours=4))
    await host.restart()
    for _ in range(6):
        await found.after(timedelta(minutes=10))

    assert (await found.shown(request_id))["state"] == "ended"
    assert await codes(found, request_id) == []


async def test_who_is_faster_in_the_portal_by_a_moment_is_told_and_not_called_an_outage(found: Locked) -> None:
    request_id = await found.asked()

    async def deny() -> None:
        await found.decide_in_portal(request_id, found.frank, "Deny")

    found.scene.world.points.arm("vendor.before", PATCH, 0, deny)
    answer = await found.decide(request_id, found.ivan)

    assert (answer.status_code, "denied" in answer.json()["detail"]) == (409, True)


async def test_ones_own_opposite_word_in_the_portal_is_no_success(found: Locked) -> None:
    request_id = await found.asked()

    async def deny() -> None:
        await found.decide_in_portal(request_id, found.fiona, "Deny")

    found.scene.world.points.arm("vendor-read.before", APPROVAL, 0, deny)
    answer = await found.decide(request_id)

    assert (answer.status_code, "denied" in answer.json()["detail"]) == (409, True)
    assert decisions(found)[-1:] in ([], [200])


async def test_an_approver_whom_pim_does_not_ask_is_told_so(found: Locked) -> None:
    request_id, ben = await found.asked(), found.scene.world.people.ben

    def add(one: Kept) -> Change:
        lock_down = one.record.lock_down
        assert lock_down is not None
        approvers = replace(lock_down.approvers, users=(ObjectId(ben.object_id),))
        return Change(record=replace(one.record, lock_down=replace(lock_down, approvers=approvers)))

    await found.scene.subscriptions.update(found.id, add)
    answer = await found.decide(request_id, ben)

    assert (answer.status_code, "PIM does not ask" in answer.json()["detail"]) == (403, True)
    assert (await found.decide(request_id)).status_code == 200


async def test_a_decision_on_what_pim_granted_unasked_is_told(found: Locked) -> None:
    found.subscription.pim.policy().approve_by()
    request_id = await found.asked()

    answer = await found.decide(request_id)

    assert (answer.status_code, "approved" in answer.json()["detail"]) == (409, True)


async def test_nobody_is_reminded_of_what_pim_does_not_know_any_more(found: Locked) -> None:
    request_id = await found.asked()
    await found.after()
    before = found.sent().count("activation.pending")
    del found.subscription.activations.requests[request_id]
    for _ in range(5):
        await found.after(timedelta(hours=1))

    answer = await found.decide(request_id)

    assert found.sent().count("activation.pending") == before
    assert (answer.status_code, "PIM does not show" in answer.json()["detail"]) == (409, True)


async def test_approvers_hear_of_a_price_that_came_after_they_were_told(found: Locked) -> None:
    request_id = await found.ask_in_portal()
    await found.after()
    await found.after()
    assert await add_plan(found, request_id, PLAN) == 200
    await found.rest()
    await found.after()

    taken = found.scene.world.receiver.taken("webhook")
    told = [one["data"]["activation"] for one in taken if one["type"] == "activation.pending"]
    assert [bool(one.get("forDays")) for one in told] == [False, True]
    assert told[0]["addPlan"].endswith(f"/api/activation-requests/{request_id}/plan")
    assert "Standard_D4s_v5" in told[0]["dearest"]


async def test_a_release_that_a_list_does_not_show_yet_is_seen_soon(open_world: OpenWorld) -> None:
    slow = Faults(0, replication_seconds=(60.0, 60.0))
    async with Scene(await open_world(faults=slow, auto_advance=False)) as scene:
        found = await locked(scene)
        request_id = await found.asked()
        await found.decide(request_id)
        for _ in range(4):
            await found.after()
        await found.after(timedelta(minutes=10))
        token = scene.world.token(found.emil, REQUEST)
        answer = await scene.call("POST", f"{REQUESTS}/{request_id}/release", token=token)
        assert answer.status_code == 200, answer.text
        assert (await found.record(request_id)).record.released is not None
        for _ in range(3):
            await found.after(timedelta(minutes=2))

        assert (await found.shown(request_id))["state"] == "ended"


async def test_a_name_that_is_known_from_another_subscription_hides_no_request(found: Locked) -> None:
    other = await locked(found.scene, "Staging")
    request_id = await found.ask_in_portal("x")
    await found.after()
    assert await other.ask_in_portal("x") == request_id

    await found.after()
    await found.after()

    [told] = [
        one["data"] for one in found.scene.world.receiver.taken("webhook") if one["data"].get("why") == "nameTaken"
    ]
    assert told["subscriptionId"] == other.id


async def test_one_request_that_cannot_be_read_hides_none_of_the_others(
    found: Locked, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = await found.ask_in_portal("odd")
    ana = found.scene.world.people.ana
    found.group.members.append(ana.object_id)
    fine = await found.ask_in_portal("fine", by=ana)
    shown = activation_requests._wire

    def wire(call: Any, one: Any) -> Any:
        found_wire: Any = shown(call, one)
        if one.request.id == odd:
            del found_wire["properties"]["createdOn"]
        return found_wire

    monkeypatch.setattr(activation_requests, "_wire", wire)
    await found.after()

    listed = (await found.scene.call("GET", REQUESTS)).json()["value"]
    assert [one["id"] for one in listed] == [fine]
    assert "activation.unreadable" in found.scene.world.log.read_text()
