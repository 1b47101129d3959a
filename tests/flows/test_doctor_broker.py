"""The doctor and Tenantry Broker's own role: it may make anybody active, so more than it needs is told as less is."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.broker_permissions import GRANT, broker_actions
from shared.doctor.examining import Wanted
from shared.doctor.findings import Check, Report
from shared.permissions import FIND_SERVICE_PRINCIPALS, Registration
from tests.conftest import OpenWorld
from tests.flows.activating import Locked, locked
from tests.flows.azure_cli import AzureCli
from tests.flows.brokering import SETTINGS, brokered, deploy_broker
from tests.flows.doctoring import examined
from tests.flows.scene import Scene
from tests.sandbox.population import BROKER_CLIENT_ID, CLIENT_IDS

pytestmark = pytest.mark.sampled(4)

[WRITE] = GRANT.permissions
BEYOND = "Microsoft.Authorization/roleAssignments/write"


@pytest.fixture
async def scene(open_world: OpenWorld) -> AsyncIterator[Scene]:
    """A scene in a deployment with the broker."""
    async with Scene(await open_world(receiving=True, settings=SETTINGS)) as opened:
        yield opened


def of_broker(report: Report, found: Locked) -> Check:
    """What is said of the broker's role."""
    [check] = [one for one in report.checks if one.name == f"{Registration.BROKER} on {found.id}"]
    return check


def give_instead(found: Locked, *actions: str) -> None:
    """Somebody changed the broker's role."""
    principal = found.scene.world.contoso.applications.by_app_id(BROKER_CLIENT_ID)
    assert principal is not None
    found.subscription.access.take_back(principal.id)
    if actions:
        found.scene.world.clouds.azure.give(principal.id, found.subscription, actions, name="Changed")


async def test_a_broker_with_its_role_is_sound(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    found = await brokered(scene)

    report = await examined(scene, Wanted(subscriptions=(found.id,)), monkeypatch)

    check = of_broker(report, found)
    assert (check.sound, check.told) == (True, "it holds the actions of the permission table, and no more")
    assert report.exit_code == 0


@pytest.mark.parametrize(
    ("actions", "sound", "told"),
    [
        ((), False, f"lacks {', '.join(broker_actions())}"),
        ([one for one in broker_actions() if one != WRITE], False, f"lacks {WRITE}"),
        ([*broker_actions(), BEYOND], True, f"it holds beyond the permission table: {BEYOND}"),
        (
            [*(one for one in broker_actions() if one != WRITE), BEYOND],
            False,
            f"lacks {WRITE}; holds beyond the permission table: {BEYOND}",
        ),
    ],
    ids=["none", "fewer", "more", "other"],
)
async def test_fewer_and_more_actions_than_the_brokers_are_named(
    actions: tuple[str, ...], told: str, scene: Scene, monkeypatch: pytest.MonkeyPatch, *, sound: bool
) -> None:
    found = await brokered(scene)
    give_instead(found, *actions)

    report = await examined(scene, Wanted(subscriptions=(found.id,)), monkeypatch)

    check = of_broker(report, found)
    assert (check.sound, check.told) == (sound, told)
    assert report.exit_code == (0 if sound else 1)


async def test_a_role_that_stayed_where_the_mode_is_pim_is_to_be_taken_away(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await locked(scene)
    deploy_broker(scene, found.subscription)

    report = await examined(scene, Wanted(subscriptions=(found.id,)), monkeypatch)

    check = of_broker(report, found)
    assert not check.sound
    assert check.told.endswith("and the subscription is not of the mode broker")
    assert check.do in report.to_do


async def test_a_broker_that_holds_nothing_where_the_mode_is_pim_is_sound(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await locked(scene)
    deploy_broker(scene, found.subscription)
    give_instead(found)

    report = await examined(scene, Wanted(subscriptions=(found.id,)), monkeypatch)

    assert (of_broker(report, found).sound, of_broker(report, found).told) == (True, "it holds nothing there")


async def test_the_workers_identity_looks_the_broker_up_that_does_not_trust_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await brokered(scene)
    give_instead(found, *[one for one in broker_actions() if one != WRITE])
    scene.world.host.environment["TENANTRY_ROLE"] = "worker"
    mark = len(scene.world.clouds.recorder.entries)

    report = await examined(scene, Wanted(subscriptions=(found.id,)), monkeypatch)

    sent = list(scene.world.clouds.recorder.entries)[mark:]
    assert BROKER_CLIENT_ID not in {one.app_id for one in sent}
    assert of_broker(report, found).told == f"lacks {WRITE}"
    [token] = [one for one in report.checks if one.name == f"{Registration.BROKER} in {scene.world.contoso.id}"]
    assert (token.sound, token.told) == (True, "not looked at: it trusts the identity of another app alone")


async def test_a_broker_that_is_not_there_is_missed(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    found = await brokered(scene, deployed=False)
    scene.world.host.environment["TENANTRY_ROLE"] = "worker"

    report = await examined(scene, Wanted(subscriptions=(found.id,)), monkeypatch)

    check = of_broker(report, found)
    assert (check.sound, check.do) == (False, "have Tenantry Broker made there")
    assert check.told.startswith("not found: Tenantry Broker")


async def test_where_tenantry_source_may_not_look_the_broker_up_a_person_is_to(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await brokered(scene)
    scene.world.clouds.revoke(
        CLIENT_IDS[Registration.SOURCE], scene.world.contoso.id, FIND_SERVICE_PRINCIPALS.permissions
    )
    scene.world.host.environment["TENANTRY_ROLE"] = "worker"

    report = await examined(scene, Wanted(subscriptions=(found.id,)), monkeypatch)

    assert (of_broker(report, found).sound, of_broker(report, found).do) == (False, "run the doctor with --as-me")


async def test_a_person_looks_at_the_brokers_role_too(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await brokered(scene)
    give_instead(found, *[one for one in broker_actions() if one != WRITE])
    async with AzureCli(scene, tmp_path / "bin", scene.world.people.operator) as cli:
        cli.may_decide_access(found.id)

        report = await examined(scene, Wanted(subscriptions=(found.id,)), monkeypatch, cli=cli)

    assert (of_broker(report, found).sound, of_broker(report, found).told) == (False, f"lacks {WRITE}")
    assert report.exit_code == 1


async def test_a_deployment_without_a_broker_hears_nothing_of_one(
    open_world: OpenWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Scene(await open_world(receiving=True)) as without:
        found = await locked(without)

        report = await examined(without, Wanted(subscriptions=(found.id,)), monkeypatch)

        assert [one.name for one in report.checks if Registration.BROKER in one.name] == []
