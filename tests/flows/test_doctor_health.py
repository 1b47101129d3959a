"""The doctor's checks of a deployment: what is missing, and what is too much, is named with what to do about it."""

import pytest

from shared.doctor.examining import Wanted
from shared.doctor.findings import FACTS, Answer, Check, Report
from shared.errors import BadRequest
from shared.identifiers import SubscriptionId, TenantId
from shared.permissions import Registration, needed
from tests.flows.declaring import declared
from tests.flows.doctoring import answers, examined
from tests.flows.scene import Scene
from tests.sandbox.population import CLIENT_IDS, guid

pytestmark = pytest.mark.sampled(4)

_ACCESS = CLIENT_IDS[Registration.ACCESS]


def check(report: Report, name: str) -> Check:
    """The one of that name."""
    [found] = [one for one in report.checks if one.name == name]
    return found


async def ready(scene: Scene) -> Wanted:
    """Fabrikam is Ready."""
    await scene.onboarded()
    return Wanted(tenants=(scene.target,))


async def test_a_deployment_that_is_sound_is_said_to_be(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    report = await examined(scene, await ready(scene), monkeypatch)

    assert [one.name for one in report.checks if not one.sound] == []
    names = {one.name for one in report.checks}
    assert {"managed identity", "state tables", "audit table", "clock", "public address"} <= names
    assert {
        f"{one} in {scene.world.contoso.id}" for one in ("Tenantry API", "Tenantry Lookup", "Tenantry Source")
    } <= names
    assert check(report, f"Tenantry Hunt in {scene.target}").told == "it is not there, and need not be"


async def test_a_consent_that_was_taken_back_is_missed_and_its_facts_are_not_asked(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = await ready(scene)
    fabrikam = scene.world.fabrikam
    access = fabrikam.applications.by_app_id(_ACCESS)
    assert access is not None
    fabrikam.applications.delete_principal(access.id)

    report = await examined(scene, wanted, monkeypatch)

    assert check(report, f"Tenantry Access in {scene.target}").told == "it is not there"
    assert "have Tenantry Access consented there" in report.to_do
    assert answers(report)["synced-user-accepted"] is Answer.BARRED
    assert answers(report)["app-role-value-is-null"] is Answer.LIKELY
    assert report.exit_code == 1


@pytest.mark.parametrize(
    ("taken", "given", "acts"),
    [
        ("User.Read.All", (), "consent to User.Read.All for {name}"),
        ("", ("Group.Read.All",), "take Group.Read.All from {name}"),
        ("User.Read.All", ("Group.Read.All",), "consent to User.Read.All for {name}; take Group.Read.All from {name}"),
    ],
    ids=["too-few", "too-many", "both"],
)
async def test_permissions_beside_the_table_are_named(
    taken: str, given: tuple[str, ...], acts: str, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = await ready(scene)
    kept = [one for one in needed(Registration.ACCESS) if one != taken]
    scene.world.clouds.revoke(_ACCESS, scene.target)
    scene.world.clouds.grant(_ACCESS, scene.target, [*kept, *given])
    name = f"Tenantry Access in {scene.target}"

    report = await examined(scene, wanted, monkeypatch)

    assert (check(report, name).sound, check(report, name).do) == (False, acts.format(name=name))
    assert report.exit_code == 1
    assert (answers(report)["synced-user-accepted"] is Answer.BARRED) is bool(taken)


async def test_a_custom_role_that_lacks_an_action_is_no_answer_to_whether_owner_is_needed(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await declared(scene)
    action = "Microsoft.Authorization/roleEligibilityScheduleInstances/read"
    [role] = found.subscription.access.custom_roles.values()
    held = tuple(one for one in role.actions if one != action)
    access = scene.world.contoso.applications.by_app_id(_ACCESS)
    assert access is not None
    found.subscription.access.take_back(access.id)
    scene.world.clouds.azure.give(access.id, found.subscription, held)

    report = await examined(scene, Wanted(subscriptions=(found.id,)), monkeypatch)

    assert answers(report)["arm-pim-needs-owner"] is Answer.BARRED
    assert check(report, f"Tenantry Access on {found.id}").told == f"lacks {action}"
    assert report.exit_code == 1


async def test_without_the_identity_nothing_is_asked_of_the_vendor(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = await ready(scene)
    mark = len(scene.world.clouds.recorder.entries)
    scene.world.host.environment["IDENTITY_ENDPOINT"] = "http://127.0.0.1:9/nobody"

    report = await examined(scene, wanted, monkeypatch)

    assert len(scene.world.clouds.recorder.entries) == mark
    assert not check(report, "managed identity").sound
    assert "docs/doctor.md" in check(report, "managed identity").do
    assert set(answers(report).values()) == {Answer.BARRED, Answer.BY_HAND}
    assert report.exit_code == 1


async def test_a_tenant_or_subscription_that_is_not_on_the_record_is_refused(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = guid("nowhere")

    with pytest.raises(BadRequest, match="--tenant"):
        await examined(scene, Wanted(tenants=(TenantId(nowhere),)), monkeypatch)
    with pytest.raises(BadRequest, match="--subscription"):
        await examined(scene, Wanted(subscriptions=(SubscriptionId(nowhere),)), monkeypatch)


async def test_a_tenant_that_is_not_ready_is_refused(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    await scene.post(scene.world.people.ana)
    assert await scene.settle() == "WaitingForConsent"

    with pytest.raises(BadRequest, match="not Ready"):
        await examined(scene, Wanted(tenants=(scene.target,)), monkeypatch)


@pytest.mark.parametrize("role", ["front", "broker"])
async def test_an_app_that_does_not_work_is_no_place_to_look_from(
    role: str, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.world.host.environment["TENANTRY_ROLE"] = role

    with pytest.raises(BadRequest, match="identity of the worker"):
        await examined(scene, Wanted(), monkeypatch)


async def test_nothing_named_leaves_every_fact_open(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    await scene.call("GET", "/api/tenants")

    report = await examined(scene, Wanted(), monkeypatch)

    assert {answers(report)[one] for one in FACTS} == {Answer.OPEN, Answer.BY_HAND}
    assert report.exit_code == 0
