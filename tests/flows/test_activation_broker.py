"""The mode broker: our own approval, by persons or finance's webhook, leads to an active assignment that ends by itself."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from shared.activation.record import Decision, Request, RequestId, State
from shared.identifiers import ObjectId
from shared.subscriptions.lockdown import ApprovalMode, Quorum
from tests.conftest import OpenWorld
from tests.flows.activating import REQUESTS, Locked
from tests.flows.brokering import PUT, SETTINGS, brokered, declare, deploy_broker, exchanges, granted
from tests.flows.financing import SETTINGS as FINANCE
from tests.flows.financing import Finance
from tests.flows.locking import to_lock
from tests.flows.scene import Scene
from tests.sandbox.arm.models.policy import ADMIN_ASSIGNMENT, MFA
from tests.sandbox.points import cut, then_cut
from tests.sandbox.population import REQUEST

pytestmark = pytest.mark.sampled(6)

MINUTE = timedelta(minutes=1)
CEILING = "TENANTRY_BROKER_WEBHOOK_CEILING"


@pytest.fixture
async def found(open_world: OpenWorld) -> AsyncIterator[Locked]:
    """A subscription of the mode broker, whose quorum is any approver."""
    settings = {**SETTINGS, **FINANCE, CEILING: "100000"}
    async with Scene(await open_world(receiving=True, auto_advance=False, settings=settings)) as scene:
        yield await brokered(scene)


async def state(found: Locked, request_id: RequestId) -> str:
    """The request's, as the API shows it."""
    return str((await found.shown(request_id))["state"])


async def test_a_person_approves_and_the_grant_ends_by_itself(found: Locked) -> None:
    answer = await found.ask()

    assert answer.status_code == 202, answer.text
    request_id = answer.json()["id"]
    assert (answer.json()["state"], answer.json()["brokered"]) == ("pending", True)
    assert answer.json()["money"]["estimate"]["currency"] == "USD"
    assert granted(found) == []
    decided = await found.decide(request_id)
    assert (decided.status_code, decided.json()["outcome"]) == (200, "done"), decided.text
    await found.rest()
    [grant] = granted(found)
    wanted = grant.request.wanted
    assert (grant.request.id, wanted.action, wanted.window.duration) == (request_id, "AdminAssign", "PT2H")
    assert (grant.request.requestor_id, wanted.principal_id) == (principal(found), found.emil.object_id)
    assert found.holds()
    shown = await found.shown(request_id)
    assert (shown["state"], shown["decision"]["by"]) == ("approved", found.fiona.object_id)
    await found.after(MINUTE)
    assert (await found.record(request_id)).record.in_force
    await found.after(timedelta(hours=2, minutes=4))
    assert not found.holds()
    await found.after()
    assert await state(found, request_id) == "ended"
    assert await found.store.open_hints() == []
    assert len(granted(found)) == 1
    assert exchanges(found) == 0


def principal(found: Locked) -> str:
    """The broker's, in the source tenant."""
    one = found.scene.world.contoso.applications.by_app_id(SETTINGS["TENANTRY_BROKER_CLIENT_ID"])
    assert one is not None
    return one.id


async def test_every_act_is_audited_on_the_word_of_whose_it_is(found: Locked) -> None:
    request_id = await found.asked()
    await found.decide(request_id, found.ivan)
    await found.rest()

    told = [(one.deed.act, one.deed.registration, one.deed.on_whose_word) for one in await found.trail(request_id)]
    assert told == [
        (45, "Tenantry API", found.emil.object_id),
        (46, "Tenantry API", found.ivan.object_id),
        (49, "Tenantry Broker", found.ivan.object_id),
    ]
    await found.after()
    assert found.sent().count("activation.pending") == 1
    assert found.sent()[-1] == "activation.decided"


async def test_finances_webhook_alone_grants_up_to_the_ceiling(found: Locked) -> None:
    request_id = await found.asked()

    answer = await Finance(found).says(request_id)
    await found.rest()

    assert (answer.status_code, "quorum" in answer.json()["next"]) == (202, True)
    assert found.holds()
    assert (await found.shown(request_id))["decision"]["by"] == found.fiona.object_id


@pytest.mark.parametrize("settings", [{}, {CEILING: "0.01"}], ids=["without a ceiling", "above it"])
async def test_above_the_ceiling_a_webhook_grants_nothing_without_a_person(
    open_world: OpenWorld, settings: dict[str, str]
) -> None:
    world = await open_world(receiving=True, auto_advance=False, settings={**SETTINGS, **FINANCE, **settings})
    async with Scene(world) as scene:
        found = await brokered(scene)
        request_id = await found.asked()

        await Finance(found).says(request_id)
        await found.after()
        assert not found.holds()
        assert await state(found, request_id) == "pending"

        await found.decide(request_id, found.ivan)
        await found.rest()
        assert found.holds()


async def test_finance_and_senior_it_both(found: Locked) -> None:
    await declare(found, quorum=Quorum.BOTH)
    request_id = await found.asked()

    for approver in (found.fiona, found.frank):
        first = await found.decide(request_id, approver)
        assert (first.status_code, first.json()["outcome"]) == (202, "counted"), first.text
        assert "senior IT" in first.json()["told"]
    await found.after()
    assert not found.holds()
    assert granted(found) == []
    last = await found.decide(request_id, found.ivan)
    await found.rest()

    assert last.status_code == 200
    assert found.holds()
    voices = (await found.shown(request_id))["voices"]
    assert [(one["finance"], one["senior"]) for one in voices] == [(True, False), (True, False), (False, True)]


async def test_both_by_the_webhook_and_a_person(found: Locked) -> None:
    await declare(found, quorum=Quorum.BOTH)
    request_id = await found.asked()

    await Finance(found).says(request_id)
    await found.after()
    assert not found.holds()
    await found.decide(request_id, found.ivan)
    await found.rest()

    assert found.holds()


async def test_a_deny_ends_it_and_the_next_hears_by_whom(found: Locked) -> None:
    request_id = await found.asked()

    denied = await found.decide(request_id, found.ivan, "deny", "Too dear")
    late = await found.decide(request_id)
    await found.after()

    assert (denied.status_code, denied.json()["request"]["state"]) == (200, "denied")
    assert (late.status_code, found.ivan.object_id in late.json()["detail"]) == (409, True)
    assert granted(found) == []


async def test_finance_denies_by_webhook(found: Locked) -> None:
    request_id = await found.asked()

    await Finance(found).says(request_id, "deny")
    await found.rest()

    shown = await found.shown(request_id)
    assert (shown["state"], shown["decision"]["by"]) == ("denied", found.fiona.object_id)
    assert (await found.decide(request_id, found.ivan)).status_code == 409
    assert granted(found) == []


async def test_its_window_is_the_subscriptions_own(found: Locked) -> None:
    await declare(found, window_hours=48)
    request_id = await found.asked()

    await found.after(timedelta(hours=30))
    assert await state(found, request_id) == "pending"
    await found.after(timedelta(hours=19))
    await found.after()

    assert await state(found, request_id) == "expired"
    assert (await found.decide(request_id)).status_code == 409
    assert granted(found) == []


async def test_two_approvers_within_the_same_moment_lead_to_one_grant(found: Locked) -> None:
    request_id = await found.asked()

    answers = await asyncio.gather(found.decide(request_id), found.decide(request_id, found.ivan, "deny"))
    await found.rest()

    assert sorted(one.status_code for one in answers) == [200, 409]
    decision = (await found.shown(request_id))["decision"]
    assert found.holds() is decision["approved"]
    assert len(granted(found)) == int(decision["approved"])


async def test_who_may_not_decide_is_refused_and_nothing_counts(found: Locked) -> None:
    world, request_id = found.scene.world, await found.asked()
    world.people.finance.members.append(found.emil.object_id)

    own = await found.decide(request_id, found.emil)
    stranger = await found.decide(request_id, world.people.ben)
    world.people.finance.members.remove(found.fiona.object_id)
    gone = await found.decide(request_id)
    app = await found.decide(request_id, token=world.token(found.fiona, REQUEST))
    await found.after()

    assert [one.status_code for one in (own, stranger, gone, app)] == [403] * 4
    assert (await found.record(request_id)).record.voices == ()
    assert granted(found) == []


async def test_a_grant_that_fails_after_it_was_taken_is_told(found: Locked) -> None:
    request_id = await found.asked()
    found.subscription.activations.fails_with = "FailedAsResourceIsLocked"

    await found.decide(request_id)
    await found.after()

    shown = await found.shown(request_id)
    assert (shown["state"], "FailedAsResourceIsLocked" in shown["problem"]) == ("failed", True)
    assert not found.holds()
    assert len(granted(found)) == 1
    await found.after()
    assert found.sent()[-1] == "activation.decided"


async def test_what_pim_took_and_has_not_done_yet_is_waited_for_whatever_changes_meanwhile(found: Locked) -> None:
    request_id = await found.asked()
    found.subscription.activations.fails_with = "ProvisioningStarted"

    await found.decide(request_id)
    await found.rest()
    await declare(found, mode=ApprovalMode.PIM)
    found.group.members.remove(found.emil.object_id)
    await found.after(timedelta(hours=2))
    await found.after()

    assert await state(found, request_id) == "pending"
    [grant] = granted(found)
    grant.request.status = "Failed"
    await found.after()
    assert await state(found, request_id) == "failed"
    assert [one.deed.outcome for one in await found.trail(request_id) if one.deed.act == 49] == ["done"]


@pytest.mark.parametrize("place", ["vendor.before", "vendor.after"])
async def test_a_mode_that_is_taken_away_while_the_grant_is_sent_leaves_nothing_unknown(
    found: Locked, place: str
) -> None:
    request_id, host = await found.asked(), found.scene.world.host

    async def killed() -> None:
        await declare(found, mode=ApprovalMode.PIM)
        await host.kill_and_restart()

    found.scene.world.points.arm(place, PUT, 0, then_cut(killed))

    with contextlib.suppress(httpx.TransportError):
        await found.decide(request_id)
    for _ in range(8):
        await found.after()

    assert await state(found, request_id) == ("approved" if place == "vendor.after" else "failed")
    assert found.holds() is (place == "vendor.after")
    intents = (await found.record(request_id)).intents.values()
    assert {one.state.value for one in intents} == {"closed"}


async def test_a_request_at_pim_under_the_name_of_ours_is_told_and_hides_nothing(found: Locked) -> None:
    request_id = await found.asked()
    await found.ask_in_portal(as_id=request_id)

    await found.after()
    await found.after()
    await found.decide(request_id)
    await found.after()

    assert "activation.violation" in found.sent()
    assert await state(found, request_id) == "failed"
    assert not found.holds()


async def test_what_pim_refuses_is_told_in_its_words(found: Locked) -> None:
    request_id = await found.asked()
    found.subscription.pim.policy().demand(MFA, level=ADMIN_ASSIGNMENT)

    await found.decide(request_id)
    await found.after()

    shown = await found.shown(request_id)
    assert (shown["state"], "MfaRule" in shown["problem"]) == ("failed", True)


@pytest.mark.parametrize("place", ["vendor.before", "vendor.after"])
async def test_a_grant_whose_answer_is_lost_is_never_made_twice(found: Locked, place: str) -> None:
    request_id = await found.asked()
    found.scene.world.points.arm(place, PUT, 0, cut)

    await found.decide(request_id)
    await found.after(MINUTE)

    assert found.scene.world.points.armed == frozenset()
    assert found.holds()
    assert len(granted(found)) == 1
    assert [one.deed.act for one in await found.trail(request_id)].count(49) == 1
    assert await state(found, request_id) == "approved"


@pytest.mark.parametrize("place", ["vendor.before", "vendor.after"])
async def test_killed_between_the_verdict_and_the_grant_it_is_granted_once(found: Locked, place: str) -> None:
    request_id, host = await found.asked(), found.scene.world.host
    found.scene.world.points.arm(place, PUT, 0, then_cut(host.kill_and_restart))

    with contextlib.suppress(httpx.TransportError):  # the process dies of it as it answers
        await found.decide(request_id)
    for _ in range(3):
        await found.after()

    assert found.scene.world.points.armed == frozenset()
    assert found.holds()
    assert len(granted(found)) == 1
    acts = [(one.deed.act, one.deed.outcome) for one in await found.trail(request_id)]
    assert acts.count((49, "done")) == 1
    record = (await found.record(request_id)).record
    assert (record.state, record.claim) == (State.APPROVED, None)


async def test_killed_right_after_the_word_it_is_granted(found: Locked) -> None:
    request_id, host = await found.asked(), found.scene.world.host
    label = "look_at_activation"
    passed = found.scene.world.points.passed("activity.before", label)
    found.scene.world.points.arm("activity.before", label, passed, then_cut(host.kill_and_restart))

    with contextlib.suppress(httpx.TransportError):  # the process dies of it as it answers
        await found.decide(request_id)
    for _ in range(3):
        await found.after()

    assert found.scene.world.points.armed == frozenset()
    assert found.holds()
    assert len(granted(found)) == 1


async def test_who_is_not_declared_any_more_is_not_granted_what_was_approved(found: Locked) -> None:
    request_id = await found.asked()
    found.group.members.remove(found.emil.object_id)

    await found.decide(request_id)
    await found.after()

    shown = await found.shown(request_id)
    assert (shown["state"], "not declared" in shown["problem"]) == ("failed", True)
    assert granted(found) == []


async def test_who_is_not_declared_or_has_one_open_cannot_ask(found: Locked) -> None:
    stranger = await found.ask(by=found.scene.world.people.ben)
    await found.asked()
    second = await found.ask()

    assert (stranger.status_code, "not declared" in stranger.json()["detail"]) == (409, True)
    assert (second.status_code, "one at a time" in second.json()["detail"]) == (409, True)


async def test_the_same_request_again_by_its_key_is_the_same_and_a_dry_run_writes_nothing(found: Locked) -> None:
    dry = await found.ask(dryRun=True)
    assert (dry.status_code, await found.store.open_hints()) == (200, [])

    first, second = await found.ask(key="mine"), await found.ask(key="mine")

    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["id"] == second.json()["id"]
    assert len(await found.store.open_hints()) == 1


async def test_it_is_taken_back_while_it_waits(found: Locked) -> None:
    request_id = await found.asked()
    token = found.scene.world.token(found.emil, REQUEST)

    answers = [await found.scene.call("POST", f"{REQUESTS}/{request_id}/cancel", token=token) for _ in range(2)]
    await found.after()

    assert [one.status_code for one in answers] == [200, 200]
    assert await state(found, request_id) == "cancelled"
    assert (await found.decide(request_id)).status_code == 409
    assert granted(found) == []


async def test_a_role_is_given_back_before_its_end_by_the_broker(found: Locked) -> None:
    request_id = await found.asked()
    await found.decide(request_id)
    await found.rest()
    await found.after(MINUTE)
    token = found.scene.world.token(found.emil, REQUEST)

    answers = [await found.scene.call("POST", f"{REQUESTS}/{request_id}/release", token=token) for _ in range(2)]
    assert [one.status_code for one in answers] == [202, 202], answers[0].text
    await found.after(MINUTE)
    assert found.holds()  # PIM takes nothing back in its first five minutes
    for _ in range(3):
        await found.after()

    assert not found.holds()
    assert await state(found, request_id) == "ended"
    assert [one.request.wanted.action for one in granted(found)] == ["AdminAssign", "AdminRemove"]
    told = [(one.deed.act, one.deed.registration) for one in await found.trail(request_id)][-2:]
    assert told == [(48, "Tenantry API"), (50, "Tenantry Broker")]


async def test_a_mode_that_is_taken_away_stops_what_waits(found: Locked) -> None:
    request_id = await found.asked()
    await declare(found, mode=ApprovalMode.PIM)

    refused = await found.decide(request_id)
    await found.after(timedelta(minutes=20))

    assert (refused.status_code, "no mode broker" in refused.json()["detail"]) == (409, True)
    assert await state(found, request_id) == "cancelled"
    assert granted(found) == []


async def test_an_approval_at_pim_beside_a_quorum_of_both_is_a_violation(found: Locked) -> None:
    await declare(found, quorum=Quorum.BOTH)
    request_id = await found.ask_in_portal()
    await found.after()

    ours = await found.decide(request_id)
    await found.decide_in_portal(request_id, found.frank)
    await found.after()

    assert (ours.status_code, "both" in ours.json()["detail"]) == (409, True)
    codes = [one["code"] for one in (await found.shown(request_id))["violations"]]
    assert "besideQuorum" in codes


async def test_a_night_takes_the_brokers_grant_for_ours(found: Locked) -> None:
    request_id = await found.ask(hours=8)
    await found.decide(request_id.json()["id"])
    await found.rest()
    assert found.holds()

    found.scene.world.clock.advance(timedelta(hours=6).total_seconds())
    await found.rest(600.0)
    await found.after(timedelta(hours=1))

    drift = (await found.kept()).drift
    assert "activation.violation" not in found.sent()
    assert drift is None or not [one for one in drift.findings if one.principal_id == found.emil.object_id]


async def test_the_run_makes_the_policy_one_that_an_app_can_meet(open_world: OpenWorld) -> None:
    async with Scene(await open_world(auto_advance=False, settings=SETTINGS)) as scene:
        lock = to_lock(scene, days=100)
        deploy_broker(scene, lock.managed.subscription)
        lock.policy.demand(MFA, level=ADMIN_ASSIGNMENT)
        lock.policy.longest("PT2H", ADMIN_ASSIGNMENT)
        people = scene.world.people
        money = {"finance": [people.fiona.object_id], "senior": {"users": [people.ivan.object_id]}}

        refused = await lock.put(mode="broker", quorum="both")
        view = await lock.locked(mode="broker", quorum="both", window="P2D", longestActivation="PT4H", money=money)

        assert (refused.status_code, refused.json()["field"]) == (400, "lockDown.money.finance")
        assert (view["state"], view["declared"]["quorum"], view["declared"]["window"]) == ("locked", "both", "PT48H")
        assert lock.policy.demanded(ADMIN_ASSIGNMENT) == ["Justification"]
        assert lock.policy.maximum(ADMIN_ASSIGNMENT) == "PT4H"
        assert lock.approvers() != []  # PIM's own way stays locked


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"quorum": "both"}, "lockDown.quorum"),
        ({"window": "PT12H"}, "lockDown.window"),
        ({"mode": "broker", "window": "P8D"}, "lockDown.window"),
        ({"mode": "broker", "window": "PT90M"}, "lockDown.window"),
    ],
)
async def test_what_only_the_broker_can_is_refused_in_pim(
    open_world: OpenWorld, changes: dict[str, Any], field: str
) -> None:
    async with Scene(await open_world(auto_advance=False, settings=SETTINGS)) as scene:
        lock = to_lock(scene)

        answer = await lock.put(**changes)

        assert (answer.status_code, answer.json()["field"]) == (400, field), answer.text


async def test_without_the_broker_nothing_reaches_it(open_world: OpenWorld) -> None:
    """Also where its mode stands on the record, and requests that somebody put there: nobody is made active."""
    world = await open_world(receiving=True, auto_advance=False, settings={**FINANCE, CEILING: "100000"})
    async with Scene(world) as scene:
        found = await brokered(scene)
        put = await found.declare(lockDown={"approvers": {"groups": [world.people.finance.id]}, "mode": "broker"})
        asked = await found.ask()
        priced = await found.ask(dryRun=True)
        await declare(found, mode=ApprovalMode.PIM)
        pending = await found.asked()
        await declare(found, mode=ApprovalMode.BROKER)

        def broker(one: Request) -> Request:
            return replace(one, brokered=True)

        await found.store.change(pending, broker)
        token = world.token(found.emil, REQUEST)
        answers = [
            await found.decide(pending),
            await Finance(found).says(pending),
            await scene.call("POST", f"{REQUESTS}/{pending}/release", token=token),
            await scene.call("POST", f"{REQUESTS}/{pending}/cancel", token=token),
        ]
        for _ in range(3):
            await found.after()

        assert (put.status_code, put.json()["field"]) == (400, "lockDown.mode")
        assert "TENANTRY_BROKER_CLIENT_ID" in put.json()["detail"]
        assert [one.status_code for one in (asked, priced)] == [400, 400]
        assert all(one.status_code in (200, 202, 409) for one in answers), [one.text for one in answers]
        assert granted(found) == []
        assert not found.holds()
        tokens = [one for one in world.clouds.recorder.entries if SETTINGS["TENANTRY_BROKER_CLIENT_ID"] in str(one)]
        assert tokens == []


@pytest.mark.parametrize("at", [State.PENDING, State.APPROVED])
async def test_a_broker_that_was_taken_out_of_the_deployment_grants_nothing_more(
    open_world: OpenWorld, at: State
) -> None:
    """The row says approved by a person, and nothing is sent; what was given ends by itself."""
    world = await open_world(receiving=True, auto_advance=False, settings=FINANCE)
    async with Scene(world) as scene:
        found = await brokered(scene)
        await declare(found, mode=ApprovalMode.PIM)
        request_id = await found.asked()
        await declare(found, mode=ApprovalMode.BROKER)
        now = world.clock.now()

        def decided(one: Request) -> Request:
            given = {"in_force": True, "end": now + timedelta(hours=2)} if at is State.APPROVED else {}
            decision = Decision(approved=True, at=now, by=ObjectId(found.fiona.object_id))
            return replace(one, brokered=True, state=at, since=now, decision=decision, **given)

        await found.store.change(request_id, decided)
        for _ in range(4):
            await found.after()
        token = world.token(found.emil, REQUEST)
        await scene.call("POST", f"{REQUESTS}/{request_id}/release", token=token)
        await found.after()

        assert granted(found) == []
        assert await state(found, request_id) in ("failed", "ended")
