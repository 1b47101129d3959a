"""In whose name: the token of a person who calls us is exchanged for theirs for Azure (OAuth's on-behalf-of).

What the person may, decides what comes of it. Neither token outlives the invocation: each exchange has a credential of its
own, so that nothing is cached, and no person ever gets what was fetched for another.
"""

import re

import msgspec
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError
from azure.identity.aio import OnBehalfOfCredential
from msgspec.structs import replace

from shared.azure_permissions import DELEGATED
from shared.clock import Clock
from shared.credentials import Credentials
from shared.errors import (
    ClaimsChallenge,
    Forbidden,
    NotAllowed,
    NotConsented,
    RemoteCall,
    Throttled,
    Unauthenticated,
    Unavailable,
)
from shared.patience import Answer, Patience, Try
from shared.permissions import Family, Registration
from shared.settings import Settings

NOT_CONSENTED = frozenset({65001, 700016, 650052, 650057, 7000112, 7000229})
"""Entra codes: nobody consented to the delegated permission; the registration is not there, is disabled, or does not ask
for the permission."""

ASKED = f"{DELEGATED} of Azure Service Management, delegated"
"""What is missing then, as an administrator finds it."""

_THROTTLED_SECONDS = 10.0
_CODE = re.compile(r"AADSTS(\d+)")


class _Refusal(msgspec.Struct):
    """The token endpoint's refusal, as far as we read it."""

    error: str = ""
    error_codes: tuple[int, ...] = ()
    claims: str = ""


class OnBehalf:
    """Exchanges tokens as Tenantry API."""

    def __init__(self, settings: Settings, credentials: Credentials, clock: Clock) -> None:
        self._settings = settings
        self._credentials = credentials
        self._patience = Patience(clock)
        self._scope = f"{settings.arm_endpoint}/{DELEGATED}"

    async def azure_token(self, user_token: str, claims: str = "") -> str:
        """A token for Azure Resource Manager in the name of the person whose token for Tenantry API this is.

        POST /oauth2/v2.0/token with requested_token_use=on_behalf_of (delegated user_impersonation of Azure Service
        Management, with an administrator's consent). Idempotent. `claims`: what a challenge asked for. Raises
        ClaimsChallenge where conditional access wants the person; Unauthenticated for a token that Entra does not take, or
        whose person may not sign in any more; NotAllowed for an application's; NotConsented, Throttled, Unavailable and
        Forbidden.
        """
        token = ""

        async def once() -> Answer:
            nonlocal token
            token = await self._exchanged(user_token, claims)
            return Answer(b"", "")

        async def never() -> bool:
            return False

        lane = (Registration.API, "login", Family.AZURE_PIM)
        await self._patience.send(
            token_call(self._settings), Try(lane=lane, write=False, repeatable=True, renew=never), once
        )
        return token

    async def _exchanged(self, user_token: str, claims: str) -> str:
        # Asked for by the SDK synchronously, so it is fetched before.
        assertion = await self._credentials.assertion()
        credential = OnBehalfOfCredential(
            self._settings.source_tenant_id,
            self._settings.client_ids[Registration.API],
            client_assertion_func=lambda: assertion,
            user_assertion=user_token,
            authority=self._settings.authority,
            retry_total=0,
            transport=self._credentials.transport(),
        )
        try:
            # A client that can answer challenges (CP1): Azure refuses no token without telling what it wants.
            return (await credential.get_token(self._scope, claims=claims or None, enable_cae=True)).token
        except ClientAuthenticationError as error:
            raise self._refused(error) from error
        except AzureError as error:
            raise Unavailable(token_call(self._settings), uncertain=False) from error

    def _refused(self, error: ClientAuthenticationError) -> Exception:
        refusal = _refusal_of(error)
        found = _CODE.search(str(error))
        number = refusal.error_codes[0] if refusal.error_codes else int(found[1]) if found else 0
        status = error.status_code or 0
        call = replace(token_call(self._settings), status=status, code=f"AADSTS{number}" if number else refusal.error)
        if refusal.error == "interaction_required" and refusal.claims:
            return ClaimsChallenge(refusal.claims)
        if number in NOT_CONSENTED:
            return NotConsented(Registration.API.value, self._settings.source_tenant_id, (ASKED,))
        if refusal.error in ("invalid_grant", "interaction_required"):
            return Unauthenticated(f"Entra does not take the token ({call.code}): sign in again")
        if refusal.error == "unauthorized_client":
            return NotAllowed(f"only a person's own token acts in Azure ({call.code})")
        if status == 429:
            return Throttled(call, seconds=_THROTTLED_SECONDS)
        if status >= 500 or not number:
            return Unavailable(call, uncertain=False)
        return Forbidden(call)


def token_call(settings: Settings) -> RemoteCall:
    """What Tenantry API asks Entra for a token by, as an error names it."""
    return RemoteCall(
        service="login",
        method="POST",
        path="/oauth2/v2.0/token",
        tenant_id=settings.source_tenant_id,
        registration=Registration.API.value,
    )


def _refusal_of(error: HttpResponseError) -> _Refusal:
    try:
        return msgspec.json.decode(error.response.text() if error.response is not None else "", type=_Refusal)
    except (msgspec.DecodeError, ValueError):
        return _Refusal()
