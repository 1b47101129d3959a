"""An engineer asks for a locked role, an approver decides by their own token, and the grant ends by itself."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from shared.activation.record import State
from tests.conftest import OpenWorld
from tests.flows.activating import PLAN, REQUESTS, Locked, locked
from tests.flows.scene import Scene
from tests.sandbox.population import APPROVE, OPERATE, READ, REQUEST

pytestmark = pytest.mark.sampled(7)

DAY = timedelta(days=1)


@pytest.fixture
async def found(open_world: OpenWorld) -> AsyncIterator[Locked]:
    """A locked subscription."""
    async with Scene(await open_world(receiving=True, auto_advance=False)) as scene:
        yield await locked(scene)


async def test_a_request_with_a_plan_is_approved_and_ends_by_itself(found: Locked) -> None:
    answer = await found.ask()

    assert answer.status_code == 202, answer.text
    request_id = answer.json()["id"]
    assert answer.headers["Location"] == f"{found.scene.world.host.url}{REQUESTS}/{request_id}"
    asked = found.at_pim(request_id).request
    assert (asked.requestor_id, asked.wanted.ticket.number) == (found.emil.object_id, answer.json()["ticket"])
    assert found.status(request_id) == "PendingApproval"
    decided = await found.decide(request_id)
    assert decided.status_code == 200, decided.text
    assert found.holds()
    await found.rest()
    shown = await found.shown(request_id)
    assert (shown["state"], shown["decision"]["by"]) == ("approved", found.fiona.object_id)
    await found.after(timedelta(minutes=1))
    assert (await found.record(request_id)).record.in_force
    await found.after(timedelta(hours=2, minutes=4))
    assert not found.holds()
    await found.after()
    assert (await found.shown(request_id))["state"] == "ended"
    assert await found.store.open_hints() == []


async def test_every_act_on_a_request_is_audited_on_the_word_of_whose_it_is(found: Locked) -> None:
    request_id = await found.asked()

    await found.decide(request_id)

    told = [(one.deed.act, one.deed.on_whose_word, one.deed.outcome) for one in await found.trail(request_id)]
    assert told == [(40, found.emil.object_id, "done"), (41, found.fiona.object_id, "done")]


async def test_a_request_that_is_denied_gives_nothing(found: Locked) -> None:
    request_id = await found.asked()

    answer = await found.decide(request_id, found.ivan, "deny", "Too dear")

    assert (answer.status_code, answer.json()["request"]["state"]) == (200, "denied")
    assert answer.json()["request"]["decision"]["reason"] == "Too dear"
    assert not found.holds()
    assert found.status(request_id) == "Denied"


async def test_a_request_in_the_portal_is_found_by_the_watcher_once(found: Locked) -> None:
    request_id = await found.ask_in_portal()

    for _ in range(3):
        await found.after()

    shown = await found.shown(request_id)
    assert (shown["state"], shown["reason"], shown["minutes"]) == ("pending", "Something in the portal", 240)
    assert shown["money"]["estimate"] is None
    listed = await found.scene.call("GET", REQUESTS)
    assert [one["id"] for one in listed.json()["value"]] == [request_id]
    assert found.sent().count("activation.pending") == 1


async def test_what_is_approved_in_the_portal_is_seen(found: Locked) -> None:
    request_id = await found.ask_in_portal()
    await found.after()

    await found.decide_in_portal(request_id, found.frank)
    await found.after()

    shown = await found.shown(request_id)
    assert (shown["state"], shown["decision"]["approved"], shown["decision"]["by"]) == ("approved", True, None)
    assert shown["end"] is not None


async def test_what_is_denied_in_the_portal_is_seen(found: Locked) -> None:
    request_id = await found.ask_in_portal()
    await found.after()

    await found.decide_in_portal(request_id, found.frank, "Deny")
    await found.after()

    assert (await found.shown(request_id))["state"] == "denied"


@pytest.mark.parametrize("flipped", [(), ("arm-undecided-becomes-failed",)])
async def test_what_nobody_decides_within_a_day_is_over(open_world: OpenWorld, flipped: tuple[str, ...]) -> None:
    async with Scene(await open_world(flipped=flipped, receiving=True, auto_advance=False)) as scene:
        found = await locked(scene)
        request_id = await found.asked()

        await found.after(DAY)
        await found.after(timedelta(minutes=20))

        assert (await found.shown(request_id))["state"] == "expired"
        late = await found.decide(request_id)
        assert (late.status_code, "expired" in late.json()["detail"]) == (409, True)
        assert not found.holds()


async def test_a_watcher_that_missed_a_day_finds_what_still_waits_and_what_it_knew(found: Locked) -> None:
    known = await found.asked()
    found.scene.world.clock.advance(DAY - timedelta(hours=1))
    ana = found.scene.world.people.ana
    found.group.members.append(ana.object_id)
    fresh = await found.ask_in_portal(by=ana)

    await found.after(timedelta(hours=2))

    assert (await found.shown(known))["state"] == "expired"
    assert (await found.shown(fresh))["state"] == "pending"


async def test_the_same_request_again_by_its_key_is_the_same(found: Locked) -> None:
    first = await found.ask(key="mine")
    second = await found.ask(key="mine")

    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["id"] == second.json()["id"]
    assert len(found.subscription.activations.requests) == 1


async def test_a_second_request_while_one_waits_is_refused_by_pim_in_its_words(found: Locked) -> None:
    await found.asked()

    answer = await found.ask()

    assert (answer.status_code, answer.json()["title"]) == (409, "Refused")
    assert "PendingRoleAssignmentRequest" in answer.json()["detail"]


async def test_a_dry_run_prices_and_writes_nothing(found: Locked) -> None:
    answer = await found.ask(dryRun=True)

    assert answer.status_code == 200, answer.text
    assert (answer.json()["dryRun"], answer.json()["hours"]) == (True, 2)
    assert found.subscription.activations.requests == {}
    assert await found.store.open_hints() == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"hours": 9}, "hours"),
        ({"hours": 0}, "hours"),
        ({"reason": ""}, "reason"),
        ({"subscriptionId": "nonsense"}, "subscriptionId"),
        ({"subscriptionId": "eeeeeeee-0000-4000-8000-00000000000e"}, "subscriptionId"),
        ({"role": "Owner"}, "role"),
        ({"plan": {**PLAN, "vms": [], "disks": []}}, "plan"),
        ({"plan": {**PLAN, "region": "West Europe"}}, "plan.region"),
        ({"surprise": 1}, "surprise"),
    ],
)
async def test_bad_input_is_named_and_nothing_is_asked(found: Locked, changes: dict[str, Any], field: str) -> None:
    answer = await found.ask(**changes)

    assert (answer.status_code, answer.json()["field"]) == (400, field), answer.text
    assert found.subscription.activations.requests == {}


async def test_who_is_not_eligible_is_refused_by_pim(found: Locked) -> None:
    answer = await found.ask(by=found.scene.world.people.ben)

    assert answer.status_code == 409
    assert "EligibilityRule" in answer.json()["detail"]


async def test_only_engineers_ask_and_only_approvers_decide(found: Locked) -> None:
    world = found.scene.world
    request_id = await found.asked()

    assert (await found.ask(token=world.token(found.emil, OPERATE, READ, APPROVE))).status_code == 403
    assert (await found.decide(request_id, token=world.token(found.fiona, OPERATE, READ, REQUEST))).status_code == 403
    assert found.status(request_id) == "PendingApproval"


async def test_an_engineer_sees_their_own_requests_alone(found: Locked) -> None:
    world, request_id = found.scene.world, await found.asked()

    own = await found.scene.call("GET", f"{REQUESTS}/{request_id}", token=world.token(found.emil, REQUEST))
    other = await found.scene.call("GET", f"{REQUESTS}/{request_id}", token=world.token(world.people.ben, REQUEST))

    assert (own.status_code, other.status_code) == (200, 404)


async def test_a_role_is_given_back_before_its_end(found: Locked) -> None:
    request_id = await found.asked()
    await found.decide(request_id)
    await found.after(timedelta(minutes=1))
    token = found.scene.world.token(found.emil, REQUEST)

    early = await found.scene.call("POST", f"{REQUESTS}/{request_id}/release", token=token)
    assert (early.status_code, "ActiveDurationTooShort" in early.json()["detail"]) == (409, True)
    await found.after(timedelta(minutes=10))
    answer = await found.scene.call("POST", f"{REQUESTS}/{request_id}/release", token=token)
    again = await found.scene.call("POST", f"{REQUESTS}/{request_id}/release", token=token)

    assert not found.holds()
    assert (answer.status_code, again.status_code) == (200, 200)
    await found.after()
    assert (await found.record(request_id)).record.state is State.ENDED


async def test_a_plan_is_added_to_a_request_of_the_portal(found: Locked) -> None:
    request_id = await found.ask_in_portal()
    await found.after()
    world = found.scene.world
    path, mine = f"{REQUESTS}/{request_id}/plan", world.token(found.emil, REQUEST)

    strange = await found.scene.call("POST", path, {"plan": PLAN}, token=world.token(world.people.ben, REQUEST))
    answer = await found.scene.call("POST", path, {"plan": PLAN}, token=mine)
    other = await found.scene.call("POST", path, {"plan": {**PLAN, "days": 1}}, token=mine)

    assert (strange.status_code, answer.status_code, other.status_code) == (404, 200, 409)
    assert answer.json()["plan"]["days"] == 10
    assert answer.json()["money"]["estimate"]["currency"] == "USD"


async def test_a_portal_request_whose_ticket_names_a_plan_is_joined_to_it(found: Locked) -> None:
    first = await found.ask()
    ticket = first.json()["ticket"]
    await found.decide(first.json()["id"], found.ivan, "deny")

    own = {"ticketNumber": ticket, "ticketSystem": "Tenantry"}
    request_id = await found.ask_in_portal(ticketInfo=own)
    await found.after()

    assert (await found.shown(request_id))["plan"]["days"] == 10


async def test_what_pim_grants_without_asking_anybody_is_a_violation(found: Locked) -> None:
    found.subscription.pim.policy().approve_by()

    request_id = await found.asked()

    shown = await found.shown(request_id)
    assert (shown["state"], [one["code"] for one in shown["violations"]]) == ("approved", ["unapproved"])
    await found.after()
    assert "activation.violation" in found.sent()


async def test_a_grant_that_fails_after_it_was_approved_is_told(found: Locked) -> None:
    request_id = await found.asked()
    found.subscription.activations.fails_with = "FailedAsResourceIsLocked"

    await found.decide(request_id)
    await found.after()

    shown = await found.shown(request_id)
    assert (shown["state"], "FailedAsResourceIsLocked" in shown["problem"]) == ("failed", True)
    assert not found.holds()
