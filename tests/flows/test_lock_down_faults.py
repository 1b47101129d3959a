"""Locking down when things go wrong: killed, refused, answered late or not at all, and every open question of Azure."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import httpx
import msgspec
import pytest
from msgspec.structs import replace

from shared.azure_permissions import VM_CONTRIBUTOR, azure_actions
from shared.lockdown.messages import KIND, LockWish
from shared.open_intents import UNSEEN
from shared.run import Run
from shared.subscriptions.record import Change, Lock, LockState
from tests.conftest import OpenWorld
from tests.flows.declaring import VMS
from tests.flows.locking import ASSIGN, PATCH, Locked, to_lock
from tests.flows.renewing import EVENING, night_after
from tests.flows.scene import Scene
from tests.sandbox.arm.models import policy_rules
from tests.sandbox.arm.models.policy import ADMIN_ELIGIBILITY
from tests.sandbox.arm.questions import AZURE
from tests.sandbox.faults import Faults
from tests.sandbox.graph.models.directory import Group
from tests.sandbox.points import Cut, cut, then_cut

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


@pytest.mark.parametrize("here", ["new", "known"])
async def test_a_lock_down_that_does_not_show_on_the_record_yet_can_be_cancelled(here: str, scene: Scene) -> None:
    """The process died after the run's row; the sweeper would start it a little later."""
    found = to_lock(scene, days=10)
    if here == "known":
        assert (await found.managed.declare()).status_code == 201
    # The first insert only makes the table.
    scene.world.points.arm("store.after", "POST Runs", 1, then_cut(scene.world.host.kill_and_restart))
    with pytest.raises(httpx.TransportError):
        await found.put()
    assert await scene.runs.open_run(found.managed.id) is not None

    answer = await scene.call("POST", f"{found.managed.path}/cancel")

    assert answer.status_code == 202
    assert (await at_rest(scene, found))["state"] == "cancelled"
    assert found.writes() == []


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


async def test_of_two_puts_at_once_the_audit_says_which_was_not_done(scene: Scene) -> None:
    """The second one opens its run while the first one is between its look and its own."""
    found = to_lock(scene)
    faster: list[int] = []

    async def be_faster() -> None:
        faster.append((await found.put()).status_code)

    scene.world.points.arm("store.before", "POST Runs", 1, be_faster)  # the first insert only makes the table

    slower = await found.put(longestActivation="PT2H")

    assert (faster, slower.status_code) == ([202], 409)
    assert "Run 1 (lockdown) was faster" in slower.json()["detail"]
    assert (await at_rest(scene, found))["state"] == "locked"
    told = [one.deed for one in await found.managed.entries() if one.deed.act == 34]
    assert [one.outcome for one in told] == ["done", "done", "not done: Run 1 (lockdown) was faster"]
    assert told[0].wanted == told[2].wanted != told[1].wanted


@pytest.mark.parametrize(("kind", "label"), [("store.after", "POST Runs"), ("store.before", "PUT Subscriptions")])
async def test_a_lock_down_whose_run_may_be_open_is_not_said_to_be_not_done(
    kind: str, label: str, scene: Scene
) -> None:
    """The store took the run's row and did not say so, or took nothing more after it."""
    found = to_lock(scene, days=10)
    assert (await found.managed.declare()).status_code == 201
    is_down = True

    async def fail() -> None:
        if is_down:
            raise Cut

    for nth in range(1 if label == "POST Runs" else 0, 20):  # the first insert only makes the table
        scene.world.points.arm(kind, label, nth, fail)

    assert (await found.put()).status_code == 503

    is_down = False
    outcomes = [one.deed.outcome for one in await found.managed.entries()]
    assert outcomes[-2] == "done"
    assert outcomes[-1].startswith("not known whether done: ")
    scene.world.clock.advance(180)
    assert (await at_rest(scene, found))["state"] == "locked"


async def test_a_lock_down_whose_record_kept_changing_is_not_said_to_be_not_done(scene: Scene) -> None:
    """Its run is open: it begins by a sweep."""
    found = to_lock(scene, days=10)
    assert (await found.managed.declare()).status_code == 201
    is_busy = True

    async def be_faster() -> None:
        if is_busy:
            await scene.subscriptions.update(found.managed.id, lambda one: Change(record=one.record))

    for nth in range(40):
        scene.world.points.arm("store.before", "PUT Subscriptions", nth, be_faster)

    assert (await found.put()).status_code == 503

    is_busy = False
    outcomes = [one.deed.outcome for one in await found.managed.entries()]
    assert outcomes[-1].startswith("not known whether done: ")
    scene.world.clock.advance(180)
    assert (await at_rest(scene, found))["state"] == "locked"


async def test_a_run_of_an_earlier_version_that_says_less_begins_all_the_same(scene: Scene) -> None:
    """Its row does not say which lock-down was read."""
    found = to_lock(scene)
    await found.locked()
    record = (await found.managed.kept()).record
    assert record.lock_down is not None
    shorter = replace(record.lock_down, hours=2)
    wish = LockWish(declared=record.declared, lock_down=shorter, before=record.declared, makes=True)
    wanted = msgspec.json.encode(wish)
    assert b"lock_before" not in wanted
    earlier = Run(
        subject=found.managed.id,
        kind=KIND,
        number=record.run + 1,
        orchestration_id="earlier",
        nonce="earlier",
        opened=scene.world.clock.now(),
        requested_by=record.requested_by,
        wanted=msgspec.Raw(wanted),
    )
    assert await scene.runs.insert(earlier) is None
    scene.world.clock.advance(180)

    seen = await at_rest(scene, found)

    assert seen["state"] == "locked"
    assert (await found.managed.kept()).record.lock_down == shorter


async def test_a_lock_down_that_was_let_go_of_meanwhile_is_not_put_back(scene: Scene) -> None:
    """By a PUT that says nothing of it, and had read it before."""
    found = to_lock(scene)
    await found.locked()
    more = scene.world.contoso.directory.add_group("More engineers", [scene.world.people.engineer.object_id])
    lifted: list[int] = []

    async def lift() -> None:
        lifted.append((await found.managed.declare(lockDown=None)).status_code)

    scene.world.points.arm("store.before", "POST Runs", scene.world.points.passed("store.before", "POST Runs"), lift)

    answer = await found.managed.declare({"role": VMS, "groups": [found.managed.group.id, more.id]})

    await scene.settle()
    assert (lifted, answer.status_code) == ([200], 409)
    assert (await found.managed.kept()).record.lock_down is None
    assert await scene.runs.list_open() == []
    assert [one.deed.outcome for one in await found.managed.entries()][-1].startswith("not done: ")


async def test_a_lock_down_that_was_declared_meanwhile_is_not_dropped(scene: Scene) -> None:
    """By a PUT that says nothing of it, and had read that there was none."""
    found = to_lock(scene, days=10)
    assert (await found.managed.declare()).status_code == 201
    group = {"role": VMS, "groups": [found.managed.group.id], "durationDays": 90}

    async def lock() -> None:
        assert (await found.put(group)).status_code == 202
        async with asyncio.timeout(20):
            while await scene.runs.list_open():  # noqa: ASYNC110 - the host is not idle: the first PUT is under way
                await asyncio.sleep(0.02)

    scene.world.points.arm("store.before", "PUT Subscriptions", 0, lock)

    answer = await found.managed.declare(group)

    assert answer.status_code == 503
    assert (await found.view())["state"] == "locked"
    assert [one.deed.outcome for one in await found.managed.entries()][-1].startswith("not done: ")
    assert (await found.managed.declare(group)).status_code == 200
    assert (await found.view())["state"] == "locked"


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
