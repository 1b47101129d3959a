"""Act 10: what would stop an analyst's sign-in is told in words, and never stops an onboarding."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from shared.permissions import Registration
from tests.flows.refusal import Refusal
from tests.flows.scene import Scene
from tests.flows.test_twice import as_if_never_done
from tests.flows.writes import ONCE, START, onboarding_of, templated
from tests.sandbox.graph.errors import GraphError, forbidden, throttled
from tests.sandbox.graph.models.conditional_access import country_location, external, ip_location, policy, strength
from tests.sandbox.graph.wire import Wire
from tests.sandbox.points import then_cut
from tests.sandbox.population import CLIENT_IDS

pytestmark = pytest.mark.sampled(3)

_POLICIES = "GET /identity/conditionalAccess/policies"
_LOCATIONS = "GET /identity/conditionalAccess/namedLocations"
_TERMS = policy("Terms", terms=["terms-1"])
_HQ = ip_location("HQ", "198.51.100.0/24", trusted=True)


def told(record: Mapping[str, Any], side: str) -> dict[str, tuple[str, bool]]:
    """Policy -> how sure it is, and whether nobody passes."""
    return {one["policy"]: (one["applies"], one["stops"]) for one in record["signIn"][side]}


def act(record: Mapping[str, Any], number: int) -> dict[str, Any]:
    """An act of the record."""
    [found] = [one for one in record["acts"] if one["number"] == number]
    return dict(found)


async def test_a_tenant_without_policies_has_no_finding(scene: Scene) -> None:
    record = await scene.onboarded()

    assert (record["signIn"]["inside"], record["signIn"]["outside"], record["signIn"]["problem"]) == ([], [], None)
    assert not [one for one in record["warnings"] if "Sign-in" in one]
    assert act(record, 10)["detail"] == "nothing would stop an analyst"


async def test_a_tenant_that_asks_for_nothing_is_not_asked_what_it_trusts_and_from_where(scene: Scene) -> None:
    scene.world.fabrikam.policies.named_locations = [_HQ]

    record = await scene.onboarded()

    asked = [one.path for one in scene.world.clouds.recorder.entries if "conditionalAccess/" in one.path]
    assert [path.rpartition("/")[2] for path in asked] == ["policies"]
    assert record["signIn"]["namedLocations"] == []


async def test_each_thing_that_would_stop_an_analyst_is_told_inside_and_outside(scene: Scene) -> None:
    fabrikam, contoso = scene.world.fabrikam, scene.world.contoso
    home = country_location("Home", "DE")
    fabrikam.policies.named_locations = [_HQ, home]
    external_members: Wire = {"includeGuestsOrExternalUsers": external("b2bCollaborationMember", tenants=[contoso.id])}
    fabrikam.policies.conditional_access = [
        policy("Only from HQ", "block", locations=(["All"], ["AllTrusted"])),
        policy("Not from home", "block", locations=([str(home["id"])], [])),
        policy("Trusted MFA", "mfa"),
        policy("Managed devices", "compliantDevice", users=external_members),
        policy("Strong", strength=strength("Phishing-resistant MFA", "fido2")),
        policy("Terms", terms=["terms-1"]),
        policy("Custom", custom=["RequireOther"]),
        policy("Some group", "block", users={"includeGroups": ["group-1"]}),
        policy("Tried out", "block", state="enabledForReportingButNotEnforced"),
        policy("Off", "block", state="disabled"),
        policy("Legacy", "block", clients=("exchangeActiveSync", "other")),
        policy("Admins of another kind", "block", users={"includeRoles": ["62e90394-69f5-4237-9190-012177145e10"]}),
    ]

    record = await scene.onboarded()

    everywhere = {
        "Managed devices": ("yes", True),
        "Strong": ("yes", False),
        "Terms": ("yes", False),
        "Custom": ("yes", True),
        "Some group": ("maybe", True),
        "Tried out": ("reportOnly", True),
    }
    assert told(record, "outside") == {"Only from HQ": ("yes", True), **everywhere}
    assert told(record, "inside") == {"Only from HQ": ("yes", True), "Not from home": ("yes", True), **everywhere}
    inside = {one["policy"]: one["locations"] for one in record["signIn"]["inside"]}
    assert (inside["Only from HQ"], inside["Not from home"], inside["Custom"]) == (["Home"], ["Home"], [])
    assert record["signIn"]["namedLocations"] == ["HQ", "Home"]
    assert all(one["what"] and one["do"] for side in ("inside", "outside") for one in record["signIn"][side])
    assert [one for one in record["warnings"] if "Sign-in: findings" in one]


async def test_what_is_trusted_counts_and_what_is_not_is_told(scene: Scene) -> None:
    fabrikam = scene.world.fabrikam
    fabrikam.policies.conditional_access = [
        policy("MFA", "mfa"),
        policy("Compliant", "compliantDevice"),
        policy("Hybrid", "domainJoinedDevice"),
    ]
    scene.consented()

    await scene.post(scene.world.people.ana, trust={"mfa": False, "compliantDevice": True})

    assert await scene.settle() == "Ready"
    record = await scene.record()
    assert told(record, "outside") == {"MFA": ("yes", False), "Compliant": ("yes", False), "Hybrid": ("yes", True)}
    words = {one["policy"]: one["what"] for one in record["signIn"]["outside"]}
    assert "register MFA in the target" in words["MFA"]
    assert "only with one that the source tenant knows" in words["Compliant"]


async def test_trust_that_the_target_gives_by_its_default_counts_too(scene: Scene) -> None:
    fabrikam = scene.world.fabrikam
    fabrikam.access.default.trust = type(fabrikam.access.default.trust)(mfa=True, compliant=True, hybrid=True)
    fabrikam.policies.conditional_access = [policy("MFA", "mfa"), policy("Compliant", "compliantDevice")]
    scene.consented()

    await scene.post(scene.world.people.ana, trust={"mfa": False})

    assert await scene.settle() == "Ready"
    assert told(await scene.record(), "outside") == {"Compliant": ("yes", False)}


async def test_an_analyst_is_known_by_the_account_in_the_target(scene: Scene) -> None:
    """A policy about one of two accounts names the analyst; her id at home means nothing there."""
    fabrikam, people = scene.world.fabrikam, scene.world.people
    await scene.onboarded(people.ana, people.ben)
    ben = scene.account(people.ben).id
    fabrikam.policies.conditional_access = [
        policy("Ben", "block", users={"includeUsers": [ben]}),
        policy("Ana's id at home", "block", users={"includeUsers": [people.ana.object_id]}),
    ]
    await as_if_never_done(scene)

    assert await scene.retry() == "Ready"

    [finding] = (await scene.record())["signIn"]["outside"]
    assert (finding["policy"], finding["analysts"]) == ("Ben", [people.ben.object_id])


async def test_a_second_run_reads_again_and_replaces_what_was_found(scene: Scene) -> None:
    fabrikam = scene.world.fabrikam
    fabrikam.policies.conditional_access = [policy("Block", "block")]
    first = await scene.onboarded()
    fabrikam.policies.conditional_access = []
    fabrikam.policies.security_defaults = True
    sent = list(scene.sent())
    await as_if_never_done(scene)

    assert await scene.retry() == "Ready"

    second = await scene.record()
    assert told(first, "outside") == {"Block": ("yes", True)}
    assert told(second, "outside") == {"security defaults": ("maybe", False)}
    assert second["signIn"]["read"] > first["signIn"]["read"]
    assert sent == list(scene.sent())


async def test_calls_are_spaced_so_that_the_limit_is_not_met(scene: Scene) -> None:
    scene.world.fabrikam.policies.conditional_access = [_TERMS]
    await scene.onboarded()

    asked = [one for one in scene.world.clouds.recorder.entries if "conditionalAccess" in one.path]
    assert [one.status for one in asked] == [200, 200]
    assert asked[1].at - asked[0].at >= timedelta(seconds=1)
    assert scene.world.clouds.quotas.refusals["conditionalAccess"] == 0


async def test_other_applications_that_use_up_the_limit_are_waited_for_without_a_word_of_how_long(scene: Scene) -> None:
    points = scene.world.points
    scene.world.fabrikam.policies.conditional_access = [_TERMS]

    async def refuse() -> None:
        raise throttled(None)

    for call in (_POLICIES, _LOCATIONS):
        method, path = call.split(" ")
        for nth in range(6):  # more than the client sits out
            points.arm("vendor-read.before", f"{method} /v1.0{path}", nth, refuse)

    record = await scene.onboarded()

    assert record["signIn"]["problem"] is None
    assert act(record, 10)["state"] == "Done"
    assert not points.armed


async def test_a_limit_that_never_lets_us_in_ends_as_a_warning(scene: Scene) -> None:
    Refusal(scene.world.points, _POLICIES, throttled(None), reads=True)
    began = scene.world.clock.now()

    record = await scene.onboarded()

    assert "not in time" in record["signIn"]["problem"]
    assert [one for one in record["warnings"] if "not in time" in one]
    assert timedelta(minutes=20) < scene.world.clock.now() - began < timedelta(minutes=40)
    assert onboarding_of(1) == templated(scene.applied())


@pytest.mark.parametrize("error", [forbidden(), GraphError(400, "BadRequest", "no premium licence")])
async def test_a_refused_read_ends_as_a_warning_that_names_it(scene: Scene, error: GraphError) -> None:
    scene.world.fabrikam.policies.conditional_access = [_TERMS]
    Refusal(scene.world.points, _LOCATIONS, error, reads=True)

    record = await scene.onboarded()

    assert error.code in record["signIn"]["problem"]
    assert (record["signIn"]["inside"], record["signIn"]["outside"]) == ([], [])
    assert len(await scene.entries()) == len(ONCE)


async def test_an_administrator_who_removed_setup_early_is_not_asked_again(scene: Scene) -> None:
    world = scene.world

    async def remove() -> None:
        world.clouds.revoke(CLIENT_IDS[Registration.SETUP], scene.target)
        await world.host.kill_and_restart()

    world.points.arm("vendor.before", START, 0, then_cut(remove))

    record = await scene.onboarded()

    assert "Tenantry Setup is not present any more" in record["signIn"]["problem"]
    assert {one["state"] for one in record["consents"]} == {"proved"}


async def test_with_setup_removed_a_joiner_changes_nothing_of_what_was_found(scene: Scene) -> None:
    """Removed as the checklist says: that what was found cannot be read again is no warning."""
    world, people = scene.world, scene.world.people
    world.fabrikam.policies.conditional_access = [policy("Block", "block")]
    before = await scene.onboarded(people.ana)
    world.clouds.revoke(CLIENT_IDS[Registration.SETUP], scene.target)
    await world.host.kill_and_restart()
    both = {"userIds": [people.ana.object_id, people.ben.object_id]}

    answer = await scene.call("PUT", f"/api/tenants/{scene.target}/analysts", both)

    assert answer.status_code == 202, answer.text
    assert await scene.settle() == "Ready"
    record = await scene.record()
    assert (record["signIn"], record["warnings"]) == (before["signIn"], before["warnings"])
    assert "Tenantry Setup is not present any more" in act(record, 10)["detail"]


async def test_what_was_found_stays_beside_the_reason_why_it_could_not_be_read_again(scene: Scene) -> None:
    scene.world.fabrikam.policies.conditional_access = [policy("Block", "block")]
    before = await scene.onboarded()
    Refusal(scene.world.points, _LOCATIONS, forbidden(), reads=True)
    await as_if_never_done(scene)

    assert await scene.retry() == "Ready"

    record = await scene.record()
    assert record["signIn"]["outside"] == before["signIn"]["outside"]
    assert "Authorization_RequestDenied" in record["signIn"]["problem"]


async def test_a_permission_that_was_taken_back_is_named(scene: Scene) -> None:
    world = scene.world

    async def take_back() -> None:
        world.clouds.revoke(CLIENT_IDS[Registration.SETUP], scene.target, ["Policy.Read.All"])
        await world.host.kill_and_restart()

    world.points.arm("vendor.before", START, 0, then_cut(take_back))

    record = await scene.onboarded()

    assert "Policy.Read.All" in record["signIn"]["problem"]


async def test_who_was_left_out_is_looked_at_when_the_account_is_there(scene: Scene) -> None:
    people, fabrikam = scene.world.people, scene.world.fabrikam
    ben = scene.world.contoso.directory.users[people.ben.object_id]
    ben.sms_sign_in = True
    scene.consented()
    await scene.post(people.ana, people.ben)
    assert await scene.settle() == "WaitingForPerson"
    first = (await scene.record())["signIn"]["read"]
    ben.sms_sign_in = False
    fabrikam.policies.conditional_access = [policy("Later", "block")]

    assert await scene.retry() == "Ready"

    record = await scene.record()
    assert record["signIn"]["read"] > first
    assert told(record, "outside") == {"Later": ("yes", True)}
