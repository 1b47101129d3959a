"""A night: analysts are compared with the source's directory, access is proved anew, and what has drifted is named."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.permissions import MULTI_TENANT, Registration
from shared.run import Run, key_of
from tests.conftest import OpenWorld
from tests.flows.scene import Scene
from tests.flows.test_analysts import assigned, eligible
from tests.sandbox.graph.models.cross_tenant import Consent, Trust
from tests.sandbox.graph.models.jobs import Problem
from tests.sandbox.personas import Person
from tests.sandbox.points import Cut
from tests.sandbox.population import CLIENT_IDS

pytestmark = pytest.mark.sampled(2)

EVENING = datetime(2026, 3, 2, 20, 0, 20, tzinfo=UTC)
_SWEPT = timedelta(minutes=4)


@pytest.fixture
async def scene(open_world: OpenWorld) -> AsyncIterator[Scene]:
    """A world where it is evening."""
    async with Scene(await open_world(start=EVENING)) as opened:
        yield opened


async def onboarded_by_group(scene: Scene) -> None:
    """Ana, Ben and Cleo, by the SOC's group; Setup is removed as the checklist asks."""
    scene.consented()
    await scene.post()
    assert await scene.settle() == "Ready"
    await without_setup(scene)


async def without_setup(scene: Scene) -> None:
    """The administrator removed it, and no token of it is left."""
    scene.world.clouds.revoke(CLIENT_IDS[Registration.SETUP], scene.target)
    await scene.world.host.kill_and_restart()


async def night(scene: Scene) -> str:
    """Let the next night come and go, with all that it starts; gives the tenant's state."""
    now = scene.world.clock.now()
    tomorrow = (now + timedelta(days=1)).replace(hour=2, minute=5, second=1)
    scene.world.clock.advance((tomorrow - now).total_seconds())
    await scene.settle()
    scene.world.clock.advance(_SWEPT.total_seconds())
    return await scene.settle()


def grown(scene: Scene, count: int) -> Sequence[Person]:
    """That many more analysts of Contoso, in the SOC's group."""
    clouds, contoso = scene.world.clouds, scene.world.contoso
    more = [clouds.person(contoso, f"analyst{n}@contoso.com", f"Analyst {n}") for n in range(count)]
    scene.world.people.analysts.members += [one.object_id for one in more]
    return more


async def drift(scene: Scene) -> list[tuple[str, str, str, str]]:
    """What the record says of drift."""
    health = (await scene.record())["health"]
    return [(one["where"], one["what"], one["was"], one["now"]) for one in health["drift"]]


async def test_a_quiet_night_changes_nothing_and_says_what_it_could_see(scene: Scene) -> None:
    await onboarded_by_group(scene)
    writes = list(scene.sent())

    assert await night(scene) == "Ready"

    health = (await scene.record())["health"]
    assert (health["drift"], list(scene.sent())) == ([], writes)
    assert health["notes"] == ["Redemption and inbound sync still work; other settings of the target are not visible."]
    assert (await scene.record())["run"] == 1


async def test_joiners_of_the_group_get_in_and_leavers_are_let_go(scene: Scene) -> None:
    people = scene.world.people
    [dora] = grown(scene, 1)
    people.analysts.members.remove(dora.object_id)
    await onboarded_by_group(scene)
    people.analysts.members.remove(people.cleo.object_id)
    people.analysts.members.append(dora.object_id)

    assert await night(scene) == "Ready"

    wanted = {one.object_id for one in (people.ana, people.ben, dora)}
    assert wanted == assigned(scene) == eligible(scene)
    entries = await scene.entries()
    assert "the nightly comparison" in entries[-1].deed.why
    assert {people.operator.object_id} == {entry.deed.on_whose_word for entry in entries}


@pytest.mark.parametrize("fate", ["disabled", "deleted"])
@pytest.mark.parametrize("by_group", [True, False], ids=["group", "named"])
async def test_a_disabled_or_deleted_account_counts_as_a_leaver(fate: str, *, by_group: bool, scene: Scene) -> None:
    world, people = scene.world, scene.world.people
    if by_group:
        await onboarded_by_group(scene)
    else:
        await scene.onboarded(people.ana, people.ben, people.cleo)
    if fate == "disabled":
        world.contoso.directory.users[people.cleo.object_id].account_enabled = False
    else:
        world.contoso.directory.delete_user(people.cleo.object_id)

    assert await night(scene) == "Ready"

    assert {people.ana.object_id, people.ben.object_id} == assigned(scene) == eligible(scene)


async def test_many_leavers_at_once_wait_for_a_person_who_confirms(scene: Scene) -> None:
    people = scene.world.people
    await onboarded_by_group(scene)
    people.analysts.members[:] = [people.ana.object_id]

    assert await night(scene) == "WaitingForPerson"

    record = await scene.record()
    assert record["problem"]["code"] == "ManyLeavers"
    assert "Ben Analyst" in record["problem"]["what"]
    assert len(assigned(scene)) == 3
    answer = await scene.call("POST", f"/api/tenants/{scene.target}/analysts/confirm")
    assert answer.status_code == 202
    assert await scene.settle() == "Ready"
    assert {people.ana.object_id} == assigned(scene) == eligible(scene)


async def test_only_those_who_were_asked_about_go_by_a_confirmation(scene: Scene) -> None:
    people = scene.world.people
    await onboarded_by_group(scene)
    people.analysts.members[:] = [people.ana.object_id]
    assert await night(scene) == "WaitingForPerson"
    people.analysts.members.clear()

    await scene.call("POST", f"/api/tenants/{scene.target}/analysts/confirm")

    assert await scene.settle() == "Ready"
    assert {people.ana.object_id} == assigned(scene) == eligible(scene)


async def test_the_question_is_moot_when_they_are_back(scene: Scene) -> None:
    people = scene.world.people
    await onboarded_by_group(scene)
    members = list(people.analysts.members)
    people.analysts.members.clear()
    assert await night(scene) == "WaitingForPerson"
    people.analysts.members[:] = members

    assert await night(scene) == "Ready"

    assert len(assigned(scene)) == len(eligible(scene)) == 3
    answer = await scene.call("POST", f"/api/tenants/{scene.target}/analysts/confirm")
    assert answer.status_code == 409


async def test_lost_access_is_told_once_and_the_tenant_waits_for_consent(scene: Scene) -> None:
    world = scene.world
    await onboarded_by_group(scene)
    world.clouds.revoke(CLIENT_IDS[Registration.ACCESS], scene.target)
    await world.host.kill_and_restart()

    assert await night(scene) == "WaitingForConsent"
    await night(scene)

    assert world.log.read_text().count("tenant.access_lost") == 1
    listed = await scene.call("GET", "/api/tenants?state=WaitingForConsent")
    assert [scene.target] == [one["tenantId"] for one in listed.json()["value"]]
    assert "Tenantry Access" in (await scene.record())["problem"]["what"]
    scene.consented(Registration.ACCESS)
    assert await scene.retry() == "Ready"


async def test_a_tenant_that_wants_hunting_waits_for_hunt_too(scene: Scene) -> None:
    world = scene.world
    scene.consented(*MULTI_TENANT)
    await scene.post(world.people.ana, features=["hunting"])
    assert await scene.settle() == "Ready"
    world.clouds.revoke(CLIENT_IDS[Registration.HUNT], scene.target)
    await world.host.kill_and_restart()

    assert await night(scene) == "WaitingForConsent"

    assert "Tenantry Hunt" in (await scene.record())["problem"]["what"]


async def test_each_property_that_drifted_in_the_source_is_named(scene: Scene) -> None:
    world = scene.world
    await onboarded_by_group(scene)
    mine = world.contoso.access.partner(scene.target)
    assert mine is not None
    world.contoso.access.set_partner(replace(mine, consent=Consent(outbound=False), trust=Trust(mfa=True)))
    [application] = scene.synchronizations()
    [job] = world.contoso.jobs.of(application.id)
    world.contoso.jobs.pause(job)

    await night(scene)

    found = await drift(scene)
    assert ("source", "partner automaticUserConsentSettings.outboundAllowed", "true", "false") in found
    assert ("source", "partner inboundTrust.isMfaAccepted", "not set", "true") in found
    assert ("source", "synchronization job schedule.state", "Active", "Paused") in found
    assert any(what == "synchronization credentials" for _, what, _, _ in found)
    assert "tenant.drifted" in world.log.read_text()


async def test_the_target_s_settings_are_compared_while_setup_is_consented_and_it_is_told_to_be_removed(
    scene: Scene,
) -> None:
    world = scene.world
    await scene.onboarded()
    theirs = world.fabrikam.access.partner(world.contoso.id)
    assert theirs is not None
    world.fabrikam.access.set_partner(replace(theirs, trust=Trust(mfa=False, compliant=False, hybrid=False)))

    await night(scene)

    assert await drift(scene) == [("target", "partner inboundTrust.isMfaAccepted", "true", "false")]
    assert "Tenantry Setup is still consented" in (await scene.record())["health"]["notes"][0]


async def test_a_quarantine_is_named(scene: Scene) -> None:
    world = scene.world
    await onboarded_by_group(scene)
    [application] = scene.synchronizations()
    [job] = world.contoso.jobs.of(application.id)
    world.contoso.jobs.quarantine(job, Problem(code="TooMany", message="too many failures"))

    await night(scene)

    [told] = [now for _, what, _, now in await drift(scene) if what == "synchronization job status"]
    assert "EncounteredQuarantineException" in told


async def test_an_eligibility_that_somebody_removed_is_named_and_not_made_again(scene: Scene) -> None:
    world, people = scene.world, scene.world.people
    await onboarded_by_group(scene)
    held = world.fabrikam.pim.of(scene.account(people.ben).id)
    assert held is not None
    held.removed_at = world.clock.now()

    await night(scene)

    [(where, what, _, now)] = await drift(scene)
    assert (where, what, now) == ("target", f"eligibility of {scene.account(people.ben).id}", "gone")
    assert people.ben.object_id not in eligible(scene)


@pytest.mark.parametrize("how", ["cancelled", "failed"])
async def test_an_onboarding_that_was_stopped_is_not_gone_on_with_by_a_night(how: str, scene: Scene) -> None:
    """Also where a joiner came. Who left is told to a person."""
    world, people = scene.world, scene.world.people

    async def stop() -> None:
        if how == "cancelled":
            await scene.call("POST", f"/api/tenants/{scene.target}/cancel")
        else:
            [job] = world.contoso.jobs.jobs.values()
            world.contoso.jobs.quarantine(job, Problem(code="TooMany", message="too many failures"))

    world.points.arm("activity.before", "start_synchronization", 0, stop)
    scene.consented()
    await scene.post()
    stopped = await scene.settle()
    assert stopped == ("Cancelled" if how == "cancelled" else "Failed")
    written = len(scene.applied())
    grown(scene, 1)
    people.analysts.members.remove(people.cleo.object_id)

    assert await night(scene) == stopped

    assert len(scene.applied()) == written
    assert any("Cleo Analyst" in one for one in (await scene.record())["whatToDo"])


async def test_a_group_that_is_gone_lets_nobody_go_unasked(scene: Scene) -> None:
    people = scene.world.people
    people.analysts.members[:] = [people.ana.object_id]
    await onboarded_by_group(scene)
    scene.world.contoso.directory.groups.pop(people.analysts.id)

    assert await night(scene) == "WaitingForPerson"

    assert (await scene.record())["problem"]["code"] == "ManyLeavers"
    assert eligible(scene) == {people.ana.object_id}


async def test_a_night_missed_is_caught_up_and_no_night_comes_twice(scene: Scene) -> None:
    await onboarded_by_group(scene)
    scene.world.clock.advance(18 * 3600)
    await scene.settle()

    first = (await scene.record())["health"]["looked"]
    scene.world.clock.advance(3 * 3600)
    await scene.settle()

    assert (await scene.record())["health"]["looked"] == first


async def test_a_night_that_is_killed_in_the_middle_comes_to_its_end(scene: Scene) -> None:
    people = scene.world.people
    await onboarded_by_group(scene)
    people.analysts.members.remove(people.cleo.object_id)

    async def kill() -> None:
        await scene.world.host.kill_and_restart()
        raise Cut

    scene.world.points.arm("activity.after", "look_after_page", 0, kill)

    assert await night(scene) == "Ready"

    assert {people.ana.object_id, people.ben.object_id} == assigned(scene) == eligible(scene)
    assert await scene.runs.list_open() == []


async def test_a_tenant_that_cannot_be_looked_at_is_looked_at_again_in_the_same_night(scene: Scene) -> None:
    world = scene.world
    await onboarded_by_group(scene)
    failed: list[Any] = []

    async def fail() -> None:
        failed.append(world.clock.now())
        raise Cut

    label = "GET /v1.0/policies/crossTenantAccessPolicy/partners/{id}"
    done = world.points.passed("vendor-read.before", label)
    for nth in range(done, done + 4):
        world.points.arm("vendor-read.before", label, nth, fail)

    await night(scene)

    assert len(failed) == 4
    assert "subject.not_looked_at" in world.log.read_text()
    assert (await scene.record())["health"]["drift"] == []


async def test_a_tenant_that_another_run_holds_for_a_moment_is_compared_again_in_the_same_night(scene: Scene) -> None:
    people, held = scene.world.people, list[Run]()
    await onboarded_by_group(scene)
    people.analysts.members.remove(people.cleo.object_id)

    async def hold() -> None:
        now = scene.world.clock.now()
        one = Run(
            subject=scene.target,
            kind="tenantRenewal",
            number=2,
            orchestration_id="elsewhere",
            nonce="elsewhere",
            opened=now,
            requested_by="nobody",
            started=now,
        )
        assert await scene.runs.insert(one) is None
        held.append(one)

    async def let_go() -> None:
        await scene.runs.close(key_of(held[0]), "over")

    scene.world.points.arm("activity.before", "look_after_page", 0, hold)
    scene.world.points.arm("activity.after", "look_after_page", 0, let_go)

    assert await night(scene) == "Ready"

    assert len(held) == 1
    assert {people.ana.object_id, people.ben.object_id} == assigned(scene) == eligible(scene)
