"""Who calls us: an Entra access token becomes a Caller with app roles, or an error.

Only v2 tokens of our own tenant for our own audience are taken: signature by the issuer's published keys, issuer,
audience, expiry, tenant. Tokens live on machine time.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

import httpx
import jwt
import msgspec

from shared.errors import NotAllowed, RemoteCall, Unauthenticated, Unavailable
from shared.identifiers import ObjectId
from shared.permissions import Registration
from shared.settings import Settings

_KEYS_LAST_SECONDS = 3600.0
_KEYS_TRUSTED_SECONDS = 24 * 3600.0
"""While Entra does not answer, known keys serve on for a day (signing key rollover, identity platform)."""

_NEW_KEY_PAUSE_SECONDS = 60.0
"""An unknown key id makes us fetch the keys again, but not more often than this: callers must not make us hammer
Entra."""

_LEEWAY_SECONDS = 60


class AppRole(StrEnum):
    """App roles of Tenantry API."""

    OPERATE = "Tenants.Operate"
    READ = "Tenants.Read"
    AUDIT = "Audit.Read"
    REQUEST = "Access.Request"
    APPROVE = "Access.Approve"


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """A verified caller. `person` is false for an application."""

    object_id: ObjectId
    roles: frozenset[str]
    person: bool
    guest: bool

    def allow(self, *roles: AppRole) -> None:
        """Raise NotAllowed unless the caller has one of the roles."""
        if not any(role.value in self.roles for role in roles):
            raise NotAllowed(f"the token lacks the app role {' or '.join(role.value for role in roles)}")

    def be_member(self, does: str) -> None:
        """Raise NotAllowed for an application, on whose word nobody is given anything, and for a guest."""
        if not self.person or self.guest:
            raise NotAllowed(f"only a member of the source tenant {does}, in person")

    def be(self, person: str) -> None:
        """Raise NotAllowed unless the caller is this member of the source tenant, in person."""
        if not self.person or self.guest or self.object_id != person:
            raise NotAllowed("only the analyst may do this, signed in as themselves")


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """A person who signed in to the pages."""

    caller: Caller
    name: str
    username: str


class _Discovery(msgspec.Struct):
    issuer: str
    jwks_uri: str


class _KeySet(msgspec.Struct):
    keys: list[dict[str, Any]]


class Callers:
    """Verifies tokens. Keeps the issuer's keys for an hour."""

    def __init__(
        self, settings: Settings, http: httpx.AsyncClient, machine_time: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._http = http
        self._machine_time = machine_time
        self._issuer = f"{settings.authority}/{settings.source_tenant_id}/v2.0"
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched = self._asked = float("-inf")
        self._lock = asyncio.Lock()

    async def identify(self, headers: Mapping[str, str]) -> Caller:
        """The caller whose bearer token this is. Raises Unauthenticated, and Unavailable when Entra does not answer."""
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("a bearer token is needed")
        claims = await self._claims(token.strip())
        if "azp" not in claims:
            # Since people sign in to the pages, there are id tokens of the same audience, which are no right to anything.
            raise Unauthenticated("an access token is needed, and this is none")
        # An application's token has no scp; idtyp is optional, so it may only add to the proof.
        return _caller(claims, person="scp" in claims and claims.get("idtyp", "user") == "user")

    async def signed_in(self, id_token: str) -> SignedIn:
        """Who signed in to the pages. Raises as `identify`. That the nonce is the asker's own is for them to see."""
        claims = await self._claims(id_token)
        if "scp" in claims or "nonce" not in claims:
            raise Unauthenticated("an id token is needed, and this is none")
        return SignedIn(
            caller=_caller(claims, person=True),
            name=str(claims.get("name", "")),
            username=str(claims.get("preferred_username", "")),
        )

    async def _claims(self, token: str) -> dict[str, Any]:
        claims = self._verified(token, await self._key(token))
        if claims.get("ver") != "2.0" or claims.get("tid") != self._settings.source_tenant_id:
            raise Unauthenticated("only v2.0 tokens of the source tenant are taken")
        return claims

    def _verified(self, token: str, key: jwt.PyJWK) -> dict[str, Any]:
        try:
            return jwt.decode(
                token,
                key=key.key,
                algorithms=["RS256"],
                audience=self._settings.client_ids[Registration.API],
                issuer=self._issuer,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "nbf", "iss", "aud", "oid", "tid"]},
            )
        except jwt.PyJWTError as error:
            raise Unauthenticated(f"the token does not verify: {type(error).__name__}") from error

    async def _key(self, token: str) -> jwt.PyJWK:
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError as error:
            raise Unauthenticated("the bearer token is not a JWT") from error
        # Before any look-up: alg none and symmetric algorithms must not even reach the keys.
        if header.get("alg") != "RS256":
            raise Unauthenticated("the token is not signed with RS256")
        key_id = str(header.get("kid", ""))
        async with self._lock:
            now = self._machine_time()
            stale = now - self._fetched > _KEYS_LAST_SECONDS
            if now - self._fetched > _KEYS_TRUSTED_SECONDS:
                self._keys = {}
            due = (stale or key_id not in self._keys) and now - self._asked > _NEW_KEY_PAUSE_SECONDS
            if due or not self._keys:
                self._asked = now  # whatever comes of it: an Entra that fails is not asked more often
                try:
                    await self._fetch_keys()
                except Unavailable:
                    if key_id not in self._keys:
                        raise
        if key_id not in self._keys:
            raise Unauthenticated("the token is signed with a key that the issuer does not publish")
        return self._keys[key_id]

    async def _fetch_keys(self) -> None:
        path = f"/{self._settings.source_tenant_id}/v2.0/.well-known/openid-configuration"
        try:
            answer = await self._http.get(self._settings.authority + path)
            discovery = msgspec.json.decode(answer.raise_for_status().content, type=_Discovery)
            keys = await self._http.get(discovery.jwks_uri)
            found = msgspec.json.decode(keys.raise_for_status().content, type=_KeySet).keys
        except (httpx.HTTPError, msgspec.DecodeError) as error:
            call = RemoteCall(service="login", method="GET", path=path, tenant_id=self._settings.source_tenant_id)
            raise Unavailable(call, uncertain=False) from error
        if discovery.issuer != self._issuer:
            raise Unauthenticated("the issuer's metadata names another issuer")
        self._keys = {str(key["kid"]): jwt.PyJWK(key, "RS256") for key in found if key.get("kty") == "RSA"}
        self._fetched = self._machine_time()


def _caller(claims: Mapping[str, Any], *, person: bool) -> Caller:
    roles = claims.get("roles", [])
    return Caller(
        object_id=ObjectId(str(claims["oid"])),
        roles=frozenset(str(role) for role in roles) if isinstance(roles, list) else frozenset(),
        person=person,
        guest=claims.get("acct") == 1 or "#EXT#" in str(claims.get("preferred_username", "")).upper(),
    )
