"""Which identity for which tenant and registration. No secret anywhere: a managed identity's token is the assertion.

Credentials are kept in a bounded cache per registration and tenant. A consent is proved by a fresh one, since a
cached token keeps the roles that it was issued with.
"""

import re
from collections import OrderedDict
from dataclasses import replace
from typing import Any

import jwt
import msgspec
from azure.core.credentials import AccessToken
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError
from azure.identity.aio import ClientAssertionCredential, ManagedIdentityCredential

from shared.errors import Forbidden, NotConsented, Rejected, RemoteCall, RemoteError, Throttled, Unavailable
from shared.identifiers import TenantId
from shared.permissions import Registration
from shared.settings import Settings

_AUDIENCE = "api://AzureADTokenExchange/.default"
_KEPT = 200
"""Credentials kept at once: one tenant needs three, and each holds a connection pool."""

_NOT_PRESENT = frozenset({"AADSTS700016", "AADSTS650052", "AADSTS7000112"})
"""Entra codes: application not found in the tenant, service principal missing, application disabled there."""

_CODE = re.compile(r"AADSTS\d+")


class _Claims(msgspec.Struct):
    roles: tuple[str, ...] = ()


class Credentials:
    """Tokens for Microsoft Graph, by registration and called tenant."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._scope = f"{settings.graph_endpoint}/.default"
        self._identity: ManagedIdentityCredential | None = None
        self._cache: OrderedDict[tuple[Registration, TenantId], ClientAssertionCredential] = OrderedDict()
        self._assertion = ""

    async def token(self, registration: Registration, tenant_id: TenantId) -> str:
        """A token, possibly cached. Raises NotConsented, Throttled, Unavailable, Forbidden or Rejected."""
        key = (registration, tenant_id)
        if key not in self._cache:
            self._cache[key] = self._credential(registration, tenant_id)
            if len(self._cache) > _KEPT:
                _, oldest = self._cache.popitem(last=False)
                await oldest.close()
        self._cache.move_to_end(key)
        return (await self._get(self._cache[key], registration, tenant_id)).token

    async def fresh_roles(self, registration: Registration, tenant_id: TenantId) -> frozenset[str]:
        """The roles of a token that was issued just now. Raises as `token` does."""
        await self.forget(registration, tenant_id)
        credential = self._credential(registration, tenant_id)
        try:
            token = (await self._get(credential, registration, tenant_id)).token
        finally:
            await credential.close()
        # Our own token, straight from the authority over TLS: read, not verified.
        payload = jwt.decode(token, options={"verify_signature": False})
        return frozenset(msgspec.convert(payload, _Claims, strict=False).roles)

    async def forget(self, registration: Registration, tenant_id: TenantId) -> None:
        """Drop a cached credential, for its token may lack new roles or hold lost ones."""
        if (credential := self._cache.pop((registration, tenant_id), None)) is not None:
            await credential.close()

    async def check_identity(self) -> None:
        """Whether the managed identity answers. Raises Unavailable or Forbidden."""
        await self._assert(self._settings.source_tenant_id)

    async def close(self) -> None:
        """Close every connection."""
        while self._cache:
            _, credential = self._cache.popitem()
            await credential.close()
        if self._identity is not None:
            await self._identity.close()

    def _credential(self, registration: Registration, tenant_id: TenantId) -> ClientAssertionCredential:
        return ClientAssertionCredential(
            tenant_id=tenant_id,
            client_id=self._settings.client_ids[registration],
            func=lambda: self._assertion,
            authority=self._settings.authority,
            # A private cloud's authority is not in the public instance list.
            disable_instance_discovery=True,
            retry_total=0,
        )

    async def _get(self, credential: Any, registration: Registration, tenant_id: TenantId) -> AccessToken:
        call = RemoteCall(service="login", method="POST", path="/oauth2/v2.0/token", tenant_id=tenant_id)
        await self._assert(tenant_id)
        try:
            token: AccessToken = await credential.get_token(self._scope)
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
