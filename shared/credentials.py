"""Which identity for which tenant and registration. No secret anywhere: a managed identity's token is the assertion.

Credentials are kept in a bounded cache per registration and tenant. A consent is proved by a fresh one, since a
cached token keeps the roles that it was issued with.
"""

import re
from collections import OrderedDict
from collections.abc import Collection
from typing import Any

import aiohttp
import jwt
import msgspec
from azure.core.credentials import AccessToken
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError
from azure.core.pipeline.transport import AioHttpTransport
from azure.identity.aio import ClientAssertionCredential, ManagedIdentityCredential
from msgspec.structs import replace

from shared.errors import Forbidden, NotConsented, Rejected, RemoteCall, RemoteError, Throttled, Unavailable
from shared.identifiers import TenantId
from shared.permissions import Registration
from shared.proxies import is_proxied
from shared.settings import Settings

_AUDIENCE = "api://AzureADTokenExchange/.default"
_KEPT = 200
"""Credentials kept at once: one tenant needs up to four."""

_NOT_PRESENT = frozenset({"AADSTS700016", "AADSTS650052", "AADSTS7000112", "AADSTS7000229"})
"""Entra codes: application not found in the tenant, service principal missing, application disabled there."""

_CODE = re.compile(r"AADSTS\d+")


class _Claims(msgspec.Struct):
    roles: tuple[str, ...] = ()


class Credentials:
    """Tokens for Microsoft Graph and for Azure Resource Manager, by registration and called tenant."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._graph = f"{settings.graph_endpoint}/.default"
        self._azure = f"{settings.arm_endpoint}/.default"
        self._identity: ManagedIdentityCredential | None = None
        self._cache: OrderedDict[tuple[Registration, TenantId], ClientAssertionCredential] = OrderedDict()
        self._connections: aiohttp.ClientSession | None = None
        self._assertion = ""

    async def token(self, registration: Registration, tenant_id: TenantId) -> str:
        """A token for Graph, possibly cached. Raises NotConsented, Throttled, Unavailable, Forbidden or Rejected."""
        return await self._token(registration, tenant_id, self._graph)

    async def azure_token(self, registration: Registration) -> str:
        """A token for Azure Resource Manager, where subscriptions are: in the source tenant. Raises as `token` does.

        It carries no roles: what it may do is looked up in Azure at each call.
        """
        return await self._token(registration, self._settings.source_tenant_id, self._azure)

    async def _token(self, registration: Registration, tenant_id: TenantId, scope: str) -> str:
        key = (registration, tenant_id)
        credential = self._cache.get(key)
        if credential is None:
            credential = self._cache[key] = self._credential(registration, tenant_id)
            if len(self._cache) > _KEPT:
                self._cache.popitem(last=False)
        else:
            self._cache.move_to_end(key)
        return (await self._get(credential, registration, tenant_id, scope)).token

    async def lacks(self, registration: Registration, tenant_id: TenantId, permissions: Collection[str]) -> bool:
        """Whether the cached token lacks a permission, which a new one may hold."""
        return not set(permissions) <= _roles(await self.token(registration, tenant_id))

    async def fresh_roles(self, registration: Registration, tenant_id: TenantId) -> frozenset[str]:
        """The roles of a token that was issued just now. Raises as `token` does."""
        self.forget(registration, tenant_id)
        credential = self._credential(registration, tenant_id)
        return _roles((await self._get(credential, registration, tenant_id, self._graph)).token)

    def forget(self, registration: Registration, tenant_id: TenantId) -> None:
        """Drop a cached credential, for its token may lack new roles or hold lost ones."""
        self._cache.pop((registration, tenant_id), None)

    async def assertion(self) -> str:
        """The managed identity's token, by which each registration is proved. Raises Unavailable or Forbidden."""
        await self._assert(self._settings.source_tenant_id)
        return self._assertion

    async def check_identity(self) -> None:
        """Whether the managed identity answers. Raises Unavailable or Forbidden."""
        await self._assert(self._settings.source_tenant_id)

    async def close(self) -> None:
        """Close its connections."""
        for one in (self._connections, self._identity):
            if one is not None:
                await one.close()

    def _credential(self, registration: Registration, tenant_id: TenantId) -> ClientAssertionCredential:
        return ClientAssertionCredential(
            tenant_id=tenant_id,
            client_id=self._settings.client_ids[registration],
            func=lambda: self._assertion,
            authority=self._settings.authority,
            # A private cloud's authority is not in the public instance list.
            disable_instance_discovery=True,
            retry_total=0,
            transport=self.transport(),
        )

    def transport(self) -> AioHttpTransport:
        """One pool of connections for all credentials: a night asks for tokens of thousands of tenants at one host.

        It is the process's, so that no credential has anything to close.
        """
        if self._connections is None:
            self._connections = aiohttp.ClientSession(
                trust_env=is_proxied(), cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
            )
        return AioHttpTransport(session=self._connections, session_owner=False)

    async def _get(self, credential: Any, registration: Registration, tenant_id: TenantId, scope: str) -> AccessToken:
        call = RemoteCall(service="login", method="POST", path="/oauth2/v2.0/token", tenant_id=tenant_id)
        await self._assert(tenant_id)
        try:
            token: AccessToken = await credential.get_token(scope)
        except AzureError as error:
            raise _translated(error, call, registration) from error
        return token

    async def _assert(self, tenant_id: TenantId) -> None:
        """The SDK asks for the assertion synchronously, so it is fetched (the SDK caches it) before."""
        call = RemoteCall(service="identity", method="GET", path="/token", tenant_id=tenant_id)
        try:
            if self._identity is None:
                self._identity = ManagedIdentityCredential(client_id=self._settings.identity_client_id, retry_total=0)
            self._assertion = (await self._identity.get_token(_AUDIENCE)).token
        except AzureError as error:
            raise Unavailable(call, uncertain=False) from error


def _roles(token: str) -> frozenset[str]:
    # Our own token, straight from the authority over TLS: read, not verified.
    payload = jwt.decode(token, options={"verify_signature": False})
    return frozenset(msgspec.convert(payload, _Claims, strict=False).roles)


def _translated(error: AzureError, call: RemoteCall, registration: Registration) -> RemoteError | NotConsented:
    found = _CODE.search(str(error))
    code = found.group() if found else type(error).__name__
    status = error.status_code if isinstance(error, HttpResponseError) and error.status_code else 0
    call = replace(call, status=status, code=code)
    if code in _NOT_PRESENT:
        return NotConsented(registration.value, call.tenant_id)
    if status == 429:
        return Throttled(call, seconds=10.0)
    if status >= 500 or (status == 0 and not found):
        return Unavailable(call, uncertain=False)
    return Forbidden(call) if isinstance(error, ClientAuthenticationError) else Rejected(call)
