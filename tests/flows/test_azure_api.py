"""Managed subscriptions at the API: what may be declared, by whom and for whom; who may say that it is needed."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from shared.azure_permissions import VM_CONTRIBUTOR
from shared.permissions import Registration
from tests.conftest import OpenWorld
from tests.flows.declaring import VMS, declared, managed
from tests.flows.renewing import EVENING, midnight, night_after
from tests.flows.scene import Scene
from tests.sandbox.arm.models.roles import OWNER, STORAGE_ACCOUNT_CONTRIBUTOR
from tests.sandbox.graph.models.pim_records import GLOBAL_ADMINISTRATOR
from tests.sandbox.population import CLIENT_IDS, OPERATE, READ

pytestmark = pytest.mark.sampled(4)

STRANGER = "eeeeeeee-0000-4000-8000-00000000000e"


@pytest.fixture
async def scene(open_world: OpenWorld) -> AsyncIterator[Scene]:
    """A world where it is evening."""
    async with Scene(await open_world(start=EVENING)) as opened:
        yield opened


async def test_what_is_declared_is_told_audited_and_safe_twice(scene: Scene) -> None:
    found, olga = managed(scene), scene.world.people.operator.object_id

    first = await found.declare()
    second = await found.declare()

    assert (first.status_code, second.status_code) == (201, 200)
    [one] = first.json()["eligibilities"]
    assert (one["role"], one["roleDefinitionId"], one["principalId"]) == (VMS, VM_CONTRIBUTOR, found.group.id)
    assert (one["kind"], one["durationDays"], one["standing"], one["end"]) == ("group", 180, "notSeen", None)
    assert (first.json()["requestedBy"], first.json()["reviewedBy"]) == (olga, olga)
    assert first.json()["reviewBy"].startswith("2027-03-02")
    assert second.json() == first.json()
    assert [(entry.deed.act, entry.deed.on_whose_word) for entry in await found.entries()] == [(34, olga)]
    assert found.calls() == []
    await night_after(scene, 1)
    [one] = (await scene.call("GET", found.path, token=scene.world.reader_token())).json()["eligibilities"]
    assert (one["standing"], one["end"][:10]) == ("inForce", f"{found.end():%Y-%m-%d}")


async def test_a_plan_tells_what_would_change_and_changes_nothing(scene: Scene) -> None:
    found, ana = await declared(scene), scene.world.people.ana.object_id

    answer = await found.declare({"role": VM_CONTRIBUTOR.upper(), "users": [ana], "durationDays": 90}, dryRun=True)

    assert answer.status_code == 200
    assert [one["principalId"] for one in answer.json()["added"]] == [ana]
    assert [one["principalId"] for one in answer.json()["left"]] == [found.group.id]
    assert [one.principal_id for one in (await found.kept()).record.declared] == [found.group.id]
    assert len(await found.entries()) == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"role": "Owner"}, "eligibilities[0].role"),
        ({"role": OWNER}, "eligibilities[0].role"),
        ({"role": GLOBAL_ADMINISTRATOR}, "eligibilities[0].role"),
        ({"role": STORAGE_ACCOUNT_CONTRIBUTOR}, "eligibilities[0].role"),
        ({"role": ""}, "eligibilities[0].role"),
        ({"groups": [STRANGER]}, "eligibilities[0].groups[0]"),
        ({"users": [STRANGER]}, "eligibilities[0].users[0]"),
        ({"groups": ["x"]}, "eligibilities[0].groups[0]"),
        ({"groups": []}, "eligibilities[0]"),
        ({"durationDays": 1}, "eligibilities[0].durationDays"),
        ({"durationDays": 3651}, "eligibilities[0].durationDays"),
        ({"scope": "/"}, "eligibilities[0].scope"),
    ],
)
async def test_a_role_or_a_stranger_that_may_not_be_is_refused_by_its_field_and_nothing_is_kept(
    scene: Scene, change: dict[str, Any], field: str
) -> None:
    found = managed(scene)
    answer = await found.declare({"role": VMS, "groups": [found.group.id], **change})

    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert await scene.subscriptions.read(found.id) is None
    assert await found.entries() == []
    assert found.calls() == []


async def test_a_guest_one_who_is_disabled_a_user_as_a_group_and_one_named_twice_are_refused(scene: Scene) -> None:
    found, people = managed(scene), scene.world.people
    scene.world.contoso.directory.users[people.ben.object_id].account_enabled = False

    for wanted in (
        {"role": VMS, "users": [people.guest.object_id]},
        {"role": VMS, "users": [people.ben.object_id]},
        {"role": VMS, "groups": [people.ana.object_id]},
        {"role": VMS, "users": [found.group.id]},
        {"role": VMS, "users": [people.ana.object_id, people.ana.object_id.upper()]},
    ):
        answer = await found.declare(wanted)
        assert answer.status_code == 400, wanted
        assert answer.json()["field"].startswith("eligibilities[0]."), wanted
    assert await scene.subscriptions.read(found.id) is None


async def test_nobody_declares_or_confirms_what_they_would_hold_themselves_also_by_a_group(scene: Scene) -> None:
    found, people = managed(scene), scene.world.people
    emil = scene.world.token(people.engineer, OPERATE, READ)
    himself = {"role": VMS, "users": [people.engineer.object_id]}

    assert (await found.declare(token=emil)).status_code == 403
    assert (await found.declare(himself, token=emil)).status_code == 403
    assert await scene.subscriptions.read(found.id) is None
    assert (await found.declare()).status_code == 201
    assert (await found.declare(token=emil)).status_code == 200
    longer = {"role": VMS, "groups": [found.group.id], "durationDays": 360}
    assert (await found.declare(longer, token=emil)).status_code == 403
    assert (await scene.call("POST", f"{found.path}/review", {}, token=emil)).status_code == 403
    assert (await found.kept()).record.review is None


async def test_who_only_reads_a_guest_and_an_application_may_not_say_that_it_is_needed(scene: Scene) -> None:
    found, world = await declared(scene), scene.world
    tokens = {
        "a reader": world.reader_token(),
        "a guest": world.token(world.people.guest, OPERATE, READ),
        "an application": world.clouds.app_token(world.contoso, CLIENT_IDS[Registration.API], (OPERATE, READ)),
    }
    for who, token in tokens.items():
        assert (await scene.call("POST", f"{found.path}/review", {}, token=token)).status_code == 403, who
    assert (await found.declare(token=world.reader_token())).status_code == 403

    answer = await scene.call("POST", f"{found.path}/review", {"reviewBy": "2026-12-01"})
    assert (answer.status_code, answer.json()["reviewBy"]) == (200, "2026-12-01T00:00:00Z")
    entry = (await found.entries())[-1]
    assert (entry.deed.act, entry.deed.on_whose_word) == (32, world.people.operator.object_id)


async def test_declaring_the_same_again_is_no_review(scene: Scene) -> None:
    found = await declared(scene)
    before = (await scene.call("GET", found.path)).json()["reviewBy"]
    scene.world.clock.advance(timedelta(days=40).total_seconds())

    assert (await found.declare()).json()["reviewBy"] == before


async def test_subscriptions_are_listed_and_one_that_is_unknown_is_not_found(scene: Scene) -> None:
    first, second = await declared(scene), await declared(scene, "Test")

    listed = (await scene.call("GET", "/api/subscriptions", token=scene.world.reader_token())).json()["value"]

    assert sorted(one["subscriptionId"] for one in listed) == sorted([first.id, second.id])
    assert [one["declared"] for one in listed] == [1, 1]
    for method, path in (("GET", ""), ("POST", "/review")):
        answer = await scene.call(method, f"/api/subscriptions/{STRANGER}{path}", {} if path else None)
        assert answer.status_code == 404
    assert (await scene.call("GET", "/api/subscriptions/x")).status_code == 400


async def test_what_ends_soon_is_listed_of_both_kinds_by_end(scene: Scene) -> None:
    await scene.onboarded(duration="P20D")
    found = await declared(scene, days=15)
    scene.world.clouds.azure.kill(found.subscription, "broken")
    assert (await scene.call("GET", "/api/eligibilities")).json()["value"][0]["tenantId"] == scene.target
    scene.world.clouds.azure.recover(found.subscription)
    found.subscription.pim.policy().longest("P10D")
    await scene.call("POST", "/api/renewals", {"subscriptionIds": [found.id]})
    await scene.settle()

    listed = (await scene.call("GET", "/api/eligibilities")).json()["value"]

    assert [one["subscriptionId"] for one in listed] == [found.id, None]
    assert [one["tenantId"] for one in listed] == [None, scene.target]
    assert listed[0]["roleDefinitionId"] == VM_CONTRIBUTOR
    assert listed[0]["href"].endswith(found.path)


async def test_a_plan_of_a_renewal_tells_of_subscriptions_too_and_those_that_are_named_are_renewed_alone(
    open_world: OpenWorld,
) -> None:
    async with Scene(await open_world(start=EVENING, settings={"TENANTRY_RENEWAL_HOUR": "23"})) as scene:
        first, second = await declared(scene), await declared(scene, "Test")
        await scene.call("POST", "/api/renewals", {})
        await scene.settle()
        scene.world.clock.advance(timedelta(days=89).total_seconds())
        await scene.settle()
        named = {"subscriptionIds": [first.id]}

        plans = [
            (await scene.call("POST", "/api/renewals", {"dryRun": True, **body})).json()["value"]
            for body in ({}, named)
        ]

        assert sorted(one["subscriptionId"] for one in plans[0]) == sorted([first.id, second.id])
        assert [(one["subscriptionId"], one["would"]) for one in plans[1]] == [(first.id, "extend")]
        assert (await scene.call("POST", "/api/renewals", named)).status_code == 202
        await scene.settle()
        assert (first.requests(), second.requests()) == (["AdminExtend"], [])
        assert first.end() == midnight(scene) + timedelta(days=180)
        entry = (await first.entries())[-1]
        assert "a renewal that was asked for" in entry.deed.why


async def test_an_unknown_subscription_cannot_be_renewed(scene: Scene) -> None:
    answer = await scene.call("POST", "/api/renewals", {"subscriptionIds": [STRANGER]})

    assert (answer.status_code, answer.json()["field"]) == (400, "subscriptionIds[0]")


async def test_an_application_and_a_guest_declare_nothing_new_and_may_leave_out(scene: Scene) -> None:
    """On their word nobody is given a year."""
    found, world = managed(scene), scene.world
    application = world.clouds.app_token(world.contoso, CLIENT_IDS[Registration.API], (OPERATE, READ))

    for token in (application, world.token(world.people.guest, OPERATE, READ)):
        assert (await found.declare(token=token)).status_code == 403
    assert (await scene.call("GET", found.path)).status_code == 404

    assert (await found.declare()).status_code == 201
    answer = await scene.call("PUT", found.path, {"eligibilities": []}, token=application)
    assert answer.status_code == 200, answer.text


async def test_a_declared_group_that_is_gone_does_not_keep_a_person_from_their_word(scene: Scene) -> None:
    found = managed(scene)
    other = scene.world.contoso.directory.add_group("Others", [])
    assert (await found.declare({"role": VMS, "groups": [found.group.id, other.id]})).status_code == 201
    del scene.world.contoso.directory.groups[other.id]

    answer = await scene.call("POST", f"{found.path}/review", {})

    assert answer.status_code == 200, answer.text
