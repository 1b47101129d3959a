"""Other analysts and other wishes once a tenant is Ready: joiners get in, leavers lose everything, nobody else notices."""

from datetime import timedelta

import pytest

from shared.permissions import Registration
from tests.flows.scene import Scene
from tests.flows.writes import templated
from tests.sandbox.graph.models.cross_tenant import Trust
from tests.sandbox.personas import Person
from tests.sandbox.population import CLIENT_IDS

pytestmark = pytest.mark.sampled(3)

_AN_HOUR = timedelta(hours=1)


async def put(scene: Scene, *analysts: Person, **more: object) -> str:
    """PUT analysts, and let it come to rest; gives the tenant's state."""
    body = {"userIds": [one.object_id for one in analysts], **more}
    answer = await scene.call("PUT", f"/api/tenants/{scene.target}/analysts", body)
    assert answer.status_code == 202, answer.text
    return await scene.settle()


async def patch(scene: Scene, **wish: object) -> str:
    """PATCH, and let it come to rest; gives the tenant's state."""
    answer = await scene.call("PATCH", f"/api/tenants/{scene.target}", wish)
    assert answer.status_code == 202, answer.text
    return await scene.settle()


def assigned(scene: Scene) -> set[str]:
    """Who is in scope of the synchronization."""
    [application] = scene.synchronizations()
    found = scene.world.contoso.applications.assignments.values()
    return {one.principal_id for one in found if one.resource_id == application.id}


def eligible(scene: Scene) -> set[str]:
    """Whose accounts are eligible in the target: by the analysts' own ids."""
    users = scene.world.fabrikam.directory.users
    held = {one.principal_id for one in scene.world.fabrikam.pim.active()}
    return {user.source[1] for key, user in users.items() if key in held and user.source}


async def test_a_joiner_gets_in_and_a_leaver_loses_eligibility_assignment_and_at_last_the_account(scene: Scene) -> None:
    world, people = scene.world, scene.world.people
    await scene.onboarded(people.ana, people.ben)
    account = scene.account(people.ben).id

    assert await put(scene, people.ana, people.cleo) == "Ready"

    both = {people.ana.object_id, people.cleo.object_id}
    assert both == assigned(scene) == eligible(scene)
    record = await scene.record()
    assert both == {one["objectId"] for one in record["analysts"]}
    assert (
        both == {one["analyst"] for one in record["eligibilities"]} == {one["analyst"] for one in record["checklist"]}
    )
    world.clock.advance(2 * 3600)
    world.clouds.provisioning.settle()
    assert account in world.fabrikam.directory.deleted_users
    assert {21, 22} <= {entry.deed.act for entry in await scene.entries()}


async def test_those_who_stay_are_not_touched_by_a_change_of_the_others(scene: Scene) -> None:
    people = scene.world.people
    await scene.onboarded(people.ana, people.ben)
    before = templated(scene.applied())

    assert await put(scene, people.ana, people.cleo) == "Ready"

    after = templated(scene.applied()) - before
    requests = "POST /v1.0/roleManagement/directory/roleEligibilityScheduleRequests"
    assert after[requests] == 2
    assert sum(count for call, count in after.items() if "appRoleAssignedTo" in call) == 2
    assert sum(count for call, count in after.items() if "provisionOnDemand" in call) == 1


async def test_many_analysts_are_assigned_a_few_at_a_time_each_with_an_entry_of_their_own(scene: Scene) -> None:
    world = scene.world
    people = [world.clouds.person(world.contoso, f"a{n}@contoso.com", f"Analyst {n}") for n in range(23)]

    async def cancel() -> None:
        await scene.call("POST", f"/api/tenants/{scene.target}/cancel")

    world.points.arm("activity.before", "start_synchronization", 0, cancel)
    scene.consented()
    await scene.post(*people)

    assert await scene.settle() == "Cancelled"
    assert assigned(scene) == {one.object_id for one in people}
    calls = [hit.label for hit in world.points.log if hit.kind == "activity.before"]
    assert calls.count("assign_analysts") == 2
    entries = [one for one in await scene.entries() if one.deed.act == 7]
    assert len({one.deed.object_name for one in entries}) == len(entries) == len(people)
    assert all(one.deed.request_id for one in entries)


async def test_the_same_analysts_again_change_nothing(scene: Scene) -> None:
    people = scene.world.people
    await scene.onboarded(people.ana, people.ben)
    body = {"userIds": [people.ben.object_id, people.ana.object_id]}

    answer = await scene.call("PUT", f"/api/tenants/{scene.target}/analysts", body)

    assert (answer.status_code, answer.json()["state"], answer.json()["run"]) == (200, "Ready", 1)


async def test_a_plan_names_joiners_and_leavers_and_writes_nothing(scene: Scene) -> None:
    people = scene.world.people
    await scene.onboarded(people.ana, people.ben)
    tenant, sent = await scene.tenant(), list(scene.sent())
    body = {"userIds": [people.ana.object_id, people.cleo.object_id], "dryRun": True}

    answer = await scene.call("PUT", f"/api/tenants/{scene.target}/analysts", body)

    plan = answer.json()
    assert answer.status_code == 200
    assert [people.cleo.object_id] == [one["objectId"] for one in plan["joiners"]]
    assert [people.ben.object_id] == [one["objectId"] for one in plan["leavers"]]
    assert {7, 8, 9, 21, 22} <= set(plan["acts"])
    assert (tenant, sent) == (await scene.tenant(), list(scene.sent()))


async def test_one_who_left_and_comes_back_is_let_in_again(scene: Scene) -> None:
    people = scene.world.people
    await scene.onboarded(people.ana, people.ben)
    assert await put(scene, people.ana) == "Ready"

    assert await put(scene, people.ana, people.ben) == "Ready"

    assert {people.ana.object_id, people.ben.object_id} == assigned(scene) == eligible(scene)


async def test_one_who_comes_back_after_the_account_was_deleted_gets_a_new_one(scene: Scene) -> None:
    world, people = scene.world, scene.world.people
    await scene.onboarded(people.ana, people.ben)
    assert await put(scene, people.ana) == "Ready"
    world.clock.advance(2 * 3600)
    world.clouds.provisioning.settle()

    assert await put(scene, people.ana, people.ben) == "Ready"

    assert {people.ana.object_id, people.ben.object_id} == eligible(scene)
    assert scene.account(people.ben).id in world.fabrikam.directory.users


async def test_an_analyst_who_keeps_a_tenant_waiting_can_be_taken_out(scene: Scene) -> None:
    world, people = scene.world, scene.world.people
    world.contoso.directory.users[people.ben.object_id].sms_sign_in = True
    scene.consented()
    await scene.post(people.ana, people.ben)
    assert await scene.settle() == "WaitingForPerson"

    assert await put(scene, people.ana) == "Ready"

    assert {people.ana.object_id} == assigned(scene) == eligible(scene)


async def test_leavers_are_out_of_scope_also_when_the_target_took_its_consent_back(scene: Scene) -> None:
    world, people = scene.world, scene.world.people
    await scene.onboarded(people.ana, people.ben)
    world.clouds.revoke(CLIENT_IDS[Registration.ACCESS], scene.target)
    await world.host.kill_and_restart()  # a cached token would serve on for its hour

    assert await put(scene, people.ana) == "WaitingForConsent"

    assert {people.ana.object_id} == assigned(scene)
    scene.consented(Registration.ACCESS)
    assert await scene.retry() == "Ready"
    assert {people.ana.object_id} == eligible(scene)


@pytest.mark.parametrize("wish", ["P30D", "P300D"])
async def test_another_duration_moves_the_end_of_every_eligibility(wish: str, scene: Scene) -> None:
    people = scene.world.people
    await scene.onboarded(people.ana, people.ben)

    assert await patch(scene, duration=wish) == "Ready"

    wanted = scene.world.clock.now() + timedelta(days=int(wish[1:-1]))
    for person in (people.ana, people.ben):
        held = scene.world.fabrikam.pim.of(scene.account(person).id)
        assert held is not None
        assert held.end is not None
        assert abs(held.end - wanted) < _AN_HOUR
    assert {wish} == {one["wanted"] for one in (await scene.record())["eligibilities"]}


async def test_other_trust_waits_for_setup_and_then_brings_in_what_is_new_and_takes_out_what_was_ours(
    scene: Scene,
) -> None:
    world = scene.world
    await scene.onboarded(world.people.ana)
    world.clouds.revoke(CLIENT_IDS[Registration.SETUP], scene.target)
    await world.host.kill_and_restart()  # a cached token would serve on for its hour

    wish = {"trust": {"mfa": False, "compliantDevice": True}}
    answer = await scene.call("PATCH", f"/api/tenants/{scene.target}", wish)

    assert answer.status_code == 202
    assert "consentLink" in answer.json()
    assert await scene.settle() == "WaitingForConsent"
    partner = world.fabrikam.access.partner(world.contoso.id)
    assert partner is not None
    assert partner.trust == Trust(mfa=True, compliant=False, hybrid=False)
    scene.consented(Registration.SETUP)
    assert await scene.retry() == "Ready"
    partner = world.fabrikam.access.partner(world.contoso.id)
    assert partner is not None
    assert partner.trust == Trust(mfa=False, compliant=True, hybrid=False)


async def test_trust_that_somebody_else_brought_in_stays_whatever_is_wished(scene: Scene) -> None:
    world = scene.world
    await scene.onboarded(world.people.ana)
    partner = world.fabrikam.access.partner(world.contoso.id)
    assert partner is not None
    theirs = {"mfa": True, "compliant": False, "hybrid": True}
    world.fabrikam.access.update_partner(world.contoso.id, consent=None, trust=theirs, cleared=frozenset(), b2b={})
    scene.let_it_spread()

    assert await patch(scene, trust={"mfa": True, "compliantDevice": True}) == "Ready"

    partner = world.fabrikam.access.partner(world.contoso.id)
    assert partner is not None
    assert partner.trust == Trust(mfa=True, compliant=True, hybrid=True)


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("PUT", "/analysts", {}, "groupId"),
        ("PUT", "/analysts", {"userIds": ["nobody"]}, "userIds[0]"),
        ("PUT", "/analysts", {"groupId": "x", "more": 1}, "more"),
        ("PATCH", "", {}, "body"),
        ("PATCH", "", {"duration": "P1Y2H"}, "duration"),
        ("PATCH", "", {"trust": {"mfaa": True}}, "trust.mfaa"),
        ("PATCH", "", {"displayName": ""}, "displayName"),
    ],
)
async def test_a_wrong_body_names_the_field_and_changes_nothing(
    method: str, path: str, body: object, field: str, scene: Scene
) -> None:
    await scene.onboarded()
    tenant = await scene.tenant()

    answer = await scene.call(method, f"/api/tenants/{scene.target}{path}", body)

    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert tenant == await scene.tenant()


async def test_a_tenant_under_way_or_unknown_takes_no_other_wish(scene: Scene) -> None:
    body = {"userIds": [scene.world.people.ana.object_id]}
    unknown = await scene.call("PUT", f"/api/tenants/{scene.target}/analysts", body)
    assert unknown.status_code == 404
    answers: list[int] = []

    async def ask() -> None:
        for method, path, wish in (("PUT", "/analysts", body), ("PATCH", "", {"duration": "P30D"})):
            answers.append((await scene.call(method, f"/api/tenants/{scene.target}{path}", wish)).status_code)

    scene.world.points.arm("vendor.after", "POST /v1.0/policies/crossTenantAccessPolicy/partners", 0, ask)
    await scene.onboarded(scene.world.people.ben)

    assert answers == [409, 409]


async def test_only_an_operator_changes_a_tenant(scene: Scene) -> None:
    await scene.onboarded()
    body = {"userIds": [scene.world.people.ana.object_id]}
    for method, path in (("PUT", "/analysts"), ("PATCH", ""), ("POST", "/analysts/confirm")):
        reader = await scene.call(method, f"/api/tenants/{scene.target}{path}", body, token=scene.world.reader_token())
        nobody = await scene.call(method, f"/api/tenants/{scene.target}{path}", body, token=None)
        assert (reader.status_code, nobody.status_code) == (403, 401)
