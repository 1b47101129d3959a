"""Locking a role down: the policy is patched where it differs, who is declared is made eligible, and the record tells it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from shared.azure_permissions import STORAGE_ACCOUNT_CONTRIBUTOR, VM_CONTRIBUTOR
from tests.conftest import OpenWorld
from tests.flows.declaring import VMS, declared
from tests.flows.locking import PATCH, Locked, to_lock
from tests.flows.renewing import EVENING, midnight, night_after
from tests.flows.scene import Scene
from tests.sandbox.arm.models.policy import ADMIN_ELIGIBILITY, END_USER_ASSIGNMENT, MFA, TICKET
from tests.sandbox.arm.models.roles import OWNER
from tests.sandbox.points import cut
from tests.sandbox.population import OPERATE, READ

pytestmark = pytest.mark.sampled(8)

STRANGER = "eeeeeeee-0000-4000-8000-00000000000e"
_CONTEXT = f"AuthenticationContext_{END_USER_ASSIGNMENT}"


@pytest.fixture
async def scene(open_world: OpenWorld) -> AsyncIterator[Scene]:
    """A world where it is evening."""
    async with Scene(await open_world(start=EVENING)) as opened:
        yield opened


async def test_a_role_is_locked_down_and_who_is_declared_is_eligible(scene: Scene) -> None:
    found, began = to_lock(scene), scene.world.clock.now()
    people = scene.world.people

    first = await found.put()

    assert (first.status_code, first.json()["lockDown"]["state"]) == (202, "locking")
    assert first.headers["Location"].endswith(found.managed.path)
    await scene.settle()
    seen = await found.view()
    assert (seen["state"], seen["problems"]) == ("locked", [])
    assert found.approvers() == [found.finance.id, people.ivan.object_id]
    assert set(found.policy.demanded(END_USER_ASSIGNMENT)) == {MFA, TICKET, "Justification"}
    assert abs(found.managed.end() - began - timedelta(days=180)) < timedelta(minutes=5)
    [role] = seen["inForce"]
    assert (role["approval"], role["mfa"], role["ticket"], role["differences"]) == (True, True, True, [])
    assert role["longestActivation"] == "PT8H"
    assert {one["principalId"] for one in seen["approvers"]} == {people.ivan.object_id, *found.finance.members}
    assert {one["reach"] for one in seen["approvers"]} == {"ok"}
    deeds = [(one.deed.act, one.deed.outcome) for one in await found.managed.entries()]
    assert deeds == [(34, "done"), (35, "done"), (36, "done")]
    assert {one.deed.on_whose_word for one in await found.managed.entries()} == {people.operator.object_id}
    kept = await found.managed.kept()
    assert {one.state.value for one in kept.intents.values()} == {"closed"}
    assert kept.record.renewing is None
    assert await scene.runs.list_open() == []
    listed = (await scene.call("GET", "/api/subscriptions")).json()["value"]
    assert [(one["lockDown"], one["drifted"]) for one in listed] == [("locked", 0)]


async def test_only_rules_that_differ_are_sent_and_the_same_again_sends_none(scene: Scene) -> None:
    found = to_lock(scene)
    await found.locked()
    patched = [one.request for one in scene.world.clouds.recorder.entries if one.method == "PATCH"]
    writes = found.writes()

    again = await found.put()
    await scene.settle()

    assert again.status_code == 200
    assert found.writes() == writes == ["PATCH roleManagementPolicies", "PUT roleEligibilityScheduleRequests"]
    [body] = patched
    assert isinstance(body, dict)
    assert [one["id"] for one in body["properties"]["rules"]] == [
        f"Approval_{END_USER_ASSIGNMENT}",
        f"Enablement_{END_USER_ASSIGNMENT}",
    ]
    assert len(await found.managed.entries()) == 3


async def test_another_wish_changes_that_alone(scene: Scene) -> None:
    found = to_lock(scene)
    await found.locked()
    entries = len(await found.managed.entries())

    seen = await found.locked(longestActivation="PT4H")

    assert seen["inForce"][0]["longestActivation"] == "PT4H"
    assert [one.deed.act for one in await found.managed.entries()][entries:] == [34, 35]
    assert found.writes().count("PUT roleEligibilityScheduleRequests") == 1


async def test_a_plan_tells_what_differs_by_what_was_last_seen_and_writes_nothing(scene: Scene) -> None:
    found = to_lock(scene)

    first = (await found.put(dry_run=True)).json()
    assert await scene.subscriptions.read(found.managed.id) is None
    await found.locked()
    second = (await found.put(dry_run=True, longestActivation="PT2H")).json()

    assert first["lockDown"]["runs"] is True
    assert first["lockDown"]["rules"] == []
    assert any("which rules" in one for one in first["unknown"])
    assert [one["rule"] for one in second["lockDown"]["rules"]] == [f"Expiration_{END_USER_ASSIGNMENT}"]
    assert found.policy.maximum(END_USER_ASSIGNMENT) == "PT8H"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"roles": ["Owner"]}, "lockDown.roles[0]"),
        ({"roles": [OWNER]}, "lockDown.roles[0]"),
        ({"roles": [STORAGE_ACCOUNT_CONTRIBUTOR]}, "lockDown.roles[0]"),
        ({"roles": [VMS, VMS]}, "lockDown.roles"),
        ({"roles": []}, "lockDown.roles"),
        ({"approvers": {"users": [STRANGER]}}, "lockDown.approvers"),
        ({"approvers": {}}, "lockDown.approvers"),
        ({"approvers": {"groups": [STRANGER]}}, "lockDown.approvers.groups[0]"),
        ({"approvers": {"groups": ["x"]}}, "lockDown.approvers.groups[0]"),
        ({"longestActivation": "PT25H"}, "lockDown.longestActivation"),
        ({"longestActivation": "PT90M"}, "lockDown.longestActivation"),
        ({"longestActivation": "soon"}, "lockDown.longestActivation"),
        ({"authenticationContext": "c1", "mfa": True}, "lockDown.mfa"),
        ({"authenticationContext": "x"}, "lockDown.authenticationContext"),
        ({"budget": {"amount": "1", "azureName": "b"}}, "lockDown.budget"),
        ({"budget": {"amount": 5}}, "lockDown.budget.amount"),
        ({"money": {"financeAbove": "10"}}, "lockDown.money.finance"),
        ({"money": {"finance": [STRANGER]}}, "lockDown.money.finance[0]"),
        ({"money": {"currency": "euro"}}, "lockDown.money.currency"),
        ({"money": {"currency": "EUR\n"}}, "lockDown.money.currency"),
        ({"expectedSizes": [{"region": "westeurope", "sizes": ["D4s_v5"]}]}, "lockDown.expectedSizes[0].sizes[0]"),
        ({"money": {"senior": {"users": [STRANGER]}}}, "lockDown.money.senior"),
        ({"expectedSizes": [{"region": "West Europe", "sizes": ["x"]}]}, "lockDown.expectedSizes[0].region"),
        ({"mode": "broker"}, "lockDown.mode"),
        ({"mode": "none"}, "lockDown.mode"),
        ({"quorum": 2}, "lockDown.quorum"),
    ],
)
async def test_what_may_not_be_declared_is_refused_by_its_field_and_nothing_is_kept(
    scene: Scene, change: dict[str, Any], field: str
) -> None:
    found = to_lock(scene)

    answer = await found.put(**change)

    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert await scene.subscriptions.read(found.managed.id) is None
    assert await scene.runs.list_open() == []
    assert found.managed.calls() == []


async def test_who_is_eligible_and_who_is_no_person_locks_nothing_down(scene: Scene) -> None:
    found, world = to_lock(scene), scene.world
    body = {"eligibilities": [{"role": VMS, "groups": [found.managed.group.id]}], "lockDown": found.lock()}
    emil = world.token(world.people.engineer, OPERATE, READ)

    assert (await scene.call("PUT", found.managed.path, body, token=emil)).status_code == 403
    assert (await scene.call("PUT", found.managed.path, body, token=world.reader_token())).status_code == 403
    await found.locked()
    changed = {**body, "lockDown": found.lock(longestActivation="PT24H")}
    assert (await scene.call("PUT", found.managed.path, changed, token=emil)).status_code == 403
    assert found.policy.maximum(END_USER_ASSIGNMENT) == "PT8H"


async def test_a_context_takes_the_place_of_mfa_and_mfa_of_a_context(scene: Scene) -> None:
    """Azure refuses both at once, so the one goes with the same request as the other comes."""
    found = to_lock(scene)
    await found.locked()

    seen = await found.locked(authenticationContext="c2")
    rule = found.policy.rules[_CONTEXT]
    assert (rule["isEnabled"], rule["claimValue"], seen["problems"]) == (True, "c2", [])
    assert MFA not in found.policy.demanded(END_USER_ASSIGNMENT)
    await found.locked()

    assert found.policy.rules[_CONTEXT]["isEnabled"] is False
    assert MFA in found.policy.demanded(END_USER_ASSIGNMENT)


async def test_the_policy_lets_last_what_is_declared_and_asks_no_mfa_of_who_makes_eligible(scene: Scene) -> None:
    found = to_lock(scene)
    found.policy.longest("P30D")
    found.policy.demand(MFA, level=ADMIN_ELIGIBILITY)

    seen = await found.locked()

    assert (seen["state"], seen["problems"]) == ("locked", [])
    assert found.policy.maximum(ADMIN_ELIGIBILITY) == "P180D"
    assert found.policy.demanded(ADMIN_ELIGIBILITY) == []
    assert found.managed.end() > midnight(scene) + timedelta(days=179)


async def test_what_lasts_longer_and_what_is_permanent_stays_as_it_is(scene: Scene) -> None:
    found = to_lock(scene, days=300)
    found.policy.longest(None)
    end = found.managed.end()

    await found.locked()

    assert found.managed.end() == end
    assert found.policy.maximum(ADMIN_ELIGIBILITY) is None
    assert found.writes() == ["PATCH roleManagementPolicies"]


async def test_without_lock_down_it_stays_as_it_is_and_null_lets_go_of_it(scene: Scene) -> None:
    found = to_lock(scene)
    await found.locked()

    kept = await found.managed.declare()
    gone = await found.managed.declare(lockDown=None)

    assert (kept.status_code, kept.json()["lockDown"]["state"]) == (200, "locked")
    assert (gone.status_code, gone.json()["lockDown"]) == (200, None)
    assert found.approvers() != []
    await night_after(scene, 1)
    assert (await found.managed.kept()).drift is None


async def test_another_eligible_group_is_made_eligible_without_saying_the_lock_down_again(scene: Scene) -> None:
    found = to_lock(scene)
    await found.locked()
    other = scene.world.contoso.directory.add_group("More engineers", [scene.world.people.engineer.object_id])

    answer = await found.managed.declare({"role": VMS, "groups": [found.managed.group.id, other.id]})
    await scene.settle()

    assert answer.status_code == 202
    assert found.managed.held(other.id) is not None


async def test_what_was_declared_for_renewal_alone_is_locked_down_later(scene: Scene) -> None:
    managed = await declared(scene, days=100)
    found = Locked(scene, managed)

    seen = await found.locked()

    assert seen["state"] == "locked"
    assert [one.deed.act for one in await managed.entries()] == [34, 34, 35]


async def test_approvers_without_a_mailbox_are_named_and_too_few_are_a_problem(scene: Scene) -> None:
    found, people = to_lock(scene), scene.world.people
    users = scene.world.contoso.directory.users
    fiona, frank = (users[one] for one in found.finance.members)
    fiona.exchange, frank.mail = "Suspended", None
    users[people.ivan.object_id].exchange = None

    seen = await found.locked()

    assert seen["state"] == "locked"
    assert [one["code"] for one in seen["problems"]] == ["ApproversNotProven"]
    assert {one["principalId"]: one["why"] for one in seen["approvers"]} == {
        fiona.id: "the account's Exchange plan is not enabled",
        frank.id: "the account has no mail address",
        people.ivan.object_id: "the account has no Exchange plan",
    }
    assert {one["reach"] for one in seen["approvers"]} == {"notProven"}
    fiona.account_enabled = frank.account_enabled = False
    seen = await found.locked(longestActivation="PT3H")
    assert [one["code"] for one in seen["problems"]] == ["TooFewApprovers"]
    assert [one["canApprove"] for one in seen["approvers"]].count(True) == 1


async def test_a_group_within_the_approvers_group_and_an_application_are_not_proven(scene: Scene) -> None:
    found, directory = to_lock(scene), scene.world.contoso.directory
    nested = directory.add_group("Nested", [scene.world.people.ben.object_id])
    app = next(iter(scene.world.contoso.applications.principals))
    found.finance.members += [nested.id, app]

    seen = await found.locked()

    whys = {one["principalId"]: one["why"] for one in seen["approvers"]}
    assert whys[nested.id] == "a group within a group: PIM may not count its members"
    assert whys[app] == "an application cannot approve"
    assert scene.world.people.ben.object_id not in whys


async def test_an_eligible_group_that_is_gone_is_named_and_the_rest_is_made(scene: Scene) -> None:
    found, ana = to_lock(scene), scene.world.people.ana.object_id
    doomed = scene.world.contoso.directory.add_group("Doomed", [])

    async def delete() -> None:
        del scene.world.contoso.directory.groups[doomed.id]

    scene.world.points.arm("vendor.after", PATCH, 0, delete)
    answer = await found.put({"role": VMS, "groups": [doomed.id, found.managed.group.id], "users": [ana]})
    await scene.settle()

    seen = await found.view()
    assert answer.status_code == 202
    assert seen["state"] == "failed"
    [problem] = seen["problems"]
    assert problem["code"] == "HolderGone"
    assert doomed.id in problem["what"]
    assert found.managed.held(found.managed.group.id) is not None
    assert found.managed.held(ana) is not None


async def test_a_second_put_while_it_runs_is_told_and_a_cancel_stops_it(scene: Scene) -> None:
    found = to_lock(scene)
    statuses: list[int] = []

    async def meanwhile() -> None:
        statuses.append((await found.put()).status_code)
        statuses.append((await found.put(longestActivation="PT1H")).status_code)
        statuses.append((await found.managed.declare(lockDown=None)).status_code)
        statuses.append((await scene.call("POST", f"{found.managed.path}/cancel")).status_code)

    scene.world.points.arm("activity.before", "lock_role_down", 0, meanwhile)
    await found.put()
    await scene.settle()

    assert statuses == [202, 409, 409, 202]
    assert (await found.view())["state"] == "cancelled"
    assert found.writes() == []
    assert (await scene.call("POST", f"{found.managed.path}/cancel")).status_code == 409
    assert (await found.locked())["state"] == "locked"


async def test_a_cancel_at_the_last_moment_counts(scene: Scene) -> None:
    """It comes between the last look at the record and the write that ends the run."""
    found, points = to_lock(scene), scene.world.points

    async def cancel() -> None:
        assert (await scene.call("POST", f"{found.managed.path}/cancel")).status_code == 202

    async def soon() -> None:
        puts = points.passed("store.before", "PUT Subscriptions")
        points.arm("store.before", "PUT Subscriptions", puts, cancel)

    points.arm("activity.before", "end_lock_down", 0, soon)
    await found.put()
    await scene.settle()

    assert points.armed == frozenset()
    assert (await found.view())["state"] == "cancelled"
    assert await scene.runs.list_open() == []


async def test_an_answer_to_the_patch_that_got_lost_is_read_back(scene: Scene) -> None:
    found = to_lock(scene)
    scene.world.points.arm("vendor.after", PATCH, 0, cut)

    seen = await found.locked()

    assert (seen["state"], seen["problems"]) == ("locked", [])
    deeds = [(one.deed.act, one.deed.outcome) for one in await found.managed.entries()]
    assert [one for one in deeds if one[0] == 35] == [(35, "done")]


@pytest.mark.parametrize("flipped", [(), ("arm-policy-filter-ignored",)], ids=["", "filter ignored"])
async def test_both_roles_are_locked_down(flipped: tuple[str, ...], open_world: OpenWorld) -> None:
    both = {"TENANTRY_AZURE_ROLES": f"{VM_CONTRIBUTOR},{STORAGE_ACCOUNT_CONTRIBUTOR}"}
    async with Scene(await open_world(start=EVENING, flipped=flipped, settings=both)) as scene:
        found = to_lock(scene)
        group = {"role": VMS, "groups": [found.managed.group.id]}
        storage = {"role": STORAGE_ACCOUNT_CONTRIBUTOR, "groups": [found.managed.group.id], "durationDays": 30}

        seen = await found.locked(group, storage, roles=[VMS, STORAGE_ACCOUNT_CONTRIBUTOR])

        assert (seen["state"], len(seen["inForce"])) == ("locked", 2)
        policies = [found.managed.subscription.pim.policy(one) for one in (VM_CONTRIBUTOR, STORAGE_ACCOUNT_CONTRIBUTOR)]
        assert [TICKET in one.demanded(END_USER_ASSIGNMENT) for one in policies] == [True, True]
        assert found.managed.held(role_id=STORAGE_ACCOUNT_CONTRIBUTOR) is not None
