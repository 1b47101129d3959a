"""The token service: who gets a token, with which roles, and every refusal by its code."""

import asyncio
from pathlib import Path

import aiohttp.connector
import httpx
import jwt
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ManagedIdentityCredential
from azure.identity.aio import ClientAssertionCredential

from tests.sandbox.entra.service import EXCHANGE
from tests.sandbox.entra.tokens import Signer, identity_claims, life, sign
from tests.sandbox.faults import Fault, Faults
from tests.sandbox.points import cut
from tests.world.clouds_scene import (
    CONTOSO,
    FABRIKAM,
    IDENTITY,
    PRINCIPAL,
    SOURCE_APP,
    SOURCE_PERMISSIONS,
    TARGET_APP,
    TARGET_PERMISSIONS,
    Scene,
    scene,
)


def roles_in(token: str) -> list[str]:
    claims = jwt.decode(token, options={"verify_signature": False})
    return list(claims.get("roles", []))


def trust(world: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Aiohttp reads SSL_CERT_FILE when it is imported, which in this process was long ago."""
    monkeypatch.setattr(aiohttp.connector, "_SSL_CONTEXT_VERIFIED", world.certificates.client_context())


async def code_of(world: Scene, tenant: str, app_id: str, **fields: str) -> int:
    answer = await world.token(tenant, app_id, **fields)
    assert not answer.is_success
    [code] = answer.json()["error_codes"]
    assert answer.json()["error_description"].startswith(f"AADSTS{code}: ")
    return int(code)


def assertion(world: Scene, signer: Signer = Signer.ENTRA, **claims: object) -> str:
    good = identity_claims(
        authority=world.clouds.authority,
        home_tenant=CONTOSO,
        client_id=IDENTITY,
        principal_id=PRINCIPAL,
        audience=EXCHANGE,
    )
    return sign({**good, **claims}, signer)


async def test_azure_identity_gets_a_token_by_managed_identity_and_federation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scene(tmp_path) as world:
        monkeypatch.setenv("IDENTITY_ENDPOINT", world.clouds.identity_endpoint)
        monkeypatch.setenv("IDENTITY_HEADER", world.clouds.identity_header)
        trust(world, monkeypatch)

        def assert_identity() -> str:
            with ManagedIdentityCredential(client_id=IDENTITY) as identity:
                return str(identity.get_token(f"{EXCHANGE}/.default").token)

        ours = await asyncio.to_thread(assert_identity)
        async with ClientAssertionCredential(
            CONTOSO, SOURCE_APP, lambda: ours, authority=world.clouds.authority, disable_instance_discovery=True
        ) as credential:
            token = await credential.get_token(f"{world.clouds.graph}/.default")

        assert roles_in(token.token) == sorted(SOURCE_PERMISSIONS)


async def test_azure_identity_reports_a_missing_consent_with_its_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scene(tmp_path) as world:
        trust(world, monkeypatch)
        async with ClientAssertionCredential(
            FABRIKAM, TARGET_APP, world.assertion, authority=world.clouds.authority, disable_instance_discovery=True
        ) as credential:
            with pytest.raises(ClientAuthenticationError, match="AADSTS700016"):
                await credential.get_token(f"{world.clouds.graph}/.default")


async def test_each_wrong_request_has_its_code(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        assert await code_of(world, "00000000-0000-4000-8000-000000000000", SOURCE_APP) == 90002
        assert await code_of(world, FABRIKAM, SOURCE_APP) == 700016
        assert await code_of(world, FABRIKAM, TARGET_APP) == 700016
        assert await code_of(world, CONTOSO, SOURCE_APP, scope="https://vault.example/.default") == 500011
        assert await code_of(world, CONTOSO, SOURCE_APP, scope=f"{world.clouds.graph}/User.Read.All") == 1002012
        assert await code_of(world, CONTOSO, SOURCE_APP, grant_type="password") == 70003
        assert await code_of(world, CONTOSO, SOURCE_APP, client_assertion="") == 900144


async def test_an_assertion_must_match_the_federated_credential_word_for_word(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        for bad, code in (
            (assertion(world, sub="somebody-else"), 700213),
            (assertion(world, iss=f"{world.clouds.authority}/{FABRIKAM}/v2.0"), 700211),
            (assertion(world, aud="api://something"), 700212),
            (assertion(world, exp=life(issued_seconds_ago=90000)["exp"]), 700024),
            (assertion(world, Signer.STRANGER), 50013),
            (assertion(world, Signer.NOBODY), 50013),
        ):
            assert await code_of(world, CONTOSO, SOURCE_APP, client_assertion=bad) == code


async def test_new_grants_show_after_a_while_and_a_token_keeps_its_roles(tmp_path: Path) -> None:
    async with scene(tmp_path, quick=False) as world:
        world.clouds.replication.set((20.0, 300.0))
        await world.clouds.open_consent(world.consent_url(), world.farid)
        assert await code_of(world, FABRIKAM, TARGET_APP) == 700016

        world.clock.advance(181)
        early = (await world.token(FABRIKAM, TARGET_APP)).json()["access_token"]
        world.clock.advance(300)
        late = (await world.token(FABRIKAM, TARGET_APP)).json()["access_token"]

        assert set(roles_in(early)) < set(TARGET_PERMISSIONS)
        assert roles_in(late) == sorted(TARGET_PERMISSIONS)


async def test_a_removed_enterprise_application_gets_no_token(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        world.clouds.grant(TARGET_APP, FABRIKAM)
        assert (await world.token(FABRIKAM, TARGET_APP)).is_success

        world.clouds.revoke(TARGET_APP, FABRIKAM, ["User.Read.All"])
        kept = (await world.token("fabrikam.com", TARGET_APP)).json()["access_token"]
        assert "User.Read.All" not in roles_in(kept)
        world.clouds.revoke(TARGET_APP, FABRIKAM)
        assert await code_of(world, FABRIKAM, TARGET_APP) == 700016


async def test_the_published_keys_verify_good_tokens_and_no_forged_one(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        base = f"{world.clouds.authority}/{CONTOSO}"
        metadata = (await world.client.get(f"{base}/v2.0/.well-known/openid-configuration")).json()
        assert metadata["issuer"] == f"{base}/v2.0"
        [published] = (await world.client.get(metadata["jwks_uri"])).json()["keys"]
        key = jwt.PyJWK(published)
        good = world.clouds.user_token(world.ana, "api", ["Tenants.Read"])
        claims = jwt.decode(good, key, algorithms=["RS256"], audience="api")
        assert (claims["oid"], claims["acct"], claims["ver"]) == (world.ana.object_id, 0, "2.0")

        for signer in (Signer.STRANGER, Signer.IMPOSTOR, Signer.NOBODY, Signer.PUBLIC_KEY):
            forged = world.clouds.user_token(world.ana, "api", [], signer=signer)
            with pytest.raises(jwt.PyJWTError):
                jwt.decode(forged, key, algorithms=["RS256"], audience="api")
        expired = world.clouds.user_token(world.ana, "api", [], issued_seconds_ago=7200)
        with pytest.raises(jwt.ExpiredSignatureError):
            jwt.decode(expired, key, algorithms=["RS256"], audience="api")


async def test_the_managed_identity_answers_only_who_knows_the_header(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        query = {"api-version": "2019-08-01", "resource": EXCHANGE, "client_id": IDENTITY}
        header = {"X-IDENTITY-HEADER": world.clouds.identity_header}

        refused = await world.client.get(world.clouds.identity_endpoint, params=query)
        unknown = await world.client.get(
            world.clouds.identity_endpoint, params={**query, "client_id": CONTOSO}, headers=header
        )

        assert (refused.status_code, unknown.status_code) == (401, 400)
        assert len(world.clouds.violations) == 1


async def test_a_registration_trusts_every_identity_it_is_told_of_and_no_more_than_twenty(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        other = assertion(world, sub="another-identity")
        assert await code_of(world, CONTOSO, SOURCE_APP, client_assertion=other) == 700213

        world.clouds.trust(SOURCE_APP, "another-identity")

        for proof in (other, world.assertion()):
            assert (await world.token(CONTOSO, SOURCE_APP, client_assertion=proof)).is_success
        for number in range(18):
            world.clouds.trust(SOURCE_APP, f"identity-{number}")
        world.clouds.trust(SOURCE_APP, "another-identity")
        with pytest.raises(ValueError, match="20 federated credentials"):
            world.clouds.trust(SOURCE_APP, "one-too-many")


async def test_only_a_good_assertion_names_who_made_it(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        await world.token(CONTOSO, SOURCE_APP)
        await world.token(CONTOSO, SOURCE_APP, client_assertion=assertion(world, Signer.STRANGER))
        await world.made(CONTOSO, "GET /subscribedSkus")

        told = [(one.service, one.wire().get("assertedBy")) for one in world.clouds.recorder.entries]
        assert told == [("login", IDENTITY), ("login", None), ("login", IDENTITY), ("graph", None)]


async def test_the_recording_holds_no_token(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        token = (await world.token(CONTOSO, SOURCE_APP)).json()["access_token"]
        await world.made(CONTOSO, "GET /subscribedSkus")

        lines = (tmp_path / "traffic.jsonl").read_text()
        assert token not in lines
        assert "eyJ" not in lines
        assert [entry.service for entry in world.clouds.recorder.entries] == ["login", "login", "graph"]
        assert world.clouds.recorder.entries[0].roles == tuple(sorted(SOURCE_PERMISSIONS))


class Stormy(Faults):
    """The token endpoint meets each kind of fault once."""

    def __init__(self) -> None:
        super().__init__(0)
        self._left = [Fault.THROTTLE, Fault.SERVER_ERROR, Fault.LOST_ANSWER]

    def next(self, kind: str, label: str) -> Fault | None:
        assert label
        return self._left.pop(0) if kind == "login" and self._left else None


async def test_the_token_endpoint_has_bad_days(tmp_path: Path) -> None:
    async with scene(tmp_path, faults=Stormy()) as world:
        assert (await world.token(CONTOSO, SOURCE_APP)).status_code == 429
        assert (await world.token(CONTOSO, SOURCE_APP)).status_code == 503
        with pytest.raises(httpx.RemoteProtocolError):
            await world.token(CONTOSO, SOURCE_APP)
        world.points.arm("login.before", "POST /{id}/oauth2/v2.0/token", 3, cut)
        with pytest.raises(httpx.RemoteProtocolError):
            await world.token(CONTOSO, SOURCE_APP)
        assert (await world.token(CONTOSO, SOURCE_APP)).is_success
