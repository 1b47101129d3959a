"""Access by a group of the target, in tenants without PIM, and from one to the other: the app waits for what only the
target's administrator can do, and says which commands do it.
"""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared.permissions import Registration
from tests.conftest import OpenWorld
from tests.flows.powershell import commands
from tests.flows.renewing import requests
from tests.flows.scene import Scene
from tests.flows.test_night import grown, night
from tests.sandbox.graph.models.directory import Group
from tests.sandbox.graph.models.pim_records import SECURITY_READER
from tests.sandbox.population import CLIENT_IDS

pytestmark = pytest.mark.sampled(1)

_ADMINISTRATOR = ("RoleManagement.ReadWrite.Directory", "Group.ReadWrite.All")


async def carry_out(scene: Scene, text: str) -> list[dict[str, Any]]:
    """Every command of a text, as the target's administrator; gives the answers."""
    world, answers = scene.world, []
    token = world.clouds.app_token(
        world.fabrikam, world.clouds.graph, _ADMINISTRATOR, app_id=CLIENT_IDS[Registration.SETUP]
    )
    async with httpx.AsyncClient(verify=world.certificates.client_context(), trust_env=False) as client:
        for method, uri, body in commands(text):
            answer = await client.request(
                method,
                f"{world.clouds.graph}/{uri}",
                headers={"Authorization": f"Bearer {token}"},
                json=json.loads(body) if body else None,
            )
            assert answer.is_success, f"{method} {uri}: {answer.text}"
            answers.append(answer.json() if answer.content else {})
    return answers


def a_group(scene: Scene, *, assignable: bool = True) -> Group:
    """A group of Fabrikam's, known everywhere."""
    group = scene.world.fabrikam.directory.add_group("Contoso's analysts")
    group.is_assignable_to_role = assignable
    return group


def by(group: Group | None) -> dict[str, object]:
    return {"mode": "group", "groupId": group.id} if group else {"mode": "group"}


def eligible(scene: Scene) -> set[str]:
    return {one.principal_id for one in scene.world.fabrikam.pim.active()}


async def test_the_group_is_made_eligible_and_its_members_are_waited_for_by_name(scene: Scene) -> None:
    people, group = scene.world.people, a_group(scene)
    scene.consented()
    await scene.post(people.ana, people.ben, access=by(group))

    assert await scene.settle() == "WaitingForPerson"

    record = await scene.record()
    assert "Ana Analyst, Ben Analyst" in record["problem"]["what"]
    assert eligible(scene) == {group.id}
    await carry_out(scene, record["problem"]["do"])
    assert set(group.members) == {scene.account(one).id for one in (people.ana, people.ben)}
    assert await scene.retry() == "Ready"
    [held] = (await scene.record())["eligibilities"]
    assert (held["principalId"], held["analyst"]) == (group.id, None)
    assert eligible(scene) == {group.id}


async def test_a_group_that_is_still_to_be_made_is_asked_for_and_named_by_patch(scene: Scene) -> None:
    people = scene.world.people
    scene.consented()
    await scene.post(people.ana, access=by(None))
    assert await scene.settle() == "WaitingForPerson"
    assert "PATCH" in (await scene.record())["problem"]["do"]
    kit = await scene.call("GET", f"/api/tenants/{scene.target}/kit")
    section = kit.text[kit.text.index("## How to make the group") : kit.text.index("## How to remove")]

    [made] = await carry_out(scene, section)

    scene.let_it_spread()
    answer = await scene.call(
        "PATCH", f"/api/tenants/{scene.target}", {"access": {"mode": "group", "groupId": made["id"]}}
    )
    assert answer.status_code == 202, answer.text
    assert await scene.settle() == "WaitingForPerson"
    await carry_out(scene, (await scene.record())["problem"]["do"])
    assert await scene.retry() == "Ready"
    assert eligible(scene) == {made["id"]}


@pytest.mark.parametrize("fate", ["plain", "unknown"])
async def test_a_group_that_pim_does_not_take_is_a_person_s_business(fate: str, scene: Scene) -> None:
    group = a_group(scene, assignable=fate != "plain")
    if fate == "unknown":
        del scene.world.fabrikam.directory.groups[group.id]
    scene.consented()

    await scene.post(scene.world.people.ana, access=by(group))

    assert await scene.settle() == "WaitingForPerson"
    assert "role-assignable" in (await scene.record())["problem"]["what"]


async def test_members_who_are_no_analysts_are_named_as_a_warning(scene: Scene) -> None:
    people, group = scene.world.people, a_group(scene)
    stranger = scene.world.fabrikam.directory.add_user("stranger@fabrikam.com", "A Stranger")
    group.members.append(stranger.id)
    scene.consented()
    await scene.post(people.ana, access=by(group))
    await scene.settle()
    group.members.append(scene.account(people.ana).id)

    assert await scene.retry() == "Ready"

    assert any(stranger.id in one for one in (await scene.record())["warnings"])


async def test_from_analysts_to_a_group_and_back_nobody_is_without_access_in_between(scene: Scene) -> None:
    people, group = scene.world.people, a_group(scene)
    await scene.onboarded(people.ana)
    account = scene.account(people.ana).id

    await scene.call("PATCH", f"/api/tenants/{scene.target}", {"access": by(group)})
    assert await scene.settle() == "WaitingForPerson"
    assert eligible(scene) == {account, group.id}
    group.members.append(account)
    assert await scene.retry() == "Ready"
    assert eligible(scene) == {group.id}

    await scene.call("PATCH", f"/api/tenants/{scene.target}", {"access": {"mode": "users"}})
    assert await scene.settle() == "Ready"
    assert eligible(scene) == {account}
    assert [account] == [one["principalId"] for one in (await scene.record())["eligibilities"]]


async def ready_by(group: Group, scene: Scene) -> None:
    """Ana alone is in the SOC's group, and a member of the target's."""
    people = scene.world.people
    people.analysts.members[:] = [people.ana.object_id]
    scene.consented()
    await scene.post(access=by(group))
    assert await scene.settle() == "WaitingForPerson"
    group.members.append(scene.account(people.ana).id)
    assert await scene.retry() == "Ready"


def take(group: Group, how: str, scene: Scene) -> None:
    """The target's administrator removes the group's eligibility, or shortens it."""
    held, now = scene.world.fabrikam.pim.of(group.id), scene.world.clock.now()
    assert held is not None
    if how == "removed":
        held.removed_at = now
    else:
        held.window.write(replace(held.window.latest, end=now + timedelta(days=20)))


@pytest.mark.parametrize("noticed", [True, False], ids=["a-night-later", "that-night"])
@pytest.mark.parametrize(
    ("how", "code", "asked"),
    [
        ("removed", "EligibilityRemoved", ["adminAssign", "adminAssign"]),
        ("shortened", "EligibilityShortened", ["adminAssign", "adminUpdate"]),
    ],
    ids=["removed", "shortened"],
)
async def test_what_was_taken_from_the_group_is_given_back_on_an_operator_s_word_and_not_for_a_joiner(
    how: str, code: str, asked: list[str], *, noticed: bool, scene: Scene
) -> None:
    group = a_group(scene)
    await ready_by(group, scene)
    take(group, how, scene)
    if noticed:
        assert await night(scene) == "Ready"
        [row] = (await scene.tenant()).eligibilities.values()
        assert (row.removed is not None) is (how == "removed")
    [dora] = grown(scene, 1)

    assert await night(scene) == "WaitingForPerson"

    problem = (await scene.record())["problem"]
    assert (problem["code"], requests(scene)) == (code, ["adminAssign"])
    assert group.id in problem["what"]
    assert "POST .../retry" in problem["do"]
    await night(scene)
    assert requests(scene) == ["adminAssign"]
    group.members.append(scene.account(dora).id)
    assert await scene.retry() == "Ready"
    assert requests(scene) == asked
    [row] = (await scene.tenant()).eligibilities.values()
    assert (row.principal_id, row.removed) == (group.id, None)
    assert eligible(scene) == {group.id}


async def test_a_group_that_keeps_its_eligibility_waits_for_the_joiner_alone(scene: Scene) -> None:
    group = a_group(scene)
    await ready_by(group, scene)
    [dora] = grown(scene, 1)

    assert await night(scene) == "WaitingForPerson"

    assert (await scene.record())["problem"]["code"] == "NotMembers"
    group.members.append(scene.account(dora).id)
    assert await scene.retry() == "Ready"
    assert eligible(scene) == {group.id}


@pytest.mark.parametrize("flipped", [(), ("no-p2-policy-readable",)], ids=["refused", "readable"])
async def test_without_pim_the_role_is_assigned_by_a_person_and_verified(
    flipped: tuple[str, ...], open_world: OpenWorld
) -> None:
    world = await open_world(flipped=flipped)
    world.fabrikam.licences.p2 = False
    async with Scene(world) as scene:
        people = world.people
        scene.consented()
        await scene.post(people.ana, people.ben, withoutPim="wait")
        assert await scene.settle() == "WaitingForPerson"
        record = await scene.record()
        assert "not assigned to 2" in record["problem"]["what"]

        await carry_out(scene, record["problem"]["do"])

        assert await scene.retry() == "Ready"
        accounts = {scene.account(one).id for one in (people.ana, people.ben)}
        assert {(one, SECURITY_READER) for one in accounts} <= world.fabrikam.pim.directory_roles
        held = (await scene.record())["eligibilities"]
        assert {(one["principalId"], one["plain"], one["endDateTime"]) for one in held} == {
            (one, True, None) for one in accounts
        }
        assert world.fabrikam.pim.requests == {}


async def test_without_pim_a_tenant_is_refused_unless_asked_otherwise(scene: Scene) -> None:
    scene.world.fabrikam.licences.p2 = False
    scene.consented()

    await scene.post(scene.world.people.ana)

    assert await scene.settle() == "Blocked"
    assert (await scene.record())["problem"]["code"] == "NoPim"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"access": {"mode": "users", "groupId": "a0000000-0000-4000-8000-000000000000"}}, "access.groupId"),
        ({"access": {"mode": "group", "groupId": "no guid"}}, "access.groupId"),
        ({"access": {"mode": "everybody"}}, "access.mode"),
        ({"withoutPim": "maybe"}, "withoutPim"),
        (
            {"synchronizationServicePrincipalId": "a0000000-0000-4000-8000-000000000000"},
            "synchronizationServicePrincipalId",
        ),
    ],
)
async def test_a_wrong_access_names_the_field(change: dict[str, object], field: str, scene: Scene) -> None:
    answer = await scene.post(scene.world.people.ana, **change)

    assert (answer.status_code, answer.json()["field"]) == (400, field)
