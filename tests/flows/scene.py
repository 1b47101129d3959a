"""A scene of the onboarding: an operator at the API, the target's administrator at the consent links, and eyes on the store.

The store is read past the proxy, by the app's own code for reading, so that looking never trips a fault or a kill point.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Self

import httpx
from azure.data.tables.aio import TableServiceClient

from shared.audit import Audit
from shared.chain import Entry, verify
from shared.claims import Claims
from shared.identifiers import TenantId
from shared.permissions import MULTI_TENANT, Registration
from shared.rows import Row
from shared.run import Run
from shared.runs import Runs
from shared.services import new_id
from shared.subscriptions.store import SubscriptionStore
from shared.tables import Table
from shared.tenants.record import Tenant
from shared.tenants.store import TenantStore
from tests.flows import described
from tests.flows.pictures import Picture
from tests.sandbox.graph.models.applications import SYNC_TEMPLATE, ServicePrincipal
from tests.sandbox.graph.models.directory import User
from tests.sandbox.graph.replication import DEFAULT_PIM_SECONDS, DEFAULT_SECONDS, View
from tests.sandbox.personas import Person
from tests.sandbox.population import CLIENT_IDS
from tests.sandbox.world import World

SETTLE_SECONDS = 60.0

STANDARD = (Registration.SETUP, Registration.ACCESS)
"""What the administrator of a target without further wishes is asked for."""


class Scene:
    """One tenant's story in a world. Fabrikam, unless another tenant id is given.

    `at_first`: what both tenants held before the story, where it ends by comparing with that.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.target = TenantId(world.fabrikam.id)
        self.at_first: Picture = {}
        self._http = httpx.AsyncClient(base_url=world.host.url, trust_env=False, timeout=30)
        state, audit = world.accounts
        self._state = TableServiceClient.from_connection_string(state.connection_string())
        self._audit = TableServiceClient.from_connection_string(audit.connection_string())
        clock = world.clock
        self.tenants = TenantStore(
            Table(self._state.get_table_client, "Tenants", clock),
            Table(self._state.get_table_client, "ByState", clock),
            Table(self._state.get_table_client, "ByEnd", clock),
            clock,
            new_id,
        )
        self.subscriptions = SubscriptionStore(
            Table(self._state.get_table_client, "Subscriptions", clock),
            Table(self._state.get_table_client, "ByEnd", clock),
            clock,
            new_id,
        )
        self.runs = Runs(Table(self._state.get_table_client, "Runs", clock), clock, new_id)
        self.claims = Claims(Table(self._state.get_table_client, "Claims", clock))
        self.audit = Audit(Table(self._audit.get_table_client, "Audit", clock))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()
        await self._state.close()
        await self._audit.close()

    async def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = "",
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """One call to the app, as the operator unless a token is given (None: without any). Its answer must be as the
        API document says.
        """
        bearer = self.world.operator_token() if token == "" else token
        sent = {**({"Authorization": f"Bearer {bearer}"} if bearer else {}), **(headers or {})}
        if content is None and body is not None:
            content, sent = json.dumps(body).encode(), {"Content-Type": "application/json", **sent}
        answer = await self._http.request(method, path, content=content, headers=sent)
        described.hold(answer)
        return answer

    async def post(self, *analysts: Person, **changes: Any) -> httpx.Response:
        """POST /api/tenants for Fabrikam with these analysts (none: the SOC's group)."""
        return await self.call("POST", "/api/tenants", {**self.world.fabrikam_request(*analysts), **changes})

    async def spoil(self, table: str, partition: str, key: str = "record") -> None:
        """Somebody's hand, or a version that never was: a row that the app cannot read."""
        row = Row(partition=partition, key=key, body=b'{"state": 1}', nonce="spoilt")
        await Table(self._state.get_table_client, table, self.world.clock).upsert(row)

    async def record(self) -> dict[str, Any]:
        """GET /api/tenants/{tenantId}."""
        answer = await self.call("GET", f"/api/tenants/{self.target}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def settle(self) -> str:
        """Let everything that runs come to rest; gives the tenant's state."""
        await self.world.host.idle(SETTLE_SECONDS)
        tenant = await self.tenants.read(self.target)
        return tenant.record.state.value if tenant else ""

    async def tenant(self) -> Tenant:
        """The tenant's partition, from the store."""
        tenant = await self.tenants.read(self.target)
        assert tenant is not None
        return tenant

    async def open_run(self) -> Run | None:
        """The tenant's open run."""
        return await self.runs.open_run(self.target)

    async def entries(self) -> list[Entry]:
        """The tenant's audit trail, oldest first, with its chain verified."""
        entries = await self.audit.entries(self.target)
        verify(entries)
        return entries

    def consented(self, *registrations: Registration) -> None:
        """As if the target's administrator had consented some time ago."""
        for registration in registrations or STANDARD:
            self.world.clouds.grant(CLIENT_IDS[registration], self.target)

    async def onboarded(self, *analysts: Person, **changes: Any) -> dict[str, Any]:
        """The happy path, consents given before: the record of a tenant that is Ready."""
        self.consented(*(MULTI_TENANT if changes.get("features") else STANDARD))
        answer = await self.post(*(analysts or (self.world.people.ana,)), **changes)
        assert answer.status_code == 202, answer.text
        assert await self.settle() == "Ready", await self.record()
        return await self.record()

    async def retry(self) -> str:
        """POST .../retry, and let it come to rest; gives the tenant's state."""
        answer = await self.call("POST", f"/api/tenants/{self.target}/retry")
        assert answer.status_code == 202, answer.text
        return await self.settle()

    def let_it_spread(self) -> None:
        """Let every replica, and PIM, hear of what a person changed just now."""
        self.world.clock.advance(View.PIM.value * DEFAULT_SECONDS[1] + DEFAULT_PIM_SECONDS[1])

    def synchronizations(self) -> list[ServicePrincipal]:
        """The enterprise applications of cross-tenant synchronization that Contoso has."""
        principals = self.world.contoso.applications.principals.values()
        return [one for one in principals if one.template_id == SYNC_TEMPLATE]

    def account(self, analyst: Person) -> User:
        """An analyst's account in the target."""
        found = self.world.clouds.tenants[self.target].directory.counterpart(analyst.tenant_id, analyst.object_id)
        assert found is not None
        return found

    def hide_accounts(self, time: timedelta) -> None:
        """Let the target's directory show the accounts that were made from elsewhere only after this time."""
        for user in self.world.clouds.tenants[self.target].directory.users.values():
            if user.source:
                user.made_at = self.world.clock.now() + time

    def delete_application(self) -> None:
        """Somebody deletes the one enterprise application of the synchronization, with all that hangs on it."""
        contoso = self.world.contoso
        [principal] = self.synchronizations()
        [registration] = [one for one in contoso.applications.applications.values() if one.app_id == principal.app_id]
        del contoso.applications.applications[registration.id]
        for job in contoso.jobs.of(principal.id):
            contoso.jobs.delete(job)
        contoso.applications.delete_principal(principal.id)

    def sent(self) -> Sequence[str]:
        """Every write that Graph has received so far, refused ones too, as `METHOD path` with ids templated."""
        return [hit.label for hit in self.world.points.log if hit.kind == "vendor.before" and not _reads(hit.label)]

    def applied(self) -> Sequence[str]:
        """Every write that Graph has carried out so far and answered, as `METHOD path`."""
        return [
            f"{one.method} {one.path}"
            for one in self.world.clouds.recorder.entries
            if one.service == "graph" and one.method != "GET" and 200 <= one.status < 300 and not _reads(one.path)
        ]


def _reads(label: str) -> bool:
    """Whether a POST only reads."""
    return label.endswith(("/validateCredentials", ".runHuntingQuery"))
