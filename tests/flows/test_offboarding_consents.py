"""Letting a tenant go without a consent in the target: whatever can be done is done, then it is asked for; or the kit has
the rest.
"""

from datetime import timedelta

import pytest

from shared.permissions import Registration
from tests.flows.letting_go import consent, delete, let_go, states, withdraw
from tests.flows.pictures import changes, picture
from tests.flows.scene import STANDARD, Scene

pytestmark = pytest.mark.sampled(1)

_DONE_BUT_27 = {21: "Done", 22: "Done", 24: "Done", 25: "Done", 26: "Done", 27: "Waiting"}


async def test_without_setup_everything_else_is_done_before_its_consent_is_waited_for(scene: Scene) -> None:
    contoso, fabrikam = scene.world.contoso, scene.world.fabrikam
    scene.consented()
    before = picture(scene.world)
    await scene.onboarded()
    await withdraw(scene, Registration.SETUP)

    answer = await delete(scene)
    link = answer.json()["consentLink"]
    assert await scene.settle() == "WaitingForConsent"

    assert (contoso.access.partner(fabrikam.id), scene.synchronizations(), fabrikam.pim.active()) == (None, [], [])
    record = await scene.record()
    assert states(record) == {1: "Pending", **_DONE_BUT_27}
    assert "target=kit" in record["whatToDo"][0]
    assert [(one["registration"], one["link"]) for one in record["consents"] if one["link"]] == [
        ("Tenantry Setup", link)
    ]
    assert "puts cross-tenant access back" in (await scene.call("GET", link, token=None)).text

    await consent(scene, Registration.SETUP)

    assert await scene.settle() == "Offboarded"
    assert changes(before, picture(scene.world)) == {}
    assert "goes on by itself" in (await scene.call("GET", link, token=None)).text


async def test_a_consent_that_is_given_meanwhile_keeps_nothing_waiting(scene: Scene) -> None:
    """The link is in the answer to the DELETE; during the wait for the accounts the consent is proved, too."""
    scene.consented()
    before = picture(scene.world)
    await scene.onboarded()
    await withdraw(scene, Registration.SETUP)
    pages: list[str] = []

    async def come_back() -> None:
        pages.append(await consent(scene, Registration.SETUP))

    reads = sum(hit.label == "GET /v1.0/users/{id}" for hit in scene.world.points.log)
    scene.world.points.arm("vendor-read.before", "GET /v1.0/users/{id}", reads + 1, come_back)

    assert await let_go(scene) == "Offboarded"

    assert "being checked" in pages[0]
    assert [one.number for one in (await scene.tenant()).acts.values() if one.number == 1 and one.run > 1] == []
    assert changes(before, picture(scene.world)) == {}
    assert len([one for one in scene.world.host.orchestrations() if scene.target in one.id]) == 2


async def test_a_consent_that_nobody_gives_ends_the_wait_and_a_retry_begins_another(scene: Scene) -> None:
    await scene.onboarded()
    await withdraw(scene, Registration.SETUP)
    assert await let_go(scene) == "WaitingForConsent"

    scene.world.clock.advance(timedelta(days=15))
    assert await scene.settle() == "Failed"
    assert (await scene.record())["problem"]["code"] == "NobodyCame"

    assert await scene.retry() == "WaitingForConsent"
    scene.consented(Registration.SETUP)
    assert await let_go(scene) == "Offboarded"


async def test_without_access_nothing_is_taken_away_from_the_analysts_before_it_is_consented_again(
    scene: Scene,
) -> None:
    """What they hold could not be taken back, nor their accounts be seen to go. Setup is asked for only then."""
    scene.consented()
    before = picture(scene.world)
    await scene.onboarded()
    await withdraw(scene, Registration.SETUP, Registration.ACCESS)
    already = len(scene.applied())

    assert await let_go(scene) == "WaitingForConsent"
    assert len(scene.applied()) == already
    assert states(await scene.record())[21] == "Waiting"

    await consent(scene, Registration.ACCESS)
    assert await scene.settle() == "WaitingForConsent"
    assert states(await scene.record()) == {1: "Pending", **_DONE_BUT_27}

    await consent(scene, Registration.SETUP)
    assert await scene.settle() == "Offboarded"
    assert changes(before, picture(scene.world)) == {}


@pytest.mark.parametrize("withdrawn", [(Registration.SETUP,), (Registration.ACCESS,), STANDARD], ids=str)
async def test_with_the_kit_nothing_is_waited_for_and_what_is_left_is_named(
    scene: Scene, withdrawn: tuple[Registration, ...]
) -> None:
    fabrikam, contoso = scene.world.fabrikam, scene.world.contoso
    await scene.onboarded()
    account = scene.account(scene.world.people.ana).id
    await withdraw(scene, *withdrawn)

    assert await let_go(scene, target="kit") == "Offboarded"

    record = await scene.record()
    without_access = Registration.ACCESS in withdrawn
    left = {one["act"]: one["objects"] for one in record["leftToKit"]}
    assert left == {
        **({21: [account], 24: [account]} if without_access else {}),
        **({27: []} if Registration.SETUP in withdrawn else {}),
    }
    assert all("not present" in one["why"] or "cycle has passed" in one["why"] for one in record["leftToKit"])
    assert (scene.synchronizations(), contoso.access.partner(fabrikam.id)) == ([], None)
    # Even unseen, they are given the time of a cycle.
    assert account in fabrikam.directory.deleted_users
    assert bool(fabrikam.pim.active()) == without_access
    assert (fabrikam.access.partner(contoso.id) is None) == (Registration.SETUP not in withdrawn)


async def test_a_wait_for_consent_can_be_given_up_for_the_kit(scene: Scene) -> None:
    await scene.onboarded()
    await withdraw(scene, Registration.SETUP)
    assert await let_go(scene) == "WaitingForConsent"

    assert await let_go(scene, target="kit") == "Offboarded"

    assert [one["act"] for one in (await scene.record())["leftToKit"]] == [27]


async def test_what_was_left_to_the_kit_is_tried_again_where_the_kit_is_given_up(scene: Scene) -> None:
    """The run for the kit was cancelled, and the consents were given after all."""
    scene.consented()
    before = picture(scene.world)
    await scene.onboarded()
    await withdraw(scene, Registration.ACCESS)
    await cancelled_in_the_wait(scene, target="kit")
    assert [one["act"] for one in (await scene.record())["leftToKit"]] == [21]

    scene.consented(Registration.ACCESS)
    assert await let_go(scene) == "Offboarded"

    assert (await scene.record())["leftToKit"] == []
    assert changes(before, picture(scene.world)) == {}


async def test_a_retry_keeps_to_the_kit(scene: Scene) -> None:
    await scene.onboarded()
    await withdraw(scene, Registration.SETUP, Registration.ACCESS)
    await cancelled_in_the_wait(scene, target="kit")

    assert await scene.retry() == "Offboarded"

    assert [one["act"] for one in (await scene.record())["leftToKit"]] == [21, 24, 27]


async def cancelled_in_the_wait(scene: Scene, **parameters: str) -> None:
    """Cancelled while the accounts are waited for."""

    async def cancel() -> None:
        answer = await scene.call("POST", f"/api/tenants/{scene.target}/cancel")
        assert answer.status_code == 202

    looks = sum(hit.label == "await_departures" for hit in scene.world.points.log)
    scene.world.points.arm("activity.after", "await_departures", looks, cancel)
    assert await let_go(scene, **parameters) == "Cancelled"
