"""The simulated Microsoft clouds of one world: Entra, Graph, Azure and its prices, the managed identity, and who lives there.

Tests look at tenants directly (`clouds.tenants`), set up odd ones by changing their parts, and read what the app did
from `clouds.recorder`. `clouds.violations` names what no correct caller does; the suite expects it to be empty.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from secrets import token_hex
from urllib.parse import urlsplit

from tests.sandbox.arm.azure import Azure
from tests.sandbox.arm.server import ArmServer
from tests.sandbox.certificates import Certificates
from tests.sandbox.clock import SharedClock
from tests.sandbox.entra.keys import SigningKey
from tests.sandbox.entra.registrations import Registration
from tests.sandbox.entra.server import EntraServer
from tests.sandbox.entra.service import ManagedIdentity, TokenService
from tests.sandbox.entra.sign_ins import Demand, SignIn
from tests.sandbox.entra.tokens import LIFETIME_SECONDS, Signer, api_claims, life, present, sign
from tests.sandbox.faults import Faults
from tests.sandbox.graph.call import Estate
from tests.sandbox.graph.models.ground import Ground
from tests.sandbox.graph.models.pim_records import GLOBAL_ADMINISTRATOR
from tests.sandbox.graph.models.provisioning import Provisioning
from tests.sandbox.graph.models.tenant import Tenant
from tests.sandbox.graph.permissions import known_permission
from tests.sandbox.graph.quota import Quotas
from tests.sandbox.graph.replication import Replication
from tests.sandbox.graph.server import GraphServer
from tests.sandbox.listening import Listener
from tests.sandbox.personas import Person
from tests.sandbox.points import Points
from tests.sandbox.prices.server import PriceServer, Retail
from tests.sandbox.recorder import Recorder
from tests.sandbox.switches import Switches


class Clouds:
    """Made of public parts: `tenants`, `azure`, `retail`, `replication`, `provisioning`, `recorder`, `violations`."""

    def __init__(
        self,
        *,
        clock: SharedClock,
        points: Points,
        faults: Faults,
        switches: Switches,
        certificates: Certificates,
        recording: Path | None,
    ) -> None:
        self.replication = Replication(faults.seed, faults.replication_seconds)
        self.switches = switches
        self.ground = Ground(clock=clock, replication=self.replication, switches=switches, seed=faults.seed)
        self.tenants: dict[str, Tenant] = {}
        self.persons: dict[str, Person] = {}
        self.violations: list[str] = []
        self.recorder = Recorder(recording)
        self.provisioning = Provisioning(self.ground, self.tenants)
        self.quotas = Quotas(self.ground)
        self.azure = Azure(self.ground)
        self.retail = Retail()
        self.identity_header = token_hex(16)
        self._service = TokenService(self.ground, self.tenants)
        self._entra = EntraServer(
            service=self._service,
            points=points,
            faults=faults,
            recorder=self.recorder,
            persons=self.persons,
            now=self.ground.now,
            violate=self.violations.append,
        )
        self._graph = GraphServer(
            estate=Estate(ground=self.ground, tenants=self.tenants, provisioning=self.provisioning, quotas=self.quotas),
            points=points,
            faults=faults,
            recorder=self.recorder,
            violate=self.violations.append,
        )
        self._arm = ArmServer(
            azure=self.azure,
            tenants=self.tenants,
            points=points,
            faults=faults,
            recorder=self.recorder,
            violate=self.violations.append,
        )
        self._prices = PriceServer(
            retail=self.retail,
            now=self.ground.now,
            points=points,
            faults=faults,
            recorder=self.recorder,
            violate=self.violations.append,
        )
        context = certificates.server_context()
        self._at_authority = Listener(self._entra.handle, context)
        self._at_graph = Listener(self._graph.handle, context)
        self._at_arm = Listener(self._arm.handle, context)
        self._at_prices = Listener(self._prices.handle, context)
        self._at_identity = Listener(self._entra.handle_identity)
        self._listeners = (self._at_authority, self._at_graph, self._at_arm, self._at_prices, self._at_identity)

    async def start(self) -> None:
        """Listen on free loopback ports."""
        for listener in self._listeners:
            await listener.start()
        self._service.listen(authority=self.authority, graph=self.graph, arm=self.arm)
        self._graph.url, self._arm.url = self.graph, self.arm
        self._prices.url = self.prices

    async def stop(self) -> None:
        """Close every connection and the recording."""
        for listener in self._listeners:
            await listener.stop()
        self.recorder.close()

    @property
    def keys(self) -> list[SigningKey]:
        """The signing keys that Entra publishes; a test that rolls them over adds one, or takes one away."""
        return self._entra.keys

    @property
    def graph_server(self) -> GraphServer:
        """The server itself: its latency, and how long it was busy; for benchmarks."""
        return self._graph

    @property
    def arm_server(self) -> ArmServer:
        """The server itself: its latency, and how long it was busy."""
        return self._arm

    @property
    def price_server(self) -> PriceServer:
        """The server itself: its latency, and how long it was busy."""
        return self._prices

    @property
    def authority(self) -> str:
        """Entra's address."""
        return f"https://localhost:{self._at_authority.port}"

    @property
    def graph(self) -> str:
        """Graph's address; the version is the caller's to append."""
        return f"https://localhost:{self._at_graph.port}"

    @property
    def arm(self) -> str:
        """Azure Resource Manager's address."""
        return f"https://localhost:{self._at_arm.port}"

    @property
    def prices(self) -> str:
        """The address of the retail prices."""
        return f"https://localhost:{self._at_prices.port}"

    @property
    def identity_endpoint(self) -> str:
        """The value of IDENTITY_ENDPOINT."""
        return f"http://127.0.0.1:{self._at_identity.port}/msi/token"

    def add_tenant(self, tenant_id: str, name: str, domain: str, *, p1: bool = True, p2: bool = True) -> Tenant:
        """A tenant with the defaults of the service; everything else is changed on its parts."""
        tenant = Tenant(self.ground, tenant_id, name, domain)
        tenant.licences.p1, tenant.licences.p2 = p1 or p2, p2
        self.tenants[tenant.id] = tenant
        return tenant

    def register_application(
        self,
        app_id: str,
        display_name: str,
        home_tenant: str,
        *,
        multi_tenant: bool,
        application_permissions: Sequence[str],
        app_roles: Sequence[str] = (),
        federated_identity: str | None = None,
        redirect_uris: Sequence[str] = (),
        delegated_permissions: Sequence[str] = (),
    ) -> Registration:
        """A registration. A permission that no call of the sandbox knows is a mistake.

        `federated_identity`: the principal id of a managed identity that it trusts; `trust` adds others.
        """
        unknown = [name for name in application_permissions if not known_permission(name)]
        if unknown:
            raise ValueError(f"no such permission: {', '.join(unknown)}")
        registration = Registration(
            app_id=app_id.lower(),
            display_name=display_name,
            home_tenant=home_tenant.lower(),
            multi_tenant=multi_tenant,
            application_permissions=tuple(application_permissions),
            app_roles=tuple(app_roles),
            federated_identities=frozenset({federated_identity} if federated_identity else ()),
            redirect_uris=tuple(redirect_uris),
            delegated_permissions=tuple(delegated_permissions),
        )
        self._service.registrations[registration.app_id] = registration
        return registration

    def trust(self, app_id: str, principal_id: str) -> None:
        """A federated credential: the registration trusts this managed identity too. Raises ValueError beyond 20."""
        registrations = self._service.registrations
        registrations[app_id.lower()] = registrations[app_id.lower()].trusting(principal_id)

    def distrust(self, app_id: str) -> None:
        """Somebody takes all federated credentials of a registration away."""
        registrations = self._service.registrations
        registrations[app_id.lower()] = replace(registrations[app_id.lower()], federated_identities=frozenset())

    def grant(self, app_id: str, tenant_id: str, permissions: Sequence[str] | None = None) -> None:
        """As if consented long ago, with all that the registration asks for or with these permissions only."""
        registration = self._service.registrations[app_id.lower()]
        wanted = registration.application_permissions if permissions is None else tuple(permissions)
        self._service.grants.grant(registration, self.tenants[tenant_id.lower()], wanted, made_at=None)

    def revoke(self, app_id: str, tenant_id: str, permissions: Sequence[str] | None = None) -> None:
        """An administrator takes permissions back, or, with None, deletes the enterprise application."""
        taken = None if permissions is None else tuple(permissions)
        self._service.grants.revoke(app_id, self.tenants[tenant_id.lower()], taken)

    def revoke_delegated(self, app_id: str, tenant_id: str) -> None:
        """An administrator takes back what the application may do on behalf of persons."""
        self._service.grants.revoke_delegated(app_id, self.tenants[tenant_id.lower()])

    @property
    def demands(self) -> dict[str, Demand]:
        """By person (object id): what conditional access wants of them before they get a token for Azure."""
        return self._service.sign_ins.demands

    def disregard(self, app_id: str, tenant_id: str, permission: str) -> None:
        """For proofs of need only, nothing that happens: from now on Graph acts as if the application did not hold the
        permission there, while every token goes on saying that it does.
        """
        self._graph.disregarded.add((app_id.lower(), tenant_id.lower(), permission))

    def granted(self, app_id: str, tenant_id: str) -> frozenset[str]:
        """The Graph permissions that the application holds there, by truth."""
        return self._service.grants.granted(app_id, self.tenants[tenant_id.lower()])

    def managed_identity(self, client_id: str, principal_id: str, *, header: str | None = None) -> ManagedIdentity:
        """A user-assigned identity of the tenant added first. It is assigned to the app that knows `identity_header`, or
        to the one of this header.
        """
        identity = ManagedIdentity(
            client_id=client_id.lower(),
            principal_id=principal_id,
            tenant_id=next(iter(self.tenants)),
            header=header or self.identity_header,
        )
        self._service.identities[identity.client_id] = identity
        return identity

    def person(
        self,
        tenant: Tenant,
        user_principal_name: str,
        display_name: str,
        *,
        guest: bool = False,
        admin: bool = False,
        directory_roles: Sequence[str] = (),
    ) -> Person:
        """Somebody with an account; admin makes them Global Administrator."""
        user = tenant.directory.add_user(user_principal_name, display_name)
        if guest:
            user.user_type, user.source = "Guest", ("another-home", user.id)
            user.creation_type, user.external_user_state = "Invitation", "Accepted"
        roles = frozenset({*directory_roles, *((GLOBAL_ADMINISTRATOR,) if admin else ())})
        tenant.pim.directory_roles.update((user.id, role) for role in roles)
        person = Person(
            tenant_id=tenant.id,
            object_id=user.id,
            user_principal_name=user_principal_name,
            display_name=display_name,
            guest=guest,
            directory_roles=roles,
        )
        self.persons[person.object_id] = person
        return person

    def user_token(
        self,
        person: Person,
        audience_app_id: str,
        roles: Sequence[str],
        *,
        scp: str | None = "user_impersonation",
        signer: Signer = Signer.ENTRA,
        issued_seconds_ago: float = 0,
        lifetime: float = LIFETIME_SECONDS,
        mfa: bool = True,
        contexts: Sequence[str] = (),
        **overrides: object,
    ) -> str:
        """A person's v2 token for an API, and how they signed in. Overrides replace claims; one that is None is left out."""
        who = {**person.claims(self.authority), "azp": "client-of-a-person", "azpacr": "0", "scp": scp}
        dates = life(issued_seconds_ago, lifetime)
        claims = api_claims(self.authority, person.tenant_id, audience_app_id, roles)
        self._service.sign_ins.remember(str(claims["uti"]), SignIn(mfa=mfa, contexts=frozenset(contexts)))
        return sign(present({**claims, **who, **dates, **overrides}), signer)

    def app_token(
        self,
        tenant: Tenant,
        audience_app_id: str,
        roles: Sequence[str],
        *,
        app_id: str = "11111111-2222-4333-8444-555555555555",
        signer: Signer = Signer.ENTRA,
        issued_seconds_ago: float = 0,
        lifetime: float = LIFETIME_SECONDS,
        **overrides: object,
    ) -> str:
        """An application's v2 token for an API: no scp."""
        who = {"azp": app_id, "azpacr": "2", "idtyp": "app", "oid": app_id, "sub": app_id}
        dates = life(issued_seconds_ago, lifetime)
        claims = api_claims(self.authority, tenant.id, audience_app_id, roles)
        return sign(present({**claims, **who, **dates, **overrides}), signer)

    def assign_roles(self, person: Person, app_id: str, *roles: str) -> None:
        """App roles of a registration, which the person's next sign-in there shows."""
        self._service.authorization.app_roles[app_id.lower(), person.object_id] = roles

    def sign_in(self, url: str, as_person: Person, *, mfa: bool = True) -> str:
        """Plays the browser at Entra's sign-in; gives where it is sent back to. An error page is raised as EntraError."""
        self._at_the_authority(url)
        return self._entra.sign_in(url, as_person, mfa=mfa)

    def _at_the_authority(self, url: str) -> None:
        if urlsplit(url)._replace(path="", query="", fragment="").geturl() != self.authority:
            raise ValueError(f"not at the authority: {url}")

    async def open_consent(self, url: str, as_person: Person, answer: str = "accept") -> str:
        """Plays the browser at Entra; gives the address it is sent back to. An error page is raised as EntraError."""
        if answer not in ("accept", "deny"):
            raise ValueError(answer)
        self._at_the_authority(url)
        return self._entra.open_consent(url, as_person, accepts=answer == "accept")
