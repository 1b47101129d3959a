"""The whole world of one test or demo: clouds, store and host around the app, on free loopback ports.

Everything that is simulated is a Python object of this process, so that tests look at state directly; only the apps
(forks of the zygote) and Azurite are processes of their own. Leaving the world ends all that it started.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Self

from shared.permissions import Registration, SourceMode
from shared.roles import Role
from tests.sandbox import deployed
from tests.sandbox.apps import ALIKE, APART, TOGETHER, identity, settings_of, trust
from tests.sandbox.azurite import StorageAccount
from tests.sandbox.clock import SharedClock
from tests.sandbox.clouds import Clouds
from tests.sandbox.entra.tokens import LIFETIME_SECONDS
from tests.sandbox.faults import Faults
from tests.sandbox.host import Circle, Host
from tests.sandbox.personas import Person
from tests.sandbox.points import Points
from tests.sandbox.population import (
    CLIENT_IDS,
    CORE_TOOLS_URL,
    OPERATE,
    READ,
    populate,
    register_applications,
)
from tests.sandbox.receiver import Receiver
from tests.sandbox.session import Session
from tests.sandbox.store_proxy import StoreProxy
from tests.sandbox.switches import Switches


class World:
    """Made of parts that are public: `clock`, `points`, `faults`, `clouds`, `receiver`, `store`, `host`, `people`.

    `worker` has the timers and orchestrations, `broker` its timer; both are `host`, where the apps are not apart. `hosts`
    are all there are.
    """

    def __init__(
        self,
        *,
        folder: Path,
        session: Session,
        faults: Faults | None = None,
        flipped: Iterable[str] = (),
        start: datetime | None = None,
        auto_advance: bool = True,
        app_directory: Path | None = None,
        settings: Mapping[str, str] | None = None,
        seals: bool = False,
        receiving: bool = False,
        apart: bool = False,
    ) -> None:
        """`seals`: the audit account has blobs too, so that a night seals; that starts one process more.
        `receiving`: alarms go to a webhook and to Teams, and `receiver` has them.
        `apart`: front, worker and broker instead of one app, each on a host of its own; `host` is the front then.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.log = folder / "app.log"
        self.recording = folder / "traffic.jsonl"
        self.clock = SharedClock.create(folder / "clock", start)
        self.faults = faults or Faults.none()
        self.points = Points(faults)
        self.certificates = session.certificates
        self.clouds = Clouds(
            clock=self.clock,
            points=self.points,
            faults=self.faults,
            switches=Switches(flipped),
            certificates=self.certificates,
            recording=self.recording,
        )
        self.receiver = Receiver(
            clock=self.clock,
            points=self.points,
            faults=self.faults,
            context=self.certificates.server_context(),
            violate=self.clouds.violations.append,
        )
        self._roles = APART if apart else TOGETHER
        self._receiving = receiving
        self._session = session
        self._auto_advance = auto_advance
        self._app_directory = app_directory or deployed.app_directory()
        self._settings = dict(settings or {})
        self._seals = seals
        self._leaving = AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._leaving.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._leaving.aclose()

    async def _start(self) -> None:
        self._leaving.callback(self.clock.close)
        self.state_account, self.audit_account = self._session.azurite.take(), self._session.azurite.take()
        self.seals_account = self._session.blobs.take() if self._seals else None
        blobs = (self.seals_account,) if self.seals_account else ()
        self.store = StoreProxy(
            accounts=(self.state_account, self.audit_account, *blobs), points=self.points, faults=self.faults
        )
        self._leaving.push_async_callback(self.store.stop)
        await self.store.start()
        self._leaving.push_async_callback(self.clouds.stop)
        await self.clouds.start()
        if self._receiving:
            self._leaving.push_async_callback(self.receiver.stop)
            await self.receiver.start()
        self.people = populate(self.clouds)
        self.contoso, self.fabrikam = self.people.contoso, self.people.fabrikam
        circle = Circle(auto_advance=self._auto_advance)
        hosts = {role: self._host(role, circle) for role in self._roles}
        self.hosts = tuple(hosts.values())
        self.host = self.hosts[0]
        self.worker, self.broker = hosts.get(Role.WORKER, self.host), hosts.get(Role.BROKER, self.host)
        self.points.restart = self._crash
        self._register()
        for role, host in hosts.items():
            host.environment.update(self._environment(role))
            await host.start()

    def _host(self, role: Role, circle: Circle) -> Host:
        """One app's. All write to one log, as the apps of a deployment do to one workspace."""
        host = Host(
            app_directory=self._app_directory,
            environment={},
            hub=self.folder / ("hub.sqlite" if role is Role.ALL else f"hub-{role}.sqlite"),
            log=self.log,
            clock=self.clock,
            points=self.points,
            zygote=self._session.zygote,
            circle=circle,
        )
        self._leaving.push_async_callback(host.stop)
        return host

    def _register(self) -> None:
        mode = SourceMode(self._settings.get("TENANTRY_SOURCE_MODE", SourceMode.OWN))
        register_applications(self.clouds, self.contoso, self.host.url, mode)
        self.identities = {role: identity(self.clouds, role) for role in self._roles}
        for registration, app_id in CLIENT_IDS.items():
            self.trust(registration, app_id)

    def trust(self, registration: Registration, app_id: str) -> None:
        """As the deployment does: the registration trusts the apps that act as it."""
        trust(self.clouds, registration, app_id, self.identities)

    async def _crash(self) -> None:
        """All of the apps at once: whichever was at work."""
        await asyncio.gather(*(host.kill_and_restart() for host in self.hosts))

    def core_tools_settings(self) -> dict[str, object]:
        """local.settings.json for `func start` against this world; its own task hub needs a full Azurite."""
        values = {**self._environment(self._roles[0]), "TENANTRY_PUBLIC_URL": CORE_TOOLS_URL}
        worker = {"FUNCTIONS_WORKER_RUNTIME": "python", "AzureWebJobsStorage": "UseDevelopmentStorage=true"}
        return {"IsEncrypted": False, "Values": {**worker, **values}}

    def _environment(self, role: Role) -> dict[str, str]:
        app = self.identities[role]
        every = {
            "TENANTRY_ROLE": role.value,
            "TENANTRY_SOURCE_TENANT_ID": self.contoso.id,
            "TENANTRY_PUBLIC_URL": self.host.url,
            "TENANTRY_AUTHORITY": self.clouds.authority,
            "TENANTRY_GRAPH_ENDPOINT": self.clouds.graph,
            "TENANTRY_ARM_ENDPOINT": self.clouds.arm,
            "TENANTRY_PRICES_ENDPOINT": self.clouds.prices,
            **{f"TENANTRY_{registration.name}_CLIENT_ID": app_id for registration, app_id in CLIENT_IDS.items()},
            "TENANTRY_IDENTITY_CLIENT_ID": app.client_id,
            "TENANTRY_TABLES_CONNECTION_STRING": self.state_account.connection_string(self.store.url),
            "TENANTRY_AUDIT_TABLES_CONNECTION_STRING": self.audit_account.connection_string(self.store.url),
            **self._seals_setting(),
            **(self.receiver.environment() if self._receiving else {}),
            **ALIKE,
            "IDENTITY_ENDPOINT": self.clouds.identity_endpoint,
            "IDENTITY_HEADER": app.header,
            "AZURE_FUNCTIONS_DURABLE_STRICT_TYPING": "1",
            **self.certificates.environment(),
            **self._settings,
        }
        return settings_of(role, every)

    def _seals_setting(self) -> dict[str, str]:
        if self.seals_account is None:
            return {}
        return {"TENANTRY_AUDIT_BLOBS_CONNECTION_STRING": self.seals_account.connection_string(self.store.url)}

    @property
    def accounts(self) -> tuple[StorageAccount, StorageAccount]:
        """State and audit. Their own connection strings lead past the proxy, for tests that look into tables."""
        return self.state_account, self.audit_account

    def token(
        self,
        person: Person,
        *roles: str,
        lifetime: float = LIFETIME_SECONDS,
        mfa: bool = True,
        contexts: Sequence[str] = (),
    ) -> str:
        """A person's token for our API, after a sign-in with a second factor or without, and with these contexts."""
        return self.clouds.user_token(
            person, CLIENT_IDS[Registration.API], roles, lifetime=lifetime, mfa=mfa, contexts=contexts
        )

    def operator_token(self) -> str:
        """Olga's, who runs the SOC."""
        return self.token(self.people.operator, OPERATE, READ)

    def reader_token(self) -> str:
        """Of somebody who may look."""
        return self.token(self.people.reader, READ)

    def fabrikam_request(self, *analysts: Person) -> dict[str, object]:
        """The body of POST /api/tenants for Fabrikam: the persons given, or the SOC's group."""
        chosen: dict[str, object] = {"analysts": {"userIds": [person.object_id for person in analysts]}}
        if not analysts:
            chosen = {"analysts": {"groupId": self.people.analysts.id}}
        return {"tenantId": self.fabrikam.id, "displayName": "Fabrikam", **chosen}

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[bool]:
        """For those who only watch: what they ask meets no fault and counts as no hit, so that a seed's weather is the
        same however often somebody looks. True if nothing will move by itself. In fair weather they look at any time.
        """
        if self.faults.none_ever:
            yield self.host.rests
            return
        async with self.host.still() as rests:
            self.faults.paused = self.points.paused = True
            try:
                yield rests
            finally:
                self.faults.paused = self.points.paused = False

    def violations(self) -> list[str]:
        """What must never happen: calls that the services would not take, replays that differ."""
        of_hosts = [each for host in self.hosts for each in host.violations]
        return [str(each) for each in (*self.clouds.violations, *of_hosts)]

    @property
    def failures(self) -> list[tuple[str, str]]:
        """Function and message of each invocation that raised, in any of the apps."""
        return [each for host in self.hosts for each in host.failures]
