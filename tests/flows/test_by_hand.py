"""Already half done by hand, in either tenant: what is there is used or left alone, and nothing of theirs is undone."""

from datetime import timedelta

import pytest

from tests.flows.scene import Scene
from tests.flows.writes import INSTANTIATE
from tests.sandbox.graph.models.applications import SYNC_TEMPLATE, ServicePrincipal
from tests.sandbox.graph.models.cross_tenant import AccessDefault, Consent, IdentitySync, Partner, Trust
from tests.sandbox.personas import Person

pytestmark = pytest.mark.sampled(3)

_AN_HOUR = timedelta(hours=1)
_SOME_APPLICATIONS = {
    "usersAndGroups": {"accessType": "allowed", "targets": [{"target": "AllUsers", "targetType": "user"}]},
    "applications": {"accessType": "allowed", "targets": [{"target": "AllApplications", "targetType": "application"}]},
}


async def test_trust_that_the_target_gives_already_is_never_cleared(scene: Scene) -> None:
    contoso, fabrikam = scene.world.contoso, scene.world.fabrikam
    theirs = Partner(
        tenant_id=contoso.id,
        consent=Consent(inbound=None, outbound=True),
        trust=Trust(mfa=False, compliant=True, hybrid=None),
        b2b={"b2bCollaborationInbound": _SOME_APPLICATIONS, "b2bDirectConnectInbound": _SOME_APPLICATIONS},
    )
    fabrikam.access.set_partner(theirs)

    await scene.onboarded()

    partner = fabrikam.access.partner(contoso.id)
    assert partner is not None
    assert Consent(inbound=True, outbound=True) == partner.consent
    assert partner.trust is not None
    assert (partner.trust.mfa, partner.trust.compliant) == (True, True)
    assert theirs.b2b == partner.b2b
    assert scene.sent().count("POST /v1.0/policies/crossTenantAccessPolicy/partners") == 1  # the source's


async def test_mfa_trust_stays_where_the_operator_did_not_ask_for_it(scene: Scene) -> None:
    contoso, fabrikam = scene.world.contoso, scene.world.fabrikam
    theirs = Partner(tenant_id=contoso.id, consent=Consent(inbound=True), trust=Trust(mfa=True, hybrid=True))
    fabrikam.access.set_partner(theirs)
    scene.consented()

    await scene.post(scene.world.people.ana, trust={"mfa": False})

    assert await scene.settle() == "Ready"
    assert theirs == fabrikam.access.partner(contoso.id)


async def test_trust_that_the_target_gives_to_everybody_is_not_lost_for_the_source(scene: Scene) -> None:
    """A partner without trust settings inherits the default's; settings of its own would replace all of them."""
    contoso, fabrikam = scene.world.contoso, scene.world.fabrikam
    fabrikam.access.default = AccessDefault(trust=Trust(mfa=False, compliant=True, hybrid=True))

    await scene.onboarded()

    partner = fabrikam.access.partner(contoso.id)
    assert partner is not None
    assert Trust(mfa=True, compliant=True, hybrid=True) == partner.trust


async def test_synchronization_that_was_forbidden_is_allowed_and_keeps_its_name(scene: Scene) -> None:
    contoso, fabrikam = scene.world.contoso, scene.world.fabrikam
    fabrikam.access.set_partner(
        Partner(tenant_id=contoso.id), IdentitySync(display_name="Our MSSP", is_sync_allowed=False)
    )

    await scene.onboarded()

    assert IdentitySync(display_name="Our MSSP", is_sync_allowed=True) == fabrikam.access.identity_sync(contoso.id)


async def test_what_is_as_wanted_in_the_target_is_not_written_at_all(scene: Scene) -> None:
    contoso, fabrikam = scene.world.contoso, scene.world.fabrikam
    fabrikam.access.set_partner(
        Partner(tenant_id=contoso.id, consent=Consent(inbound=True), trust=Trust(mfa=True)),
        IdentitySync(display_name="Contoso", is_sync_allowed=True),
    )

    await scene.onboarded()

    assert {5, 6, 7, 8, 9} == {entry.deed.act for entry in await scene.entries()}


async def test_inbound_settings_of_the_source_for_the_target_are_kept(scene: Scene) -> None:
    """Contoso may trust Fabrikam for reasons of its own; act 5 only opens the way out."""
    contoso, fabrikam = scene.world.contoso, scene.world.fabrikam
    ours = Partner(
        tenant_id=fabrikam.id,
        consent=Consent(inbound=True),
        trust=Trust(mfa=True, compliant=True, hybrid=False),
        b2b={"b2bCollaborationInbound": _SOME_APPLICATIONS},
    )
    sync = IdentitySync(display_name="Fabrikam", is_sync_allowed=True)
    contoso.access.set_partner(ours, sync)

    await scene.onboarded()

    partner = contoso.access.partner(fabrikam.id)
    assert partner is not None
    assert Consent(inbound=True, outbound=True) == partner.consent
    assert (ours.trust, ours.b2b, sync) == (partner.trust, partner.b2b, contoso.access.identity_sync(fabrikam.id))


async def test_a_guest_account_that_is_there_is_used_and_stays_a_guest(scene: Scene) -> None:
    ana = scene.world.people.ana
    guest = _invited(scene, ana)

    record = await scene.onboarded()

    assert (guest, "Guest") == (scene.account(ana).id, scene.account(ana).user_type)
    assert [guest] == [one["targetObjectId"] for one in record["analysts"]]
    assert [guest] == [one.principal_id for one in scene.world.fabrikam.pim.active()]


async def test_an_eligibility_that_lasts_longer_is_left_and_a_shorter_one_is_made_longer(scene: Scene) -> None:
    people, pim, now = scene.world.people, scene.world.fabrikam.pim, scene.world.clock.now()
    ends = {
        people.ana: None,
        people.ben: now + timedelta(days=300),
        people.cleo: now + timedelta(days=10),
    }
    held = {person: pim.grant(_invited(scene, person), end=end) for person, end in ends.items()}

    record = await scene.onboarded(*ends)

    assert {one.id for one in held.values()} == {one.id for one in pim.active()}
    assert [None, ends[people.ben]] == [held[people.ana].end, held[people.ben].end]
    longer = held[people.cleo].end
    assert longer is not None
    assert abs(longer - scene.world.clock.now() - timedelta(days=180)) < _AN_HOUR
    assert [people.cleo] == [one for one in ends if _asked_for(scene, one)]
    assert {(one["analyst"], one["scheduleId"]) for one in record["eligibilities"]} == {
        (person.object_id, schedule.id) for person, schedule in held.items()
    }


async def test_a_strangers_application_with_a_similar_name_is_never_taken(scene: Scene) -> None:
    applications = scene.world.contoso.applications
    names = ["Fabrikam", f"Fabrikam ({scene.target})", f"Fabrikam ({scene.target}) Tenantry", scene.target]
    strangers = [applications.instantiate(SYNC_TEMPLATE, name)[1] for name in names]

    await scene.onboarded()

    [ours] = [one for one in scene.synchronizations() if one not in strangers]
    assert scene.target == ours.secrets["CompanyId"]
    assert all(_untouched(scene, stranger) for stranger in strangers)


async def test_an_application_that_copies_our_name_is_never_taken(scene: Scene) -> None:
    """The name holds a part that nobody can know, but whoever reads it may make a second one of that name."""
    applications = scene.world.contoso.applications
    strangers: list[ServicePrincipal] = []

    async def copy_the_name() -> None:
        synchronization = (await scene.tenant()).record.synchronization
        assert synchronization is not None
        strangers.append(applications.instantiate(SYNC_TEMPLATE, synchronization.name)[1])

    scene.world.points.arm("vendor.before", INSTANTIATE, 0, copy_the_name)

    await scene.onboarded()

    assert len(scene.synchronizations()) == 2
    assert all(_untouched(scene, stranger) for stranger in strangers)


def _invited(scene: Scene, person: Person) -> str:
    """An account that somebody invited long ago; gives its object id."""
    contoso, fabrikam = scene.world.contoso, scene.world.fabrikam
    of = contoso.directory.users[person.object_id]
    return fabrikam.directory.add_external(of, contoso.id, kind="Guest", made_at=None, state="Accepted").id


def _asked_for(scene: Scene, person: Person) -> bool:
    account = scene.account(person).id
    return any(one.wanted.principal_id == account for one in scene.world.fabrikam.pim.requests.values())


def _untouched(scene: Scene, stranger: ServicePrincipal) -> bool:
    contoso = scene.world.contoso
    assigned = [one for one in contoso.applications.assignments.values() if one.resource_id == stranger.id]
    return not (stranger.secrets or assigned or contoso.jobs.of(stranger.id))
