"""The happy path: what is so in both tenants, in the store and in the audit trail when a tenant is Ready."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from tests.flows.scene import STANDARD, Scene
from tests.flows.writes import ONCE, onboarding_of, templated
from tests.sandbox.graph.models.cross_tenant import Consent, IdentitySync, Partner, Trust
from tests.sandbox.population import CLIENT_IDS

pytestmark = pytest.mark.sampled(3)

_AN_HOUR = timedelta(hours=1)


async def test_a_tenant_becomes_ready_and_its_record_says_by_which_permissions(scene: Scene) -> None:
    people = scene.world.people

    record = await scene.onboarded(people.ana, people.ben)

    assert ["Done"] * len(record["acts"]) == [act["state"] for act in record["acts"]]
    assert {people.ana.object_id, people.ben.object_id} == {one["analyst"] for one in record["eligibilities"]}
    assert await scene.open_run() is None
    shown = {one["registration"]: set(one["permissions"]) for one in record["permissions"]}
    for registration in STANDARD:
        assert shown[registration.value] == scene.world.clouds.granted(CLIENT_IDS[registration], scene.target)
    assert "RoleManagement.ReadWrite.Directory" not in set().union(*shown.values())


async def test_both_tenants_hold_what_an_onboarding_makes_and_nothing_else(scene: Scene) -> None:
    contoso, fabrikam, people = scene.world.contoso, scene.world.fabrikam, scene.world.people

    await scene.onboarded(people.ana, people.ben)

    trust = Trust(mfa=True, compliant=False, hybrid=False)
    source, target = (Partner(tenant_id=one.id) for one in (contoso, fabrikam))
    assert replace(source, consent=Consent(inbound=True), trust=trust) == fabrikam.access.partner(contoso.id)
    assert IdentitySync(display_name="Contoso", is_sync_allowed=True) == fabrikam.access.identity_sync(contoso.id)
    assert replace(target, consent=Consent(outbound=True)) == contoso.access.partner(fabrikam.id)
    assert contoso.access.identity_sync(fabrikam.id) is None
    [application] = scene.synchronizations()
    [job] = contoso.jobs.of(application.id)
    assert scene.target in application.display_name
    assert (job.starts, job.schedule) == (1, "Active")
    assert (scene.target, "SyncPolicy", "false") == tuple(
        application.secrets[key] for key in ("CompanyId", "AuthenticationType", "SyncAll")
    )
    assigned = [one for one in contoso.applications.assignments.values() if one.resource_id == application.id]
    assert {(one.principal_id, one.app_role_id) for one in assigned} == {
        (person.object_id, application.app_roles[0].id) for person in (people.ana, people.ben)
    }


async def test_each_analyst_has_a_member_account_and_an_eligibility_with_the_right_end(scene: Scene) -> None:
    fabrikam, people = scene.world.fabrikam, scene.world.people

    record = await scene.onboarded(people.ana, people.ben)

    accounts = {person: scene.account(person) for person in (people.ana, people.ben)}
    assert {"Member"} == {account.user_type for account in accounts.values()}
    assert {account.id for account in accounts.values()} == {one.principal_id for one in fabrikam.pim.active()}
    for person, account in accounts.items():
        held = fabrikam.pim.of(account.id)
        assert held is not None
        assert held.end is not None
        assert abs(held.end - scene.world.clock.now() - timedelta(days=180)) < _AN_HOUR
        [shown] = [one for one in record["eligibilities"] if one["analyst"] == person.object_id]
        assert (account.id, held.id, None) == (shown["principalId"], shown["scheduleId"], shown["cappedTo"])
    assert fabrikam.directory.counterpart(scene.world.contoso.id, people.cleo.object_id) is None


async def test_nothing_but_what_is_needed_is_sent(scene: Scene) -> None:
    scene.world.clouds.replication.off()

    await scene.onboarded(scene.world.people.ana, scene.world.people.ben)

    assert onboarding_of(2) == Counter(scene.sent())
    assert onboarding_of(2) == templated(scene.applied())
    both = {scene.world.contoso.id, scene.world.fabrikam.id}
    assert both == {one.tenant_id for one in scene.world.clouds.recorder.entries if one.tenant_id}


async def test_every_write_is_audited_once_with_who_did_what_where_and_on_whose_word(scene: Scene) -> None:
    await scene.onboarded()

    tenant = await scene.tenant()
    deeds = [entry.deed for entry in await scene.entries()]

    assert {"closed"} == {intent.state.value for intent in tenant.intents.values()}
    assert len(tenant.intents) == len(deeds) == len(scene.applied())
    assert {"done"} == {deed.outcome for deed in deeds}
    assert [act for act, _ in ONCE] == [deed.act for deed in deeds]
    assert {scene.world.people.operator.object_id} == {deed.on_whose_word for deed in deeds}
    assert {(3, "Tenantry Setup"), (5, "Tenantry Source"), (9, "Tenantry Access")} <= {
        (deed.act, deed.registration) for deed in deeds
    }
    assert {3: scene.target, 4: scene.target, 5: scene.world.contoso.id, 9: scene.target} == {
        deed.act: deed.tenant_id for deed in deeds if deed.act in (3, 4, 5, 9)
    }
    assert all(deed.object_name and deed.what and msgspec.json.decode(deed.wanted) for deed in deeds)
    assert msgspec.json.decode(deeds[0].before) is None


async def test_a_source_group_brings_its_direct_members_each_by_user_id(scene: Scene) -> None:
    """Synchronization doesn't open nested groups, and a group in scope would take whoever joins it later."""
    contoso, people = scene.world.contoso, scene.world.people
    inner = contoso.directory.add_group("Night shift", [people.engineer.object_id])
    people.analysts.members.append(inner.id)
    scene.consented()

    await scene.post()

    assert await scene.settle() == "Ready"
    members = {people.ana.object_id, people.ben.object_id, people.cleo.object_id}
    [application] = scene.synchronizations()
    assigned = [one for one in contoso.applications.assignments.values() if one.resource_id == application.id]
    assert {("User", member) for member in members} == {(one.principal_type, one.principal_id) for one in assigned}
    record = await scene.record()
    assert members == {one["analyst"] for one in record["eligibilities"]}
    assert {"groupId": people.analysts.id} == record["wanted"]["analysts"]


async def test_an_eligibility_lasts_as_long_as_the_policy_allows_and_the_cap_is_recorded(scene: Scene) -> None:
    policy = scene.world.fabrikam.pim.security_reader
    policy.expiration_required, policy.maximum_duration = True, "P90D"
    policy.eligibility_rules = ["Justification", "Ticketing"]

    record = await scene.onboarded()

    held = scene.world.fabrikam.pim.of(scene.account(scene.world.people.ana).id)
    assert held is not None
    assert held.end is not None
    assert abs(held.end - scene.world.clock.now() - timedelta(days=90)) < _AN_HOUR
    assert (record["eligibilities"][0]["wanted"], record["eligibilities"][0]["cappedTo"]) == ("P180D", "P90D")


async def test_a_duration_that_the_policy_allows_is_not_capped(scene: Scene) -> None:
    policy = scene.world.fabrikam.pim.security_reader
    policy.expiration_required, policy.maximum_duration = True, "P90D"
    scene.consented()

    await scene.post(scene.world.people.ana, duration="P30D")

    assert await scene.settle() == "Ready"
    held = scene.world.fabrikam.pim.of(scene.account(scene.world.people.ana).id)
    assert held is not None
    assert held.end is not None
    assert abs(held.end - scene.world.clock.now() - timedelta(days=30)) < _AN_HOUR
    assert (await scene.record())["eligibilities"][0]["cappedTo"] is None
