"""Approvers at the pages: they see what waits for them, decide it in their own name, and are told what came of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from decimal import Decimal

import pytest

from shared.activation.record import RequestId
from shared.permissions import Registration
from shared.subscriptions.lockdown import Quorum
from shared.writes.activation import DECIDE_ACT
from tests.app.approver import Approver, Form
from tests.app.test_secrets import found_in, places
from tests.app.visitor import Page
from tests.conftest import OpenWorld
from tests.flows.activating import PLAN, REQUESTS, Locked, locked
from tests.flows.brokering import SETTINGS, brokered, declare
from tests.flows.scene import Scene
from tests.sandbox.entra.sign_ins import Demand
from tests.sandbox.personas import Person
from tests.sandbox.points import Cut, cut
from tests.sandbox.population import APPROVE, CLIENT_IDS, REQUEST

pytestmark = pytest.mark.sampled(8)

_PATCH = "PATCH /providers/Microsoft.Authorization/roleAssignmentApprovals/{id}/stages/{id}"
_TOKEN = "POST /{id}/oauth2/v2.0/token"
_API = CLIENT_IDS[Registration.API]


class Office:
    """A locked subscription, and approvers before their browsers."""

    def __init__(self, found: Locked, leaving: AsyncExitStack) -> None:
        self.found, self.world = found, found.scene.world
        self._leaving = leaving

    async def browser(self, person: Person) -> Approver:
        """Somebody's own browser."""
        return await self._leaving.enter_async_context(Approver(self.world, person))

    def page(self, request_id: RequestId) -> str:
        """The address of a request's page."""
        return f"/api/approvals/{request_id}"

    async def decides(
        self, approver: Approver, request_id: RequestId, verdict: str = "approve", reason: str = "CHG1, in budget"
    ) -> Page:
        """From the page to the page."""
        address = self.page(request_id)
        return await approver.submit(await approver.open(address), address, verdict=verdict, reason=reason)

    def asked_at_pim(self) -> list[int]:
        """The statuses of the decisions that PIM received."""
        return [
            one.status for one in self.world.clouds.recorder.entries if one.method == "PATCH" and one.service == "arm"
        ]


@pytest.fixture
async def office(open_world: OpenWorld) -> AsyncIterator[Office]:
    """Production is locked down."""
    async with AsyncExitStack() as leaving:
        world = await open_world(receiving=True, auto_advance=False)
        scene = await leaving.enter_async_context(Scene(world))
        yield Office(await locked(scene), leaving)


async def test_an_approver_finds_what_waits_sees_its_price_and_approves_it(office: Office) -> None:
    request_id = await office.found.asked()
    fiona = await office.browser(office.found.fiona)

    waiting = await fiona.open("/api/approvals")
    page = await fiona.open(office.page(request_id))
    done = await office.decides(fiona, request_id)

    assert "Emil Engineer" in waiting.text
    assert office.page(request_id) in waiting.links
    estimate = (await office.found.shown(request_id))["money"]["estimate"]
    for text in ("Emil Engineer asks for Virtual Machine Contributor", "Production", "2 hours", "A build machine"):
        assert text in page.text
    assert f"{Decimal(estimate['forDays']):,.2f} USD" in page.text
    assert len(estimate["lines"]) == page.html.count('<tr><th scope="row">')
    assert "You approved it" in done.text
    assert "Approved by Fiona Finance" in done.text
    assert 'name="verdict"' not in done.html
    assert office.found.holds()
    decision = (await office.found.shown(request_id))["decision"]
    assert (decision["by"], decision["reason"]) == (fiona.person.object_id, "CHG1, in budget")
    assert "Nothing waits" in (await fiona.open("/api/approvals")).text
    entry = (await office.found.trail(request_id))[-1]
    assert (entry.deed.on_whose_word, entry.deed.outcome) == (fiona.person.object_id, "done")


async def test_a_denial_is_the_requester_s_answer(office: Office) -> None:
    request_id = await office.found.asked()
    ivan = await office.browser(office.found.ivan)

    done = await office.decides(ivan, request_id, "deny", "Use the shared machine")

    assert "You denied it" in done.text
    assert office.found.status(request_id) == "Denied"
    assert (await office.found.shown(request_id))["decision"]["reason"] == "Use the shared machine"


async def test_the_token_for_azure_is_asked_for_at_the_decision_and_not_before(office: Office) -> None:
    request_id = await office.found.asked()
    fiona = await office.browser(office.found.fiona)
    await fiona.open("/api/approvals")
    await fiona.open(office.page(request_id))
    scopes = [
        str(one.request.get("scope"))
        for one in office.world.clouds.recorder.entries
        if isinstance(one.request, dict) and one.request.get("grant_type") == "authorization_code"
    ]
    assert [one for one in scopes if "user_impersonation" in one] == []

    await office.decides(fiona, request_id)

    asked = [one for one in fiona.seen if "user_impersonation" in one.text]
    assert len(asked) == 1
    assert "login_hint=fiona" in asked[0].text


async def test_a_request_of_the_portal_says_that_nobody_knows_its_price(office: Office) -> None:
    request_id = await office.found.ask_in_portal()
    await office.found.after()
    fiona = await office.browser(office.found.fiona)

    page = await fiona.open(office.page(request_id))

    assert "Unpriced." in page.text
    assert "Standard_D4s_v5" in page.text


async def test_a_price_that_came_after_the_page_was_opened_is_looked_at_before_it_is_approved(office: Office) -> None:
    request_id = await office.found.ask_in_portal()
    await office.found.after()
    fiona, address = await office.browser(office.found.fiona), office.page(request_id)
    page = await fiona.open(address)
    await office.found.after(timedelta(minutes=1))
    token = office.world.token(office.found.emil, REQUEST)
    added = await office.found.scene.call("POST", f"{REQUESTS}/{request_id}/plan", {"plan": PLAN}, token=token)
    assert added.status_code == 200, added.text

    await fiona.submit(page, address, verdict="approve", reason="unseen")
    assert office.asked_at_pim() == []
    await office.decides(fiona, request_id)

    assert office.asked_at_pim() == [200]


async def test_strangers_and_requesters_see_no_form_and_decide_nothing(office: Office) -> None:
    request_id = await office.found.asked()
    world, people = office.world, office.world.people
    for person in (people.engineer, people.ben):
        world.clouds.assign_roles(person, _API, APPROVE)
    world.contoso.directory.groups[people.finance.id].members.append(people.engineer.object_id)

    emil, ben = await office.browser(people.engineer), await office.browser(people.ben)
    own = await emil.open(office.page(request_id))
    strange = await ben.open(office.page(request_id))

    assert "your own request" in own.text
    assert 'name="verdict"' not in own.html
    assert strange.status == 404
    assert "Emil" not in strange.text
    assert "Nothing waits" in (await emil.open("/api/approvals")).text
    assert "Nothing waits" in (await ben.open("/api/approvals")).text
    form = Form(own.html).forms["/api/sign-out"]
    for browser in (emil, ben):
        posted = await browser.ask("POST", office.page(request_id), data={**form, "verdict": "approve", "reason": "x"})
        assert posted.status_code == 403
    assert office.asked_at_pim() == []


async def test_a_form_is_taken_only_as_our_page_showed_it_to_this_session(office: Office) -> None:
    request_id = await office.found.asked()
    fiona, frank = await office.browser(office.found.fiona), await office.browser(office.found.frank)
    address = office.page(request_id)
    page, franks = await fiona.open(address), await frank.open(address)
    token = Form(franks.html).forms[address]["form"]
    good = Form(page.html).forms[address]["form"]
    fields = {"verdict": "approve", "reason": "x"}

    for forged in ("", "x", token, good[:-1], Form(page.html).forms["/api/sign-out"]["form"]):
        assert (await fiona.ask("POST", address, data={**fields, "form": forged})).status_code == 403
    elsewhere = await fiona.ask(
        "POST", address, data={**fields, "form": good}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    as_json = await fiona.ask("POST", address, json={**fields, "form": good})
    huge = await fiona.ask("POST", address, data={**fields, "form": good, "reason": "x" * 20_000})

    assert [one.status_code for one in (elsewhere, as_json, huge)] == [403, 403, 403]
    assert office.asked_at_pim() == []
    assert office.found.status(request_id) == "PendingApproval"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"verdict": "approve", "reason": "  "}, "Say why"),
        ({"verdict": "maybe", "reason": "x"}, "Approve or deny"),
        ({"verdict": "approve", "reason": "<i>" * 200}, "500 characters"),
    ],
)
async def test_a_form_that_lacks_something_comes_back_with_what_was_written(
    office: Office, fields: dict[str, str], told: str
) -> None:
    request_id = await office.found.asked()
    fiona = await office.browser(office.found.fiona)
    address = office.page(request_id)

    answer = await fiona.post(await fiona.open(address), address, **fields)

    assert answer.status_code == 400
    assert told in answer.text
    assert "<i>" not in answer.text
    assert 'aria-invalid="true"' in answer.text


async def test_whatever_the_requester_writes_is_text(office: Office) -> None:
    request_id = await office.found.asked(reason="<script>alert(1)</script><b>urgent</b>")
    fiona = await office.browser(office.found.fiona)

    for address in ("/api/approvals", office.page(request_id)):
        page = await fiona.open(address)
        assert "<script" not in page.html
        assert "<b>urgent" not in page.html
        assert "&lt;b&gt;urgent" in page.html


async def test_of_two_approvers_at_once_one_decides_and_the_other_hears_of_it(office: Office) -> None:
    request_id = await office.found.asked()
    fiona, ivan = await office.browser(office.found.fiona), await office.browser(office.found.ivan)

    pages = await asyncio.gather(office.decides(fiona, request_id), office.decides(ivan, request_id, "deny"))

    done = [page for page in pages if "You approved it" in page.text or "You denied it" in page.text]
    assert len(done) == 1
    assert office.asked_at_pim() == [200]
    assert office.found.holds() is ("You approved it" in pages[0].text)


async def test_who_left_the_approvers_between_notice_and_click_decides_nothing(office: Office) -> None:
    request_id = await office.found.asked()
    fiona = await office.browser(office.found.fiona)
    address = office.page(request_id)
    page = await fiona.open(address)
    going = Page(await fiona.post(page, address, verdict="approve", reason="x"))
    office.world.people.finance.members.remove(fiona.person.object_id)

    done = await fiona.open(fiona.at_entra(going.refresh))

    assert "That decision is not yours" in done.text or done.status == 404
    assert office.asked_at_pim() == []
    assert office.found.status(request_id) == "PendingApproval"


async def test_a_request_that_was_decided_in_the_portal_meanwhile_says_so(office: Office) -> None:
    request_id = await office.found.asked()
    fiona = await office.browser(office.found.fiona)
    page = await fiona.open(office.page(request_id))
    await office.found.decide_in_portal(request_id, office.found.frank)

    done = await fiona.submit(page, office.page(request_id), verdict="deny", reason="x")

    assert "Somebody else had decided it before" in done.text
    assert "Frank Finance" in done.text
    assert office.found.holds()


async def test_coming_back_as_somebody_else_decides_nothing(office: Office) -> None:
    request_id = await office.found.asked()
    fiona = await office.browser(office.found.fiona)
    page = await fiona.open(office.page(request_id))
    fiona.person = office.found.ivan

    done = await fiona.submit(page, office.page(request_id), verdict="approve", reason="x")

    assert "as somebody else" in done.text
    assert "Fiona Finance" in done.text
    assert office.asked_at_pim() == []


async def test_one_way_back_from_entra_decides_once(office: Office) -> None:
    request_id = await office.found.asked()
    fiona = await office.browser(office.found.fiona)
    address = office.page(request_id)
    going = Page(await fiona.post(await fiona.open(address), address, verdict="approve", reason="x"))
    back = fiona.at_entra(going.refresh)

    first, second = await fiona.ask("GET", back), await fiona.ask("GET", back)

    assert (first.status_code, second.status_code) == (303, 400)
    assert office.asked_at_pim() == [200]


async def test_conditional_access_speaks_to_the_approver_on_the_way(office: Office) -> None:
    """Entra's own demand, and then one of Azure's, at the decision itself."""
    request_id = await office.found.asked()
    fiona = await office.browser(office.found.fiona)
    office.world.clouds.demands[fiona.person.object_id] = Demand.MFA
    office.world.clouds.azure.challenged[fiona.person.object_id] = "c1"

    done = await office.decides(fiona, request_id)

    assert "You approved it" in done.text
    assert office.asked_at_pim() == [401, 200]
    assert (
        len([one for one in fiona.seen if fiona.is_at_entra(Page(one).refresh or one.headers.get("Location", ""))]) == 3
    )


async def test_a_challenge_that_is_never_met_ends(office: Office) -> None:
    request_id = await office.found.asked()
    fiona = await office.browser(office.found.fiona)
    office.world.clouds.azure.challenged[fiona.person.object_id] = "c1"
    page = await fiona.open(office.page(request_id))
    real = fiona.at_entra
    fiona.at_entra = lambda address: real(address.replace("%22c1%22", "%22c9%22"))  # type: ignore[method-assign]  # signs in otherwise

    done = await fiona.submit(page, office.page(request_id), verdict="approve", reason="x")

    assert "please decide again" in done.text
    assert office.asked_at_pim() == [401, 401, 401]


async def test_a_lost_answer_of_azure_is_looked_for_and_never_asked_for_again(office: Office) -> None:
    request_id = await office.found.asked()
    fiona = await office.browser(office.found.fiona)
    office.world.points.arm("vendor.after", _PATCH, 0, cut)

    done = await office.decides(fiona, request_id)

    assert "You approved it" in done.text
    assert len([hit for hit in office.world.points.log if hit.label == _PATCH and hit.kind == "vendor.before"]) == 1
    assert office.found.holds()


async def test_a_decision_that_the_store_does_not_note_is_not_told_as_none(office: Office) -> None:
    request_id = await office.found.asked()
    fiona = await office.browser(office.found.fiona)
    points, is_down = office.world.points, True

    async def fail() -> None:
        if is_down:
            raise Cut

    async def store_goes_down() -> None:
        for label in ("BATCH Requests", "PUT Requests"):
            for nth in range(40):
                points.arm("store.before", label, points.passed("store.before", label) + nth, fail)

    points.arm("vendor.after", _PATCH, 0, store_goes_down)
    page = await office.decides(fiona, request_id)
    is_down = False

    assert (office.asked_at_pim(), office.found.holds()) == ([200], True)
    assert "Nothing was decided" not in page.text
    assert "it shows what became of it" in page.text
    await office.found.after(timedelta(minutes=10))
    assert (await office.found.record(request_id)).record.state == "approved"
    [entry] = [one.deed for one in await office.found.trail(request_id) if one.deed.act == DECIDE_ACT]
    assert (entry.on_whose_word, entry.outcome) == (office.found.fiona.object_id, "done")


async def test_a_lost_answer_of_entra_leads_there_again_with_the_same_decision(office: Office) -> None:
    request_id = await office.found.asked()
    fiona = await office.browser(office.found.fiona)
    page = await fiona.open(office.page(request_id))
    tokens = len([hit for hit in office.world.points.log if hit.label == _TOKEN])
    office.world.points.arm("login.before", _TOKEN, tokens, cut)

    done = await fiona.submit(page, office.page(request_id), verdict="approve", reason="x")

    assert "You approved it" in done.text
    assert office.asked_at_pim() == [200]


async def test_what_nobody_decided_in_a_day_cannot_be_decided_and_what_is_undecided_counts_down(office: Office) -> None:
    request_id = await office.found.asked()
    fiona = await office.browser(office.found.fiona)
    assert "23 h 5" in (await fiona.open(office.page(request_id))).text
    office.world.clock.advance(timedelta(hours=24))

    page = await fiona.open(office.page(request_id))

    assert 'name="verdict"' not in page.html
    assert "24 hours" in page.text


async def test_money_rules_hold_back_an_approval_at_the_page_and_leave_the_denial(office: Office) -> None:
    await office.found.rule(senior_above=Decimal(1))
    request_id = await office.found.asked()
    fiona, ivan = await office.browser(office.found.fiona), await office.browser(office.found.ivan)

    page = await fiona.open(office.page(request_id))

    assert 'value="approve"' not in page.html
    assert 'value="deny"' in page.html
    forced = await fiona.submit(page, office.page(request_id), verdict="approve", reason="x")
    assert "Nothing was changed" in forced.text
    assert office.found.status(request_id) == "PendingApproval"
    assert "finance&#39;s verdict is demanded" in (await ivan.open(office.page(request_id))).html


async def test_what_takes_two_and_was_asked_for_in_the_portal_cannot_be_approved_at_the_page(office: Office) -> None:
    await declare(office.found, quorum=Quorum.BOTH)
    request_id = await office.found.ask_in_portal()
    await office.found.after()
    fiona = await office.browser(office.found.fiona)

    page = await fiona.open(office.page(request_id))

    assert "it takes finance and senior IT both" in page.text
    assert 'value="approve"' not in page.html
    assert 'value="deny"' in page.html


async def test_what_the_broker_waits_for_is_shown_with_who_has_agreed(open_world: OpenWorld) -> None:
    async with AsyncExitStack() as leaving:
        world = await open_world(receiving=True, auto_advance=False, settings=SETTINGS)
        scene = await leaving.enter_async_context(Scene(world))
        office = Office(await brokered(scene, quorum=Quorum.BOTH), leaving)
        request_id = await office.found.asked()
        fiona, ivan = await office.browser(office.found.fiona), await office.browser(office.found.ivan)

        before = await ivan.open(office.page(request_id))
        await office.decides(fiona, request_id, reason="In the budget of March")
        between = await ivan.open(office.page(request_id))
        await office.decides(ivan, request_id)
        await office.found.rest()
        after = await ivan.open(office.page(request_id))

    assert "Still missing for its approval: the word of an approver, in person" in before.text
    assert "Finance agrees" not in before.text
    assert ("Finance agrees" in between.text, "In the budget of March" in between.text) == (True, True)
    assert "Still missing for its approval: senior IT, in person" in between.text
    assert "Senior IT agrees" in after.text
    assert "Still missing" not in after.text


async def test_no_token_no_code_and_no_session_is_kept_or_logged_anywhere(office: Office) -> None:
    request_id = await office.found.asked()
    fiona = await office.browser(office.found.fiona)
    office.world.clouds.azure.challenged[fiona.person.object_id] = "c1"
    await office.decides(fiona, request_id)
    by_api = office.world.token(office.found.ivan, APPROVE)
    await office.found.decide(request_id, token=by_api)
    session = fiona.http.cookies.get("tenantry-local") or ""
    codes = [str(one.url).partition("code=")[2].partition("&")[0] for one in fiona.seen if "code=" in str(one.url)]
    await office.world.host.stop()

    there = await places(office.world)
    secrets = [session, session.partition(".")[2], by_api, *codes]
    assert len(codes) == 3
    assert all(secrets)
    assert {"table Visits", "table Requests", "app.log", "task hub", "recording"} <= set(there)
    assert [one for place, content in there.items() for one in found_in(place, content, secrets)] == []
