"""The authorization-code flow: the rules, and the page on which a person signs in (OAuth 2.0 with PKCE, OpenID Connect).

Strict: whatever a careful client sends is demanded. A code is redeemed once, within ten minutes, by whoever began.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from secrets import token_urlsafe
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.sandbox.entra.delegation import OPENID, Delegation
from tests.sandbox.entra.errors import EntraError
from tests.sandbox.entra.registrations import Registration
from tests.sandbox.entra.sign_ins import Demand, SignIn, SignIns, wanted_contexts, wants_mfa
from tests.sandbox.entra.tokens import PUBLIC_GRAPH, api_claims, life, sign
from tests.sandbox.graph.models.tenant import Tenant
from tests.sandbox.personas import Person

_CODE_LIVES = timedelta(minutes=10)
_DEMANDED = ("client_id", "response_type", "redirect_uri", "scope", "state", "nonce", "code_challenge")
_KNOWN = frozenset(
    {
        *_DEMANDED,
        "code_challenge_method",
        "response_mode",
        "claims",
        "client_info",
        "login_hint",
        "prompt",
        "X-AnchorMailbox",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An address that the app sent a person to, checked."""

    tenant: Tenant
    registration: Registration
    redirect_uri: str
    scope: str
    state: str
    nonce: str
    challenge: str
    claims: str | None
    login_hint: str

    @property
    def wants_azure(self) -> bool:
        """Whether a token for Azure is asked for, beside the sign-in."""
        return bool(set(self.scope.split()) - OPENID)


@dataclass(slots=True, kw_only=True)
class _Code:
    asked: Asked
    person: Person
    sign_in: SignIn
    made_at: datetime
    redeemed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeemed:
    """What a code gives: the parts of the answer, and whose they are."""

    token: str
    person_id: str
    further: Mapping[str, str] = field(default_factory=dict)


class Authorization:
    """Plays Entra's sign-in page, and redeems what it gave."""

    def __init__(
        self,
        delegation: Delegation,
        sign_ins: SignIns,
        find: Callable[[str], Tenant],
        registration: Callable[[str, Tenant], Registration],
        now: Callable[[], datetime],
    ) -> None:
        self._delegation = delegation
        self._sign_ins = sign_ins
        self._find = find
        self._registration = registration
        self._now = now
        self._codes: dict[str, _Code] = {}
        self.authority = ""
        self.app_roles: dict[tuple[str, str], tuple[str, ...]] = {}
        """Of registrations, by application and person."""

    def check(self, url: str) -> Asked:
        """What Entra checks before it shows the page; a wrong address is an error page, never a redirect."""
        parts = urlsplit(url)
        tenant_name, _, rest = parts.path.strip("/").partition("/")
        if rest != "oauth2/v2.0/authorize":
            raise EntraError(404, "invalid_request", 900561, f"There is no page at '{parts.path}'.")
        fields = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        for wanted in _DEMANDED:
            if not fields.get(wanted):
                raise EntraError(400, "invalid_request", 900144, f"The request must contain the parameter '{wanted}'.")
        if unknown := fields.keys() - _KNOWN:
            raise EntraError(400, "invalid_request", 90014, f"The sandbox knows no parameter {sorted(unknown)}.")
        if fields["response_type"] != "code" or fields.get("response_mode", "query") != "query":
            raise EntraError(400, "unsupported_response_type", 70005, "Only a code in the query is given here.")
        if fields.get("code_challenge_method") != "S256":
            raise EntraError(400, "invalid_request", 501491, "The code challenge method must be S256.")
        tenant = self._find(tenant_name)
        registration = self._registration(fields["client_id"], tenant)
        if fields["redirect_uri"] not in registration.redirect_uris:
            text = "The redirect URI specified in the request does not match the redirect URIs configured."
            raise EntraError(400, "invalid_request", 50011, text)
        if "openid" not in fields["scope"].split():
            raise EntraError(400, "invalid_scope", 70011, "The scope 'openid' is wanted for a nonce.")
        asked = Asked(
            tenant=tenant,
            registration=registration,
            redirect_uri=fields["redirect_uri"],
            scope=fields["scope"],
            state=fields["state"],
            nonce=fields["nonce"],
            challenge=fields["code_challenge"],
            claims=fields.get("claims"),
            login_hint=fields.get("login_hint", ""),
        )
        if asked.wants_azure:
            self._delegation.check_scope(asked.scope)
            self._delegation.check_consent(registration, tenant)
        return asked

    def sign_in(self, asked: Asked, person: Person, *, mfa: bool) -> str:
        """Where the browser is sent after the person signed in. Who lacks a factor that is demanded stays at Entra."""
        if person.tenant_id != asked.tenant.id:
            text = (
                f"User account '{person.user_principal_name}' does not exist in tenant '{asked.tenant.display_name}'."
            )
            raise EntraError(400, "invalid_request", 50020, text)
        user = asked.tenant.directory.users.get(person.object_id)
        if user is None or not user.account_enabled:
            raise EntraError(400, "invalid_request", 50057, "The user account is disabled.")
        contexts = wanted_contexts(asked.claims)
        demanded = asked.wants_azure and self._sign_ins.demands.get(person.object_id) is not None
        if not mfa and (contexts or wants_mfa(asked.claims) or demanded):
            raise EntraError(400, "interaction_required", 50076, f"{Demand.MFA} is wanted of {person.display_name}.")
        code = token_urlsafe(48)
        self._codes[code] = _Code(
            asked=asked, person=person, sign_in=SignIn(mfa=mfa, contexts=contexts), made_at=self._now()
        )
        return _back(asked, {"code": code})

    def decline(self, asked: Asked) -> str:
        """Where the browser is sent when the person goes back."""
        text = "AADSTS65004: User declined to consent to access the app."
        return _back(asked, {"error": "access_denied", "error_description": text})

    def redeem(self, registration: Registration, tenant: Tenant, form: Mapping[str, str]) -> Redeemed:
        """At the token endpoint, by the client that was proved."""
        found = self._codes.get(form.get("code", ""))
        if found is None or found.asked.registration is not registration or found.asked.tenant is not tenant:
            raise EntraError(400, "invalid_grant", 70000, "The provided value for the 'code' parameter is not valid.")
        if found.redeemed:
            raise EntraError(400, "invalid_grant", 54005, "OAuth2 Authorization code was already redeemed.")
        if self._now() >= found.made_at + _CODE_LIVES:
            raise EntraError(400, "invalid_grant", 70008, "The provided authorization code has expired.")
        if form.get("redirect_uri") != found.asked.redirect_uri:
            raise EntraError(400, "invalid_client", 500112, "The reply address does not match the one of the request.")
        if not hmac.compare_digest(_challenge(form.get("code_verifier", "")), found.asked.challenge):
            text = "The Code_Verifier does not match the code_challenge supplied in the authorization request."
            raise EntraError(400, "invalid_grant", 501481, text)
        found.redeemed = True
        token = self._token(found)
        return Redeemed(
            token=token,
            person_id=found.person.object_id,
            further={"id_token": self._id_token(found), "scope": found.asked.scope},
        )

    def _token(self, found: _Code) -> str:
        asked = found.asked
        if asked.wants_azure:
            return self._delegation.token(
                asked.registration, asked.tenant, found.person.object_id, found.sign_in, asked.claims
            )
        # Entra always gives a token, for the profile in Graph if for nothing else.
        claims = {"aud": PUBLIC_GRAPH, "iss": f"{self.authority}/{asked.tenant.id}/", "scp": asked.scope}
        return sign({**claims, **found.person.claims(self.authority), **life()})

    def _id_token(self, found: _Code) -> str:
        asked, person = found.asked, found.person
        roles = self.app_roles.get((asked.registration.app_id, person.object_id), ())
        claims = api_claims(self.authority, asked.tenant.id, asked.registration.app_id, roles)
        return sign({**claims, **person.claims(self.authority), "nonce": asked.nonce, **life()})


def _back(asked: Asked, fields: Mapping[str, str]) -> str:
    joint = "&" if "?" in asked.redirect_uri else "?"
    return f"{asked.redirect_uri}{joint}{urlencode({**fields, 'state': asked.state})}"


def _challenge(verifier: str) -> str:
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def able(asked: Asked, persons: Sequence[Person]) -> list[Person]:
    """Whom the page offers: the tenant's, the hinted one first."""
    found = [one for one in persons if one.tenant_id == asked.tenant.id]
    return sorted(found, key=lambda one: one.user_principal_name != asked.login_hint)
