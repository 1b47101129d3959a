"""The kit: what an administrator reads is true, and its commands, carried out, leave nothing of ours in the tenant."""

import json
import re
from dataclasses import replace

import httpx
import pytest

from shared.permissions import MULTI_TENANT, Registration, needed
from tests.flows.letting_go import let_go, withdraw
from tests.flows.pictures import changes, picture
from tests.flows.powershell import commands
from tests.flows.scene import STANDARD, Scene
from tests.flows.writes import PARTNERS
from tests.sandbox.graph.models.cross_tenant import Consent, Partner, Trust
from tests.sandbox.population import CLIENT_IDS

pytestmark = pytest.mark.sampled(2)

_CONNECT = re.compile(r'^Connect-MgGraph -TenantId "([^"]+)" -Scopes "([^"]+)"$', re.MULTILINE)


async def kit(scene: Scene) -> str:
    answer = await scene.call("GET", f"/api/tenants/{scene.target}/kit", token=scene.world.reader_token())
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/markdown")
    return answer.text


async def test_before_anything_was_done_it_says_what_is_asked_and_that_nothing_was_changed(scene: Scene) -> None:
    await scene.post(scene.world.people.ana)
    await scene.settle()

    text = await kit(scene)

    assert "Contoso looks after Fabrikam" in text
    assert all(f"`{name}`" in text for one in STANDARD for name in needed(one))
    assert "Nothing yet." in text


async def test_hunt_is_told_of_only_where_it_is_wanted(scene: Scene) -> None:
    await scene.post(scene.world.people.ana)
    await scene.settle()
    without = await kit(scene)
    await scene.post(scene.world.people.ana, features=["hunting"])
    await scene.settle()

    text = await kit(scene)

    assert "Tenantry Hunt" not in without
    assert CLIENT_IDS[Registration.HUNT] not in without
    assert "`ThreatHunting.Read.All`" in text
    assert f"servicePrincipals(appId='{CLIENT_IDS[Registration.HUNT]}')" in text


async def test_afterwards_it_tells_each_change_in_this_tenant_and_none_of_the_source(scene: Scene) -> None:
    await scene.onboarded()

    text = await kit(scene)

    told = text[text.index("## What was changed") : text.index("## How to remove")]
    here = [entry for entry in await scene.entries() if entry.deed.tenant_id == scene.target]
    assert told.count("\n| 20") == len(here) + 1 == 5
    assert "provision the analyst's account" in told
    assert "enterprise application" not in told


async def test_what_is_under_way_is_told_too(scene: Scene) -> None:
    texts: list[str] = []

    async def read() -> None:
        texts.append(await kit(scene))

    scene.world.points.arm("vendor.after", f"POST /v1.0{PARTNERS}", 0, read)

    await scene.onboarded()

    [told] = texts
    assert "Nothing yet." in told
    assert f"not yet read back: partner {scene.world.contoso.id}" in told


async def test_its_commands_leave_nothing_of_ours_in_the_tenant(scene: Scene) -> None:
    """Played as an administrator who has just the scopes that the kit names."""
    world, fabrikam = scene.world, scene.world.fabrikam
    await scene.onboarded(world.people.ana, world.people.ben)

    await carry_out(scene, await kit(scene))

    assert fabrikam.pim.active() == []
    assert not any(user.source for user in fabrikam.directory.users.values())
    assert fabrikam.access.partner(world.contoso.id) is None
    assert not any(fabrikam.applications.by_app_id(CLIENT_IDS[one]) for one in STANDARD)


async def test_its_commands_remove_hunt_too(scene: Scene) -> None:
    await scene.onboarded(features=["hunting"])

    await carry_out(scene, await kit(scene))

    applications = scene.world.fabrikam.applications
    assert not any(applications.by_app_id(CLIENT_IDS[one]) for one in MULTI_TENANT)


async def test_trust_that_was_there_before_is_put_back_and_not_deleted(scene: Scene) -> None:
    fabrikam, contoso = scene.world.fabrikam, scene.world.contoso
    theirs = Partner(
        tenant_id=contoso.id, consent=Consent(inbound=False), trust=Trust(mfa=False, compliant=True, hybrid=False)
    )
    fabrikam.access.set_partner(theirs)
    await scene.onboarded()
    assert theirs != fabrikam.access.partner(contoso.id)

    await carry_out(scene, await kit(scene))

    assert theirs == fabrikam.access.partner(contoso.id)
    assert fabrikam.access.identity_sync(contoso.id) is None


@pytest.mark.parametrize("withdrawn", [(Registration.SETUP,), STANDARD], ids=["setup", "both"])
@pytest.mark.parametrize("theirs", [False, True], ids=["nothing-before", "trust-from-before"])
async def test_what_offboarding_left_to_the_kit_its_commands_take_back(
    scene: Scene, withdrawn: tuple[Registration, ...], *, theirs: bool
) -> None:
    """A DELETE that does without the consents, and then the administrator with what it left to them."""
    fabrikam, contoso = scene.world.fabrikam, scene.world.contoso
    if theirs:
        before_us = Partner(tenant_id=contoso.id, consent=Consent(inbound=False), trust=Trust(compliant=True))
        fabrikam.access.set_partner(before_us)
    scene.consented()
    before = picture(scene.world)
    await scene.onboarded()
    await withdraw(scene, *withdrawn)
    assert await let_go(scene, target="kit") == "Offboarded"

    text = await kit(scene)
    assert "This is left to you" in text
    await carry_out(scene, text, gone=True)

    assert changes(before, picture(scene.world)) == {}


async def test_after_an_offboarding_only_our_applications_are_left_to_be_deleted(scene: Scene) -> None:
    await scene.onboarded()
    await let_go(scene)

    text = await kit(scene)

    assert "Everything that they made or changed here" in text
    assert "take the analyst out of scope" in text
    assert [method for method, _, _ in commands(text)] == ["DELETE"] * len(STANDARD)
    assert text.count("# nothing") == 3
    await carry_out(scene, text)


async def test_accounts_that_nobody_could_delete_are_in_the_kit(scene: Scene) -> None:
    await scene.onboarded()
    [job] = scene.world.contoso.jobs.jobs.values()
    scene.world.contoso.jobs.pause(job)
    account = scene.account(scene.world.people.ana).id
    await let_go(scene)

    text = await kit(scene)
    await carry_out(scene, text)

    assert "the synchronization job does not run" in text
    assert account in scene.world.fabrikam.directory.deleted_users


async def test_what_was_not_put_back_is_told_with_its_values(scene: Scene) -> None:
    fabrikam, contoso = scene.world.fabrikam, scene.world.contoso
    await scene.onboarded()
    found = fabrikam.access.partner(contoso.id)
    assert found is not None
    fabrikam.access.set_partner(replace(found, trust=Trust(mfa=False, compliant=False, hybrid=False)))
    await let_go(scene)

    text = await kit(scene)

    assert "| partner inboundTrust.isMfaAccepted | `null` | `true` | `false` | somebody changed it since |" in text
    assert "This was not put back" in text


async def test_while_a_tenant_is_let_go_the_kit_says_to_wait(scene: Scene) -> None:
    await scene.onboarded()
    texts: list[str] = []

    async def read() -> None:
        texts.append(await kit(scene))

    scene.world.points.arm("activity.before", "remove_synchronization", 0, read)
    await let_go(scene)

    [told] = texts
    assert "Wait until the state is Offboarded" in told
    assert "adminRemove" not in told
    assert "DELETE" in told[told.index("4. The trust") :]


async def carry_out(scene: Scene, text: str, *, gone: bool = False) -> None:
    """Every command, in the order of the text. `gone`: some answer that the thing is not there, as the text says."""
    world = scene.world
    [(tenant, scopes)] = _CONNECT.findall(text)
    told = commands(text)
    assert tenant == scene.target
    assert text.count("Invoke-MgGraphRequest") == len(told)

    token = world.clouds.app_token(
        world.fabrikam, world.clouds.graph, scopes.split(","), app_id=CLIENT_IDS[STANDARD[0]]
    )
    async with httpx.AsyncClient(verify=world.certificates.client_context(), trust_env=False) as client:
        for method, uri, body in told:
            answer = await client.request(
                method,
                f"{world.clouds.graph}/{uri}",
                headers={"Authorization": f"Bearer {token}"},
                json=json.loads(body) if body else None,
            )
            assert answer.is_success or (gone and answer.status_code == 404), f"{method} {uri}: {answer.text}"


async def test_a_name_can_neither_break_out_of_the_text_nor_reach_a_command(scene: Scene) -> None:
    await scene.post(scene.world.people.ana, displayName='Fabrikam`"; Remove-Item | x [a](b)')
    await scene.settle()

    text = await kit(scene)

    assert "Remove-Item" not in text[text.index("```powershell") :]
    assert "[a](b)" not in text


async def test_there_is_no_kit_for_a_stranger(scene: Scene) -> None:
    answer = await scene.call("GET", f"/api/tenants/{scene.target}/kit")

    assert answer.status_code == 404
