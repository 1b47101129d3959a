"""The administrator's way through the consent pages: what they show, and every way in which a consent comes late."""

from datetime import timedelta

import pytest

from shared.onboarding.pages import HEADERS
from shared.permissions import needed
from tests.app.unreachable import unreachable_store
from tests.app.visitor import Visitor, asked, callback, given
from tests.flows.scene import STANDARD, Scene
from tests.sandbox.population import CLIENT_IDS

pytestmark = pytest.mark.sampled(2)

_SETUP, _ACCESS = STANDARD


async def test_the_page_says_what_is_asked_why_and_how_to_take_it_back(waiting: Scene, farid: Visitor) -> None:
    for registration in STANDARD:
        page = await farid.open(await farid.link(registration))

        assert page.status == 200
        assert all(name in page.text for name in needed(registration))
        assert all(
            word in page.text for word in ("Contoso", "Fabrikam (fabrikam.com)", registration.value, "take it back")
        )
        [entra] = page.links
        assert entra.startswith(f"{waiting.world.clouds.authority}/{waiting.target}/v2.0/adminconsent?")
        assert asked(entra)["client_id"] == CLIENT_IDS[registration]
        assert asked(entra)["redirect_uri"] == f"{waiting.world.host.url}/api/consent"


async def test_the_page_shows_the_kit_that_the_sender_can_give_as_a_file(waiting: Scene, farid: Visitor) -> None:
    kit = await waiting.call("GET", f"/api/tenants/{waiting.target}/kit")

    page = await farid.open(await farid.link())

    titles = [line.removeprefix("## ") for line in kit.text.splitlines() if line.startswith("## ")]
    assert len(titles) >= 4
    assert all(title in page.text for title in titles)
    assert "Connect-MgGraph" in page.text


async def test_opening_a_page_changes_nothing(waiting: Scene, farid: Visitor) -> None:
    before = await waiting.tenant()

    for _ in range(3):
        await farid.open(await farid.link())

    assert await waiting.tenant() == before


async def test_every_page_is_closed_against_scripts_frames_and_caches(waiting: Scene, farid: Visitor) -> None:
    link = await farid.link()
    pages = [
        await farid.open(link),
        await farid.open(callback(waiting, link, error="access_denied")),
        await farid.open(callback(waiting, link, **given(waiting))),
        await farid.open("/api/consent/unknown"),
        await farid.open("/api/consent"),
    ]

    for page in pages:
        assert {name: page.headers[name] for name in HEADERS} == HEADERS
        assert page.headers["Content-Type"].startswith("text/html")


async def test_a_page_whose_store_does_not_answer_says_so_to_a_person(waiting: Scene, farid: Visitor) -> None:
    link = await farid.link()
    host = waiting.world.host
    host.environment["TENANTRY_TABLES_CONNECTION_STRING"] = unreachable_store()
    await host.kill_and_restart()

    for address in (link, callback(waiting, link, **given(waiting))):
        page = await farid.open(address)

        assert page.status == 503
        assert page.headers["Content-Type"].startswith("text/html")
        assert page.headers["Retry-After"]
        assert {name: page.headers[name] for name in HEADERS} == HEADERS
        assert "reload" in page.text


async def test_a_name_with_markup_is_shown_and_does_nothing(scene: Scene) -> None:
    nasty = "<img src=x onerror=alert(1)>\"'><script>&amp;"
    await scene.post(scene.world.people.ana, displayName=nasty)
    await scene.settle()
    farid = Visitor(scene)

    asking = await farid.open(await farid.link())
    checking = await farid.open(callback(scene, await farid.link(), **given(scene)))
    declined = await farid.open(callback(scene, await farid.link(), error="<script>alert(1)</script>"))

    assert nasty in asking.text
    assert nasty in checking.text
    assert "<script>alert(1)</script>"[:60] in declined.text
    for page in (asking, checking, declined):
        assert "<img" not in page.html
        assert "<script" not in page.html


async def test_both_consents_lead_from_one_to_the_next_and_on_to_ready(waiting: Scene, farid: Visitor) -> None:
    checking = await farid.consent(_SETUP)
    assert "Being checked" in checking.title
    await waiting.settle()

    [following] = (await farid.open(checking.refresh)).links
    assert following == await farid.link(_ACCESS)
    again = await farid.open(await farid.at_entra(await farid.open(following)))
    assert await waiting.settle() == "Ready"

    done = await farid.open(again.refresh)
    assert (done.links, done.refresh) == ([], "")
    assert "Nothing more is needed" in done.text
    assert [one["state"] for one in (await waiting.record())["consents"]] == ["proved", "proved"]


async def test_a_declined_consent_is_told_and_can_be_given_later(waiting: Scene, farid: Visitor) -> None:
    """Entra sends admin_consent=True along with the error."""
    runs = len(waiting.world.host.orchestrations())

    declined = await farid.consent(_SETUP, "deny")

    assert "No consent" in declined.title
    assert "access_denied" in declined.text
    assert declined.links == [await farid.link()]
    assert len(waiting.world.host.orchestrations()) == runs
    shown = await waiting.record()
    assert (shown["state"], "access_denied" in shown["consents"][0]["problem"]) == ("WaitingForConsent", True)
    assert "Last time" in (await farid.open(await farid.link())).text

    await farid.consent(_SETUP)
    await waiting.settle()
    given_now = (await waiting.record())["consents"][0]
    assert (given_now["state"], given_now["problem"]) == ("proved", None)


async def test_a_grant_that_shows_late_is_waited_for(waiting: Scene, farid: Visitor) -> None:
    waiting.world.clouds.replication.set((240.0, 300.0))

    await farid.consent(_SETUP)
    assert await waiting.settle() == "WaitingForConsent"

    assert (await waiting.record())["consents"][0]["state"] == "proved"


async def test_a_grant_that_never_shows_ends_the_wait_and_says_so(waiting: Scene, farid: Visitor) -> None:
    started = waiting.world.clock.now()
    await farid.consent(_SETUP)
    waiting.world.clouds.revoke(CLIENT_IDS[_SETUP], waiting.target)

    assert await waiting.settle() == "WaitingForConsent"

    assert waiting.world.clock.now() - started < timedelta(hours=1)
    page = await farid.open(await farid.link())
    assert "Last time" in page.text
    assert page.refresh == ""


async def test_a_consent_with_a_permission_missing_names_it(waiting: Scene, farid: Visitor) -> None:
    await farid.consent(_SETUP)
    waiting.world.clouds.revoke(CLIENT_IDS[_SETUP], waiting.target, ["Policy.Read.All"])
    await waiting.settle()

    shown = (await waiting.record())["consents"][0]

    assert "Policy.Read.All" in shown["problem"]
    assert "Organization.Read.All" not in shown["problem"]
    assert "Policy.Read.All" in (await farid.open(await farid.link())).text.partition("Last time")[2]


async def test_a_consent_after_three_days_still_counts(waiting: Scene, farid: Visitor) -> None:
    waiting.world.clock.advance(timedelta(days=3))

    await farid.consent(_SETUP)
    await waiting.settle()

    assert (await waiting.record())["consents"][0]["state"] == "proved"


async def test_when_nobody_came_in_time_the_wait_ends_and_a_retry_waits_anew(waiting: Scene, farid: Visitor) -> None:
    waiting.world.clock.advance(timedelta(days=15))
    await waiting.world.host.run_timer("sweep_runs")
    shown = await waiting.record()
    assert (shown["state"], shown["problem"]["code"]) == ("Failed", "NobodyCame")

    await waiting.call("POST", f"/api/tenants/{waiting.target}/retry")
    assert await waiting.settle() == "WaitingForConsent"
    await farid.consent(_SETUP)
    await waiting.settle()

    assert (await waiting.record())["consents"][0]["state"] == "proved"


async def test_a_consent_given_in_the_portal_is_found_by_a_retry(waiting: Scene) -> None:
    waiting.consented()

    await waiting.call("POST", f"/api/tenants/{waiting.target}/retry")

    assert await waiting.settle() == "Ready"
    assert [one["state"] for one in (await waiting.record())["consents"]] == ["proved", "proved"]


async def test_a_consent_that_was_taken_back_is_asked_for_with_a_new_link(waiting: Scene, farid: Visitor) -> None:
    old = await farid.link()
    await farid.consent(_SETUP)
    await waiting.settle()
    waiting.world.clouds.revoke(CLIENT_IDS[_SETUP], waiting.target)
    await farid.consent(_ACCESS)
    assert await waiting.settle() == "WaitingForConsent"

    new = await farid.link()

    assert new != old
    assert (await farid.open(old)).status == 404
    await farid.consent(_SETUP)
    assert await waiting.settle() == "Ready"
