"""The one way to Microsoft Graph: the SDK's request builders and adapter, our retries, our errors, raw JSON.

Refuses a write without an open intent. How a call is tried is patience.py's business.
"""

from collections.abc import Callable
from typing import Any

import httpx
import msgspec
from kiota_abstractions.authentication import AuthenticationProvider
from kiota_abstractions.method import Method
from kiota_abstractions.native_response_handler import NativeResponseHandler
from kiota_abstractions.request_information import RequestInformation
from kiota_http.httpx_request_adapter import HttpxRequestAdapter
from kiota_http.middleware.options import ResponseHandlerOption
from msgraph.graph_service_client import GraphServiceClient

from shared.clock import Clock
from shared.credentials import Credentials
from shared.errors import MissingIntent, Rejected, RemoteCall, Unavailable
from shared.identifiers import TenantId
from shared.patience import Answer, Patience, Try, failure
from shared.permissions import Call, Family, Registration, SourceMode
from shared.privileged import OpenIntent
from shared.throttle import PACES

_SLOW = frozenset({Family.HUNTING})
"""Families whose calls may take minutes. They have the client of their own that waits so long, and one try: a second one
would not end within functionTimeout."""

_PAGES = 200

type Build = Callable[[GraphServiceClient], RequestInformation]


class _Page(msgspec.Struct):
    value: list[msgspec.Raw]
    next_link: str | None = msgspec.field(name="@odata.nextLink", default=None)


class _Bearer(AuthenticationProvider):
    """Puts the token of one registration and tenant on the SDK's requests."""

    def __init__(self, credentials: Credentials, registration: Registration, tenant_id: TenantId) -> None:
        self._credentials = credentials
        self._registration = registration
        self._tenant_id = tenant_id

    async def authenticate_request(
        self,
        request: RequestInformation,
        additional_authentication_context: dict[str, Any] | None = None,
    ) -> None:
        """Set the header. A claims challenge (continuous access evaluation) gets a new token."""
        if additional_authentication_context:
            self._credentials.forget(self._registration, self._tenant_id)
        token = await self._credentials.token(self._registration, self._tenant_id)
        request.headers.remove("Authorization")
        request.headers.add("Authorization", f"Bearer {token}")


class Graph:
    """Microsoft Graph v1.0, as any of our registrations in any tenant."""

    def __init__(
        self,
        endpoint: str,
        credentials: Credentials,
        http: httpx.AsyncClient,
        clock: Clock,
        mode: SourceMode = SourceMode.OWN,
        *,
        slow: httpx.AsyncClient | None = None,
    ) -> None:
        self._mode = mode
        self._base = f"{endpoint}/v1.0"
        self._credentials = credentials
        self._http = http
        self._slow = slow or http
        self._patience = Patience(clock)

    async def send(
        self,
        call: Call,
        registration: Registration,
        tenant_id: TenantId,
        build: Build,
        *,
        intent: OpenIntent | None = None,
    ) -> Answer:
        """Send one call of the permission table. `build` makes the request from the SDK's client.

        Raises MissingIntent, NotConsented, and the RemoteErrors.
        """
        if registration not in call.registrations:
            raise MissingIntent(f"{registration} may not call {call.method} {call.path}")
        if call.write and (intent is None or (intent.registration, intent.tenant_id) != (registration, tenant_id)):
            raise MissingIntent(f"{call.method} {call.path} in {tenant_id}")
        remote = RemoteCall(
            service="graph", method=call.method, path=call.path, tenant_id=tenant_id, registration=registration.value
        )
        http = self._slow if call.family in _SLOW else self._http
        adapter = HttpxRequestAdapter(_Bearer(self._credentials, registration, tenant_id), http_client=http)
        adapter.base_url = self._base

        async def renew() -> bool:
            if not await self._credentials.lacks(registration, tenant_id, call.needs(self._mode)):
                return False
            self._credentials.forget(registration, tenant_id)
            return True

        async def once() -> Answer:
            return _judge(await _once(adapter, build, remote), remote, call.family)

        repeatable = call.family not in _SLOW and (not call.write or call.method in ("PUT", "PATCH", "DELETE"))
        how = Try(lane=(registration, tenant_id, call.family), write=call.write, repeatable=repeatable, renew=renew)
        return await self._patience.send(remote, how, once)

    async def pages(
        self, call: Call, registration: Registration, tenant_id: TenantId, build: Build, *, most: int | None = None
    ) -> list[msgspec.Raw]:
        """Every item of a collection, following @odata.nextLink; or at most `most` pages of it.

        Raises Rejected rather than to give a part for the whole when a collection never ends.
        """
        found: list[msgspec.Raw] = []
        for number in range(1, _PAGES + 1):
            page = (await self.send(call, registration, tenant_id, build)).decode(_Page)
            found.extend(page.value)
            if page.next_link is None or number == most:
                return found
            build = self._following(page.next_link, call, tenant_id)
        raise Rejected(
            RemoteCall(
                service="graph", method=call.method, path=call.path, tenant_id=tenant_id, code=f"MoreThan{_PAGES}Pages"
            )
        )

    def _following(self, link: str, call: Call, tenant_id: TenantId) -> Build:
        if not link.startswith(self._base + "/"):
            # The token must not follow a link to another host.
            remote = RemoteCall(service="graph", method=call.method, path=call.path, tenant_id=tenant_id)
            raise Rejected(remote)
        return lambda _: _get(link)


async def _once(adapter: HttpxRequestAdapter, build: Build, remote: RemoteCall) -> httpx.Response:
    request = build(GraphServiceClient(request_adapter=adapter))
    request.add_request_options([ResponseHandlerOption(NativeResponseHandler())])
    try:
        answer: object = await adapter.send_primitive_async(request, "bytes", None)
    except httpx.ConnectError as error:
        raise Unavailable(remote, uncertain=False) from error
    except httpx.TransportError as error:
        raise Unavailable(remote, uncertain=True) from error
    if not isinstance(answer, httpx.Response):
        raise TypeError("the SDK did not hand over its response")
    return answer


def _judge(answer: httpx.Response, remote: RemoteCall, family: Family) -> Answer:
    request_id = answer.headers.get("request-id", "")
    if answer.is_success:
        return Answer(answer.content, request_id)
    raise failure(remote, answer.status_code, answer.content, answer.headers, request_id, PACES.get(family))


def _get(link: str) -> RequestInformation:
    request = RequestInformation(Method.GET)
    request.url = link
    request.headers.try_add("Accept", "application/json")
    return request
