"""Admin consent, versions 1 and 2: the rules, and the page that a person clicks (section 9.1 of the Graph contract)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.sandbox.entra.errors import EntraError
from tests.sandbox.entra.registrations import Registration
from tests.sandbox.entra.service import TokenService
from tests.sandbox.entra.tokens import PUBLIC_GRAPH
from tests.sandbox.graph.models.tenant import Tenant
from tests.sandbox.personas import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRequest:
    """An address that the app sent a person to, checked. `tenant` None: any organization (organizations)."""

    tenant: Tenant | None
    registration: Registration
    redirect_uri: str
    state: str | None
    scope: str | None

    @property
    def is_version_2(self) -> bool:
        """Version 2 carries a scope, there and back."""
        return self.scope is not None


class Consent:
    """Plays Entra's consent page."""

    def __init__(self, service: TokenService) -> None:
        self._service = service

    def check(self, url: str) -> ConsentRequest:
        """What Entra checks before it shows the page; a wrong address is an error page, never a redirect."""
        parts = urlsplit(url)
        segments = parts.path.strip("/").split("/")
        fields = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        if segments[1:] not in (["v2.0", "adminconsent"], ["adminconsent"]):
            raise EntraError(404, "invalid_request", 900561, f"There is no page at '{parts.path}'.")
        name = segments[0]
        if name in ("common", "consumers"):
            raise EntraError(400, "invalid_request", 90009, f"'{name}' cannot be used for admin consent.")
        tenant = None if name == "organizations" else self._service.tenant(name)
        version_2 = len(segments) == 3
        for wanted in ("client_id", "redirect_uri", *(("scope",) if version_2 else ())):
            if not fields.get(wanted):
                raise EntraError(400, "invalid_request", 900144, f"The request must contain the parameter '{wanted}'.")
        registration = self._service.registrations.get(fields["client_id"].lower())
        if registration is None or (
            not registration.multi_tenant and (tenant is None or tenant.id != registration.home_tenant)
        ):
            text = f"Application with identifier '{fields['client_id']}' was not found in the directory '{name}'."
            raise EntraError(400, "unauthorized_client", 700016, text)
        if fields["redirect_uri"] not in registration.redirect_uris:
            text = "The redirect URI specified in the request does not match the redirect URIs configured."
            raise EntraError(400, "invalid_request", 50011, text)
        graphs = (f"{self._service.graph}/.default", f"{PUBLIC_GRAPH}/.default")
        if version_2 and fields["scope"] not in graphs:
            text = f"The scope '{fields['scope']}' is not valid: app roles are consented through /.default only."
            raise EntraError(400, "invalid_scope", 70011, text)
        return ConsentRequest(
            tenant=tenant,
            registration=registration,
            redirect_uri=fields["redirect_uri"],
            state=fields.get("state"),
            scope=fields["scope"] if version_2 else None,
        )

    def answer(self, request: ConsentRequest, person: Person, *, accepts: bool, now: datetime) -> str:
        """Where the browser is sent. Accepting makes the service principal and every grant of the registration."""
        tenant = request.tenant or self._service.tenant(person.tenant_id)
        if person.tenant_id != tenant.id:
            text = f"User account '{person.user_principal_name}' does not exist in tenant '{tenant.display_name}'."
            raise EntraError(400, "interaction_required", 50020, text)
        back: dict[str, str] = {"admin_consent": "True"}
        if not person.may_consent:
            back["error"] = "access_denied"
            back["error_description"] = "AADSTS90094: An administrator of the organization must grant this permission."
        elif not accepts:
            back["error"] = "access_denied"
            back["error_description"] = "AADSTS65004: The resource owner or authorization server denied the request."
        else:
            permissions = request.registration.application_permissions
            self._service.grants.grant(request.registration, tenant, permissions, made_at=now)
            back["tenant"] = tenant.id
            if request.scope is not None:
                back["scope"] = " ".join(f"{PUBLIC_GRAPH}/{name}" for name in permissions)
        if request.state is not None:
            back["state"] = request.state
        joint = "&" if "?" in request.redirect_uri else "?"
        return f"{request.redirect_uri}{joint}{urlencode(back)}"


def page(request: ConsentRequest, persons: Sequence[Person]) -> str:
    """The page for people who click through the sandbox."""
    tenant = request.tenant
    able = [one for one in persons if tenant is None or one.tenant_id == tenant.id]
    choices = "".join(
        f'<option value="{escape(one.object_id)}">{escape(one.display_name)}'
        f"{'' if one.may_consent else ' (may not consent)'}</option>"
        for one in sorted(able, key=lambda one: not one.may_consent)
    )
    wanted = "".join(f"<li>{escape(name)}</li>" for name in request.registration.application_permissions)
    where = escape(tenant.display_name) if tenant else "your organization"
    return (
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>Permissions requested</title>"
        "<body style='font-family:sans-serif;max-width:36rem;margin:3rem auto'>"
        f"<p>Simulated Entra of {where}</p><h1>{escape(request.registration.display_name)} asks for permissions</h1>"
        f"<ul>{wanted}</ul><form method='post'><label>Sign in as <select name='person'>{choices}</select></label>"
        "<p><button name='answer' value='accept'>Accept</button> <button name='answer' value='deny'>Cancel</button></p>"
        "</form></body></html>"
    )


def error_page(error: EntraError) -> str:
    """Entra's own error page: the app never hears of it."""
    return (
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>Sign in</title><link rel='icon' href='data:,'>"
        "<body><h1>Sorry, but we're having "
        f"trouble signing you in.</h1><p>AADSTS{error.number}: {escape(error.text)}</p></body></html>"
    )
