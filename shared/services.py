"""The composition root: everything that touches the world, made once at the first invocation and passed first.

`install` is for the sandbox's entry module alone, before the app is loaded: it sets the clock that business time
comes from.
"""

import uuid
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import httpx
import msgspec
from azure.identity.aio import ManagedIdentityCredential

from shared.activation.budget_book import BudgetBook
from shared.activation.price_book import PriceBook
from shared.activation.record import Activation, RequestId
from shared.activation.store import ActivationStore
from shared.activation.webhook_ids import WebhookIds
from shared.approvals.entra import Entra
from shared.approvals.visits import Visits
from shared.arm.access import AzureAccess
from shared.arm.activations import AzureActivations
from shared.arm.as_person import Persons
from shared.arm.broker import Broker
from shared.arm.budgets import Budgets
from shared.arm.pim import AzurePim
from shared.arm.policies import AzurePolicies
from shared.arm.prices import Prices
from shared.audit import Audit
from shared.callers import Callers
from shared.claims import Claims
from shared.clock import Clock, SystemClock
from shared.credentials import Credentials
from shared.ends import Ends
from shared.graph.applications import Applications
from shared.graph.client import Graph
from shared.graph.conditional_access import ConditionalAccess
from shared.graph.cross_tenant import CrossTenantAccess
from shared.graph.directory import Directory
from shared.graph.hunting import LONGEST_SECONDS, Hunting
from shared.graph.pim import DirectoryPim
from shared.graph.synchronization import Synchronizations
from shared.identifiers import NewId, SubscriptionId, TenantId
from shared.intents import Intents
from shared.notify.courier import Courier
from shared.notify.outbox import Outbox
from shared.notify.posting import Post
from shared.on_behalf import OnBehalf
from shared.permissions import Registration
from shared.renewal.store import Renewals
from shared.runs import Runs
from shared.seals import CONTAINER, Seals
from shared.settings import Settings, StoreSettings, read_settings
from shared.slots import Slots
from shared.subscriptions.record import Subscription
from shared.subscriptions.store import SubscriptionStore
from shared.tables import OpenTable, Table, service_of
from shared.tenants.record import Tenant
from shared.tenants.store import TenantStore
from shared.wakes import Wakes

if TYPE_CHECKING:
    from azure.storage.blob.aio import ContainerClient

    from shared.arm.client import Arm

_HTTP_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
"""Synchronization calls are slow at times; four tries still end within functionTimeout."""

_HUNTING_TIMEOUT = httpx.Timeout(LONGEST_SECONDS, connect=10.0)


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """What activities and triggers work with. `broker`: None where the deployment has none, or another app is it."""

    settings: Settings
    clock: Clock
    new_id: NewId
    callers: Callers
    credentials: Credentials
    directory: Directory
    pim: DirectoryPim
    azure_pim: AzurePim
    azure_activations: AzureActivations
    broker: Broker | None
    on_behalf: OnBehalf
    persons: Persons
    entra: Entra
    visits: Visits
    budgets: BudgetBook
    prices: PriceBook
    azure_policies: AzurePolicies
    azure_access: AzureAccess
    conditional_access: ConditionalAccess
    hunting: Hunting
    applications: Applications
    synchronizations: Synchronizations
    tenants: TenantStore
    subscriptions: SubscriptionStore
    ends: Ends
    runs: Runs
    wakes: Wakes
    slots: Slots
    renewals: Renewals
    activations: ActivationStore
    webhook_ids: WebhookIds
    outbox: Outbox
    courier: Courier
    claims: Claims
    audit: Audit
    intents: Intents[TenantId, Tenant]
    subscription_intents: Intents[SubscriptionId, Subscription]
    activation_intents: Intents[RequestId, Activation]
    seals: Seals | None
    graph: Graph
    health: Table

    def cross_tenant(self, registration: Registration, tenant_id: TenantId) -> CrossTenantAccess:
        """The cross-tenant access policy of a tenant, as a registration."""
        return CrossTenantAccess(self.graph, registration, tenant_id)


class _Installed:
    """What one process holds."""

    clock: Clock | None = None
    services: Services | None = None


def install(*, clock: Clock) -> None:
    """Set the clock of this process, before its services are made. Raises RuntimeError afterwards."""
    if _Installed.services is not None:
        raise RuntimeError("the services are made already")
    _Installed.clock = clock


async def current() -> Services:
    """The services of this process, made at the first call. Raises SettingsError."""
    if _Installed.services is None:
        _Installed.services = build(read_settings(), _Installed.clock or SystemClock())
    return _Installed.services


def build(settings: Settings, clock: Clock) -> Services:
    """Compose everything. Opens no connection yet."""
    http = httpx.AsyncClient(timeout=_HTTP_TIMEOUT)
    credentials = Credentials(settings)
    slow = httpx.AsyncClient(timeout=_HUNTING_TIMEOUT)
    graph = Graph(settings.graph_endpoint, credentials, http, clock, settings.source_mode, slow=slow)
    opened = _opener(settings.tables, settings)
    audited = _opener(settings.audit_tables, settings)
    by_state, by_end = Table(opened, "ByState", clock), Table(opened, "ByEnd", clock)
    of_tenants, of_subscriptions = Table(opened, "Tenants", clock), Table(opened, "Subscriptions", clock)
    tenants = TenantStore(of_tenants, by_state, by_end, clock, new_id)
    subscriptions = SubscriptionStore(of_subscriptions, by_end, clock, new_id)
    activations = ActivationStore(Table(opened, "Requests", clock), Table(opened, "RequestIndex", clock), clock, new_id)
    audit = Audit(Table(audited, "Audit", clock, creates=bool(settings.audit_tables.connection_string)))
    runs = Table(opened, "Runs", clock)
    callers = Callers(settings, http)
    open_arm = _arm(settings, credentials, clock)
    prices = Prices(settings.prices_endpoint, http, clock)
    to = settings.destinations
    outbox = Outbox(Table(opened, "Outbox", clock), to, settings.public_url, new_id, tells=settings.role.works)
    return Services(
        settings=settings,
        clock=clock,
        new_id=new_id,
        callers=callers,
        credentials=credentials,
        directory=Directory(graph, settings.source_tenant_id),
        pim=DirectoryPim(graph, settings.allowed_directory_roles),
        azure_pim=AzurePim(open_arm, settings.allowed_azure_roles),
        azure_activations=AzureActivations(open_arm, settings.allowed_azure_roles),
        broker=Broker(open_arm, settings.allowed_azure_roles)
        if settings.has_broker and settings.role.brokers
        else None,
        on_behalf=OnBehalf(settings, credentials, clock),
        persons=Persons(open_arm, settings.allowed_azure_roles, clock),
        entra=Entra(settings, credentials, callers),
        visits=Visits(Table(opened, "Visits", clock), clock, new_id),
        budgets=BudgetBook(Table(opened, "Budgets", clock), Budgets(open_arm), clock, new_id),
        prices=PriceBook(Table(opened, "Prices", clock), prices, clock, new_id),
        azure_policies=AzurePolicies(open_arm, settings.allowed_azure_roles),
        azure_access=AzureAccess(open_arm),
        conditional_access=ConditionalAccess(graph),
        hunting=Hunting(graph),
        applications=Applications(graph, settings.source_tenant_id),
        synchronizations=Synchronizations(graph, settings.source_tenant_id),
        tenants=tenants,
        subscriptions=subscriptions,
        ends=Ends(by_end, of_tenants, of_subscriptions, clock, new_id),
        runs=Runs(runs, clock, new_id, starts=settings.role.works),
        wakes=Wakes(Table(opened, "Wakes", clock), new_id),
        slots=Slots(Table(opened, "Slots", clock), clock, new_id),
        renewals=Renewals(Table(opened, "Renewals", clock), new_id),
        activations=activations,
        webhook_ids=WebhookIds(Table(opened, "WebhookIds", clock)),
        outbox=outbox,
        courier=Courier(outbox, Post(http, to, SystemClock()), to, clock),
        claims=Claims(Table(opened, "Claims", clock)),
        audit=audit,
        intents=Intents(tenants, audit, clock),
        subscription_intents=Intents(subscriptions, audit, clock),
        activation_intents=Intents(activations, audit, clock),
        seals=_seals(settings),
        graph=graph,
        health=runs,
    )


def new_id() -> str:
    """A random GUID, from the operating system."""
    return str(uuid.uuid4())


def _arm(settings: Settings, credentials: Credentials, clock: Clock) -> "Callable[[], Arm]":
    @cache
    def open_arm() -> "Arm":
        # Loaded by the first look at a subscription, and not by every cold start.
        from shared.arm.client import Arm  # noqa: PLC0415

        return Arm(settings.arm_endpoint, credentials, settings.source_tenant_id, clock)

    return open_arm


def _seals(settings: Settings) -> Seals | None:
    store = settings.audit_blobs
    if store is None:
        return None

    def open_container() -> "ContainerClient":
        # Loaded by the one activity of a night that seals, and not by every cold start.
        from azure.storage.blob.aio import ContainerClient  # noqa: PLC0415

        if store.connection_string:
            return ContainerClient.from_connection_string(store.connection_string, CONTAINER, retry_total=0)
        identity = ManagedIdentityCredential(client_id=settings.identity_client_id)
        return ContainerClient(store.endpoint, CONTAINER, credential=identity, retry_total=0)

    # Without retries of the SDK: the night tries again, on durable timers.
    return Seals(open_container, creates=bool(store.connection_string))


def _opener(store: StoreSettings, settings: Settings) -> OpenTable:
    service = service_of(
        store.endpoint,
        store.connection_string,
        lambda: ManagedIdentityCredential(client_id=settings.identity_client_id),
    )
    return service.get_table_client
