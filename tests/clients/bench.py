"""The vendor clients as the app composes them, against the clouds' own scene."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest

from shared.arm.as_person import Persons
from shared.arm.client import Arm
from shared.arm.pim import AzurePim
from shared.azure_permissions import azure_actions
from shared.credentials import Credentials
from shared.graph.applications import Applications
from shared.graph.client import Graph
from shared.graph.cross_tenant import CrossTenantAccess
from shared.graph.directory import Directory
from shared.graph.pim import DirectoryPim
from shared.graph.synchronization import Synchronizations
from shared.identifiers import TenantId
from shared.on_behalf import OnBehalf
from shared.permissions import SECURITY_READER, Registration
from shared.privileged import OpenIntent
from shared.settings import read_settings
from tests.sandbox.arm.models.subscription import Subscription
from tests.sandbox.graph.errors import GraphError
from tests.sandbox.points import Action
from tests.sandbox.recorder import Recorded
from tests.unit.environment import ENVIRONMENT
from tests.world.clouds_scene import API_APP, CONTOSO, FABRIKAM, IDENTITY, SOURCE_APP, TARGET_APP, Scene, scene

SOURCE, TARGET = TenantId(CONTOSO), TenantId(FABRIKAM)

type Open = Callable[..., Awaitable["Bench"]]


class Bench:
    """Clients with real credentials, the clouds that they call, and what these received."""

    def __init__(self, world: Scene, http: httpx.AsyncClient) -> None:
        settings = read_settings(
            {
                **ENVIRONMENT,
                "TENANTRY_SOURCE_TENANT_ID": CONTOSO,
                "TENANTRY_AUTHORITY": world.clouds.authority,
                "TENANTRY_GRAPH_ENDPOINT": world.clouds.graph,
                "TENANTRY_ARM_ENDPOINT": world.clouds.arm,
                "TENANTRY_PRICES_ENDPOINT": world.clouds.prices,
                "TENANTRY_IDENTITY_CLIENT_ID": IDENTITY,
                "TENANTRY_API_CLIENT_ID": API_APP,
                "TENANTRY_LOOKUP_CLIENT_ID": SOURCE_APP,
                "TENANTRY_SOURCE_CLIENT_ID": SOURCE_APP,
                "TENANTRY_SETUP_CLIENT_ID": TARGET_APP,
                "TENANTRY_ACCESS_CLIENT_ID": TARGET_APP,
                "TENANTRY_HUNT_CLIENT_ID": TARGET_APP,
            }
        )
        self.world = world
        self.settings = settings
        self.credentials = Credentials(settings)
        self.arm = Arm(settings.arm_endpoint, self.credentials, SOURCE, world.clock)
        self.azure_pim = AzurePim(lambda: self.arm, settings.allowed_azure_roles)
        self.on_behalf = OnBehalf(settings, self.credentials, world.clock)
        self.persons = Persons(lambda: self.arm, settings.allowed_azure_roles, world.clock)
        self.use(http)

    def use(self, http: httpx.AsyncClient) -> None:
        """Make the clients anew, on another transport."""
        self.graph = Graph(self.settings.graph_endpoint, self.credentials, http, self.world.clock)
        self.directory = Directory(self.graph, SOURCE)
        self.pim = DirectoryPim(self.graph, frozenset({SECURITY_READER}))
        self.applications = Applications(self.graph, SOURCE)
        self.synchronizations = Synchronizations(self.graph, SOURCE)

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, folder: Path, monkeypatch: pytest.MonkeyPatch, flipped: tuple[str, ...]
    ) -> AsyncIterator["Bench"]:
        """The scene of the clouds, with Fabrikam's consent given."""
        async with scene(folder, flipped=flipped) as world:
            monkeypatch.setenv("IDENTITY_ENDPOINT", world.clouds.identity_endpoint)
            monkeypatch.setenv("IDENTITY_HEADER", world.clouds.identity_header)
            # Aiohttp, which azure-identity speaks through, reads the trusted certificates when it is imported.
            monkeypatch.setattr(aiohttp.connector, "_SSL_CONTEXT_VERIFIED", world.certificates.client_context())
            world.clouds.grant(TARGET_APP, FABRIKAM)
            async with httpx.AsyncClient(verify=world.certificates.client_context()) as http:
                made = cls(world, http)
                try:
                    yield made
                finally:
                    await made._close()
            assert world.clouds.violations == []

    async def _close(self) -> None:
        """The app keeps its credentials until its process ends; here their connections must not stay open."""
        await self.arm.close()
        await self.credentials.close()

    def access(self, registration: Registration, tenant_id: TenantId) -> CrossTenantAccess:
        """The cross-tenant access policy of a tenant."""
        return CrossTenantAccess(self.graph, registration, tenant_id)

    def in_target(self) -> CrossTenantAccess:
        """That of Fabrikam, as Setup."""
        return self.access(Registration.SETUP, TARGET)

    def production(self) -> Subscription:
        """A subscription of Contoso's, where Access holds the custom role."""
        clouds, contoso = self.world.clouds, self.world.contoso
        made = clouds.azure.add_subscription(contoso, "Production")
        clouds.grant(TARGET_APP, CONTOSO, ())
        principal = contoso.applications.by_app_id(TARGET_APP)
        assert principal is not None
        clouds.azure.give(principal.id, made, azure_actions())
        return made

    def received(self) -> list[Recorded]:
        """What Graph has received."""
        return [one for one in self.world.clouds.recorder.entries if one.service == "graph"]

    def last(self) -> tuple[str, dict[str, str], Any]:
        """Method and path, query and body of the last request."""
        one = self.received()[-1]
        return f"{one.method} {one.path.removeprefix('/v1.0')}", dict(one.query), one.request

    def hits(self, label: str) -> int:
        """How often Graph was asked for this."""
        return len([hit for hit in self.world.points.log if hit.label == label and hit.kind.endswith(".before")])


def intent(registration: Registration, tenant_id: TenantId) -> OpenIntent:
    """The key for one write."""
    return OpenIntent(key="k", registration=registration, tenant_id=tenant_id)


IN_TARGET = intent(Registration.SETUP, TARGET)
IN_SOURCE = intent(Registration.SOURCE, SOURCE)
FOR_ACCESS = intent(Registration.ACCESS, TARGET)


def refuse(error: GraphError) -> Action:
    """An action that makes Graph answer with this error, nothing done."""

    async def refused() -> None:
        raise error

    return refused
