"""The facts that no source settles: on either side of each, and of all together, onboarding comes to the same end."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.flows.killing import Undisturbed, opened, story, to_rest
from tests.flows.scene import Scene
from tests.flows.standing import carried_out, differences, standing
from tests.sandbox.graph.models.cross_tenant import Partner
from tests.sandbox.graph.models.pim_records import PRIVILEGED_ROLE_ADMINISTRATOR
from tests.sandbox.population import CLIENT_IDS
from tests.sandbox.session import Session
from tests.sandbox.switches import SWITCHES

pytestmark = pytest.mark.sampled(1)

NEEDS_ROLE = "eligibility-needs-directory-role"
NOT_YET = {
    "extend-window-enforced": "eligibilities are extended by the renewal",
    "renew-needs-expired": "eligibilities are renewed by the renewal",
    "hunting-without-defender": "the story's tenant has Defender; test_proof goes both ways",
    "hunting-without-devices": "the story's tenant has devices; test_proof goes both ways",
    "hunting-quota-tells-wait": "the story's tenant has quota left; test_proof goes both ways",
}
"""Switches that no call of the story meets."""

FLIPPED = sorted(SWITCHES.keys() - NOT_YET.keys() - {NEEDS_ROLE})


@pytest.mark.parametrize("switch", FLIPPED)
async def test_the_other_answer_to_one_question_changes_nothing_in_the_end(
    switch: str, undisturbed: Undisturbed, session: Session, tmp_path: Path
) -> None:
    async with opened(session, tmp_path / "world", flipped={switch}) as scene:
        assert await story(scene) == "Ready"
        assert differences(undisturbed.standing, await standing(scene)) == []


async def test_the_other_answer_to_every_question_changes_nothing_in_the_end(
    undisturbed: Undisturbed, session: Session, tmp_path: Path
) -> None:
    async with opened(session, tmp_path / "world", flipped=SWITCHES) as scene:
        scene.consented()
        _give_role(scene)

        assert await story(scene) == "Ready"
        assert differences(undisturbed.standing, await standing(scene)) == []


@pytest.mark.parametrize("others", [frozenset[str](), frozenset(FLIPPED)], ids=["alone", "with-all-others"])
async def test_where_a_directory_role_is_needed_a_person_is_told_and_a_retry_goes_on(
    others: frozenset[str], undisturbed: Undisturbed, session: Session, tmp_path: Path
) -> None:
    async with opened(session, tmp_path / "world", flipped={NEEDS_ROLE, *others}) as scene:
        assert await story(scene) == "WaitingForPerson"
        record = await scene.record()
        assert "Privileged Role Administrator" in " ".join(record["whatToDo"])
        assert record["acts"][8]["state"] == "Waiting"

        _give_role(scene)
        assert (await scene.call("POST", f"/api/tenants/{scene.target}/retry")).status_code == 202

        assert await to_rest(scene) == "Ready"
        assert differences(undisturbed.standing, carried_out(await standing(scene))) == []
        outcomes = [one.deed.outcome for one in await scene.entries() if one.deed.act == 9]
        assert outcomes == ["refused: Authorization_RequestDenied", "done"]


@pytest.mark.parametrize("flipped", [frozenset[str](), frozenset({"no-p2-policy-readable"})], ids=["default", "other"])
async def test_a_tenant_without_pim_is_refused_before_anything_is_written(
    flipped: frozenset[str], session: Session, tmp_path: Path
) -> None:
    async with opened(session, tmp_path / "world", flipped=flipped) as scene:
        scene.world.fabrikam.licences.p2 = False

        assert await story(scene) == "Blocked"
        record = await scene.record()
        assert "P2" in record["problem"]["what"]
        assert scene.sent() == []


async def test_a_partner_that_was_deleted_is_made_anew(
    undisturbed: Undisturbed, session: Session, tmp_path: Path
) -> None:
    async with opened(session, tmp_path / "world") as scene:
        _delete_partner(scene)

        assert await story(scene) == "Ready"
        assert differences(undisturbed.standing, await standing(scene)) == []


async def test_a_deleted_partner_that_blocks_its_successor_is_named(session: Session, tmp_path: Path) -> None:
    """For 30 days nothing helps but a person, who is told so without a deadline having to pass."""
    async with opened(session, tmp_path / "world", flipped={"soft-deleted-partner-blocks-create"}) as scene:
        _delete_partner(scene)
        began = scene.world.clock.now()

        assert await story(scene) == "WaitingForPerson"
        assert scene.world.clock.now() - began < timedelta(minutes=20)
        problem = (await scene.record())["problem"]
        assert "Request_MultipleObjectsWithSameKeyValue" in problem["what"]
        assert "policies/deletedItems/crossTenantPartners" in problem["do"]
        assert list(scene.applied()) == []

        scene.world.clock.advance(timedelta(days=10))
        assert await scene.retry() == "WaitingForPerson"
        scene.world.clock.advance(timedelta(days=21))
        assert await scene.retry() == "Ready"


def _give_role(scene: Scene) -> None:
    """Fabrikam's administrator makes our application Privileged Role Administrator."""
    principals = scene.world.fabrikam.applications
    ours = [principals.by_app_id(app_id) for app_id in CLIENT_IDS.values()]
    roles = scene.world.fabrikam.pim.directory_roles
    roles.update((one.id, PRIVILEGED_ROLE_ADMINISTRATOR) for one in ours if one is not None)


def _delete_partner(scene: Scene) -> None:
    access = scene.world.fabrikam.access
    access.set_partner(Partner(tenant_id=scene.world.contoso.id))
    access.delete_partner(scene.world.contoso.id)
    scene.let_it_spread()
