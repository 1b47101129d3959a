"""The one way to Azure Resource Manager: azure-core's pipeline, our retries, our errors, raw JSON.

Plain REST, for the management package lacks some of the calls and loads slowly. Loaded at the first call, and not by a cold
start. Refuses a write without an open intent. How a call is tried is patience.py's business.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from urllib.parse import quote

import msgspec
from aiohttp import ClientConnectorError
from azure.core import AsyncPipelineClient
from azure.core.exceptions import AzureError, ServiceRequestTimeoutError
from azure.core.pipeline.policies import RequestIdPolicy, UserAgentPolicy
from azure.core.rest import AsyncHttpResponse, HttpRequest

from shared.arm.approval_shapes import challenge_of
from shared.clock import Clock
from shared.credentials import Credentials
from shared.errors import ClaimsChallenge, Forbidden, MissingIntent, Rejected, RemoteCall, Unavailable
from shared.identifiers import ObjectId, SubscriptionId, TenantId
from shared.patience import Answer, Patience, Try, failure
from shared.permissions import Call, Registration
from shared.privileged import OpenIntent
from shared.proxies import is_proxied

_PAGES = 200
_JSON = "application/json"
_CONNECT_SECONDS, _READ_SECONDS = 10.0, 60.0
"""As for Graph: four tries still end within functionTimeout."""

_NO_RIGHTS = frozenset({"InsufficientPermissions"})
"""Codes by which PIM's lists refuse a reader without rights as a bad request (seen in use)."""


class _Page(msgspec.Struct, rename="camel"):
    value: list[msgspec.Raw]
    next_link: str | None = None


class Arm:
    """Azure Resource Manager, as Tenantry Access in the source tenant, where the managed subscriptions are."""

    def __init__(self, endpoint: str, credentials: Credentials, source: TenantId, clock: Clock) -> None:
        self._endpoint = endpoint
        self._credentials = credentials
        self._source = source
        self._patience = Patience(clock)
        # Without redirects, and without azure-core's retries: only our own know what a repeat would do.
        self._client: AsyncPipelineClient[HttpRequest, AsyncHttpResponse] = AsyncPipelineClient(
            endpoint,
            policies=[RequestIdPolicy(), UserAgentPolicy("Tenantry")],
            connection_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            use_env_settings=is_proxied(),
        )

    async def send(
        self,
        call: Call,
        subscription_id: SubscriptionId,
        query: Mapping[str, str],
        *,
        name: str = "",
        below: str = "",
        body: object = None,
        intent: OpenIntent | None = None,
    ) -> Answer:
        """Send one call of Azure's permission table. `name`: the further part of its path that is open. `below`: what follows
        the subscription in the scope, such as /resourceGroups/name.

        Raises MissingIntent, NotConsented, and the RemoteErrors.
        """
        path = call.path.replace("{id}", quote(subscription_id) + quote(below), 1).replace("{id}", quote(name, safe=""))
        return await self._send(call, subscription_id, self._endpoint + path, query, _content(body), intent)

    async def send_as(
        self,
        person_id: ObjectId,
        token: str,
        call: Call,
        ids: Sequence[str],
        query: Mapping[str, str],
        *,
        body: object = None,
        intent: OpenIntent | None = None,
    ) -> Answer:
        """Send one delegated call of Azure's permission table with a person's token. `ids`: those of its path, in order.

        Raises MissingIntent, ClaimsChallenge, and the RemoteErrors.
        """
        path = call.path
        for one in ids:
            path = path.replace("{id}", quote(one, safe=""), 1)
        # Of what is below no subscription, such as an approval, the buckets are the person's own alone.
        lane = f"{person_id} {''.join(ids[:1]) if path.startswith('/subscriptions/') else ''}"
        return await self._send_as(token, lane, call, self._endpoint + path, query, _content(body), intent)

    async def _send_as(
        self,
        token: str,
        lane: str,
        call: Call,
        url: str,
        query: Mapping[str, str],
        content: bytes | None = None,
        intent: OpenIntent | None = None,
    ) -> Answer:
        if not call.delegated:
            raise ValueError(f"{call.method} {call.path} is not made in a person's name")
        self._require_intent(call, intent)
        remote = self._remote(call)

        async def once() -> Answer:
            request = HttpRequest(call.method, url, params=dict(query), headers=_headers(token), content=content)
            answer = await self._received(request, remote)
            if answer.status_code == 401 and (claims := challenge_of(answer.headers)):
                raise ClaimsChallenge(claims)
            return _judge(answer, remote)

        async def never() -> bool:
            return False

        how = Try(
            # Buckets are each person's own, and those of a subscription its own (ARM's request limits).
            lane=(Registration.API, lane, call.family),
            write=call.write,
            # A decision is no resource that is put: a second one is another act.
            repeatable=not call.write or call.method == "PUT",
            renew=never,
        )
        return await self._patience.send(remote, how, once)

    async def pages(self, call: Call, subscription_id: SubscriptionId, query: Mapping[str, str]) -> list[msgspec.Raw]:
        """Every item of a collection, following nextLink.

        Raises Rejected rather than to give a part for the whole when a collection never ends.
        """

        async def follow(url: str) -> Answer:
            return await self._send(call, subscription_id, url, {}, None, None)

        return await self._all_pages(call, await self.send(call, subscription_id, query), follow)

    async def pages_as(
        self, person_id: ObjectId, token: str, call: Call, subscription_id: SubscriptionId, query: Mapping[str, str]
    ) -> list[msgspec.Raw]:
        """Every item of a collection on a subscription, as a person sees it. Raises as `pages`, and ClaimsChallenge."""
        first = await self.send_as(person_id, token, call, (subscription_id,), query)

        async def follow(url: str) -> Answer:
            return await self._send_as(token, f"{person_id} {subscription_id}", call, url, {})

        return await self._all_pages(call, first, follow)

    async def _all_pages(
        self, call: Call, answer: Answer, follow: Callable[[str], Awaitable[Answer]]
    ) -> list[msgspec.Raw]:
        found: list[msgspec.Raw] = []
        for _ in range(_PAGES):
            page = answer.decode(_Page)
            found.extend(page.value)
            if not page.next_link:
                return found
            if not page.next_link.startswith(self._endpoint + "/"):
                # The token must not follow a link to another host.
                raise Rejected(self._remote(call, "NextLinkElsewhere"))
            answer = await follow(page.next_link)
        raise Rejected(self._remote(call, f"MoreThan{_PAGES}Pages"))

    async def _send(
        self,
        call: Call,
        subscription_id: SubscriptionId,
        url: str,
        query: Mapping[str, str],
        content: bytes | None,
        intent: OpenIntent | None,
    ) -> Answer:
        if call.delegated:
            raise ValueError(f"{call.method} {call.path} is made in a person's name alone")
        [registration] = call.registrations
        self._require_intent(call, intent)
        remote, renewed = self._remote(call), False

        async def renew() -> bool:
            # The token names no rights, so only one that is refused itself (401) is worth a new one.
            nonlocal renewed
            fresh, renewed = renewed, False
            if fresh:
                self._credentials.forget(registration, self._source)
            return fresh

        async def once() -> Answer:
            nonlocal renewed
            headers = _headers(await self._credentials.azure_token(registration))
            request = HttpRequest(call.method, url, params=dict(query), headers=headers, content=content)
            answer = await self._received(request, remote)
            renewed = answer.status_code == 401
            return _judge(answer, remote)

        how = Try(
            lane=(registration, subscription_id, call.family),
            write=call.write,
            # A PUT names the request: one that landed is refused as a conflict, and looked for by its name.
            repeatable=True,
            renew=renew,
        )
        return await self._patience.send(remote, how, once)

    def _require_intent(self, call: Call, intent: OpenIntent | None) -> None:
        [registration] = call.registrations
        if call.write and (intent is None or (intent.registration, intent.tenant_id) != (registration, self._source)):
            raise MissingIntent(f"{call.method} {call.path}")

    async def _received(self, request: HttpRequest, remote: RemoteCall) -> AsyncHttpResponse:
        try:
            # It is read whole; to read an empty answer (204) again is refused.
            return await self._client.send_request(request)
        except AzureError as error:
            raise Unavailable(remote, uncertain=not _never_connected(error)) from error

    def _remote(self, call: Call, code: str = "") -> RemoteCall:
        [registration] = call.registrations
        return RemoteCall(
            service="arm",
            method=call.method,
            path=call.path,
            tenant_id=self._source,
            registration=registration.value,
            code=code,
        )

    async def close(self) -> None:
        """Close its connections."""
        await self._client.close()


def _never_connected(error: AzureError) -> bool:
    """Whether nothing can have been sent. A ServiceRequestError alone does not tell: azure-core's transport raises it for a
    connection, too, that ended before its answer came.
    """
    return isinstance(error, ServiceRequestTimeoutError) or isinstance(error.inner_exception, ClientConnectorError)


def _headers(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "Accept": _JSON, "Content-Type": _JSON}


def _content(body: object) -> bytes | None:
    return None if body is None else msgspec.json.encode(body)


def _judge(answer: AsyncHttpResponse, remote: RemoteCall) -> Answer:
    request_id = answer.headers.get("x-ms-correlation-request-id") or answer.headers.get("x-ms-request-id", "")
    if 200 <= answer.status_code < 300:
        return Answer(answer.content, request_id)
    error = failure(remote, answer.status_code, answer.content, answer.headers, request_id, None)
    if isinstance(error, Rejected) and error.call.code in _NO_RIGHTS:
        raise Forbidden(error.call)
    raise error
