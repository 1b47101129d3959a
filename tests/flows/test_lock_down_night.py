"""A night's look at what is locked down: what stands beside the lock is told, and of the policies put right."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from shared.azure_permissions import VM_CONTRIBUTOR, azure_actions
from tests.conftest import OpenWorld
from tests.flows.declaring import declared
from tests.flows.locking import APPROVAL, PATCH, Locked, to_lock
from tests.flows.renewing import EVENING, midnight, night_after
from tests.flows.scene import Scene
from tests.sandbox.arm.models.policy import END_USER_ASSIGNMENT
from tests.sandbox.arm.models.roles import CONTRIBUTOR, OWNER, READER, RoleDefinition
from tests.sandbox.arm.models.scope import management_group
from tests.sandbox.points import cut, then_cut

pytestmark = [pytest.mark.sampled(3), pytest.mark.timeout(300)]

_LOOK, _END = "look_at_locked_page", "end_subscription_night"


@pytest.fixture
async def scene(open_world: OpenWorld) -> AsyncIterator[Scene]:
    """A world where it is evening, and somebody is told."""
    async with Scene(await open_world(start=EVENING, receiving=True)) as opened:
        yield opened


async def told(scene: Scene, found: Locked) -> list[dict[str, Any]]:
    """What the webhook was told of the subscription's drift."""
    await scene.world.host.run_timer("deliver_notices")
    came = [one.body for one in scene.world.receiver.came["webhook"]]
    return [
        one["data"]
        for one in came
        if one["type"] == "subscription.drifted" and one["data"]["subscriptionId"] == found.managed.id
    ]


async def looked(scene: Scene, days: int = 1) -> None:
    """A night, and the runs that it opened."""
    await night_after(scene, days)
    scene.world.clock.advance(240)
    await scene.settle()


def role(scene: Locked, role_id: str) -> RoleDefinition:
    """A role of the subscription."""
    found = scene.managed.subscription.access.role(role_id)
    assert found is not None
    return found


async def test_where_nothing_stands_beside_the_lock_nobody_is_told(scene: Scene) -> None:
    found = to_lock(scene)
    await found.locked()
    writes = found.writes()

    await looked(scene)

    assert ((await found.drift())["findings"], (await found.drift())["unread"]) == ([], [])
    assert await told(scene, found) == []
    assert found.writes() == writes


async def test_a_policy_that_somebody_changed_is_named_told_and_put_right(scene: Scene) -> None:
    found = to_lock(scene)
    await found.locked()
    found.policy.approve_by()
    found.policy.longest("PT20H", END_USER_ASSIGNMENT)

    await looked(scene)

    changed = {one["rule"]: one for one in await found.findings("policyChanged")}
    assert set(changed) == {APPROVAL, f"Expiration_{END_USER_ASSIGNMENT}"}
    assert changed[APPROVAL]["found"] == "no approval"
    assert found.finance.id in changed[APPROVAL]["was"]
    assert "PT20H" in changed[f"Expiration_{END_USER_ASSIGNMENT}"]["found"]
    assert found.approvers() != []
    assert found.policy.maximum(END_USER_ASSIGNMENT) == "PT8H"
    seen = await found.view()
    assert (seen["state"], seen["inForce"][0]["differences"]) == ("locked", [])
    [one] = await told(scene, found)
    assert one["why"] == "policyChanged"
    repair = (await found.managed.entries())[-1].deed
    assert (repair.act, repair.outcome, repair.on_whose_word) == (35, "done", scene.world.people.operator.object_id)
    assert "the nightly look" in repair.why
    await looked(scene)
    assert await found.findings("policyChanged") == []


async def test_mail_to_approvers_that_somebody_turned_off_is_turned_on_again(scene: Scene) -> None:
    found = to_lock(scene)
    await found.locked()
    mail = found.policy.rules["Notification_Approver_EndUser_Assignment"]
    mail["isDefaultRecipientsEnabled"] = False

    await looked(scene)

    [one] = await found.findings("policyChanged")
    assert (one["rule"], one["found"]) == ("Notification_Approver_EndUser_Assignment", "approvers are told by no mail")
    assert found.policy.rules["Notification_Approver_EndUser_Assignment"]["isDefaultRecipientsEnabled"] is True


async def test_without_repair_it_is_told_and_left_and_the_same_put_puts_it_right(scene: Scene) -> None:
    found = to_lock(scene)
    await found.locked(repair=False)
    found.policy.approve_by()

    await looked(scene)

    assert len(await found.findings("policyChanged")) == 1
    assert found.approvers() == []
    assert (await found.view())["inForce"][0]["differences"][0]["rule"] == APPROVAL
    assert (await found.put(repair=False)).status_code == 202
    await scene.settle()
    assert found.approvers() != []


async def test_after_a_cancel_a_night_puts_nothing_right(scene: Scene) -> None:
    found = to_lock(scene)
    scene.world.points.arm(
        "activity.before", "lock_role_down", 0, lambda: scene.call("POST", f"{found.managed.path}/cancel")
    )
    await found.put()
    await scene.settle()

    await looked(scene)

    assert (await found.view())["state"] == "cancelled"
    assert len(await found.findings("policyChanged")) == 2
    assert found.approvers() == []


async def test_what_a_person_took_away_is_not_made_again_by_a_repair(scene: Scene) -> None:
    found = to_lock(scene)
    await found.locked()
    found.managed.subscription.removed_by_a_person(found.managed.group.id)
    found.policy.approve_by()

    await looked(scene)

    assert found.approvers() != []
    assert found.managed.held() is None


async def test_everybody_who_holds_a_role_that_makes_virtual_machines_is_named_with_how_they_got_it(
    scene: Scene,
) -> None:
    found, people = to_lock(scene), scene.world.people
    subscription = found.managed.subscription
    access, group = subscription.access, subscription.add_resource_group("build")
    custom = access.define("Builder", ["Microsoft.Compute/*"], subscription.scope)
    harmless = access.define("Looker", ["*/read"], subscription.scope)
    barred = RoleDefinition(
        id="aaaaaaaa-0000-4000-8000-000000000001",
        name="All but machines",
        actions=("*",),
        not_actions=("microsoft.compute/VIRTUALMACHINES/*",),
        custom=True,
    )
    access.custom_roles[barred.id] = barred
    above = management_group("everything")
    access.assign(people.ana.object_id, role(found, OWNER), above)
    access.assign(people.ben.object_id, role(found, CONTRIBUTOR), subscription.scope)
    access.assign(people.cleo.object_id, custom, group)
    access.assign(people.reader.object_id, role(found, VM_CONTRIBUTOR), group)
    access.assign(people.guest.object_id, harmless, subscription.scope)
    access.assign(people.operator.object_id, barred, subscription.scope)
    access.assign(people.operator.object_id, role(found, READER), subscription.scope)
    found.active(people.fiona.object_id, linked=False)
    found.active(people.ivan.object_id, linked=True)
    found.active(people.engineer.object_id, linked=True, scope=group)
    await found.locked()

    await looked(scene)

    holders = {one["principalId"]: (one["how"], one["scope"]) for one in await found.findings("holder")}
    assert holders == {
        people.ana.object_id: ("plain assignment of Owner", above.path),
        people.ben.object_id: ("plain assignment of Contributor", subscription.scope.path),
        people.cleo.object_id: ("plain assignment of custom role Builder", group.path),
        people.reader.object_id: ("plain assignment of Virtual Machine Contributor", group.path),
        people.fiona.object_id: (
            "active assignment of Virtual Machine Contributor, not ours",
            subscription.scope.path,
        ),
        people.engineer.object_id: (
            "activated Virtual Machine Contributor, by a policy that is not the subscription's",
            group.path,
        ),
    }
    [one] = await told(scene, found)
    assert one["why"] == "holder"
    assert found.writes().count("PATCH roleManagementPolicies") == 1


@pytest.mark.parametrize(
    "flipped", [(), ("arm-lists-show-group-members", "arm-policy-filter-ignored")], ids=["", "odd"]
)
async def test_eligibilities_that_the_policy_does_not_govern_or_that_nobody_declared_are_named(
    flipped: Sequence[str], open_world: OpenWorld
) -> None:
    async with Scene(await open_world(start=EVENING, flipped=flipped)) as scene:
        found, people = to_lock(scene), scene.world.people
        subscription, soon = found.managed.subscription, midnight(scene) + timedelta(days=200)
        group = subscription.add_resource_group("build")
        await found.locked()
        subscription.eligible(people.ana.object_id, end=soon, scope=group)
        subscription.eligible(people.ben.object_id, end=soon, scope=management_group("everything"))
        subscription.eligible(people.cleo.object_id, end=None)
        subscription.eligible(people.fiona.object_id, end=soon)
        subscription.eligible(people.ivan.object_id, end=soon, role_id=CONTRIBUTOR)
        subscription.eligible(people.reader.object_id, end=None, role_id=READER)

        await looked(scene)

        findings = [one for one in (await found.drift())["findings"] if one["kind"] != "holder"]
        assert {(one["principalId"], one["kind"]) for one in findings} == {
            (people.ana.object_id, "eligibleBelow"),
            (people.ben.object_id, "eligibleAbove"),
            (people.cleo.object_id, "notDeclared"),
            (people.cleo.object_id, "permanent"),
            (people.fiona.object_id, "notDeclared"),
            (people.ivan.object_id, "eligibleOtherwise"),
        }


async def test_approvers_who_are_not_reached_any_more_are_named(scene: Scene) -> None:
    found = to_lock(scene)
    await found.locked()
    users = scene.world.contoso.directory.users
    for one in (*found.finance.members, scene.world.people.ivan.object_id):
        users[one].mail = None

    await looked(scene)

    found_now = [one["how"] for one in await found.findings("approvers")]
    assert found_now.count("the account has no mail address") == 3
    assert {one["reach"] for one in (await found.view())["approvers"]} == {"notProven"}


async def test_drift_is_told_once_a_day(scene: Scene) -> None:
    found = to_lock(scene)
    subscription = found.managed.subscription
    await found.locked()
    subscription.access.assign(scene.world.people.ana.object_id, role(found, OWNER), subscription.scope)

    await looked(scene)
    assert len(await told(scene, found)) == 1
    await looked(scene)

    assert len(await told(scene, found)) == 2
    listed = (await scene.call("GET", "/api/subscriptions")).json()["value"]
    assert [one["drifted"] for one in listed] == [1]


async def test_one_that_is_dead_is_given_up_and_told_and_the_others_are_looked_at(scene: Scene) -> None:
    dead, alive = to_lock(scene, "Dead"), to_lock(scene, "Alive")
    plain = await declared(scene, "Plain", days=200)
    await dead.locked()
    await alive.locked()
    scene.world.clouds.azure.kill(dead.managed.subscription, "broken")
    alive.policy.approve_by()
    before = len(plain.calls())

    await looked(scene)
    scene.world.clock.advance(3 * 3600)
    await scene.settle()

    assert alive.approvers() != []
    assert len(await alive.findings("policyChanged")) == 1
    assert (await dead.drift())["unread"] != []
    assert [one["why"] for one in await told(scene, dead)] == ["unread"]
    assert scene.world.log.read_text().count("subscription_night.given_up") == 1
    assert set(plain.calls()[before:]) <= {"GET roleEligibilityScheduleInstances"}


@pytest.mark.parametrize(
    "lacks", ["roleAssignments/read", "roleDefinitions/read", "roleAssignmentScheduleInstances/read"]
)
async def test_what_may_not_be_read_is_named_and_keeps_the_rest_from_nothing(lacks: str, scene: Scene) -> None:
    found = to_lock(scene)
    await found.locked()
    access = found.managed.subscription.access
    [principal] = {one.principal_id for one in access.assignments.values()}
    access.assignments.clear()
    allowed = [one for one in azure_actions() if not one.endswith(lacks)]
    scene.world.clouds.azure.give(principal, found.managed.subscription, allowed, name="Less")
    found.policy.approve_by()

    await looked(scene)

    drift = await found.drift()
    assert len(drift["unread"]) == 1
    assert "AuthorizationFailed" in drift["unread"][0]
    assert found.approvers() != []


_KILLS: list[tuple[str, str]] = [
    ("activity.before", _LOOK),
    ("activity.after", _LOOK),
    ("activity.before", _END),
    ("activity.after", _END),
    ("vendor.before", PATCH),
    ("vendor.after", PATCH),
]


@pytest.mark.parametrize(("kind", "label"), _KILLS, ids=[f"{kind} {label.split('/')[-1]}" for kind, label in _KILLS])
async def test_a_night_that_is_killed_tells_once_and_puts_right(kind: str, label: str, scene: Scene) -> None:
    found = to_lock(scene)
    await found.locked()
    passed = scene.world.points.passed(kind, label)
    found.policy.approve_by()
    scene.world.points.arm(kind, label, passed, then_cut(scene.world.host.kill_and_restart))

    await looked(scene)
    scene.world.clock.advance(1200)
    await scene.settle()

    assert scene.world.points.armed == frozenset()
    assert found.approvers() != []
    assert len(await told(scene, found)) == 1
    assert await scene.runs.list_open() == []
    deeds = [one.deed.outcome for one in await found.managed.entries() if one.deed.act == 35]
    assert deeds.count("done") == 2


async def test_a_renewal_that_holds_it_is_waited_for_in_the_same_night(scene: Scene) -> None:
    found = to_lock(scene, days=12)
    await found.locked()
    found.policy.approve_by()
    scene.world.host.deliver_twice(_LOOK)

    await looked(scene)
    scene.world.clock.advance(2 * 3600)
    await scene.settle()

    assert found.approvers() != []
    assert found.managed.end() > midnight(scene) + timedelta(days=170)


async def test_a_hundred_pages_of_holders_are_read_to_the_end(scene: Scene) -> None:
    found = to_lock(scene)
    await found.locked()
    scene.world.clouds.azure.page = 2
    access, subscription = found.managed.subscription.access, found.managed.subscription
    people = scene.world.contoso.directory
    names = [people.add_user(f"p{number}@contoso.com", f"P {number}").id for number in range(23)]
    for one in names:
        access.assign(one, role(found, CONTRIBUTOR), subscription.scope)
    scene.world.points.arm(
        "vendor-read.before",
        "GET /subscriptions/{id}/providers/Microsoft.Authorization/roleAssignments",
        0,
        cut,
    )

    await looked(scene)

    assert sorted(one["principalId"] for one in await found.findings("holder")) == sorted(names)
