"""Who may call: every kind of bad token is refused before anything else is looked at, on every protected route.

Decisions will need a person who is no guest; looking after tenants needs the app role alone (design: callers), so an
application that was given the role may operate, and so may a guest to whom an administrator gave it.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest

from shared.api import OPERATIONS
from shared.operations import Access, Operation
from shared.permissions import Registration
from tests.app.answers import PROBLEM, content_type
from tests.app.store import rows
from tests.flows.scene import Scene
from tests.sandbox.entra.keys import strange_key
from tests.sandbox.entra.tokens import Signer, life, present, sign
from tests.sandbox.population import APP_ROLES, CLIENT_IDS, OPERATE, READ
from tests.sandbox.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

_API = CLIENT_IDS[Registration.API]
# Pages ask for a session, and take no bearer token: tests/app/test_sign_in.py and the fuzzing hold them.
_PROTECTED = [one for one in OPERATIONS if one.who not in (Access.OPEN, Access.SESSION)]
_ROUTES = [(one.method, f"/api/{re.sub(r'{\w+}', '{id}', one.path)}") for one in _PROTECTED]

type Forge = Callable[[World], str]


def user(world: World, *roles: str, audience: str = _API, **more: Any) -> str:
    return world.clouds.user_token(world.people.operator, audience, roles or (OPERATE, READ), **more)


def app(world: World, *roles: str, **more: Any) -> str:
    return world.clouds.app_token(world.contoso, _API, roles, **more)


def without(claim: str) -> Forge:
    return lambda world: resigned(user(world), **{claim: None})


def resigned(token: str, **claims: object) -> str:
    """The same token with other claims, signed by Entra all the same; a claim that is None is left out."""
    known = jwt.decode(token, options={"verify_signature": False})
    return sign(present({**known, **claims}))


def of_another_tenant(world: World) -> str:
    """A person of Fabrikam, correctly signed, whom Fabrikam gave a role of that name."""
    return world.clouds.user_token(world.people.administrator, _API, (OPERATE, READ))


_BAD: dict[str, Forge] = {
    "another audience": lambda w: user(w, audience=CLIENT_IDS[Registration.SOURCE]),
    "the audience as an address": lambda w: user(w, audience=f"api://{_API}"),
    "a token for Graph": lambda w: user(w, audience=w.clouds.graph),
    "another tenant": of_another_tenant,
    "another tenant's id under our issuer": lambda w: user(w, tid=w.fabrikam.id),
    "another issuer": lambda w: user(w, iss=f"{w.clouds.authority}/{w.fabrikam.id}/v2.0"),
    "the issuer of v1": lambda w: user(w, iss=f"{w.clouds.authority}/{w.contoso.id}/"),
    "somebody else's issuer": lambda w: user(w, iss=f"https://login.elsewhere.example/{w.contoso.id}/v2.0"),
    "a stranger's key": lambda w: user(w, signer=Signer.STRANGER),
    "a strange key under the published id": lambda w: user(w, signer=Signer.IMPOSTOR),
    "no signature": lambda w: user(w, signer=Signer.NOBODY),
    "the public key as a secret": lambda w: user(w, signer=Signer.PUBLIC_KEY),
    "expired": lambda w: user(w, issued_seconds_ago=7200, lifetime=3600),
    "not valid yet": lambda w: user(w, issued_seconds_ago=-3600),
    "version 1": lambda w: user(w, ver="1.0"),
    "no version": without("ver"),
    "no expiry": without("exp"),
    "no start": without("nbf"),
    "no audience": without("aud"),
    "no issuer": without("iss"),
    "no object id": without("oid"),
    "no tenant": without("tid"),
    "an id token": lambda w: resigned(user(w), azp=None, azpacr=None, scp=None, nonce="n"),
    "not a token": lambda _: "olga",
    "half a token": lambda w: user(w).rpartition(".")[0],
    "another token's signature": lambda w: f"{user(w).rpartition('.')[0]}.{user(w, READ).rpartition('.')[2]}",
}


async def test_only_a_bearer_token_counts(untouched: Scene) -> None:
    token = user(untouched.world)

    for header in ("", "Bearer", "Bearer  x", f"Basic {token}", token, f"Token {token}"):
        answer = await untouched.call("GET", "/api/tenants", token=None, headers={"Authorization": header})
        assert answer.status_code == 401, header
    assert (await untouched.call("GET", f"/api/tenants?access_token={token}", token=None)).status_code == 401
    assert (
        await untouched.call("GET", "/api/tenants", headers={"Authorization": f"bearer {token}"})
    ).status_code == 200


@pytest.mark.parametrize("kind", _BAD)
async def test_a_bad_token_is_refused(untouched: Scene, kind: str) -> None:
    token = _BAD[kind](untouched.world)

    answer = await untouched.call("GET", "/api/tenants", token=token)

    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert content_type(answer) == PROBLEM
    assert token not in answer.text


@pytest.mark.parametrize(("method", "path"), _ROUTES)
async def test_every_route_looks_at_the_token_before_the_request(untouched: Scene, method: str, path: str) -> None:
    """401 and 403 come before 400 and 404, so that a stranger learns nothing of what is here."""
    for there in (untouched.target, "not-a-guid"):
        address = path.replace("{id}", there)
        nobody = await untouched.call(method, address, content=b"{", token=None)
        forged = await untouched.call(method, address, content=b"{", token=_BAD["no signature"](untouched.world))
        roleless = await untouched.call(method, address, content=b"{", token=user(untouched.world, "Nothing.Given"))
        assert (nobody.status_code, forged.status_code, roleless.status_code) == (401, 401, 403)
    assert await rows(untouched.world) == {}


def every_other_role(wanted: set[str]) -> Iterator[str]:
    yield from (role for role in APP_ROLES if role not in wanted)
    yield from (OPERATE.lower(), f"{OPERATE} ", "Tenants", "*", "")


@pytest.mark.parametrize("role", sorted(set(every_other_role({OPERATE, READ}))))
async def test_a_role_of_another_kind_opens_nothing(untouched: Scene, role: str) -> None:
    answer = await untouched.call("GET", "/api/tenants", token=user(untouched.world, role))

    assert answer.status_code == 403
    assert OPERATE in answer.json()["detail"]
    assert READ in answer.json()["detail"]


@pytest.mark.parametrize("operation", _PROTECTED, ids=lambda operation: str(operation.name))
async def test_each_route_is_open_to_the_roles_that_are_described_and_to_no_other(
    untouched: Scene, operation: Operation
) -> None:
    address = f"/api/{re.sub(r'{\w+}', 'not-a-guid', operation.path)}"
    described = {role.value for role in operation.who} if isinstance(operation.who, tuple) else set()

    allowed = {
        role
        for role in APP_ROLES
        if (
            await untouched.call(operation.method, address, content=b"{", token=user(untouched.world, role))
        ).status_code
        != 403
    }

    assert allowed == described


@pytest.mark.parametrize(
    "roles", [None, [], "Tenants.Operate", {"Tenants.Operate": True}, [["Tenants.Operate"]], [None]]
)
async def test_roles_that_are_no_list_of_names_are_none(untouched: Scene, roles: object) -> None:
    token = resigned(user(untouched.world), roles=roles)

    assert (await untouched.call("GET", "/api/tenants", token=token)).status_code == 403


async def test_who_may_only_read_may_not_post(untouched: Scene) -> None:
    reader = untouched.world.reader_token()

    assert (await untouched.call("GET", "/api/tenants", token=reader)).status_code == 200
    for body in (untouched.world.fabrikam_request(), {**untouched.world.fabrikam_request(), "dryRun": True}):
        assert (await untouched.call("POST", "/api/tenants", body, token=reader)).status_code == 403
    assert await rows(untouched.world) == {}


async def test_who_operates_may_read_too(untouched: Scene) -> None:
    assert (await untouched.call("GET", "/api/tenants", token=user(untouched.world, OPERATE))).status_code == 200


@pytest.mark.parametrize(("role", "status"), [(OPERATE, 200), (READ, 403), ("Access.Approve", 403)])
async def test_an_application_operates_by_its_app_role_alone(untouched: Scene, role: str, status: int) -> None:
    body = {**untouched.world.fabrikam_request(), "dryRun": True}

    answer = await untouched.call("POST", "/api/tenants", body, token=app(untouched.world, role))

    assert answer.status_code == status


async def test_a_guest_operates_if_an_administrator_gave_the_role(untouched: Scene) -> None:
    guest = untouched.world.clouds.user_token(untouched.world.people.guest, _API, (OPERATE,))
    body = {**untouched.world.fabrikam_request(), "dryRun": True}

    assert (await untouched.call("POST", "/api/tenants", body, token=guest)).status_code == 200


async def test_a_clock_that_is_a_little_off_does_no_harm(untouched: Scene) -> None:
    late = user(untouched.world, issued_seconds_ago=3620, lifetime=3600)
    early = user(untouched.world, issued_seconds_ago=-20)

    for token in (late, early):
        assert (await untouched.call("GET", "/api/tenants", token=token)).status_code == 200


async def test_a_key_that_the_token_brings_along_is_not_used(untouched: Scene) -> None:
    """Headers jwk, jku and x5u are the bearer's own words."""
    claims = jwt.decode(user(untouched.world), options={"verify_signature": False})
    forged = jwt.encode(
        {**claims, **life()},
        strange_key().private,
        algorithm="RS256",
        headers={"kid": "sandbox-stranger", "jku": "https://elsewhere.example/keys", "jwk": {"kty": "RSA"}},
    )

    assert (await untouched.call("GET", "/api/tenants", token=forged)).status_code == 401


async def test_open_routes_need_no_token_and_take_no_notice_of_a_bad_one(untouched: Scene) -> None:
    for token in (None, "nonsense"):
        assert (await untouched.call("GET", "/api/health", token=token)).status_code == 204
        assert (await untouched.call("GET", "/api/consent/nonsense", token=token)).status_code == 404
        assert (await untouched.call("GET", "/api/consent?state=nonsense", token=token)).status_code == 404
