"""The token service: who may have which token (sections 9.2 and 9.3 of the Graph contract)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import jwt

from tests.sandbox.entra.authorization import Authorization
from tests.sandbox.entra.delegation import DELEGATED, ON_BEHALF_OF, Delegation
from tests.sandbox.entra.errors import (
    EntraError,
    missing_parameter,
    no_federated_match,
    not_in_tenant,
    unknown_resource,
    unknown_tenant,
)
from tests.sandbox.entra.registrations import Grants, Registration
from tests.sandbox.entra.sign_ins import SignIns
from tests.sandbox.entra.tokens import (
    LIFETIME_SECONDS,
    PUBLIC_ARM,
    PUBLIC_GRAPH,
    graph_claims,
    identity_claims,
    read,
    sign,
)
from tests.sandbox.graph.models.ground import Ground
from tests.sandbox.graph.models.tenant import Tenant

EXCHANGE = "api://AzureADTokenExchange"
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A token for an application or a person, and what the recording may say of it. `further`: other parts of the answer."""

    token: str
    tenant_id: str
    app_id: str
    roles: tuple[str, ...]
    on_behalf_of: str | None = None
    further: Mapping[str, str] = field(default_factory=dict)

    def wire(self) -> dict[str, object]:
        """The token endpoint's answer."""
        return {
            "token_type": "Bearer",
            "expires_in": LIFETIME_SECONDS,
            "ext_expires_in": LIFETIME_SECONDS,
            "access_token": self.token,
            **self.further,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedIdentity:
    """A user-assigned identity of the deployment. `header`: of the app that it is assigned to; no other app reaches it."""

    client_id: str
    principal_id: str
    tenant_id: str
    header: str


class TokenService:
    """Registrations, identities and grants; the endpoint's addresses are set once its port is known."""

    def __init__(self, ground: Ground, tenants: Mapping[str, Tenant]) -> None:
        self._tenants = tenants
        self.grants = Grants(ground, tenants)
        self.registrations: dict[str, Registration] = {}
        self.identities: dict[str, ManagedIdentity] = {}
        self.sign_ins = SignIns()
        self._delegation = Delegation(self.grants, self.sign_ins)
        self.authorization = Authorization(self._delegation, self.sign_ins, self.tenant, self.registration, ground.now)
        self.authority = self.graph = self.arm = ""

    def listen(self, *, authority: str, graph: str, arm: str) -> None:
        """Where the services are reached; tokens name these addresses."""
        self.authority, self.graph, self.arm = authority, graph, arm
        self._delegation.authority, self._delegation.arm = authority, arm
        self.authorization.authority = authority

    def tenant(self, name: str) -> Tenant:
        """By id or verified domain."""
        wanted = name.lower()
        for tenant in self._tenants.values():
            if wanted == tenant.id or wanted in tenant.domains:
                return tenant
        raise unknown_tenant(name)

    def registration(self, app_id: str, tenant: Tenant) -> Registration:
        """Known to the tenant at all: its own, or multi-tenant."""
        found = self.registrations.get(app_id.lower())
        if found is None or (found.home_tenant != tenant.id and not found.multi_tenant):
            raise not_in_tenant(app_id, tenant.display_name)
        return found

    def issue(self, tenant_name: str, form: Mapping[str, str]) -> Issued:
        """For a client that is proved by a managed identity's token: its own token, or one in the name of a person."""
        tenant = self.tenant(tenant_name)
        for name in ("client_id", "grant_type", "scope", "client_assertion_type", "client_assertion"):
            if not form.get(name):
                raise missing_parameter(name)
        if form["grant_type"] not in ("client_credentials", ON_BEHALF_OF, "authorization_code"):
            text = f"The provided value for the input parameter 'grant_type' is not valid: '{form['grant_type']}'."
            raise EntraError(400, "unsupported_grant_type", 70003, text)
        if form["client_assertion_type"] != _ASSERTION:
            raise EntraError(401, "invalid_client", 700027, "The client assertion type is not supported.")
        registration = self.registration(form["client_id"], tenant)
        principal = self.grants.principal(registration.app_id, tenant)
        if principal is None:
            raise not_in_tenant(registration.app_id, tenant.display_name)
        self._check_assertion(registration, form["client_assertion"])
        if form["grant_type"] == ON_BEHALF_OF:
            return self._on_behalf(registration, tenant, form)
        if form["grant_type"] == "authorization_code":
            return self._redeemed(registration, tenant, form)
        return self._client_credentials(registration, principal.id, self.grants.roles(principal, tenant), tenant, form)

    def _on_behalf(self, registration: Registration, tenant: Tenant, form: Mapping[str, str]) -> Issued:
        token, person_id = self._delegation.on_behalf(registration, tenant, form)
        return Issued(
            token=token,
            tenant_id=tenant.id,
            app_id=registration.app_id,
            roles=(),
            on_behalf_of=person_id,
            further={"scope": f"{self.arm}/{DELEGATED}"},
        )

    def _redeemed(self, registration: Registration, tenant: Tenant, form: Mapping[str, str]) -> Issued:
        found = self.authorization.redeem(registration, tenant, form)
        return Issued(
            token=found.token,
            tenant_id=tenant.id,
            app_id=registration.app_id,
            roles=(),
            on_behalf_of=found.person_id,
            further=found.further,
        )

    def _client_credentials(
        self, registration: Registration, principal_id: str, held: list[str], tenant: Tenant, form: Mapping[str, str]
    ) -> Issued:
        resource = self._resource(form["scope"], tenant)
        roles = held if resource in (self.graph, PUBLIC_GRAPH) else []
        claims = graph_claims(
            authority=self.authority,
            tenant_id=tenant.id,
            audience=resource,
            app_id=registration.app_id,
            principal_id=principal_id,
            roles=roles,
        )
        return Issued(token=sign(claims), tenant_id=tenant.id, app_id=registration.app_id, roles=tuple(roles))

    def is_app(self, header: str) -> bool:
        """Whether it is the identity header of an app here."""
        return any(identity.header == header for identity in self.identities.values())

    def identity_token(self, header: str, client_id: str, resource: str) -> str:
        """What the managed-identity endpoint gives the app of that header: tokens for the exchange only."""
        identity = self.identities.get(client_id.lower())
        if identity is None or identity.header != header:
            raise EntraError(400, "invalid_request", 7002, "No User Assigned or Delegated Managed Identity found.")
        if resource != EXCHANGE:
            raise unknown_resource(resource, identity.tenant_id)
        return sign(
            identity_claims(
                authority=self.authority,
                home_tenant=identity.tenant_id,
                client_id=identity.client_id,
                principal_id=identity.principal_id,
                audience=EXCHANGE,
            )
        )

    @staticmethod
    def asserted_by(form: Mapping[str, str]) -> str | None:
        """The client id of the managed identity whose token came as the assertion, whatever is answered to it."""
        try:
            return str(read(form.get("client_assertion", ""), audience=EXCHANGE)["azp"])
        except jwt.PyJWTError:
            return None

    def _check_assertion(self, registration: Registration, assertion: str) -> None:
        """Section 9.2: issuer, subject and audience must match the federated credential word for word."""
        try:
            claims = read(assertion, audience=EXCHANGE)
        except jwt.ExpiredSignatureError:
            text = "Client assertion is not within its valid time range."
            raise EntraError(401, "invalid_client", 700024, text) from None
        except jwt.InvalidAudienceError:
            raise no_federated_match("audience", "of the token", 700212) from None
        except jwt.PyJWTError:
            raise EntraError(401, "invalid_client", 50013, "Assertion failed signature validation.") from None
        issuer = f"{self.authority}/{registration.home_tenant}/v2.0"
        if claims["iss"] != issuer:
            raise no_federated_match("issuer", str(claims["iss"]), 700211)
        if claims.get("sub") not in registration.federated_identities:
            raise no_federated_match("subject", str(claims.get("sub")))

    def _resource(self, scope: str, tenant: Tenant) -> str:
        """Graph and Resource Manager are resources for applications here; their addresses stand for the public ones."""
        scopes: Sequence[str] = scope.split()
        if len(scopes) != 1 or not scopes[0].endswith("/.default"):
            text = f"The provided value for the input parameter 'scope' is not valid: '{scope}'."
            raise EntraError(400, "invalid_scope", 1002012, text)
        resource = scopes[0].removesuffix("/.default").rstrip("/")
        if resource not in (self.graph, PUBLIC_GRAPH, self.arm, PUBLIC_ARM):
            raise unknown_resource(resource, tenant.display_name)
        return resource
