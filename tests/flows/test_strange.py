"""Provisioning that matches an account which is not the analyst's: nobody who is a stranger to us becomes eligible."""

from pathlib import Path

import pytest

from tests.flows.killing import opened
from tests.flows.scene import Scene
from tests.sandbox.graph.models.directory import User
from tests.sandbox.session import Session

pytestmark = pytest.mark.sampled(1)

_TELLS_NO_ID = "on-demand-result-has-target-id"


@pytest.mark.parametrize("flipped", [frozenset[str](), frozenset({_TELLS_NO_ID})], ids=["by-the-answer", "by-the-log"])
async def test_a_strangers_account_is_left_alone_until_the_administrator_puts_it_right(
    flipped: frozenset[str], session: Session, tmp_path: Path
) -> None:
    async with opened(session, tmp_path / "world", flipped=flipped) as scene:
        people, fabrikam = scene.world.people, scene.world.fabrikam
        stranger = _matched(scene)
        scene.consented()

        await scene.post(people.ana, people.ben)

        assert await scene.settle() == "WaitingForPerson"
        record = await scene.record()
        assert record["problem"]["code"] == "StrangeAccount"
        assert stranger.id in record["problem"]["what"]
        assert "retry" in record["problem"]["do"]
        assert {one["displayName"]: one["targetObjectId"] for one in record["analysts"]} == {
            "Ana Analyst": None,
            "Ben Analyst": scene.account(people.ben).id,
        }
        assert [scene.account(people.ben).id] == [one.principal_id for one in fabrikam.pim.active()]

        stranger.source = None

        assert await scene.retry() == "Ready"
        assert stranger.id != scene.account(people.ana).id
        assert {scene.account(one).id for one in (people.ana, people.ben)} == {
            one.principal_id for one in fabrikam.pim.active()
        }
        assert stranger.id not in {one.wanted.principal_id for one in fabrikam.pim.requests.values()}


def _matched(scene: Scene) -> User:
    """An account of the target's own that the synchronization takes for Ana's."""
    stranger = scene.world.fabrikam.directory.add_user("vera@fabrikam.com", "Vera Vice President")
    stranger.source = (scene.world.contoso.id, scene.world.people.ana.object_id)
    return stranger
