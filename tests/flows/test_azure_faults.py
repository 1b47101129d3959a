"""Renewal of Azure roles when things go wrong: killed, answers lost, twice at once, a subscription that fails."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from msgspec.structs import replace

from shared.azure_permissions import VM_CONTRIBUTOR, azure_actions
from shared.eligibility.record import Eligibility, eligibility_key
from shared.identifiers import ObjectId
from shared.open_intents import UNSEEN
from shared.subscriptions.record import Change
from tests.conftest import OpenWorld
from tests.flows.declaring import VMS, Managed, declared, managed
from tests.flows.renewing import EVENING, midnight, night_after
from tests.flows.scene import Scene
from tests.sandbox.arm.errors import bad_request
from tests.sandbox.arm.models.roles import OWNER, STORAGE_ACCOUNT_CONTRIBUTOR
from tests.sandbox.points import cut, then_cut

pytestmark = [pytest.mark.sampled(3), pytest.mark.timeout(300)]

PUT = "PUT /subscriptions/{id}/providers/Microsoft.Authorization/roleEligibilityScheduleRequests/{id}"
_POLICY = "GET /subscriptions/{id}/providers/Microsoft.Authorization/roleManagementPolicyAssignments"
_RENEW = "renew_eligibilities_on_subscription"
_KILLS = [
    ("activity.before", "plan_subscription_renewals"),
    ("activity.after", "plan_subscription_renewals"),
    ("activity.before", _RENEW),
    ("activity.after", _RENEW),
    ("activity.after", "end_renewals"),
    ("vendor.before", PUT),
    ("vendor.after", PUT),
]


@pytest.fixture
async def scene(open_world: OpenWorld) -> AsyncIterator[Scene]:
    """A world where it is evening."""
    async with Scene(await open_world(start=EVENING)) as opened:
        yield opened


async def both_declared(scene: Scene) -> tuple[Managed, str]:
    """A subscription where a group and a user end soon."""
    found, ana = managed(scene, days=10), scene.world.people.ana.object_id
    found.subscription.eligible(ana, end=midnight(scene) + timedelta(days=10))
    answer = await found.declare({"role": VMS, "groups": [found.group.id], "users": [ana]})
    assert answer.status_code == 201, answer.text
    return found, ana


async def renewed_once(scene: Scene, found: Managed, *principals: str) -> None:
    """Each is extended by one request and one audit entry, and nothing is left open."""
    for principal in principals:
        assert found.end(principal) == midnight(scene) + timedelta(days=180)
    outcomes = [one.deed.outcome for one in await found.entries() if one.deed.act == 33]
    assert [one for one in outcomes if one != UNSEEN] == ["done"] * len(principals)
    assert found.requests() == ["AdminExtend"] * len(principals)
    kept = await found.kept()
    assert kept.record.renewing is None
    assert {one.state.value for one in kept.intents.values()} == {"closed"}
    assert {outcome for outcome, _ in (await found.told()).values()} == {"extended"}
    assert await scene.runs.list_open() == []


@pytest.mark.parametrize(("kind", "label"), _KILLS, ids=[f"{kind} {label.split('/')[0]}" for kind, label in _KILLS])
async def test_killed_in_the_middle_it_comes_to_its_end_and_writes_nothing_twice(
    kind: str, label: str, scene: Scene
) -> None:
    found, ana = await both_declared(scene)
    scene.world.points.arm(kind, label, 0, then_cut(scene.world.host.kill_and_restart))

    await night_after(scene, 1)

    assert scene.world.points.armed == frozenset()
    await renewed_once(scene, found, found.group.id, ana)


async def test_an_answer_that_got_lost_is_found_by_the_request_s_name(scene: Scene) -> None:
    found, ana = await both_declared(scene)
    scene.world.points.arm("vendor.after", PUT, 0, cut)

    await night_after(scene, 1)

    await renewed_once(scene, found, found.group.id, ana)
    puts = [one for one in scene.world.clouds.recorder.entries if (one.service, one.method) == ("arm", "PUT")]
    assert len({one.path for one in puts}) == 2


@pytest.mark.parametrize("activity", ["plan_subscription_renewals", _RENEW])
async def test_two_hosts_at_once_write_it_once(activity: str, scene: Scene) -> None:
    found, ana = await both_declared(scene)
    scene.world.host.deliver_twice(activity)

    await night_after(scene, 1)

    await renewed_once(scene, found, found.group.id, ana)


async def test_two_renewals_at_once_share_the_subscriptions(scene: Scene) -> None:
    found, ana = await both_declared(scene)
    answers: list[int] = []

    async def ask() -> None:
        asked = await asyncio.gather(*(scene.call("POST", "/api/renewals", {}) for _ in range(2)))
        answers.extend(one.status_code for one in asked)

    scene.world.points.arm("vendor.before", PUT, 0, ask)

    await night_after(scene, 1)

    assert sorted(answers) == [202, 409]
    await renewed_once(scene, found, found.group.id, ana)


async def test_a_refusal_is_told_with_its_code_and_asked_for_again_only_in_the_next_night(scene: Scene) -> None:
    found = await declared(scene, days=10)
    refused = 0

    async def refuse() -> None:
        nonlocal refused
        refused += 1
        raise bad_request(
            "RoleAssignmentRequestPolicyValidationFailed", 'The following rules failed: ["EligibilityRule"]'
        )

    scene.world.points.arm("vendor.before", PUT, 0, refuse)
    await night_after(scene, 1)

    assert refused == 1
    assert await found.told() == {found.group.id: ("refused", "RoleAssignmentRequestPolicyValidationFailed")}
    assert "renewal.at_risk" in scene.world.log.read_text()
    entry = (await found.entries())[-1]
    assert entry.deed.outcome == "refused: RoleAssignmentRequestPolicyValidationFailed"
    await night_after(scene, 1)
    assert found.requests() == ["AdminExtend"]


async def test_a_lock_is_told_whichever_way_it_refuses_and_lifted_it_is_extended(open_world: OpenWorld) -> None:
    for flipped in ([], ["arm-lock-fails-the-request"]):
        async with Scene(await open_world(start=EVENING, flipped=flipped)) as scene:
            found = await declared(scene, days=8)
            found.subscription.pim.locked = True
            await night_after(scene, 1)
            scene.world.clock.advance(4 * 3600)
            await scene.settle()
            why = "FailedAsResourceIsLocked" if flipped else "ResourceIsLocked"
            assert await found.told() == {found.group.id: ("refused", why)}
            found.subscription.pim.locked = False
            await night_after(scene, 1)
            assert found.end() == midnight(scene) + timedelta(days=180)


async def test_rights_that_are_gone_are_lost_access_however_the_lists_say_so(open_world: OpenWorld) -> None:
    async with Scene(await open_world(start=EVENING, flipped=["arm-lists-refuse-with-400"])) as scene:
        found = await declared(scene, days=9)
        found.subscription.access.assignments.clear()

        await night_after(scene, 1)

        log = scene.world.log.read_text()
        assert log.count("renewal.access_lost") == 1
        assert "renewal.given_up" not in log
        assert found.requests() == []


@pytest.mark.parametrize("how", ["broken", "deleted", "crawling", "disabled", "forbidden"])
async def test_a_subscription_that_fails_is_told_and_holds_up_none_of_the_others(how: str, scene: Scene) -> None:
    failing, world = await declared(scene, days=9), scene.world
    others = [await declared(scene, f"Other {number}", days=10) for number in range(3)]
    rights = dict(failing.subscription.access.assignments)
    if how == "crawling":
        world.clouds.azure.crawl(failing.subscription, size=1, seconds=60)
    elif how == "forbidden":
        failing.subscription.access.assignments.clear()
    else:
        world.clouds.azure.kill(failing.subscription, how)

    await night_after(scene, 1)
    world.clock.advance(4 * 3600)
    await scene.settle()

    assert {one.end() for one in others} == {midnight(scene) + timedelta(days=180)}
    assert failing.requests() == []
    answer = await scene.call("GET", f"/api/renewals/{midnight(scene):%Y-%m-%d}")
    told = {one["subscriptionId"]: one["problem"] for one in answer.json()["subscriptions"]}
    assert told.keys() == {failing.id, *(one.id for one in others)}
    log = world.log.read_text()
    if how == "disabled":
        assert (await failing.told())[failing.group.id] == ("refused", "ReadOnlyDisabledSubscription")
    else:
        assert told[failing.id]
    assert ("renewal.access_lost" in log) is (how == "forbidden")
    assert ("renewal.given_up" in log) is (how not in ("forbidden", "disabled"))
    assert await scene.runs.list_open() == []

    world.clouds.azure.recover(failing.subscription)
    failing.subscription.access.assignments.update(rights)
    await night_after(scene, 1)
    assert failing.end() == midnight(scene) + timedelta(days=180)


async def test_no_more_than_the_cap_is_renewed_in_one_night_and_the_rest_in_the_next(open_world: OpenWorld) -> None:
    settings = {"TENANTRY_RENEWAL_MOST_CHANGES": "1"}
    async with Scene(await open_world(start=EVENING, settings=settings)) as scene:
        found, ana = await both_declared(scene)
        await night_after(scene, 1)
        assert found.requests() == ["AdminExtend"]
        assert sorted(why or "" for _, why in (await found.told()).values()) == ["", "CapReached"]

        await night_after(scene, 1)

        assert found.requests() == ["AdminExtend", "AdminExtend"]
        assert found.end() > midnight(scene)
        assert found.end(ana) > midnight(scene)


async def test_owner_and_a_stranger_that_found_their_way_into_the_store_are_never_written(scene: Scene) -> None:
    """A row without a declaration, and a declaration of a role that the deployment does not allow."""
    found, soon = await declared(scene, days=8), midnight(scene) + timedelta(days=8)
    people = scene.world.people
    found.subscription.eligible(people.ben.object_id, end=soon)
    found.subscription.eligible(people.cleo.object_id, end=soon, role_id=OWNER)
    kept = await found.kept()
    [ours] = kept.record.declared
    owner = replace(ours, principal_id=ObjectId(people.cleo.object_id), role_definition_id=OWNER)
    rows = [
        Eligibility(
            principal_id=ObjectId(principal),
            role_definition_id=role,
            analyst_id=None,
            schedule_id="x",
            end=soon,
            wanted_days=180,
        )
        for principal, role in (
            (people.ben.object_id, ours.role_definition_id),
            (people.cleo.object_id, OWNER),
        )
    ]
    await scene.subscriptions.update(
        found.id,
        lambda seen: Change(record=replace(seen.record, declared=(ours, owner)), eligibilities=rows),
    )

    await night_after(scene, 1)
    scene.world.clock.advance(4 * 3600)
    await scene.settle()

    assert [(one.wanted.principal_id, one.wanted.role_id) for one in found.subscription.pim.requests.values()] == [
        (found.group.id, ours.role_definition_id)
    ]
    told = await found.told()
    assert told[people.cleo.object_id] == ("refused", "RoleNotAllowed")
    assert told[found.group.id] == ("extended", None)
    assert eligibility_key(people.ben.object_id, ours.role_definition_id) in (await found.kept()).eligibilities
    assert found.held(people.ben.object_id) is not None
    assert found.end(people.ben.object_id) == soon


@pytest.mark.parametrize(("kind", "label"), [("activity.before", _RENEW), ("vendor-read.before", _POLICY)])
async def test_what_is_taken_off_the_declaration_while_it_is_renewed_is_not_written(
    kind: str, label: str, scene: Scene
) -> None:
    """The policy is read a first time by the plan, and a second time by the renewal itself."""
    found, ana = await both_declared(scene)

    async def undeclare() -> None:
        answer = await found.declare({"role": VMS, "users": [ana]})
        assert answer.status_code == 200, answer.text

    scene.world.points.arm(kind, label, int(label == _POLICY), undeclare)
    await night_after(scene, 1)

    assert found.requests() == ["AdminExtend"]
    assert found.end() < midnight(scene) + timedelta(days=30)
    assert found.end(ana) == midnight(scene) + timedelta(days=180)


async def test_a_declaration_that_changes_between_two_writes_stops_the_second(scene: Scene) -> None:
    found, ana = await both_declared(scene)
    ends = {found.group.id: found.end(), ana: found.end(ana)}

    async def declare_nothing() -> None:
        assert (await scene.call("PUT", found.path, {"eligibilities": []})).status_code == 200

    scene.world.points.arm("vendor.after", PUT, 0, declare_nothing)

    await night_after(scene, 1)

    assert found.requests() == ["AdminExtend"]
    changed = [one for one in ends if found.end(one) != ends[one]]
    assert len(changed) == 1
    assert (await found.kept()).record.renewing is None
    assert {one.state.value for one in (await found.kept()).intents.values()} <= {"closed", "open"}
    assert await scene.runs.list_open() == []


async def test_rights_to_write_that_are_gone_are_lost_access_although_reading_still_works(scene: Scene) -> None:
    found = await declared(scene, days=10)
    readable = [one for one in azure_actions() if not one.endswith("/write")]
    [principal] = {one.principal_id for one in found.subscription.access.assignments.values()}
    found.subscription.access.assignments.clear()
    scene.world.clouds.azure.give(principal, found.subscription, readable, name="Reads")

    await night_after(scene, 1)

    assert found.requests() == []
    assert scene.world.log.read_text().count("renewal.access_lost") == 1


async def test_an_open_write_of_a_role_that_is_not_allowed_any_more_holds_up_no_other_role(
    open_world: OpenWorld,
) -> None:
    """A deployment allows less, and its restart kills a renewal in the middle of a write."""
    both = f"{VM_CONTRIBUTOR},{STORAGE_ACCOUNT_CONTRIBUTOR}"
    world = await open_world(start=EVENING, settings={"TENANTRY_AZURE_ROLES": both})
    async with Scene(world) as scene:
        found, soon = managed(scene, days=10), midnight(scene) + timedelta(days=10)
        found.subscription.eligible(found.group.id, end=soon, role_id=STORAGE_ACCOUNT_CONTRIBUTOR)
        roles = [{"role": one, "groups": [found.group.id]} for one in (VM_CONTRIBUTOR, STORAGE_ACCOUNT_CONTRIBUTOR)]
        assert (await found.declare(*roles)).status_code == 201

        async def restart_with_less() -> None:
            world.host.environment["TENANTRY_AZURE_ROLES"] = VM_CONTRIBUTOR
            await world.host.kill_and_restart()

        for nth in range(2):
            world.points.arm("vendor.before", PUT, nth, then_cut(restart_with_less))

        await night_after(scene, 1)
        await night_after(scene, 1)

        assert found.end() > soon
        assert found.end(role_id=STORAGE_ACCOUNT_CONTRIBUTOR) == soon
