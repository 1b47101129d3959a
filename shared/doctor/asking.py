"""The doctor's one way to Graph and Azure: reads of the permission tables, and three requests that store nothing.

What is validated only is built here: there is no way to send such a request for good. A Graph request says
`isValidationOnly` itself, and Azure's has a path of its own. The vendor clients' guard is not touched: they go on refusing
every write without an intent. One try each; what is refused is an answer, for the refusal is what is asked for.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import quote

import httpx
import jwt
import msgspec

from shared.doctor.signed_in import OutOfReach
from shared.errors import MissingIntent, RemoteCall, Throttled, Unavailable
from shared.identifiers import SubscriptionId, TenantId
from shared.patience import code_of
from shared.permissions import REQUEST_ELIGIBILITY, SECURITY_READER, Call, Family, Registration
from shared.roles import TRUSTS
from shared.settings import Settings

_AZURE = frozenset({Family.AZURE_PIM, Family.AZURE_BUDGETS})
_PIM_VERSION = "2020-10-01"
_PAGES = 5
_MORE = "ask as somebody who may more there (docs/doctor.md), or as the app"
JUSTIFICATION = "Tenantry doctor: validated only"


class _Page(msgspec.Struct):
    value: list[msgspec.Raw] = []
    graph_next: str | None = msgspec.field(name="@odata.nextLink", default=None)
    azure_next: str | None = msgspec.field(name="nextLink", default=None)


class Claims(msgspec.Struct, frozen=True):
    """What a token of ours says: whose it is there, and what it may do in Graph."""

    oid: str = ""
    roles: tuple[str, ...] = ()


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What came back: the status, the vendor's code for a refusal, and the body."""

    status: int
    code: str
    content: bytes
    tells_wait: bool = False

    @property
    def taken(self) -> bool:
        """Whether it was not refused."""
        return 200 <= self.status < 300

    @property
    def forbidden(self) -> bool:
        """Whether it was refused for want of a right. PIM's lists may say so with status 400 (azure_facts.py)."""
        return self.status in (401, 403) or self.code == "InsufficientPermissions"

    @property
    def brief(self) -> str:
        """For a person: never the vendor's text, which may name somebody."""
        return f"{self.status} {self.code}".strip()

    def decode[T](self, kind: type[T]) -> T:
        """The body as one of our types; unknown fields are ignored."""
        return msgspec.json.decode(self.content, type=kind)


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A change of an eligibility that is only validated; `action` in Graph's words. Carried out, it would leave what is there
    as it is, or concern nobody.
    """

    action: str
    principal_id: str
    start: datetime
    end: datetime
    role: str = SECURITY_READER
    schedule_id: str = ""


class Tokens(Protocol):
    """In whose name is asked: each registration's, or, whichever it is, the person's who is signed in."""

    async def token(self, registration: Registration, tenant_id: TenantId, /) -> str:
        """For Graph in a tenant."""
        ...

    async def azure_token(self, registration: Registration, /) -> str:
        """For Azure Resource Manager in the source tenant."""
        ...


class Asker:
    """Asks as our registrations, or `as_person`. `date`: the vendor's clock, as its latest answer told it."""

    def __init__(self, settings: Settings, tokens: Tokens, http: httpx.AsyncClient, *, as_person: bool = False) -> None:
        self._settings = settings
        self._tokens = tokens
        self._http = http
        self.as_person = as_person
        self.date = ""

    def acts_as(self, registration: Registration) -> bool:
        """Whether the registration trusts the identity that is at hand."""
        return not self.as_person and registration in TRUSTS[self._settings.role]

    async def ask(
        self,
        call: Call,
        registration: Registration,
        tenant_id: TenantId,
        ids: Sequence[str] = (),
        query: Mapping[str, str] | None = None,
        *,
        body: object = None,
        as_stranger: bool = False,
    ) -> Told:
        """One read of the permission tables. `ids`: those of its path, in order. `as_stranger`: by a registration that the
        table does not name, to see it refused.

        Raises MissingIntent for what is no read, NotConsented, Throttled, Unavailable, and OutOfReach where a person is
        refused: the app may not be.
        """
        if call.write or call.delegated or (registration not in call.registrations and not as_stranger):
            raise MissingIntent(f"{registration} may not ask {call.method} {call.path}")
        return await self._send(call, registration, tenant_id, self._url(call, ids, query or {}), body)

    async def listed(
        self,
        call: Call,
        registration: Registration,
        tenant_id: TenantId,
        ids: Sequence[str] = (),
        query: Mapping[str, str] | None = None,
    ) -> tuple[Told, list[msgspec.Raw]]:
        """As `ask`, of a list: its first pages, at most."""
        found: list[msgspec.Raw] = []
        told = first = await self.ask(call, registration, tenant_id, ids, query)
        for _ in range(_PAGES):
            page = told.decode(_Page) if told.taken else _Page()
            found += page.value
            link = page.graph_next or page.azure_next or ""
            if not link.startswith(self._base(call) + "/"):
                break
            told = await self._send(call, registration, tenant_id, link, None)
        return first, found

    async def would_graph(self, tenant_id: TenantId, wish: Wish) -> Told:
        """Whether Graph would take it: POST roleEligibilityScheduleRequests with isValidationOnly, as Tenantry Access."""
        body = {
            "isValidationOnly": True,
            "action": wish.action,
            "principalId": wish.principal_id,
            "roleDefinitionId": wish.role,
            "directoryScopeId": "/",
            "justification": JUSTIFICATION,
            "scheduleInfo": {
                "startDateTime": _iso(wish.start),
                "expiration": {"type": "afterDateTime", "endDateTime": _iso(wish.end)},
            },
            "ticketInfo": {"ticketNumber": "doctor", "ticketSystem": "Tenantry"},
        }
        url = self._url(REQUEST_ELIGIBILITY, (), {})
        return await self._send(REQUEST_ELIGIBILITY, Registration.ACCESS, tenant_id, url, body)

    async def would_azure(self, subscription_id: SubscriptionId, name: str, wish: Wish) -> Told:
        """Whether Azure would take it: POST roleEligibilityScheduleRequests/{name}/validate, as Tenantry Access."""
        at = f"/subscriptions/{quote(subscription_id)}/providers/Microsoft.Authorization"
        properties = {
            "principalId": wish.principal_id,
            "roleDefinitionId": f"{at}/roleDefinitions/{wish.role}",
            "requestType": wish.action[0].upper() + wish.action[1:],
            "justification": JUSTIFICATION,
            "scheduleInfo": {
                "startDateTime": _iso(wish.start),
                "expiration": {"type": "AfterDateTime", "endDateTime": _iso(wish.end), "duration": None},
            },
            "ticketInfo": {"ticketNumber": "doctor", "ticketSystem": "Tenantry"},
            "targetRoleEligibilityScheduleId": wish.schedule_id or None,
        }
        path = f"{at}/roleEligibilityScheduleRequests/{quote(name, safe='')}/validate"
        url = f"{self._settings.arm_endpoint}{path}?api-version={_PIM_VERSION}"
        return await self._post_to_azure(url, {"properties": properties})

    async def claims(self, registration: Registration, tenant_id: TenantId, *, of_azure: bool = False) -> Claims:
        """What a registration's token for a tenant says."""
        token = await self._token(registration, tenant_id, in_azure=of_azure)
        # Our own token, straight from the authority over TLS: read, not verified.
        return msgspec.convert(jwt.decode(token, options={"verify_signature": False}), Claims, strict=False)

    async def _token(self, registration: Registration, tenant_id: TenantId, *, in_azure: bool) -> str:
        if in_azure:
            return await self._tokens.azure_token(registration)
        return await self._tokens.token(registration, tenant_id)

    async def _post_to_azure(self, url: str, body: object) -> Told:
        token = await self._tokens.azure_token(Registration.ACCESS)
        remote = RemoteCall(service="arm", method="POST", path="/validate", tenant_id=self._settings.source_tenant_id)
        return await self._answered("POST", url, token, body, remote)

    async def _send(self, call: Call, registration: Registration, tenant_id: TenantId, url: str, body: object) -> Told:
        in_azure = call.family in _AZURE
        token = await self._token(registration, tenant_id, in_azure=in_azure)
        remote = RemoteCall(
            service="arm" if in_azure else "graph",
            method=call.method,
            path=call.path,
            tenant_id=tenant_id,
            registration=registration.value,
        )
        return await self._answered(call.method, url, token, body, remote)

    async def _answered(self, method: str, url: str, token: str, body: object, remote: RemoteCall) -> Told:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        sent: dict[str, Any] = {} if body is None else {"json": body}
        try:
            answer = await self._http.request(method, url, headers=headers, **sent)
        except httpx.TransportError as error:
            raise Unavailable(remote, uncertain=False) from error
        self.date = answer.headers.get("Date", self.date)
        told = Told(
            status=answer.status_code,
            code=code_of(answer.content) if answer.is_error else "",
            content=answer.content,
            tells_wait="Retry-After" in answer.headers,
        )
        remote = msgspec.structs.replace(remote, status=told.status, code=told.code)
        if told.status == 429 and remote.path.endswith("runHuntingQuery"):
            return told
        if self.as_person and told.forbidden:
            raise OutOfReach(f"you are refused with {told.brief}", _MORE)
        if told.status == 429:
            raise Throttled(remote, seconds=0.0)
        if told.status >= 500:
            raise Unavailable(remote, uncertain=False)
        return told

    def _base(self, call: Call) -> str:
        return self._settings.arm_endpoint if call.family in _AZURE else f"{self._settings.graph_endpoint}/v1.0"

    def _url(self, call: Call, ids: Sequence[str], query: Mapping[str, str]) -> str:
        path = call.path
        for one in ids:
            path = path.replace("{id}", quote(one, safe=""), 1)
        options = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
        return f"{self._base(call)}{path}{'?' if options else ''}{options}"


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
