"""The way back from Entra, and every wrong turn of it: forged, replayed, for another tenant, at a bad moment."""

from datetime import timedelta

import pytest

from shared.tenants.states import State
from tests.app.visitor import Visitor, callback, given
from tests.flows.scene import STANDARD, Scene
from tests.sandbox.population import guid

pytestmark = pytest.mark.sampled(4)

_SETUP, _ACCESS = STANDARD


async def test_somebody_who_may_not_consent_changes_nothing(waiting: Scene) -> None:
    member = waiting.world.clouds.person(waiting.world.fabrikam, "faye@fabrikam.com", "Faye Member")

    page = await Visitor(waiting, member).consent()

    assert "No consent" in page.title
    assert (await waiting.record())["consents"][0]["state"] == "asked for"


async def test_what_is_no_consent_of_this_tenant_starts_nothing(waiting: Scene, farid: Visitor) -> None:
    link, fabrikam, contoso = await farid.link(), waiting.target, waiting.world.contoso.id
    runs = len(waiting.world.host.orchestrations())
    answers: list[dict[str, str]] = [
        {"error": "access_denied", "error_description": "AADSTS65004", "admin_consent": "True"},
        {"error": "consent_required", "admin_consent": "True", "tenant": fabrikam},
        {"admin_consent": "False", "tenant": fabrikam},
        {"admin_consent": "", "tenant": fabrikam},
        {"tenant": fabrikam},
        {},
        {"admin_consent": "True"},
        {"admin_consent": "True", "tenant": contoso},
        {"admin_consent": "True", "tenant": "fabrikam.com"},
    ]

    for fields in answers:
        page = await farid.open(callback(waiting, link, **fields))

        assert (page.status, page.title) == (200, "No consent"), fields
        consent = (await waiting.tenant()).consents[_SETUP]
        assert (consent.answered, consent.proved) == (None, None)
        assert consent.problem
    assert len(waiting.world.host.orchestrations()) == runs


async def test_a_consent_in_another_tenant_is_named_and_the_right_one_still_counts(
    waiting: Scene, farid: Visitor
) -> None:
    elsewhere = waiting.world.clouds.add_tenant(guid("northwind"), "Northwind", "northwind.com")
    nora = waiting.world.clouds.person(elsewhere, "nora@northwind.com", "Nora", admin=True)
    [entra] = (await farid.open(await farid.link())).links
    back = await waiting.world.clouds.open_consent(entra.replace(waiting.target, elsewhere.id, 1), nora)

    page = await farid.open(back)

    assert elsewhere.id in page.text
    assert "another tenant" in page.text
    assert await waiting.settle() == "WaitingForConsent"
    await farid.consent(_SETUP)
    await waiting.settle()
    assert (await waiting.record())["consents"][0]["state"] == "proved"


async def test_a_callback_that_nobody_consented_to_proves_nothing(waiting: Scene, farid: Visitor) -> None:
    """A forged callback makes a run look, no more: the proof is a fresh token."""
    page = await farid.open(callback(waiting, await farid.link(), **given(waiting)))

    assert "Being checked" in page.title
    assert await waiting.settle() == "WaitingForConsent"
    shown = (await waiting.record())["consents"][0]
    assert (shown["state"], "still lack" in shown["problem"]) == ("asked for", True)
    assert waiting.sent() == []


async def test_a_state_that_is_not_ours_is_unknown(waiting: Scene, farid: Visitor) -> None:
    tenant_id, _, secret = (await farid.link()).rpartition("/")[2].partition(".")
    guess, other = guid("guess"), guid("northwind")
    forged = [
        "-",
        "unknown",
        tenant_id,
        f"{tenant_id}.",
        f"{tenant_id}.{guess}",
        f"{other}.{guess}",
        f"{other}.{secret}",
    ]
    before = await waiting.tenant()

    for state in (*forged, f"{tenant_id}.{secret.upper()}", f"{tenant_id}.{secret}x"):
        page = await farid.open(f"/api/consent/{state}")
        back = await farid.open(callback(waiting, state, **given(waiting)))

        assert [(one.status, one.title) for one in (page, back)] == [(404, "Unknown link")] * 2, state
    assert await waiting.tenant() == before


async def test_the_state_of_another_tenant_opens_that_tenant_s_page_alone(waiting: Scene, farid: Visitor) -> None:
    world = waiting.world
    northwind = world.clouds.add_tenant(guid("northwind"), "Northwind", "northwind.com")
    answer = await waiting.post(world.people.ana, tenantId=northwind.id, displayName="Northwind")
    link = answer.json()["consentLink"]
    await waiting.settle()
    before = await waiting.tenant()

    asking = await farid.open(link)
    refused = await farid.open(callback(waiting, link, **given(waiting)))

    assert "Northwind" in asking.text
    assert "Fabrikam" not in asking.text
    assert "another tenant" in refused.text
    assert await waiting.tenant() == before


async def test_a_state_is_spent_by_the_proof_and_a_replay_starts_nothing(waiting: Scene, farid: Visitor) -> None:
    link = await farid.link()
    back = await farid.at_entra(await farid.open(link))
    await farid.open(back)
    await waiting.settle()
    before, runs = await waiting.tenant(), len(waiting.world.host.orchestrations())

    replayed = [
        await farid.open(back),
        await farid.open(link),
        await farid.open(callback(waiting, link, error="access_denied")),
        await farid.open(callback(waiting, link, admin_consent="True", tenant=waiting.world.contoso.id)),
    ]
    await waiting.settle()

    assert {page.title for page in replayed} == {"Done"}
    assert await waiting.tenant() == before
    assert len(waiting.world.host.orchestrations()) == runs


async def test_a_callback_that_comes_twice_before_the_proof_starts_one_run(waiting: Scene, farid: Visitor) -> None:
    """The browser's reload, or Entra's redirect followed twice."""
    back = await farid.at_entra(await farid.open(await farid.link()))
    waiting.world.host.auto_advance = False

    pages = [await farid.open(back) for _ in range(3)]

    assert {page.title for page in pages} <= {"Being checked", "Done"}
    waiting.world.host.auto_advance = True
    await waiting.settle()
    assert [one.id for one in waiting.world.host.orchestrations()] == [
        f"onboarding-{waiting.target}-{n}" for n in (1, 2)
    ]


async def test_a_callback_while_a_run_is_open_is_seen_by_that_run(scene: Scene) -> None:
    scene.world.clouds.replication.set((60.0, 90.0))
    await scene.post(scene.world.people.ana)
    farid = Visitor(scene)
    await scene.settle()
    await farid.consent(_SETUP)

    page = await farid.consent(_ACCESS)  # the first grant is still being looked for

    assert "Being checked" in page.title
    scene.world.clouds.replication.off()
    assert await scene.settle() == "Ready"
    assert {one.id for one in scene.world.host.orchestrations()} == {f"onboarding-{scene.target}-{n}" for n in (1, 2)}


@pytest.mark.parametrize("state", [State.CANCELLED, State.FAILED])
async def test_an_onboarding_that_stopped_asks_for_nothing_and_promises_no_check(
    waiting: Scene, farid: Visitor, state: State
) -> None:
    """No grant for nothing; and since nothing looks at a grant then, a page that refreshes would do so for ever."""
    link = await farid.link()
    entra = await farid.at_entra(await farid.open(link))
    if state is State.CANCELLED:
        await waiting.call("POST", f"/api/tenants/{waiting.target}/cancel")
    else:
        waiting.world.clock.advance(timedelta(days=15))
        await waiting.world.host.run_timer("sweep_runs")
    assert (await waiting.record())["state"] == state.value

    for page in (await farid.open(entra), await farid.open(link)):
        assert (page.status, page.links, page.refresh) == (200, [], "")
        assert "does not wait" in page.text
    assert await waiting.settle() == state.value
