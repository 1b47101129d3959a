"""Entra's authorization-code flow as Tenantry API, by MSAL: who a person is, and where wanted their token for Azure.

PKCE, a nonce, and the managed identity's token as the client's proof. MSAL is synchronous, so it runs in a thread; every flow
has a client application of its own, so that no token is kept. It checks the nonce; the id token is checked by callers.py.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import msal
import msgspec
from msal.exceptions import MsalError
from msgspec.structs import replace

from shared.azure_permissions import DELEGATED
from shared.callers import Callers, SignedIn
from shared.credentials import Credentials
from shared.errors import (
    ClaimsChallenge,
    Forbidden,
    NotConsented,
    RemoteError,
    Unauthenticated,
    Unavailable,
)
from shared.on_behalf import ASKED, NOT_CONSENTED, token_call
from shared.permissions import Registration
from shared.settings import Settings

_log = logging.getLogger(__name__)

CALLBACK = "/api/sign-in/callback"
_TIMEOUT = httpx.Timeout(20.0, connect=10.0)


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """A flow that waits for its person: where they go, and what MSAL needs when they come back."""

    address: str
    flow: msgspec.Raw


class Arrived:
    """A person who came back, with a token for Azure where one was asked for. A plain class: it shows nothing of itself."""

    def __init__(self, who: SignedIn, azure_token: str) -> None:
        self.who = who
        self.azure_token = azure_token


class Entra:
    """Begins and ends flows. Every process has one."""

    def __init__(self, settings: Settings, credentials: Credentials, callers: Callers) -> None:
        self._settings = settings
        self._credentials = credentials
        self._callers = callers
        self._http = _Http()

    async def begin(self, state: str, *, azure: bool, claims: str = "", hint: str = "") -> Begun:
        """A new flow; `azure`: for a token for Azure too, with what a challenge asked for. Raises Unavailable."""
        scopes = [f"{self._settings.arm_endpoint}/{DELEGATED}"] if azure else []
        assertion = await self._credentials.assertion()

        def initiate() -> dict[str, Any]:
            flow: dict[str, Any] = self._application(assertion).initiate_auth_code_flow(
                scopes,
                redirect_uri=f"{self._settings.public_url}{CALLBACK}",
                state=state,
                login_hint=hint or None,
                claims_challenge=claims or None,
            )
            return flow

        flow = await self._in_thread(initiate)
        # What is kept holds neither the state, which whoever comes back brings, nor the address, where it stands too.
        kept = {name: value for name, value in flow.items() if name not in ("state", "auth_uri")}
        return Begun(address=str(flow["auth_uri"]), flow=msgspec.Raw(msgspec.json.encode(kept)))

    async def arrive(self, flow: msgspec.Raw, answer: Mapping[str, str]) -> Arrived:
        """Redeem what Entra answered: POST /oauth2/v2.0/token, with the code. Not idempotent: a code is good once.

        Raises ClaimsChallenge where more is wanted of the person; Unauthenticated for an answer that is none of ours, or that
        came too late; NotConsented, Forbidden and Unavailable.
        """
        begun = {**msgspec.json.decode(flow, type=dict[str, Any]), "state": answer.get("state", "")}
        assertion = await self._credentials.assertion()

        def acquire() -> dict[str, Any]:
            found: dict[str, Any] = self._application(assertion).acquire_token_by_auth_code_flow(begun, dict(answer))
            return found

        found = await self._in_thread(acquire)
        if "id_token" not in found:
            raise self._refused(found)
        return Arrived(await self._callers.signed_in(str(found["id_token"])), str(found.get("access_token", "")))

    def _application(self, assertion: str) -> Any:
        return msal.ConfidentialClientApplication(
            self._settings.client_ids[Registration.API],
            client_credential={"client_assertion": assertion},
            authority=f"{self._settings.authority}/{self._settings.source_tenant_id}",
            # A private cloud's authority is not in the public instance list.
            instance_discovery=False,
            http_client=self._http,
            exclude_scopes=["offline_access"],
            client_capabilities=["CP1"],
        )

    async def _in_thread(self, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        try:
            return await asyncio.to_thread(work)
        except RuntimeError as error:
            # MSAL's, for a nonce that is not ours.
            raise Unauthenticated("Entra's answer belongs to another sign-in") from error
        except (httpx.HTTPError, MsalError, ValueError) as error:
            # MsalError: discovery was refused. ValueError: it failed otherwise, or what answered was not JSON.
            _log.info("sign_in.unanswered reason=%s", type(error).__name__)
            raise Unavailable(token_call(self._settings), uncertain=False) from error

    def _refused(self, found: Mapping[str, Any]) -> RemoteError | ClaimsChallenge | Unauthenticated | NotConsented:
        error, numbers = str(found.get("error", "")), found.get("error_codes") or [0]
        call = replace(token_call(self._settings), code=f"AADSTS{numbers[0]}" if numbers[0] else error)
        if error == "interaction_required" and found.get("claims"):
            return ClaimsChallenge(str(found["claims"]))
        if numbers[0] in NOT_CONSENTED:
            return NotConsented(Registration.API.value, self._settings.source_tenant_id, (ASKED,))
        if error in ("invalid_grant", "interaction_required"):
            return Unauthenticated(f"Entra does not take the sign-in ({call.code})")
        return Forbidden(call)


class _Http:
    """The HTTP client that MSAL is given: our own library, with deadlines, opened at the first flow."""

    def __init__(self) -> None:
        self._client: httpx.Client | None = None

    def get(self, url: str, params: Any = None, headers: Any = None, **_: Any) -> httpx.Response:
        """MSAL's discovery."""
        return self._opened().get(url, params=params, headers=headers)

    def post(self, url: str, params: Any = None, data: Any = None, headers: Any = None, **_: Any) -> httpx.Response:
        """MSAL's token request."""
        return self._opened().post(url, params=params, data=data, headers=headers)

    def _opened(self) -> httpx.Client:
        if self._client is None:
            self._client = httpx.Client(timeout=_TIMEOUT)
        return self._client
