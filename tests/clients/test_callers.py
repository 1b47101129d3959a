"""The check of callers against a live Entra: which keys it takes, when it asks for new ones, what it says of a caller."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from shared.callers import AppRole, Caller, Callers
from shared.errors import NotAllowed, Unauthenticated, Unavailable
from shared.permissions import Registration
from shared.settings import read_settings
from tests.sandbox.entra.keys import SigningKey
from tests.sandbox.entra.tokens import Signer, sign
from tests.sandbox.points import cut
from tests.unit.environment import ENVIRONMENT
from tests.world.clouds_scene import CONTOSO, Scene, scene

_KEYS = "GET /{id}/discovery/v2.0/keys"
_METADATA = "GET /{id}/v2.0/.well-known/openid-configuration"


class House:
    """Callers at an Entra, with a time that a test moves."""

    def __init__(self, world: Scene) -> None:
        self.world = world
        self.time = 1000.0
        settings = read_settings(
            {**ENVIRONMENT, "TENANTRY_SOURCE_TENANT_ID": CONTOSO, "TENANTRY_AUTHORITY": world.clouds.authority}
        )
        self.audience = settings.client_ids[Registration.API]
        self.callers = Callers(settings, world.client, lambda: self.time)

    def token(self, signer: Signer = Signer.ENTRA) -> str:
        return self.world.clouds.user_token(self.world.ana, self.audience, ["Tenants.Read"], signer=signer)

    def signed_by(self, key: SigningKey) -> str:
        claims = jwt.decode(self.token(), options={"verify_signature": False})
        return jwt.encode(claims, key.private, algorithm="RS256", headers={"kid": key.kid})

    async def identify(self, token: str) -> Caller:
        return await self.callers.identify({"Authorization": f"Bearer {token}"})

    async def refuse(self, token: str) -> None:
        with pytest.raises(Unauthenticated):
            await self.identify(token)

    def fetches(self) -> int:
        """How often Entra was asked for keys."""
        return len([hit for hit in self.world.points.log if hit.label == _KEYS])


@asynccontextmanager
async def house(folder: Path) -> AsyncIterator[House]:
    async with scene(folder) as world:
        yield House(world)


def a_key(name: str) -> SigningKey:
    return SigningKey(name, generate_private_key(public_exponent=65537, key_size=2048))


async def test_the_keys_are_asked_for_once_and_kept(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        for _ in range(5):
            await at.identify(at.token())

        assert at.fetches() == 1


async def test_a_key_that_entra_publishes_anew_is_fetched(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        await at.identify(at.token())
        new = a_key("rolled-over")
        at.world.clouds.keys.append(new)
        at.time += 61

        await at.identify(at.signed_by(new))

        assert at.fetches() == 2


async def test_a_key_that_entra_took_back_is_refused_after_an_hour(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        await at.identify(at.token())
        at.world.clouds.keys[:] = [a_key("another")]
        at.time += 3601

        await at.refuse(at.token())


async def test_unknown_key_ids_do_not_make_us_hammer_entra(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        strange = a_key("strange").private
        for number in range(20):
            await at.refuse(at.signed_by(SigningKey(f"unknown-{number}", strange)))
            at.time += 5

        assert at.fetches() <= 2
        await at.identify(at.token())


async def test_entra_that_fails_is_not_asked_for_every_unknown_key(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        await at.identify(at.token())
        at.time += 61
        at.world.points.arm("login.before", _METADATA, 1, cut)
        strange = at.token(Signer.STRANGER)

        with pytest.raises(Unavailable):
            await at.identify(strange)
        asked = len(at.world.points.log)
        for _ in range(5):
            await at.refuse(strange)

        assert len(at.world.points.log) == asked
        await at.identify(at.token())


async def test_algorithms_other_than_rs256_never_reach_the_keys(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        for signer in (Signer.NOBODY, Signer.PUBLIC_KEY):
            await at.refuse(at.token(signer))

        assert at.world.points.log == []


async def test_an_entra_that_does_not_answer_is_no_refusal(tmp_path: Path) -> None:
    """The caller may be in the right: 503, not 401."""
    async with house(tmp_path) as at:
        at.world.points.arm("login.before", _METADATA, 0, cut)
        at.world.points.arm("login.before", _KEYS, 0, cut)

        for _ in range(2):
            with pytest.raises(Unavailable):
                await at.identify(at.token())
        await at.identify(at.token())


async def test_metadata_of_another_issuer_is_not_believed(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        answers = {
            "/.well-known/openid-configuration": {
                "issuer": "https://elsewhere.example",
                "jwks_uri": "https://x.example/k",
            },
            "/k": {"keys": [key.public_wire() for key in at.world.clouds.keys]},
        }

        def serve(request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, json=next(v for k, v in answers.items() if request.url.path.endswith(k)))

        settings = read_settings(
            {**ENVIRONMENT, "TENANTRY_SOURCE_TENANT_ID": CONTOSO, "TENANTRY_AUTHORITY": at.world.clouds.authority}
        )
        async with httpx.AsyncClient(transport=httpx.MockTransport(serve)) as client:
            with pytest.raises(Unauthenticated, match="another issuer"):
                await Callers(settings, client).identify({"Authorization": f"Bearer {at.token()}"})


async def test_a_person_a_guest_and_an_application_are_told_apart(tmp_path: Path) -> None:
    """Looking after tenants asks for the app role alone; decisions will ask for a person who is no guest."""
    async with house(tmp_path) as at:
        clouds = at.world.clouds
        person = await at.identify(at.token())
        guest = await at.identify(clouds.user_token(at.world.gina, at.audience, ["Tenants.Read"]))
        outsider = await at.identify(
            clouds.user_token(at.world.ana, at.audience, [], acct=None, preferred_username="x_y.com#ext#@contoso.com")
        )
        application = await at.identify(clouds.app_token(at.world.contoso, at.audience, ["Tenants.Read"]))
        unnamed = await at.identify(clouds.app_token(at.world.contoso, at.audience, [], idtyp=None))
        pretender = await at.identify(clouds.app_token(at.world.contoso, at.audience, [], scp="user_impersonation"))

        assert (person.person, person.guest, person.object_id) == (True, False, at.world.ana.object_id)
        assert (guest.person, guest.guest) == (True, True)
        assert outsider.guest
        assert [one.person for one in (application, unnamed, pretender)] == [False, False, False]


async def test_one_of_several_roles_is_enough_and_the_refusal_names_them(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        reader = await at.identify(at.token())

        reader.allow(AppRole.READ, AppRole.OPERATE)
        with pytest.raises(NotAllowed, match=r"Tenants\.Operate"):
            reader.allow(AppRole.OPERATE)


async def test_an_id_token_opens_no_route_and_an_access_token_is_no_sign_in(tmp_path: Path) -> None:
    """Both are of Entra's hand, for the same audience, and both name app roles."""
    async with house(tmp_path) as at:
        claims = jwt.decode(at.token(), options={"verify_signature": False})
        id_token = sign(
            {**{name: value for name, value in claims.items() if name not in ("azp", "azpacr", "scp")}, "nonce": "n"}
        )

        await at.refuse(id_token)
        with pytest.raises(Unauthenticated):
            await at.callers.signed_in(at.token())
        found = await at.callers.signed_in(id_token)
        assert (found.caller.object_id, found.caller.person) == (at.world.ana.object_id, True)
        with pytest.raises(Unauthenticated):
            await at.callers.signed_in(sign({**claims, "nonce": "n"}, Signer.IMPOSTOR))
