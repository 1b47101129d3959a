"""The doctor's round: health first, then the open questions, tenant by tenant and subscription by subscription.

It reads the stores, asks the vendor by asking.py, and writes nothing anywhere.
"""

from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager

import httpx
import msgspec
from azure.data.tables.aio import TableServiceClient
from azure.identity.aio import ManagedIdentityCredential

from shared.activation.record import Deed
from shared.clock import Clock, SystemClock
from shared.credentials import Credentials
from shared.doctor import health
from shared.doctor.asking import Asker
from shared.doctor.azure_looks import AZURE_LOOKS
from shared.doctor.azure_requests import AZURE_REQUESTS
from shared.doctor.findings import FACTS, Finding, Report, barred, judge
from shared.doctor.graph_looks import GRAPH_LOOKS
from shared.doctor.graph_requests import GRAPH_REQUESTS
from shared.doctor.visit import AzureVisit, Look, TenantVisit, looked
from shared.errors import AutomationError, BadRequest, StoreConflict
from shared.graph.hunting import LONGEST_SECONDS
from shared.identifiers import NewId, SubscriptionId, TenantId
from shared.settings import Settings
from shared.subjects import Intent
from shared.subscriptions.record import Subscription
from shared.subscriptions.store import SubscriptionStore
from shared.tables import Table, readable, service_of
from shared.tenants.record import Tenant
from shared.tenants.states import State
from shared.tenants.store import TenantStore

_TIMEOUT = httpx.Timeout(LONGEST_SECONDS, connect=10.0)

_STANDING = frozenset({State.READY, State.OFFBOARDING})
"""States of a tenant in which there is something to look at."""

_MOST_INTENTS = 500


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator named. `defender`: whether the tenants have Defender. `validates`: requests may be validated."""

    tenants: tuple[TenantId, ...] = ()
    subscriptions: tuple[SubscriptionId, ...] = ()
    defender: bool | None = None
    validates: bool = True


class Doctor:
    """Examines one deployment."""

    def __init__(
        self,
        settings: Settings,
        credentials: Credentials,
        http: httpx.AsyncClient,
        state: TableServiceClient,
        audit: TableServiceClient,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._settings = settings
        self._credentials = credentials
        self._http = http
        self._clock = clock
        self._new_id = new_id
        self._asker = Asker(settings, credentials, http)

        def table(name: str) -> Table:
            return Table(state.get_table_client, name, clock, creates=False)

        self._of_tenants, self._requests = table("Tenants"), table("Requests")
        self._audit = Table(audit.get_table_client, "Audit", clock, creates=False)
        self._tenants = TenantStore(self._of_tenants, table("ByState"), table("ByEnd"), clock, new_id)
        self._subscriptions = SubscriptionStore(table("Subscriptions"), table("ByEnd"), clock, new_id)

    async def examine(self, wanted: Wanted) -> Report:
        """The whole round. Raises BadRequest for what is not on the record."""
        checks = [await health.identity(self._credentials)]
        identified = checks[-1].sound
        checks.append(await health.store("state tables", self._of_tenants, "Storage Table Data Contributor"))
        stored = checks[-1].sound
        checks.append(await health.store("audit table", self._audit, "the deployment's append-only role"))
        tenants = [await self._tenant(one) for one in wanted.tenants] if stored else []
        subscriptions = [await self._subscription(one) for one in wanted.subscriptions] if stored else []
        found: list[Finding] = []
        if identified:
            visits = await self._azure(subscriptions)
            checks += [one async for one in health.registrations(self._settings, self._credentials, tenants)]
            checks += [await health.azure_role(self._asker, one) for one in visits]
            found = [*await self._of_each(tenants, wanted), *await self._of_azure(visits, wanted)]
        else:
            found = barred(FACTS, "there is no managed identity here to ask by")
        if self._asker.date:
            checks.append(health.clock_skew(self._asker.date, SystemClock().now()))
        checks.append(await health.public_address(self._http, self._settings.public_url))
        return Report(checks=tuple(checks), facts=judge(found))

    async def _tenant(self, tenant_id: TenantId) -> Tenant:
        tenant = await _if_any(self._tenants.read(tenant_id))
        if tenant is None or tenant.record.state not in _STANDING:
            raise BadRequest("--tenant", f"{tenant_id} is not on the record, or not Ready")
        return tenant

    async def _subscription(self, subscription_id: SubscriptionId) -> Subscription:
        subscription = await _if_any(self._subscriptions.read(subscription_id))
        if subscription is None:
            raise BadRequest("--subscription", f"{subscription_id} is not declared")
        return subscription

    async def _of_each(self, tenants: Sequence[Tenant], wanted: Wanted) -> list[Finding]:
        found: list[Finding] = []
        for tenant in tenants:
            visit = TenantVisit(
                asker=self._asker,
                clock=self._clock,
                new_id=self._new_id,
                source=self._settings.source_tenant_id,
                tenant=tenant,
                defender=wanted.defender,
            )
            for look in _chosen((*GRAPH_LOOKS, *GRAPH_REQUESTS), wanted):
                found += await looked(look, visit, visit.id)
        return found

    async def _azure(self, subscriptions: Sequence[Subscription]) -> list[AzureVisit]:
        cancellations = await self._cancellations() if subscriptions else ()
        return [
            AzureVisit(
                asker=self._asker,
                clock=self._clock,
                new_id=self._new_id,
                source=self._settings.source_tenant_id,
                subscription=one,
                role=_role(one, self._settings),
                cancellations=cancellations,
            )
            for one in subscriptions
        ]

    async def _of_azure(self, visits: Sequence[AzureVisit], wanted: Wanted) -> list[Finding]:
        found: list[Finding] = []
        for visit in visits:
            for look in _chosen((*AZURE_LOOKS, *AZURE_REQUESTS), wanted):
                found += await looked(look, visit, visit.id)
        return found

    async def _cancellations(self) -> tuple[Intent, ...]:
        """How the app's own cancellations came out, of as many requests as one page holds."""
        try:
            rows, _ = await self._requests.page(
                "RowKey ge @f and RowKey lt @b", {"f": "intent|", "b": "intent|~"}, size=_MOST_INTENTS, token=None
            )
        except AutomationError:
            return ()
        intents = [readable(row, Intent) for row in rows]
        return tuple(one for one in intents if one is not None and one.kind == Deed.CANCEL)


async def _if_any[T](reading: Awaitable[T | None]) -> T | None:
    """None where the table is not there yet, for nothing was ever written to it."""
    try:
        return await reading
    except StoreConflict:
        return None


def _chosen[V](looks: Sequence[Look[V]], wanted: Wanted) -> list[Look[V]]:
    return [one for one in looks if wanted.validates or not one.validates]


def _role(subscription: Subscription, settings: Settings) -> str:
    """One of the roles that are looked after there."""
    declared = [one.role_definition_id for one in subscription.record.declared]
    return declared[0] if declared else min(settings.allowed_azure_roles)


@asynccontextmanager
async def opened(settings: Settings, clock: Clock, new_id: NewId) -> AsyncIterator[Doctor]:
    """The doctor of a deployment, with its connections."""
    credentials = Credentials(settings)
    identity = ManagedIdentityCredential(client_id=settings.identity_client_id)
    http = httpx.AsyncClient(timeout=_TIMEOUT)
    state, audit = (
        service_of(one.endpoint, one.connection_string, lambda: identity)
        for one in (settings.tables, settings.audit_tables)
    )
    try:
        yield Doctor(settings, credentials, http, state, audit, clock, new_id)
    finally:
        await http.aclose()
        for one in (state, audit, identity, credentials):
            await one.close()
