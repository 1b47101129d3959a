"""Signing in to the approval pages: who gets a session, what it holds, and how a sign-in cannot be turned against anybody."""

import asyncio
import json
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from shared.permissions import Registration
from tests.app.approver import Approver
from tests.app.store import rows
from tests.conftest import OpenWorld
from tests.sandbox.points import cut
from tests.sandbox.population import CLIENT_IDS
from tests.sandbox.world import World

pytestmark = pytest.mark.sampled(8)

_HOME = "/api/approvals"
_TOKEN = "POST /{id}/oauth2/v2.0/token"


@pytest.fixture
async def fiona(world: World) -> AsyncIterator[Approver]:
    """Of finance."""
    async with Approver(world, world.people.fiona) as approver:
        yield approver


def session_of(approver: Approver) -> str:
    """The session's cookie."""
    return approver.http.cookies.get("tenantry-local") or ""


async def test_an_approver_is_led_to_entra_and_back_to_the_page_with_a_session(fiona: Approver) -> None:
    page = await fiona.open(_HOME)

    assert (page.status, page.title) == (200, "Waiting for you · Tenantry")
    assert "Fiona Finance" in page.text
    body = session_of(fiona).partition(".")[0]
    told = json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    assert set(told) == {"person_id", "name", "username", "number", "until"}
    assert told["person_id"] == fiona.person.object_id
    [cookie] = [
        one for answer in fiona.seen for one in answer.headers.get_list("Set-Cookie") if "tenantry-local=" in one
    ]
    assert {part.strip().lower() for part in cookie.split(";")[1:]} >= {
        "httponly",
        "path=/",
        "samesite=lax",
        "max-age=1800",
    }
    assert (await fiona.open(_HOME)).status == 200
    assert len([one for one in fiona.seen if "Location" in one.headers]) == 3


async def test_it_asks_entra_for_a_sign_in_alone_with_pkce_and_nonce_and_keeps_no_token(fiona: Approver) -> None:
    started = await fiona.ask("GET", "/api/sign-in")
    asked = {name: value[0] for name, value in parse_qs(urlsplit(started.headers["Location"]).query).items()}

    assert asked["redirect_uri"] == f"{fiona.world.host.url}/api/sign-in/callback"
    assert set(asked["scope"].split()) == {"openid", "profile"}
    assert asked["code_challenge_method"] == "S256"
    assert {"nonce", "state", "code_challenge"} <= set(asked)
    [visit] = (await rows(fiona.world))["Visits"]
    assert asked["state"] not in repr(visit)


@pytest.mark.parametrize("role", [(), ("Access.Request",)])
async def test_who_is_no_approver_and_a_guest_get_no_session(world: World, role: tuple[str, ...]) -> None:
    clouds, people = world.clouds, world.people
    clouds.assign_roles(people.engineer, CLIENT_IDS[Registration.API], *role)
    clouds.assign_roles(people.guest, CLIENT_IDS[Registration.API], "Access.Approve")
    for person, told in ((people.engineer, "Access.Approve"), (people.guest, "Guests")):
        async with Approver(world, person) as approver:
            page = await approver.open(_HOME)

            assert page.status == 403
            assert told in page.text
            assert session_of(approver) == ""


async def test_a_session_ends_after_half_an_hour_and_a_changed_one_is_none(fiona: Approver) -> None:
    await fiona.open(_HOME)
    session = session_of(fiona)
    body, _, signature = session.partition(".")
    for forged in (f"{body}A.{signature}", f"{body}.{signature[:-2]}xx", "", ".", "a.b", f"{body}."):
        fiona.http.cookies.set("tenantry-local", forged, domain="127.0.0.1", path="/")
        assert (await fiona.ask("GET", _HOME)).status_code == 303
    fiona.http.cookies.set("tenantry-local", session, domain="127.0.0.1", path="/")
    assert (await fiona.ask("GET", _HOME)).status_code == 200

    fiona.world.clock.advance(timedelta(minutes=30))
    assert (await fiona.ask("GET", _HOME)).status_code == 303


async def test_signing_out_ends_the_session_of_the_browser_and_only_by_our_form(fiona: Approver) -> None:
    page = await fiona.open(_HOME)
    for foreign in ({"form": "x"}, {}):
        await fiona.ask("POST", "/api/sign-out", data=foreign)
        assert (await fiona.ask("GET", _HOME)).status_code == 200

    out = await fiona.submit(page, "/api/sign-out")

    assert "Signed out" in out.title
    assert (await fiona.ask("GET", _HOME)).status_code == 303


async def test_a_state_is_spent_once_in_the_browser_that_began_and_within_ten_minutes(fiona: Approver) -> None:
    async def begun() -> str:
        return fiona.at_entra((await fiona.ask("GET", "/api/sign-in")).headers["Location"])

    async with Approver(fiona.world, fiona.world.people.frank) as frank:
        back = await begun()
        # A link that signs its victim in as somebody else.
        assert (await frank.ask("GET", back)).status_code == 400
        assert session_of(frank) == ""
    assert (await fiona.ask("GET", back)).status_code == 303
    assert (await fiona.ask("GET", back)).status_code == 400
    late = await begun()
    fiona.world.clock.advance(timedelta(minutes=10))
    assert (await fiona.ask("GET", late)).status_code == 400
    for made_up in ("", "?state=", "?state=x&code=y", f"?state={'2' * 10}{'a' * 64}&code=y", "?state=%00%ff"):
        assert (await fiona.ask("GET", f"/api/sign-in/callback{made_up}")).status_code == 400


async def test_of_two_that_come_back_with_one_state_only_one_redeems_the_code(fiona: Approver) -> None:
    back = fiona.at_entra((await fiona.ask("GET", "/api/sign-in")).headers["Location"])

    answers = await asyncio.gather(*(fiona.ask("GET", back) for _ in range(4)))

    assert sorted(one.status_code for one in answers) == [303, 400, 400, 400]
    redeemed = [
        one
        for one in fiona.world.clouds.recorder.entries
        if isinstance(one.request, dict) and one.request.get("grant_type") == "authorization_code"
    ]
    assert len(redeemed) == 1


async def test_a_code_of_another_sign_in_is_not_taken(fiona: Approver) -> None:
    """PKCE: whoever slips somebody else's code under a state gains nothing."""
    first = fiona.at_entra((await fiona.ask("GET", "/api/sign-in")).headers["Location"])
    second = fiona.at_entra((await fiona.ask("GET", "/api/sign-in")).headers["Location"])
    code = parse_qs(urlsplit(first).query)["code"][0]
    state = parse_qs(urlsplit(second).query)["state"][0]

    answer = await fiona.ask("GET", f"/api/sign-in/callback?state={state}&code={code}")

    assert answer.status_code == 400
    assert session_of(fiona) == ""


async def test_who_turns_back_at_entra_is_told_that_they_are_not_signed_in(fiona: Approver) -> None:
    started = await fiona.ask("GET", "/api/sign-in")
    state = parse_qs(urlsplit(started.headers["Location"]).query)["state"][0]

    answer = await fiona.ask(
        "GET", f"/api/sign-in/callback?state={state}&error=access_denied&error_description=<b>x</b>"
    )

    assert answer.status_code == 400
    assert "<b>" not in answer.text


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example/api/approvals",
        "//evil.example/api/approvals",
        "/api/tenants",
        "/\\evil.example",
        "/api/approvalsx",
    ],
)
async def test_the_way_back_leads_to_our_own_pages_alone(fiona: Approver, back: str) -> None:
    page = await fiona.open(f"/api/sign-in?back={back}")

    assert page.status == 200
    went = [one.headers["Location"] for one in fiona.seen if "Location" in one.headers]
    assert went[-1] == f"{fiona.world.host.url}/api/approvals?signed-in="


async def test_a_browser_that_keeps_no_cookie_is_told_and_not_sent_around(fiona: Approver) -> None:
    answer = await fiona.ask("GET", f"{_HOME}?signed-in=")

    assert answer.status_code == 400
    assert "cookie" in answer.text


async def test_an_answer_of_entra_that_is_lost_leads_there_again(fiona: Approver) -> None:
    for moment in (0, 1):
        fiona.world.points.arm("login.before", _TOKEN, moment, cut)

    page = await fiona.open(_HOME)

    assert page.status == 200
    assert len([one for one in fiona.seen if fiona.is_at_entra(one.headers.get("Location", ""))]) == 3


async def test_the_pages_are_shut_to_scripts_frames_and_everything_from_elsewhere(fiona: Approver) -> None:
    page = await fiona.open(_HOME)
    policy = {part.split()[0]: part.split()[1:] for part in page.headers["Content-Security-Policy"].split(";")}

    assert policy["default-src"] == ["'none'"]
    assert policy["frame-ancestors"] == policy["base-uri"] == ["'none'"]
    assert policy["form-action"] == ["'self'"]
    assert "script-src" not in policy
    assert policy["style-src"][0].startswith("'sha256-")
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"
    assert "<script" not in page.html
    assert " style=" not in page.html
    assert " on" not in {word[:3] for word in page.html.split("<")[1:]}


async def test_without_a_key_or_over_plain_http_from_elsewhere_the_pages_say_that_they_are_not_set_up(
    open_world: OpenWorld,
) -> None:
    for setting in ({"TENANTRY_COOKIE_KEY": ""}, {"TENANTRY_PUBLIC_URL": "http://app.example"}):
        world = await open_world(settings=setting)
        async with Approver(world, world.people.fiona) as fiona:
            for path in (_HOME, "/api/sign-in", "/api/sign-in/callback"):
                answer = await fiona.http.get(path)
                assert answer.status_code == 503
                assert "not set up" in answer.text
                assert "Set-Cookie" not in answer.headers


async def test_what_nobody_came_back_for_is_forgotten(fiona: Approver) -> None:
    await fiona.ask("GET", "/api/sign-in")
    fiona.world.clock.advance(timedelta(hours=2))
    await fiona.ask("GET", "/api/sign-in")

    await fiona.world.host.run_timer("forget_visits")

    assert len((await rows(fiona.world))["Visits"]) == 1
