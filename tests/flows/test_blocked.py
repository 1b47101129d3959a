"""Blocked before the first write: preflight says all that stands in the way, and putting it right is enough."""

import pytest

from tests.flows.refusal import Refusal
from tests.flows.scene import Scene
from tests.flows.writes import PARTNERS

pytestmark = pytest.mark.sampled(2)


async def test_preflight_names_all_that_blocks_at_once_and_writes_nothing(scene: Scene) -> None:
    contoso, fabrikam = scene.world.contoso, scene.world.fabrikam
    fabrikam.policies.allow_invites_from = "none"
    fabrikam.access.default.b2b_inbound = "blocked"
    contoso.access.default.b2b_outbound = "blocked"
    fabrikam.pim.security_reader.eligibility_rules = ["MultiFactorAuthentication"]
    scene.consented()

    await scene.post(scene.world.people.ana)

    assert await scene.settle() == "Blocked"
    problem = (await scene.record())["problem"]
    for words in ("invite guests", "block B2B collaboration from", "block B2B collaboration to", "asks for MFA"):
        assert words in problem["what"]
    assert list(scene.sent()) == []

    fabrikam.policies.allow_invites_from = "adminsAndGuestInviters"
    fabrikam.access.default.b2b_inbound = "allowed"
    contoso.access.default.b2b_outbound = "allowed"

    assert await scene.retry() == "Blocked"
    assert (await scene.record())["problem"]["code"] == "MfaOnEligibility"

    fabrikam.pim.security_reader.eligibility_rules = []

    assert await scene.retry() == "Ready"


async def test_a_tenant_without_p2_or_never_in_pim_is_refused_plainly(scene: Scene) -> None:
    fabrikam = scene.world.fabrikam
    fabrikam.licences.p2 = False
    scene.consented()

    await scene.post(scene.world.people.ana)

    assert await scene.settle() == "Blocked"
    problem = (await scene.record())["problem"]
    assert problem["code"] == "NoPim"
    assert "P2" in problem["do"]

    fabrikam.licences.p2, fabrikam.pim.onboarded = True, False

    assert await scene.retry() == "Blocked"
    assert (await scene.record())["problem"]["code"] == "NoPim"
    assert list(scene.sent()) == []

    fabrikam.pim.onboarded = True

    assert await scene.retry() == "Ready"


async def test_pim_is_not_asked_where_there_is_no_licence_for_it(scene: Scene) -> None:
    """How PIM refuses such a tenant is unconfirmed, so nothing may rest on its answer."""
    scene.world.fabrikam.licences.p2 = False
    scene.consented()

    await scene.post(scene.world.people.ana)

    assert await scene.settle() == "Blocked"
    assert (await scene.record())["problem"]["code"] == "NoPim"
    asked = [one.path for one in scene.world.clouds.recorder.entries if one.service == "graph"]
    assert any("subscribedSkus" in path for path in asked)
    assert not [path for path in asked if "roleManagement" in path]


async def test_what_is_wanted_may_be_replaced_as_long_as_nothing_was_written(scene: Scene) -> None:
    people, fabrikam = scene.world.people, scene.world.fabrikam
    fabrikam.policies.allow_invites_from = "none"
    scene.consented()
    await scene.post(people.ana)
    assert await scene.settle() == "Blocked"
    fabrikam.policies.allow_invites_from = "everyone"

    answer = await scene.post(people.ben, duration="P60D")

    assert answer.status_code == 202, answer.text
    assert await scene.settle() == "Ready"
    [eligibility] = (await scene.record())["eligibilities"]
    assert (people.ben.object_id, "P60D") == (eligibility["analyst"], eligibility["wanted"])
    assert len(scene.world.fabrikam.pim.active()) == 1


async def test_what_is_wanted_may_not_be_replaced_after_a_write(scene: Scene) -> None:
    people = scene.world.people
    refusal = Refusal(scene.world.points, f"POST {PARTNERS}", passes=1)
    scene.consented()
    await scene.post(people.ana)
    assert await scene.settle() == "Failed"
    sent = list(scene.sent())

    answer = await scene.post(people.ben)

    assert answer.status_code == 409
    assert "/retry" in answer.json()["detail"]
    assert await scene.settle() == "Failed"
    assert sent == list(scene.sent())

    refusal.lift()
    answer = await scene.post(people.ana)

    assert answer.status_code == 202
    assert await scene.settle() == "Ready"
