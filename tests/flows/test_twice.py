"""Asked for twice: what is so already is not written again, and what is Ready is not changed by another wish."""

from functools import partial
from typing import Any

import msgspec
import pytest

from shared.tenants.change import Change
from shared.tenants.record import ActState, Tenant
from shared.tenants.states import State
from tests.flows.scene import Scene

pytestmark = pytest.mark.sampled(2)


async def test_the_same_body_in_ready_is_answered_with_the_record_and_changes_nothing(scene: Scene) -> None:
    before = await scene.onboarded()
    sent, runs, entries = list(scene.sent()), len(scene.world.host.orchestrations()), await scene.entries()

    answer = await scene.post(scene.world.people.ana)

    assert answer.status_code == 200, answer.text
    assert before == answer.json()
    assert await scene.settle() == "Ready"
    assert before == await scene.record()
    assert (sent, runs, entries) == (
        list(scene.sent()),
        len(scene.world.host.orchestrations()),
        await scene.entries(),
    )


async def test_the_same_wish_in_other_words_is_the_same_body(scene: Scene) -> None:
    """Domain or id, upper or lower case, analysts in any order, defaults written out: one wish."""
    people = scene.world.people
    await scene.onboarded(people.ana, people.ben)
    spoken: list[dict[str, Any]] = [
        {"tenantId": None, "domain": "FABRIKAM.com"},
        {"tenantId": scene.target.upper()},
        {"analysts": {"userIds": [people.ben.object_id.upper(), people.ana.object_id]}},
        {"duration": "P180D", "trust": {"mfa": True, "hybridJoined": False}, "dryRun": False},
    ]

    for changes in spoken:
        answer = await scene.post(people.ana, people.ben, **changes)

        assert answer.status_code == 200, (changes, answer.text)


async def test_another_body_in_ready_is_refused_and_told_where_to_go(scene: Scene) -> None:
    people = scene.world.people
    before = await scene.onboarded()
    sent = list(scene.sent())
    others: list[dict[str, Any]] = [
        {"analysts": {"userIds": [people.ana.object_id, people.ben.object_id]}},
        {"analysts": {"groupId": people.analysts.id}},
        {"duration": "P90D"},
        {"trust": {"compliantDevice": True}},
        {"displayName": "Fabrikam Inc."},
    ]

    for changes in others:
        answer = await scene.post(people.ana, **changes)

        assert answer.status_code == 409, (changes, answer.text)
        assert answer.headers["Location"].endswith(f"/api/tenants/{scene.target}")
        assert "/api/tenants/{tenantId}" in answer.json()["detail"]
    assert await scene.settle() == "Ready"
    assert (before, sent) == (await scene.record(), list(scene.sent()))


async def test_a_retry_of_a_tenant_that_is_ready_is_refused(scene: Scene) -> None:
    await scene.onboarded()

    answer = await scene.call("POST", f"/api/tenants/{scene.target}/retry")

    assert answer.status_code == 409
    assert await scene.settle() == "Ready"


async def test_a_run_over_everything_again_writes_nothing(scene: Scene) -> None:
    people = scene.world.people
    await scene.onboarded(people.ana, people.ben)
    sent, entries, accounts = list(scene.sent()), await scene.entries(), len(scene.world.fabrikam.directory.users)
    await as_if_never_done(scene)

    assert await scene.retry() == "Ready"

    assert sent == list(scene.sent())
    assert entries == await scene.entries()
    assert accounts == len(scene.world.fabrikam.directory.users)
    assert {"Done"} == {act["state"] for act in (await scene.record())["acts"]}


async def test_a_run_over_everything_again_makes_what_somebody_took_away(scene: Scene) -> None:
    """The acts prove by reading: what a person undid in the meantime is made again, and only that."""
    await scene.onboarded()
    fabrikam, contoso = scene.world.fabrikam, scene.world.contoso
    fabrikam.access.delete_identity_sync(contoso.id)
    [eligibility] = fabrikam.pim.active()
    eligibility.removed_at = scene.world.clock.now()
    scene.let_it_spread()
    sent = len(scene.sent())
    await as_if_never_done(scene)

    assert await scene.retry() == "Ready"

    again = scene.sent()[sent:]
    assert [one.rpartition("/")[2] for one in again] == ["identitySynchronization", "roleEligibilityScheduleRequests"]
    assert fabrikam.pim.of(scene.account(scene.world.people.ana).id) is not None


async def as_if_never_done(scene: Scene) -> None:
    """Set the tenant back to Failed with no act done, as no route can."""
    for state in (State.ONBOARDING, State.FAILED):
        await scene.tenants.update(scene.target, partial(_undone, state))


def _undone(state: State, tenant: Tenant) -> Change:
    acts = [msgspec.structs.replace(act, state=ActState.PENDING) for act in tenant.acts.values()]
    return Change(record=msgspec.structs.replace(tenant.record, state=state), acts=acts)
