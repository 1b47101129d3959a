"""The person who is signed in with the Azure CLI on this machine: tokens in their name, and why there is none.

For an operator who runs the doctor as themselves. What the CLI says is never told on, for it may name somebody.
"""

import re
import shutil
from datetime import UTC, datetime, timedelta

import jwt
import msgspec
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CredentialUnavailableError
from azure.identity.aio import AzureCliCredential

from shared.clock import SystemClock
from shared.doctor.findings import Check
from shared.identifiers import TenantId
from shared.permissions import Registration
from shared.settings import Settings

_CLI_SECONDS = 60
"""The CLI starts slowly; the credential's own 10 seconds can be too few (Azure/azure-cli issue 20404)."""
_SPARE = timedelta(minutes=1)
_CODE = re.compile(r"AADSTS\d+")
_NO_ACCOUNT = frozenset({"AADSTS50020", "AADSTS50034", "AADSTS90072"})
"""Entra codes: the account is not in the tenant, or its home is another."""


class OutOfReach(Exception):
    """Raised where the person cannot ask: says why. `do`: what they can do about it."""

    def __init__(self, told: str, do: str) -> None:
        super().__init__(told)
        self.do = do


class _Claims(msgspec.Struct):
    tid: str = ""
    scp: str = ""


class SignedIn:
    """Tokens for Graph and Azure that stand for nobody but the person, whichever registration would ask in the app."""

    def __init__(self, settings: Settings) -> None:
        self._source = settings.source_tenant_id
        self._graph = f"{settings.graph_endpoint}/.default"
        self._azure = f"{settings.arm_endpoint}/.default"
        self.credential = AzureCliCredential(
            tenant_id=self._source, additionally_allowed_tenants=["*"], process_timeout=_CLI_SECONDS
        )
        # The credential keeps none, and each costs a process.
        self._kept: dict[tuple[TenantId, str], AccessToken] = {}

    async def token(self, _: Registration, tenant_id: TenantId) -> str:
        """For Graph in a tenant. Raises OutOfReach."""
        return await self._token(tenant_id, self._graph)

    async def azure_token(self, _: Registration) -> str:
        """For Azure Resource Manager in the source tenant. Raises OutOfReach."""
        return await self._token(self._source, self._azure)

    async def check(self) -> Check:
        """Whether a person is signed in to the source tenant."""
        try:
            claims = _claims(await self._token(self._source, self._azure))
        except OutOfReach as error:
            return Check(name="signed in", sound=False, told=str(error), do=error.do)
        if not claims.scp:
            told = "an application or a managed identity is signed in with the Azure CLI, and no person"
            return Check(name="signed in", sound=False, told=told, do=_sign_in(self._source))
        return Check(name="signed in", sound=True, told=f"as a person, to {self._source}")

    async def close(self) -> None:
        """It holds nothing open."""
        await self.credential.close()

    async def _token(self, tenant_id: TenantId, scope: str) -> str:
        kept = self._kept.get((tenant_id, scope))
        if kept is None or datetime.fromtimestamp(kept.expires_on, UTC) - SystemClock().now() < _SPARE:
            kept = self._kept[tenant_id, scope] = await self._fresh(tenant_id, scope)
        return kept.token

    async def _fresh(self, tenant_id: TenantId, scope: str) -> AccessToken:
        try:
            found: AccessToken = await self.credential.get_token(scope, tenant_id=tenant_id)
        except ClientAuthenticationError as error:
            raise _why(error, tenant_id) from error
        if (told := _claims(found.token).tid) != tenant_id:
            raise OutOfReach(
                f"the Azure CLI gives a token for the tenant {told}, and not {tenant_id}", _sign_in(tenant_id)
            )
        return found


def _claims(token: str) -> _Claims:
    # The person's own token, straight from their CLI: read, not verified.
    return msgspec.convert(jwt.decode(token, options={"verify_signature": False}), _Claims)


def _why(error: ClientAuthenticationError, tenant_id: TenantId) -> OutOfReach:
    if shutil.which("az") is None:
        return OutOfReach("there is no Azure CLI (az) here", f"install the Azure CLI, then {_sign_in(tenant_id)}")
    found = _CODE.search(str(error))
    code = found.group() if found else ""
    if code in _NO_ACCOUNT:
        told = f"who is signed in with the Azure CLI has no account in the tenant {tenant_id} ({code})"
    elif code:
        told = f"Entra gives who is signed in with the Azure CLI no token for the tenant {tenant_id} ({code})"
    elif isinstance(error, CredentialUnavailableError) and "az login" in str(error):
        told = "nobody is signed in with the Azure CLI"
    else:
        told = "the Azure CLI gives no token"
    return OutOfReach(told, _sign_in(tenant_id))


def _sign_in(tenant_id: TenantId) -> str:
    return f"sign in with an account of the tenant: az login --tenant {tenant_id}"
