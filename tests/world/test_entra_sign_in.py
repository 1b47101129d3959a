"""The authorization-code flow: what begins it, what ends it, and every refusal by its code."""

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import jwt
import pytest

from tests.sandbox.entra.errors import EntraError
from tests.sandbox.entra.sign_ins import Demand
from tests.world.clouds_scene import API_APP, CONTOSO, SIGNED_IN, SOURCE_APP, Scene, scene

_VERIFIER = "v" * 43
_CHALLENGE = urlsafe_b64encode(hashlib.sha256(_VERIFIER.encode()).digest()).rstrip(b"=").decode()


def address(world: Scene, **fields: str | None) -> str:
    """Where a careful client sends a browser; None leaves a field out."""
    query: Mapping[str, str | None] = {
        "client_id": API_APP,
        "response_type": "code",
        "redirect_uri": SIGNED_IN,
        "scope": "openid profile",
        "state": "once",
        "nonce": "n1",
        "code_challenge": _CHALLENGE,
        "code_challenge_method": "S256",
        **fields,
    }
    given = {name: value for name, value in query.items() if value is not None}
    return f"{world.clouds.authority}/{CONTOSO}/oauth2/v2.0/authorize?{urlencode(given)}"


def code_in(back: str) -> str:
    """The code that the browser brings back."""
    query = parse_qs(urlsplit(back).query)
    assert back.startswith(f"{SIGNED_IN}?")
    assert query["state"] == ["once"]
    return query["code"][0]


async def redeem(world: Scene, code: str, **fields: str) -> httpx.Response:
    """At the token endpoint, as Tenantry API."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": SIGNED_IN, "code_verifier": _VERIFIER}
    return await world.token(CONTOSO, API_APP, **{**form, "scope": "openid profile", **fields})


async def test_a_sign_in_tells_who_it_was_and_what_their_app_roles_are(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        world.clouds.assign_roles(world.ana, API_APP, "Access.Approve")

        answer = (await redeem(world, code_in(world.clouds.sign_in(address(world), world.ana)))).json()

        told = jwt.decode(answer["id_token"], options={"verify_signature": False})
        assert (told["oid"], told["aud"], told["tid"], told["nonce"]) == (world.ana.object_id, API_APP, CONTOSO, "n1")
        assert told["roles"] == ["Access.Approve"]
        assert "scp" not in told
        assert "refresh_token" not in answer


async def test_with_azure_s_scope_there_is_a_token_for_azure_too_with_the_context_that_was_asked_for(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as world:
        claims = json.dumps({"access_token": {"acrs": {"essential": True, "value": "c3"}}})
        url = address(world, scope=f"{world.clouds.arm}/user_impersonation openid profile", claims=claims)

        answer = (await redeem(world, code_in(world.clouds.sign_in(url, world.ana)))).json()

        token = jwt.decode(answer["access_token"], options={"verify_signature": False})
        assert (token["aud"], token["oid"], token["acrs"]) == (world.clouds.arm, world.ana.object_id, ["c3"])


async def test_a_code_is_good_once_for_ten_minutes_and_for_whoever_began(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:

        async def refused(code: str, **fields: str) -> int:
            answer = await redeem(world, code, **fields)
            assert not answer.is_success
            return int(answer.json()["error_codes"][0])

        code = code_in(world.clouds.sign_in(address(world), world.ana))
        assert await refused(code, code_verifier="w" * 43) == 501481
        assert await refused(code, redirect_uri="http://127.0.0.1:9/elsewhere") == 500112
        assert await refused("made-up") == 70000
        other = await world.token(
            CONTOSO, SOURCE_APP, grant_type="authorization_code", code=code, redirect_uri=SIGNED_IN, scope="openid"
        )
        assert other.json()["error_codes"] == [70000]
        assert (await redeem(world, code)).is_success
        assert await refused(code) == 54005
        late = code_in(world.clouds.sign_in(address(world), world.ana))
        world.clock.advance(timedelta(minutes=10))
        assert await refused(late) == 70008


@pytest.mark.parametrize(
    ("fields", "number"),
    [
        ({"nonce": None}, 900144),
        ({"state": ""}, 900144),
        ({"code_challenge": None}, 900144),
        ({"code_challenge_method": "plain"}, 501491),
        ({"redirect_uri": "http://127.0.0.1:9/api/sign-in/callback/"}, 50011),
        ({"response_type": "code id_token"}, 70005),
        ({"response_mode": "fragment"}, 70005),
        ({"scope": "profile"}, 70011),
        ({"scope": "openid https://graph.microsoft.com/User.Read"}, 70011),
        ({"client_id": "00000000-0000-4000-8000-000000000000"}, 700016),
        ({"whatever": "x"}, 90014),
    ],
)
async def test_a_careless_address_is_an_error_page(tmp_path: Path, fields: dict[str, str | None], number: int) -> None:
    async with scene(tmp_path) as world:
        with pytest.raises(EntraError) as told:
            world.clouds.sign_in(address(world, **fields), world.ana)

        assert told.value.number == number


async def test_who_lacks_what_is_demanded_or_is_of_elsewhere_stays_at_entra(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        azure = f"{world.clouds.arm}/user_impersonation openid profile"
        world.clouds.demands[world.ana.object_id] = Demand.MFA
        for person, fields, number in (
            (world.ana, {"scope": azure}, 50076),
            (world.gina, {"scope": azure, "claims": '{"access_token":{"acrs":{"value":"c1"}}}'}, 50076),
            (world.farid, {}, 50020),
        ):
            with pytest.raises(EntraError) as told:
                world.clouds.sign_in(address(world, **fields), person, mfa=False)
            assert told.value.number == number
        assert world.clouds.sign_in(address(world, scope=azure), world.ana, mfa=True)
        world.clouds.revoke_delegated(API_APP, CONTOSO)
        with pytest.raises(EntraError, match="65001"):
            world.clouds.sign_in(address(world, scope=azure), world.ana)


async def test_a_browser_gets_the_page_and_is_sent_back(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        url = address(world, login_hint=world.gina.user_principal_name)

        page = await world.client.get(url)
        signed = await world.client.post(url, data={"person": world.ana.object_id, "mfa": "yes", "answer": "sign-in"})
        declined = await world.client.post(url, data={"answer": "back"})

        assert page.text.index("Gina Guest") < page.text.index("Ana Analyst")
        assert "Farid" not in page.text
        assert (await redeem(world, code_in(signed.headers["Location"]))).is_success
        assert "error=access_denied" in declined.headers["Location"]
        assert world.clouds.violations == []
        assert (await world.client.get(address(world, nonce=None))).status_code == 400
        assert len(world.clouds.violations) == 1


async def test_neither_code_nor_token_is_recorded(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        code = code_in(world.clouds.sign_in(address(world), world.ana))
        answer = (await redeem(world, code)).json()

        recorded = repr(world.clouds.recorder.entries)
        assert world.ana.object_id in recorded
        assert [one for one in (code, _VERIFIER, answer["id_token"], answer["access_token"]) if one in recorded] == []
