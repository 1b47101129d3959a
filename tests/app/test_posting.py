"""POST /api/tenants in the states that matter: what starts, what does not, and where a refusal points."""

import pytest

from tests.app.answers import assert_accepted, assert_conflict, runs_of
from tests.flows.scene import STANDARD, Scene

pytestmark = pytest.mark.sampled(3)


async def test_the_answer_to_a_post_leads_to_the_record_and_to_the_first_consent(scene: Scene) -> None:
    answer = await scene.post()

    assert_accepted(scene, answer, scene.target)
    assert answer.json()["state"] == "Onboarding"
    link = answer.json()["consentLink"]
    assert link.startswith(f"{scene.world.host.url}/api/consent/{scene.target}.")
    assert STANDARD[0].value in (await scene.call("GET", link, token=None)).text


async def test_a_post_while_a_run_is_open_points_at_it(scene: Scene) -> None:
    scene.world.host.auto_advance = False
    await scene.post()

    same, other = await scene.post(), await scene.post(duration="P90D")

    assert_conflict(scene, same, scene.target, "Onboarding")
    assert_conflict(scene, other, scene.target, "Onboarding")
    assert len(runs_of(scene, scene.target)) == 1


async def test_in_ready_the_same_body_changes_nothing_and_another_names_the_way(scene: Scene) -> None:
    await scene.onboarded()
    before = await scene.tenant()
    ana = scene.world.people.ana

    same = await scene.post(ana)
    by_domain = await scene.post(ana, tenantId=None, domain="fabrikam.com")
    other = await scene.post(ana, duration="P90D")

    assert (same.status_code, same.json()["state"]) == (200, "Ready")
    assert by_domain.status_code == 200
    assert_conflict(scene, other, scene.target, "PATCH /api/tenants/{tenantId}")
    assert await scene.tenant() == before


async def test_while_nothing_was_written_another_body_replaces_what_is_wanted(scene: Scene) -> None:
    people = scene.world.people
    await scene.post(people.ana)
    assert await scene.settle() == "WaitingForConsent"

    answer = await scene.post(people.ben, duration="P30D", displayName="Fabrikam Ltd")

    assert_accepted(scene, answer, scene.target)
    assert await scene.settle() == "WaitingForConsent"
    record = await scene.record()
    assert (record["displayName"], record["wanted"]["duration"], record["run"]) == ("Fabrikam Ltd", "P30D", 2)
    assert [one["objectId"] for one in record["analysts"]] == [people.ben.object_id]


async def test_once_an_act_has_written_another_body_is_refused_and_the_same_one_goes_on(scene: Scene) -> None:
    people = scene.world.people
    scene.consented()
    scene.world.contoso.directory.users[people.ana.object_id].sms_sign_in = True
    await scene.post(people.ana)
    assert await scene.settle() in {"WaitingForPerson", "Failed"}

    other, same = await scene.post(people.ben), await scene.post(people.ana)

    assert_conflict(scene, other, scene.target, "written already")
    assert_accepted(scene, same, scene.target)


async def test_a_cancelled_tenant_goes_on_when_it_is_posted_again(scene: Scene) -> None:
    await scene.post(scene.world.people.ana)
    assert await scene.settle() == "WaitingForConsent"
    await scene.call("POST", f"/api/tenants/{scene.target}/cancel")
    cancelled = await scene.record()
    assert (cancelled["state"], cancelled["cancelledBy"]) == ("Cancelled", scene.world.people.operator.object_id)

    assert_accepted(scene, await scene.post(scene.world.people.ana), scene.target)

    assert await scene.settle() == "WaitingForConsent"
    assert (await scene.record())["run"] == 2
