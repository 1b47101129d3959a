"""Permissions and consents that are missing or taken back in the middle: who has to give them again is told."""

import re
from collections.abc import Sequence

import pytest

from shared.permissions import Registration
from tests.flows.scene import Scene
from tests.flows.writes import PARTNERS, START, onboarding_of, templated
from tests.sandbox.points import then_cut
from tests.sandbox.population import CLIENT_IDS

pytestmark = pytest.mark.sampled(2)

_MORE = "User.Read.All"
_TRUST_TARGET = f"PATCH /v1.0{PARTNERS}/{{id}}"
_ASSIGN = "POST /v1.0/servicePrincipals/{id}/appRoleAssignedTo"


async def test_a_consent_that_is_withdrawn_is_asked_for_again(scene: Scene) -> None:
    """The administrator deletes the enterprise application of Tenantry Access; act 8 is the first to notice."""
    scene.consented()
    _withdraw(scene, Registration.ACCESS, None, at=START)

    await scene.post(scene.world.people.ana)

    assert await scene.settle() == "WaitingForConsent"
    record = await scene.record()
    assert "Tenantry Access" in record["problem"]["what"]
    assert record["deadline"] is not None
    assert _asked_for(record) == [("Tenantry Access", True)]

    await _consent(scene, record)

    assert await scene.settle() == "Ready"
    assert onboarding_of(1) == templated(scene.applied())


async def test_a_permission_that_is_taken_back_is_asked_for_again_by_name(scene: Scene) -> None:
    scene.consented()
    _withdraw(scene, Registration.ACCESS, ["RoleEligibilitySchedule.ReadWrite.Directory"], at=START)

    await scene.post(scene.world.people.ana)

    assert await scene.settle() == "WaitingForConsent"
    record = await scene.record()
    assert "RoleEligibilitySchedule.ReadWrite.Directory" in record["problem"]["what"]
    assert _asked_for(record) == [("Tenantry Access", True)]

    await _consent(scene, record)

    assert await scene.settle() == "Ready"
    assert onboarding_of(1) == templated(scene.applied())


@pytest.mark.parametrize("taken", [None, ["RoleEligibilitySchedule.ReadWrite.Directory"]], ids=["all", "one"])
async def test_permissions_that_are_gone_are_gone_from_the_record(scene: Scene, taken: list[str] | None) -> None:
    clouds = scene.world.clouds
    scene.consented()
    _withdraw(scene, Registration.ACCESS, taken, at=START)
    await scene.post(scene.world.people.ana)
    assert await scene.settle() == "WaitingForConsent"

    shown = {one["registration"]: set(one["permissions"]) for one in (await scene.record())["permissions"]}
    for registration in (Registration.ACCESS, Registration.SETUP):
        left = clouds.granted(CLIENT_IDS[registration], scene.target)
        assert shown.get(registration.value, set()) == left


async def test_the_record_shows_what_the_source_holds_by_its_token(scene: Scene) -> None:
    """One permission more than is needed: a list of what should be there would not have it."""
    clouds, contoso = scene.world.clouds, scene.world.contoso
    source = CLIENT_IDS[Registration.SOURCE]
    clouds.grant(source, contoso.id, [*clouds.granted(source, contoso.id), _MORE])

    record = await scene.onboarded()

    [shown] = [one for one in record["permissions"] if one["registration"] == Registration.SOURCE.value]
    assert shown["tenant"] == contoso.id
    assert set(shown["permissions"]) == clouds.granted(source, contoso.id)
    assert _MORE in shown["permissions"]


async def test_setup_may_be_removed_when_it_is_not_needed_any_more(scene: Scene) -> None:
    """The target's administrator is told to remove it in the end; one who is early does no harm after act 4."""
    scene.consented()
    _withdraw(scene, Registration.SETUP, None, at=START)

    await scene.post(scene.world.people.ana)

    assert await scene.settle() == "Ready"


async def test_a_permission_that_the_source_lacks_fails_in_words_and_counts_at_once_when_granted(scene: Scene) -> None:
    """The token of the day before lacks a permission that was granted this minute."""
    clouds, contoso = scene.world.clouds, scene.world.contoso
    missing = ["AppRoleAssignment.ReadWrite.All", "Application.ReadWrite.All"]
    scene.consented()
    _withdraw(scene, Registration.SOURCE, missing, at=_TRUST_TARGET, nth=1)

    await scene.post(scene.world.people.ana)

    assert await scene.settle() == "Failed"
    problem = (await scene.record())["problem"]
    assert "Tenantry Source" in problem["what"] + problem["do"]
    assert "Application.ReadWrite.All" in problem["what"] + problem["do"]
    assert "source tenant" in problem["do"]

    clouds.grant(CLIENT_IDS[Registration.SOURCE], contoso.id)

    assert await scene.retry() == "Ready"
    assert onboarding_of(1) == templated(scene.applied())


async def test_a_registration_that_is_gone_from_the_source_is_no_consent_of_the_target(scene: Scene) -> None:
    clouds, contoso = scene.world.clouds, scene.world.contoso
    scene.consented()
    clouds.revoke(CLIENT_IDS[Registration.SOURCE], contoso.id)

    await scene.post(scene.world.people.ana)

    assert await scene.settle() == "Failed"
    problem = (await scene.record())["problem"]
    assert "Tenantry Source" in problem["what"]
    assert "source tenant" in problem["what"]
    assert "source tenant" in problem["do"]

    clouds.grant(CLIENT_IDS[Registration.SOURCE], contoso.id)

    assert await scene.retry() == "Ready"


def _withdraw(
    scene: Scene, registration: Registration, permissions: Sequence[str] | None, *, at: str, nth: int = 0
) -> None:
    """Take it back when a write is about to be sent, and let the app lose the tokens that it holds."""
    world = scene.world
    tenant = world.contoso.id if registration is Registration.SOURCE else scene.target

    async def act() -> None:
        world.clouds.revoke(CLIENT_IDS[registration], tenant, permissions)
        await world.host.kill_and_restart()

    world.points.arm("vendor.before", at, nth, then_cut(act))


def _asked_for(record: dict[str, object]) -> list[tuple[str, bool]]:
    """Registrations that are not proved, and whether there is a link."""
    consents = record["consents"]
    assert isinstance(consents, list)
    return [(one["registration"], one["link"] is not None) for one in consents if one["state"] != "proved"]


async def _consent(scene: Scene, record: dict[str, object]) -> None:
    """The administrator opens each link that is still asked for, accepts at Entra, and is sent back."""
    consents = record["consents"]
    assert isinstance(consents, list)
    clouds = scene.world.clouds
    for one in consents:
        if one["state"] != "proved":
            page = await scene.call("GET", one["link"], token=None)
            [link] = re.findall(rf'href="({re.escape(clouds.authority)}[^"]*)"', page.text)
            back = await clouds.open_consent(link.replace("&amp;", "&"), scene.world.people.administrator)
            assert (await scene.call("GET", back, token=None)).status_code == 200
