"""Our own registration refused in the source tenant: no repeat helps, so nobody is told to try again."""

from collections.abc import Sequence

import pytest

from shared.onboarding.pages import HEADERS
from shared.permissions import Registration, needed
from tests.app.answers import PROBLEM, content_type
from tests.app.visitor import Visitor
from tests.flows.scene import Scene
from tests.sandbox.population import CLIENT_IDS

_LOOKUP = Registration.LOOKUP


@pytest.mark.parametrize("taken", [None, needed(_LOOKUP)], ids=["gone", "without permissions"])
async def test_a_post_that_cannot_be_looked_up_says_that_an_administrator_must_look(
    scene: Scene, taken: Sequence[str] | None
) -> None:
    await _refuse(scene, taken)

    answer = await scene.post(scene.world.people.ana)

    assert (answer.status_code, content_type(answer)) == (503, PROBLEM)
    assert answer.json()["title"] == "Not set up"
    assert _LOOKUP.value in answer.json()["detail"]
    assert "source tenant" in answer.json()["detail"]
    assert "Retry-After" not in answer.headers
    assert await scene.tenants.read(scene.target) is None

    scene.world.clouds.grant(CLIENT_IDS[_LOOKUP], scene.world.contoso.id)

    assert (await scene.post(scene.world.people.ana)).status_code == 202


@pytest.mark.parametrize("taken", [None, needed(_LOOKUP)], ids=["gone", "without permissions"])
async def test_a_consent_page_that_cannot_be_looked_up_is_a_page_all_the_same(
    waiting: Scene, farid: Visitor, taken: Sequence[str] | None
) -> None:
    link = await farid.link()
    await _refuse(waiting, taken)

    page = await farid.open(link)

    assert page.status == 503
    assert page.headers["Content-Type"].startswith("text/html")
    assert {name: page.headers[name] for name in HEADERS} == HEADERS
    assert "Not set up" in page.html
    assert "Retry-After" not in page.headers
    assert PROBLEM not in page.html


async def _refuse(scene: Scene, taken: Sequence[str] | None) -> None:
    """Taken from Tenantry Lookup in the source; the app keeps no token and no answer of before."""
    scene.world.clouds.revoke(CLIENT_IDS[_LOOKUP], scene.world.contoso.id, taken)
    await scene.world.host.kill_and_restart()
