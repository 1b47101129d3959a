"""The one way to Microsoft Graph: the SDK's request builders and adapter, our retries, our errors, raw JSON.

Refuses a write without an open intent. Retry lives here for seconds; what takes longer is raised and waited for on a
durable timer. A create is never sent again blindly: its answer lost, `Unavailable(uncertain=True)` is raised and the
caller looks first.
"""

from collections.abc import Callable
from dataclasses import dataclass
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
from shared.errors import (
    Conflict,
    Forbidden,
    MissingIntent,
    NotConsented,
    NotFound,
    Rejected,
    RemoteCall,
    RemoteError,
    Throttled,
    Unavailable,
)
from shared.graph.throttle import PACES, Lane, Throttle
from shared.identifiers import TenantId
from shared.permissions import Call, Family, Registration, SourceMode
from shared.privileged import OpenIntent

LONGEST_WAIT_SECONDS = 5.0
"""What an activity sits out itself; anything longer is raised as Throttled."""

_BACKOFFS = (0.5, 1.0, 2.0)
_DEFAULT_RETRY_AFTER = 10.0
"""PIM answers 429 without a Retry-After (graph issues)."""

_SLOW = frozenset({Family.HUNTING})
"""Families whose calls may take minutes. They have the client of their own that waits so long, and one try: a second one
would not end within functionTimeout."""

_PAGES = 200

type Build = Callable[[GraphServiceClient], RequestInformation]


class _Inner(msgspec.Struct):
    code: str | None = None
    message: str | None = None


class _Envelope(msgspec.Struct):
    error: _Inner = msgspec.field(default_factory=_Inner)


class _Page(msgspec.Struct):
    value: list[msgspec.Raw]
    next_link: str | None = msgspec.field(name="@odata.nextLink", default=None)


class Answer(msgspec.Struct, frozen=True):
    """A success: the raw JSON and Graph's request id."""

    content: bytes
    request_id: str

    def decode[T](self, kind: type[T]) -> T:
        """The JSON as one of our types; unknown fields are ignored."""
        return msgspec.json.decode(self.content, type=kind)


@dataclass(slots=True)
class _Landed:
    """Whether a try of this call may have been carried out."""

    maybe: bool = False


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
        self._clock = clock
        self._throttle = Throttle(clock)

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
        landed = _Landed()
        try:
            return await self._patiently(call, registration, tenant_id, build, remote, landed)
        except (RemoteError, NotConsented) as error:
            # What a later try answers says nothing of an earlier one whose answer was lost.
            if call.write and landed.maybe:
                seconds = error.seconds if isinstance(error, Throttled | Unavailable) else 0.0
                raise Unavailable(remote, uncertain=True, seconds=seconds) from error
            raise

    async def _patiently(
        self,
        call: Call,
        registration: Registration,
        tenant_id: TenantId,
        build: Build,
        remote: RemoteCall,
        landed: _Landed,
    ) -> Answer:
        http = self._slow if call.family in _SLOW else self._http
        adapter = HttpxRequestAdapter(_Bearer(self._credentials, registration, tenant_id), http_client=http)
        adapter.base_url = self._base
        lane: Lane = (registration, tenant_id, call.family)
        repeatable = call.family not in _SLOW and (not call.write or call.method in ("PUT", "PATCH", "DELETE"))
        renewed = False
        for backoff in (*_BACKOFFS, None):
            await self._await_lane(lane, remote)
            try:
                return self._judge(await self._once(adapter, build, remote, lane), remote, call.family)
            except Throttled as error:
                self._throttle.note(lane, error.seconds)
                if backoff is None or error.seconds > LONGEST_WAIT_SECONDS:
                    raise
            except Forbidden:
                if renewed or not await self._credentials.lacks(registration, tenant_id, call.needs(self._mode)):
                    raise
                # A cached token keeps the roles of its day; what it was refused, a new one may do.
                self._credentials.forget(registration, tenant_id)
                renewed = True
            except Unavailable as error:
                landed.maybe = landed.maybe or error.uncertain
                if backoff is None or not repeatable or error.seconds > LONGEST_WAIT_SECONDS:
                    raise
                await self._clock.sleep(max(backoff, error.seconds))
        raise AssertionError("the last try raises")

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

    async def _await_lane(self, lane: Lane, remote: RemoteCall) -> None:
        wait = self._throttle.wait(lane)
        if wait > LONGEST_WAIT_SECONDS:
            raise Throttled(remote, seconds=wait)
        if wait:
            await self._clock.sleep(wait)

    async def _once(self, adapter: HttpxRequestAdapter, build: Build, remote: RemoteCall, lane: Lane) -> httpx.Response:
        request = build(GraphServiceClient(request_adapter=adapter))
        request.add_request_options([ResponseHandlerOption(NativeResponseHandler())])
        try:
            answer: object = await adapter.send_primitive_async(request, "bytes", None)
        except httpx.ConnectError as error:
            raise Unavailable(remote, uncertain=False) from error
        except httpx.TransportError as error:
            raise Unavailable(remote, uncertain=True) from error
        finally:
            # Not before: the token may have had to be fetched first.
            self._throttle.called(lane)
        if not isinstance(answer, httpx.Response):
            raise TypeError("the SDK did not hand over its response")
        return answer

    def _judge(self, answer: httpx.Response, remote: RemoteCall, family: Family) -> Answer:
        request_id = answer.headers.get("request-id", "")
        if answer.is_success:
            return Answer(answer.content, request_id)
        error = _envelope(answer.content)
        named = RemoteCall(
            service=remote.service,
            method=remote.method,
            path=remote.path,
            tenant_id=remote.tenant_id,
            registration=remote.registration,
            status=answer.status_code,
            code=error.code or "",
            message=error.message or "",
            request_id=request_id,
        )
        raise _error(named, answer.headers.get("Retry-After", ""), PACES.get(family, _DEFAULT_RETRY_AFTER))


def _get(link: str) -> RequestInformation:
    request = RequestInformation(Method.GET)
    request.url = link
    request.headers.try_add("Accept", "application/json")
    return request


def _envelope(content: bytes) -> _Inner:
    try:
        return msgspec.json.decode(content, type=_Envelope).error
    except msgspec.DecodeError:
        return _Inner()


def _error(call: RemoteCall, retry_after: str, default: float) -> RemoteError:
    match call.status:
        case 429:
            return Throttled(call, seconds=_seconds(retry_after, default))
        case 404:
            return NotFound(call)
        case 409:
            return Conflict(call)
        case 401 | 403:
            return Forbidden(call)
        case status if status >= 500:
            return Unavailable(call, uncertain=True, seconds=_seconds(retry_after, default) if retry_after else 0.0)
        case _:
            return Rejected(call)


def _seconds(retry_after: str, default: float) -> float:
    return float(retry_after) if retry_after.isascii() and retry_after.isdigit() else default
