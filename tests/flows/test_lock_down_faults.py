"""Locking down when things go wrong: killed, refused, answered late or not at all, and every open question of Azure."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from shared.azure_permissions import VM_CONTRIBUTOR, azure_actions
from shared.open_intents import UNSEEN
from shared.subscriptions.record import Change, Lock, LockState
from tests.conftest import OpenWorld
from tests.flows.locking import ASSIGN, PATCH, Locked, to_lock
from tests.flows.renewing import EVENING, night_after
from tests.flows.scene import Scene
from tests.sandbox.arm.models import policy_rules
from tests.sandbox.arm.models.policy import ADMIN_ELIGIBILITY
from tests.sandbox.arm.questions import AZURE
from tests.sandbox.faults import Faults
from tests.sandbox.graph.models.directory import Group
from tests.sandbox.points import cut, then_cut

pytestmark = [pytest.mark.sampled(6), pytest.mark.timeout(300)]

_ACTIVITIES = ("begin_lock_down", "lock_role_down", "make_eligible", "check_approvers", "end_lock_down")
_KILLS = [
    *(("activity.before", one) for one in _ACTIVITIES),
    *(("activity.after", one) for one in _ACTIVITIES),
    *((kind, label) for kind in ("vendor.before", "vendor.after") for label in (PATCH, ASSIGN)),
    ("episode.before", "lock_down_subscription"),
    ("episode.after", "lock_down_subscription"),
]


@pytest.fixture
async def scene(open_world: OpenWorld) -> AsyncIterator[Scene]:
    """A world where it is evening."""
    async with Scene(await open_world(start=EVENING)) as opened:
        yield opened


async def at_rest(scene: Scene, found: Locked, minutes: int = 4) -> dict[str, Any]:
    """Let it come to its end, with the sweeps and the waits that it takes; the record's lock-down."""
    for _ in range(40):
        await scene.settle()
        if not await scene.runs.list_open():
            return await found.view()
        scene.world.clock.advance(60 * minutes)
    raise TimeoutError("a run is open")


async def put_patiently(scene: Scene, found: Locked) -> None:
    """As a person does it: again when the connection broke, or the app said that it could not."""
    for _ in range(20):
        with suppress(httpx.TransportError):
            answer = await found.put()
            if answer.status_code in (200, 202):
                return
        scene.world.clock.advance(20)
    raise TimeoutError("the app took no request")


async def locked_once(scene: Scene, found: Locked) -> None:
    """The policy is as declared, the group is eligible, by one request and one audit entry each; nothing is open."""
    seen = await at_rest(scene, found)
    assert (seen["state"], seen["problems"]) == ("locked", [])
    assert found.approvers() != []
    assert found.managed.held() is not None
    assert found.managed.requests() == ["AdminAssign"]
    outcomes = [(one.deed.act, one.deed.outcome) for one in await found.managed.entries() if one.deed.act != 34]
    assert [one for one in outcomes if one[1] != UNSEEN] == [(35, "done"), (36, "done")]
    kept = await found.managed.kept()
    assert kept.record.renewing is None
    assert {one.state.value for one in kept.intents.values()} == {"closed"}


@pytest.mark.parametrize(("kind", "label"), _KILLS, ids=[f"{kind} {label.split('/')[-1]}" for kind, label in _KILLS])
async def test_killed_in_the_middle_it_comes_to_its_end_and_writes_nothing_twice(
    kind: str, label: str, scene: Scene
) -> None:
    found = to_lock(scene)
    scene.world.points.arm(kind, label, 0, then_cut(scene.world.host.kill_and_restart))

    await put_patiently(scene, found)

    await locked_once(scene, found)
    assert scene.world.points.armed == frozenset()


@pytest.mark.parametrize("kind", ["store.before", "store.after"])
@pytest.mark.parametrize("label", ["POST Audit", "POST Runs", "POST Subscriptions"])
async def test_killed_while_the_put_is_answered_the_same_put_again_makes_it_so(
    label: str, kind: str, scene: Scene
) -> None:
    """At the audit entry, the run row, the record."""
    found = to_lock(scene)
    scene.world.points.arm(kind, label, 0, then_cut(scene.world.host.kill_and_restart))
    with suppress(httpx.TransportError):
        await found.put()
    assert scene.world.points.armed == frozenset()
    await scene.settle()
    scene.world.clock.advance(180)
    await scene.settle()

    await put_patiently(scene, found)

    await locked_once(scene, found)


@pytest.mark.parametrize("label", [PATCH, ASSIGN])
async def test_an_answer_that_got_lost_is_looked_for(label: str, scene: Scene) -> None:
    found = to_lock(scene)
    scene.world.points.arm("vendor.after", label, 0, cut)

    await found.put()

    await locked_once(scene, found)


@pytest.mark.parametrize("activity", _ACTIVITIES)
async def test_two_hosts_at_once_write_it_once(activity: str, scene: Scene) -> None:
    found = to_lock(scene)
    scene.world.host.deliver_twice(activity)

    await found.put()

    await locked_once(scene, found)


async def test_two_puts_at_once_begin_one_run(scene: Scene) -> None:
    found = to_lock(scene)

    answers = await asyncio.gather(found.put(), found.put(), found.put())

    assert 202 in {one.status_code for one in answers}
    assert {one.status_code for one in answers} <= {202, 409}
    await locked_once(scene, found)


@pytest.mark.parametrize("seed", range(3))
async def test_on_a_bad_day_it_is_locked_down_all_the_same(seed: int, open_world: OpenWorld) -> None:
    async with Scene(await open_world(start=EVENING, faults=Faults.harsh(seed))) as scene:
        found = to_lock(scene)
        await put_patiently(scene, found)

        seen = await at_rest(scene, found)

        assert (seen["state"], seen["problems"]) == ("locked", [])
        assert found.approvers() != []
        assert found.managed.held() is not None


async def test_a_missing_right_to_say_who_approves_is_named_and_nobody_is_made_eligible(scene: Scene) -> None:
    found = to_lock(scene)
    allow(scene, found, [one for one in azure_actions() if not one.endswith("approvalRule/action")])

    seen = await found.locked()

    assert seen["state"] == "failed"
    codes = [one["code"] for one in seen["problems"]]
    assert codes == ["AuthorizationFailed", "RoleOpen"]
    assert "approvalRule/action" in seen["problems"][0]["do"]
    assert "approvalRule/action" in seen["problems"][0]["what"]
    assert found.managed.held() is None
    assert [one.deed.outcome for one in await found.managed.entries()][-1] == "refused: AuthorizationFailed"
    allow(scene, found, azure_actions())
    assert (await found.locked())["state"] == "locked"


@pytest.mark.parametrize("lacks", ["roleManagementPolicies/write", "roleManagementPolicyAssignments/read"])
async def test_any_other_missing_right_is_named(lacks: str, scene: Scene) -> None:
    found = to_lock(scene)
    allow(scene, found, [one for one in azure_actions() if not one.endswith(lacks)])

    seen = await found.locked()

    assert seen["state"] == "failed"
    assert lacks in seen["problems"][0]["what"]
    assert found.approvers() == []


def allow(scene: Scene, found: Locked, actions: Any) -> None:
    """Tenantry Access has these actions on the subscription, and no others."""
    access = found.managed.subscription.access
    [principal] = {one.principal_id for one in access.assignments.values()}
    access.assignments.clear()
    scene.world.clouds.azure.give(principal, found.managed.subscription, actions, name="Other")


async def test_a_rule_that_azure_refuses_is_named_and_the_others_are_in_force(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says of the whole that a rule is invalid, and not which."""
    found = to_lock(scene)
    holds = policy_rules._holds
    monkeypatch.setattr(
        policy_rules, "_holds", lambda rule, tenant: "Expiration" not in str(rule["id"]) and holds(rule, tenant)
    )

    seen = await found.locked(longestActivation="PT2H")

    [problem, waits] = seen["problems"]
    assert (seen["state"], problem["code"], waits["code"]) == ("failed", "InvalidPolicyRule", "RoleOpen")
    assert "Expiration_EndUser_Assignment" in problem["what"]
    assert "Approval_EndUser_Assignment" not in problem["what"]
    assert found.approvers() != []


async def test_a_subscription_whose_directory_has_no_pim_is_told_so(scene: Scene) -> None:
    found = to_lock(scene)
    scene.world.contoso.licences.p2 = False

    seen = await found.locked()

    assert (seen["state"], seen["problems"][0]["code"]) == ("failed", "NoPim")


@pytest.mark.parametrize(
    ("how", "code"), [("deleted", "Deadline"), ("disabled", "ReadOnlyDisabledSubscription"), ("forbidden", "")]
)
async def test_a_dead_subscription_ends_with_a_reason_and_is_tried_again_by_the_same_put(
    how: str, code: str, scene: Scene
) -> None:
    found = to_lock(scene)
    scene.world.clouds.azure.kill(found.managed.subscription, how)
    assert (await found.put()).status_code == 202

    seen = await at_rest(scene, found, minutes=20)

    assert seen["state"] == "failed"
    assert seen["problems"][0]["do"]
    assert seen["problems"][0]["code"] in (code, "AuthorizationFailed", "SubscriptionNotFound", "Deadline")
    scene.world.clouds.azure.recover(found.managed.subscription)
    assert (await found.put()).status_code == 202
    await at_rest(scene, found)
    assert (await found.view())["state"] == "locked"


async def test_one_dead_subscription_holds_up_none_of_the_others(scene: Scene) -> None:
    dead, alive = to_lock(scene, "Dead"), to_lock(scene, "Alive")
    scene.world.clouds.azure.kill(dead.managed.subscription, "broken")

    assert {(await dead.put()).status_code, (await alive.put()).status_code} == {202}
    await scene.settle()

    assert (await alive.view())["state"] == "locked"
    assert (await at_rest(scene, dead, minutes=20))["state"] == "failed"


async def test_a_run_that_died_is_closed_by_the_sweeper_and_begins_again_by_the_same_put(scene: Scene) -> None:
    found = to_lock(scene)
    await found.locked()
    lock = Lock(state=LockState.LOCKING, since=scene.world.clock.now())
    run = await scene.runs.latest(found.managed.id)
    assert run is not None
    died = replace(
        run, number=run.number + 1, nonce="died", orchestration_id="gone", started=run.opened, ended=None, outcome=""
    )
    assert await scene.runs.insert(died) is None
    await scene.subscriptions.update(
        found.managed.id,
        lambda one: Change(record=replace(one.record, run=died.number, run_nonce="died", lock=lock)),
    )
    scene.world.clock.advance(300)
    await scene.settle()

    seen = await found.view()
    assert (seen["state"], [one["code"] for one in seen["problems"]]) == ("failed", ["Interrupted"])
    assert await scene.runs.list_open() == []
    assert (await found.put()).status_code == 202
    assert (await at_rest(scene, found))["state"] == "locked"


async def test_a_renewal_that_holds_the_subscription_keeps_a_lock_down_out(scene: Scene) -> None:
    found = to_lock(scene, days=10)
    assert (await found.managed.declare()).status_code == 201
    statuses: list[int] = []

    async def ask() -> None:
        statuses.append((await found.put()).status_code)

    scene.world.points.arm("vendor.before", ASSIGN, 0, ask)
    await night_after(scene, 1)

    assert statuses == [409]
    assert (await found.locked())["state"] == "locked"


async def test_a_lock_down_that_runs_keeps_a_renewal_out(scene: Scene) -> None:
    found = to_lock(scene, days=10)
    assert (await found.managed.declare()).status_code == 201
    before = found.managed.end()
    seen: list[Any] = []

    async def renew() -> None:
        asked = await scene.call("POST", "/api/renewals", {"subscriptionIds": [found.managed.id]})
        assert asked.status_code == 202
        scene.world.clock.advance(1)
        seen.append(found.managed.end())

    scene.world.points.arm("vendor.before", PATCH, 0, renew)
    await found.put()
    await scene.settle()

    assert seen == [before]
    assert (await found.view())["state"] == "locked"
    scene.world.clock.advance(3600)
    await scene.settle()
    assert found.managed.end() > before


async def test_a_fresh_group_is_waited_for_until_pim_knows_it(open_world: OpenWorld) -> None:
    async with Scene(await open_world(start=EVENING, faults=Faults(1, replication_seconds=(200.0, 400.0)))) as scene:
        found = to_lock(scene)
        group: Group = found.managed.group
        group.made_at = scene.world.clock.now()
        scene.world.clock.advance(700)  # the directory shows it by now, PIM later

        await found.put()

        seen = await at_rest(scene, found)
        assert (seen["state"], seen["problems"]) == ("locked", [])
        assert found.managed.held() is not None


_CONCERNED = tuple(
    one.id
    for one in AZURE
    if one.id
    in (
        "arm-policy-filter-ignored",
        "arm-lists-show-group-members",
        "arm-requests-answer-pending",
        "arm-unknown-principal-is-subject",
        "arm-mfa-spares-applications",
        "arm-eligibility-capped-at-a-year",
        "arm-lapsed-schedules-stay-listed",
        "arm-nested-groups-approve",
        "arm-pim-only-mode-available",
        "arm-past-start-refused",
    )
)


@pytest.mark.parametrize("flipped", [*((one,) for one in _CONCERNED), _CONCERNED], ids=lambda one: ",".join(one)[:40])
async def test_whatever_azure_answers_to_the_open_questions_it_is_locked_down_once(
    flipped: tuple[str, ...], open_world: OpenWorld
) -> None:
    async with Scene(await open_world(start=EVENING, flipped=flipped)) as scene:
        found = to_lock(scene)

        await found.put()

        await locked_once(scene, found)


@pytest.mark.parametrize("flipped", ["arm-pim-needs-owner", "arm-lists-refuse-with-400"])
async def test_an_azure_that_takes_no_custom_role_is_told_in_words(flipped: str, open_world: OpenWorld) -> None:
    async with Scene(await open_world(start=EVENING, flipped=[flipped])) as scene:
        found = to_lock(scene)
        if flipped != "arm-pim-needs-owner":
            allow(scene, found, ["Microsoft.Authorization/roleManagementPolicies/write"])

        seen = await found.locked()

        assert seen["state"] == "failed"
        assert "custom role" in seen["problems"][0]["do"]
        assert found.managed.held() is None


@pytest.mark.parametrize("flipped", [(), ("arm-lock-fails-the-request",)], ids=["refuses", "fails the request"])
async def test_a_lock_on_the_subscription_is_told(flipped: tuple[str, ...], open_world: OpenWorld) -> None:
    async with Scene(await open_world(start=EVENING, flipped=flipped)) as scene:
        found = to_lock(scene)
        found.managed.subscription.rules.locked = True

        await found.put()

        seen = await at_rest(scene, found, minutes=20)
        assert seen["state"] == "failed"
        assert {one["code"] for one in seen["problems"]} & {"ResourceIsLocked", "FailedAsResourceIsLocked"}
        assert found.managed.held() is None


async def test_an_eligibility_longer_than_azure_s_cap_is_refused_by_the_rule_s_name(open_world: OpenWorld) -> None:
    async with Scene(await open_world(start=EVENING, flipped=["arm-eligibility-capped-at-a-year"])) as scene:
        found = to_lock(scene)
        group = {"role": VM_CONTRIBUTOR, "groups": [found.managed.group.id], "durationDays": 400}

        seen = await found.locked(group)

        assert (seen["state"], len(seen["problems"])) == ("failed", 1)
        assert "ExpirationRule" in seen["problems"][0]["what"]
        assert found.policy.maximum(ADMIN_ELIGIBILITY) == "P400D"
