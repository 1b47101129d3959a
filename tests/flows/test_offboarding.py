"""Letting a tenant go: in the end both tenants are, property by property, as they were before the onboarding."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.flows.letting_go import let_go
from tests.flows.pictures import changes, picture
from tests.flows.scene import Scene
from tests.sandbox.graph.models.cross_tenant import Consent, IdentitySync, Partner, Trust

pytestmark = pytest.mark.sampled(2)

_EVERYONE = {"usersAndGroups": None, "applications": {"accessType": "allowed", "targets": []}}
_B2B = {"b2bCollaborationInbound": _EVERYONE, "b2bDirectConnectOutbound": _EVERYONE}
_OTHERS = {"tenantRestrictions": {"usersAndGroups": None, "applications": None}, "isServiceProvider": True}


async def test_a_tenant_is_let_go_without_a_trace(scene: Scene) -> None:
    people = scene.world.people
    scene.consented()
    before = picture(scene.world)
    await scene.onboarded(people.ana, people.ben)
    assert changes(before, picture(scene.world))

    assert await let_go(scene) == "Offboarded"

    assert changes(before, picture(scene.world)) == {}
    record = await scene.record()
    assert [one["number"] for one in record["acts"]] == [21, 22, 24, 25, 26, 27]
    assert {one["state"] for one in record["acts"]} == {"Done"}, record["acts"]
    assert (record["analysts"], record["eligibilities"], record["leftToKit"], record["skipped"]) == ([], [], [], [])


async def test_every_write_is_audited_once_on_the_word_of_who_asked(scene: Scene) -> None:
    await scene.onboarded()
    known = len(await scene.entries())
    already = len(scene.applied())

    await let_go(scene)

    entries = (await scene.entries())[known:]
    assert [(one.deed.act, one.deed.outcome) for one in entries] == [
        (21, "done"),
        (22, "done"),
        *[(25, "done")] * 3,
        (26, "done"),
        *[(27, "done")] * 2,
    ]
    assert {one.deed.on_whose_word for one in entries} == {scene.world.people.operator.object_id}
    assert len(scene.applied()) - already == len(entries)


async def test_nothing_is_kept_but_the_record_its_acts_and_the_trail(scene: Scene) -> None:
    await scene.onboarded()

    await let_go(scene)

    tenant = await scene.tenant()
    assert (tenant.analysts, tenant.eligibilities, tenant.intents) == ({}, {}, {})
    assert (tenant.sign_in, tenant.proofs, tenant.health) == (None, {}, None)
    assert tenant.record.synchronization is None
    assert await scene.open_run() is None


async def test_the_accounts_are_waited_for_while_the_job_still_runs(scene: Scene) -> None:
    """Without a look in between that nobody needs: a cycle takes 40 minutes."""
    await scene.onboarded()
    account = scene.account(scene.world.people.ana).id
    began = scene.world.clock.now()

    await let_go(scene)

    assert account in scene.world.fabrikam.directory.deleted_users
    assert timedelta(minutes=5) < scene.world.clock.now() - began < timedelta(hours=2)
    reads = [one for one in scene.world.clouds.recorder.entries if one.method == "GET" and account in one.path]
    assert len(reads) < 30


async def test_an_account_that_was_there_before_stays(scene: Scene) -> None:
    """Losing scope would delete it, whoever made it."""
    people, fabrikam, contoso = scene.world.people, scene.world.fabrikam, scene.world.contoso
    ana = contoso.directory.users[people.ana.object_id]
    guest = fabrikam.directory.add_external(ana, contoso.id, kind="Guest", made_at=None, state="Accepted")
    scene.consented()
    before = picture(scene.world)
    await scene.onboarded(people.ana, people.ben)

    assert await let_go(scene) == "Offboarded"

    assert guest.id in fabrikam.directory.users
    assert changes(before, picture(scene.world)) == {}
    record = await scene.record()
    assert (record["leftToKit"], record["skipped"]) == ([], [])
    assert "which stays: Ana Analyst" in next(one["detail"] for one in record["acts"] if one["number"] == 22)


@pytest.mark.parametrize("days", [None, 400, 30], ids=["for-good", "longer", "shorter"])
async def test_an_eligibility_that_was_there_before_is_not_taken_back(days: int | None, scene: Scene) -> None:
    """What we made longer is named: its end is what we asked for."""
    people, fabrikam, contoso = scene.world.people, scene.world.fabrikam, scene.world.contoso
    ana = contoso.directory.users[people.ana.object_id]
    guest = fabrikam.directory.add_external(ana, contoso.id, kind="Guest", made_at=None, state="Accepted")
    end = scene.world.clock.now() + timedelta(days=days) if days else None
    theirs = fabrikam.pim.grant(guest.id, end=end)
    await scene.onboarded(people.ana, people.ben)

    assert await let_go(scene) == "Offboarded"

    assert [one.id for one in fabrikam.pim.active()] == [theirs.id]
    skipped = (await scene.record())["skipped"]
    assert [one["act"] for one in skipped] == ([21] if days == 30 else [])
    assert (fabrikam.pim.active()[0].end == end) == (days != 30)


_BEFORE = {
    "settings-of-their-own": (
        Partner(tenant_id="", consent=Consent(inbound=False), trust=Trust(compliant=True), b2b=_B2B, others=_OTHERS),
        IdentitySync(display_name="Theirs", is_sync_allowed=False),
        Partner(
            tenant_id="", consent=Consent(outbound=False, inbound=True), trust=Trust(mfa=True), b2b=_B2B, others=_OTHERS
        ),
    ),
    "nothing-set": (Partner(tenant_id=""), None, Partner(tenant_id="")),
    "all-trusted-already": (
        Partner(tenant_id="", consent=Consent(inbound=True, outbound=False), trust=Trust(mfa=True, hybrid=False)),
        IdentitySync(display_name="Theirs", is_sync_allowed=True),
        Partner(tenant_id="", consent=Consent(outbound=True)),
    ),
    "part-of-a-flag": (
        Partner(tenant_id="", consent=Consent(outbound=True), trust=Trust(mfa=False, compliant=None, hybrid=True)),
        None,
        Partner(tenant_id="", consent=Consent(inbound=False)),
    ),
}


@pytest.mark.parametrize("name", _BEFORE)
async def test_what_was_there_before_is_there_again(scene: Scene, name: str) -> None:
    people = scene.world.people
    set_before(scene, name)
    scene.consented()
    before = picture(scene.world)
    await scene.onboarded(people.ana)

    assert await let_go(scene) == "Offboarded"

    assert changes(before, picture(scene.world)) == {}
    assert (await scene.record())["skipped"] == []


def set_before(scene: Scene, name: str) -> None:
    """Partners that somebody made before us."""
    contoso, fabrikam = scene.world.contoso, scene.world.fabrikam
    there, sync, here = _BEFORE[name]
    fabrikam.access.set_partner(replace(there, tenant_id=contoso.id), sync)
    contoso.access.set_partner(replace(here, tenant_id=fabrikam.id))
