"""Entra on the wire: metadata, keys, tokens and consent over TLS; the managed-identity endpoint beside it."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import parse_qsl

from aiohttp import web

from tests.sandbox.entra.consent import Consent, error_page, page
from tests.sandbox.entra.errors import EntraError, unknown_tenant
from tests.sandbox.entra.keys import published_key
from tests.sandbox.entra.service import Issued, TokenService
from tests.sandbox.entra.sign_in_page import sign_in_page
from tests.sandbox.faults import Fault, Faults
from tests.sandbox.personas import Person
from tests.sandbox.points import Cut, Points
from tests.sandbox.recorder import Recorded, Recorder, without_secrets

_ANY_TENANT = ("common", "organizations")
_CLIENTS_FAULTS = frozenset({90014, 900144, 50011, 501491, 70005, 70011})
"""What a careful client never sends a browser to."""
IDENTITY_VERSION = "2019-08-01"


class EntraServer:
    """Handlers of the authority and of the managed-identity endpoint."""

    def __init__(
        self,
        *,
        service: TokenService,
        points: Points,
        faults: Faults,
        recorder: Recorder,
        persons: Mapping[str, Person],
        now: Callable[[], datetime],
        violate: Callable[[str], None],
    ) -> None:
        self._service = service
        self._consent = Consent(service)
        self._points = points
        self._faults = faults
        self._recorder = recorder
        self._persons = persons
        self._now = now
        self._violate = violate
        self.keys = [published_key()]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Everything at the authority."""
        tenant, _, rest = request.path.strip("/").partition("/")
        if rest in ("adminconsent", "v2.0/adminconsent"):
            return await self._consent_page(request)
        if rest == "oauth2/v2.0/authorize":
            return await self._sign_in_page(request)
        label = f"{request.method} /{{id}}/{rest}"
        await self._points.hit("login.before", label)
        fault = self._faults.next("login", label)
        if fault is Fault.THROTTLE:
            # No Retry-After: azure-core would sleep it on the machine's clock, which no test can move.
            return web.Response(status=429, text="Too many requests.")
        if fault is Fault.SERVER_ERROR:
            return web.Response(status=503, text="Service unavailable.")
        form = dict(parse_qsl(await request.text())) if request.method == "POST" else {}
        issued: Issued | None = None
        try:
            if (request.method, rest) == ("POST", "oauth2/v2.0/token"):
                issued = self._service.issue(tenant, form)
                status, answer = 200, issued.wire()
            elif (request.method, rest) == ("GET", "v2.0/.well-known/openid-configuration"):
                status, answer = 200, self._metadata(tenant)
            elif (request.method, rest) == ("GET", "discovery/v2.0/keys"):
                self._known(tenant)
                status, answer = 200, {"keys": [key.public_wire() for key in self.keys]}
            else:
                self._violate(f"login: the sandbox serves no {request.method} {request.path}")
                status, answer = 501, {"error": "not_implemented"}
        except EntraError as error:
            status, answer = error.status, error.wire(self._now())
        self._record(request, issued, form, status, answer)
        if fault is Fault.LOST_ANSWER:
            raise Cut
        return web.json_response(answer, status=status)

    async def handle_identity(self, request: web.Request) -> web.StreamResponse:
        """App Service's protocol: a header that only the app knows, the version, a client id and a resource."""
        query, header = request.query, request.headers.get("X-IDENTITY-HEADER", "")
        if request.method != "GET" or not self._service.is_app(header):
            return web.json_response({"statusCode": 401, "message": "The identity header is missing."}, status=401)
        if query.get("api-version") != IDENTITY_VERSION or not query.get("resource"):
            return web.json_response({"statusCode": 400, "message": "Unsupported version or no resource."}, status=400)
        client_id = query.get("client_id", "")
        try:
            token = self._service.identity_token(header, client_id, query["resource"])
        except EntraError as error:
            self._violate(f"managed identity: {error}")
            return web.json_response({"statusCode": 400, "message": error.text}, status=400)
        answer = {
            "access_token": token,
            "expires_on": str(int(time.time()) + 86400),
            "resource": query["resource"],
            "token_type": "Bearer",
            "client_id": client_id,
        }
        return web.json_response(answer)

    async def _consent_page(self, request: web.Request) -> web.StreamResponse:
        try:
            wanted = self._consent.check(str(request.url))
            if request.method == "GET":
                return web.Response(text=page(wanted, list(self._persons.values())), content_type="text/html")
            form = dict(parse_qsl(await request.text()))
            person = self._persons[form["person"]]
            back = self._consent.answer(wanted, person, accepts=form.get("answer") == "accept", now=self._now())
        except EntraError as error:
            return web.Response(status=error.status, text=error_page(error), content_type="text/html")
        return web.Response(status=302, headers={"Location": back})

    async def _sign_in_page(self, request: web.Request) -> web.StreamResponse:
        authorization = self._service.authorization
        try:
            asked = authorization.check(str(request.url))
            if request.method == "GET":
                return web.Response(text=sign_in_page(asked, list(self._persons.values())), content_type="text/html")
            form = dict(parse_qsl(await request.text()))
            if form.get("answer") == "back":
                back = authorization.decline(asked)
            else:
                back = authorization.sign_in(asked, self._persons[form["person"]], mfa=form.get("mfa") == "yes")
        except EntraError as error:
            if error.number in _CLIENTS_FAULTS:
                self._violate(f"login: {error}")
            return web.Response(status=error.status, text=error_page(error), content_type="text/html")
        return web.Response(status=302, headers={"Location": back})

    def sign_in(self, url: str, person: Person, *, mfa: bool) -> str:
        """The same without a browser; an error page is raised."""
        authorization = self._service.authorization
        return authorization.sign_in(authorization.check(url), person, mfa=mfa)

    def open_consent(self, url: str, person: Person, *, accepts: bool) -> str:
        """The same without a browser; an error page is raised."""
        return self._consent.answer(self._consent.check(url), person, accepts=accepts, now=self._now())

    def _metadata(self, tenant: str) -> dict[str, object]:
        issuer = "{tenantid}" if tenant in _ANY_TENANT else self._service.tenant(tenant).id
        base = f"{self._service.authority}/{tenant}"
        return {
            "issuer": f"{self._service.authority}/{issuer}/v2.0",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "tenant_region_scope": "EU",
        }

    def _known(self, tenant: str) -> None:
        if tenant in _ANY_TENANT:
            return
        if not tenant:
            raise unknown_tenant(tenant)
        self._service.tenant(tenant)

    def _record(
        self,
        request: web.Request,
        issued: Issued | None,
        form: Mapping[str, str],
        status: int,
        answer: Mapping[str, object],
    ) -> None:
        self._recorder.add(
            Recorded(
                at=self._now(),
                service="login",
                tenant_id=issued.tenant_id if issued else request.path.strip("/").partition("/")[0],
                app_id=issued.app_id if issued else form.get("client_id"),
                roles=issued.roles if issued else (),
                on_behalf_of=issued.on_behalf_of if issued else None,
                method=request.method,
                path=request.path,
                query=dict(request.query),
                request=without_secrets(form) if form else None,
                status=status,
                response=without_secrets(answer),
                asserted_by=self._service.asserted_by(form),
            )
        )
