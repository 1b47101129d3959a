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
from shared.doctor.findings import AS_PERSON, FACTS, Check, Finding, Report, barred, judge, left_to_app
from shared.doctor.graph_looks import GRAPH_LOOKS
from shared.doctor.graph_requests import GRAPH_REQUESTS
from shared.doctor.signed_in import SignedIn
from shared.doctor.visit import AzureVisit, Look, TenantVisit, looked
from shared.errors import BadRequest, StoreConflict, StoreUnavailable
from shared.graph.hunting import LONGEST_SECONDS
from shared.identifiers import NewId, SubscriptionId, TenantId
from shared.settings import Settings
from shared.subjects import Intent
from shared.subscriptions.lockdown import ApprovalMode
from shared.subscriptions.store import SubscriptionStore
from shared.tables import Table, readable, service_of
from shared.tenants.record import Tenant
from shared.tenants.states import State
from shared.tenants.store import TenantStore

_TIMEOUT = httpx.Timeout(LONGEST_SECONDS, connect=10.0)

_STANDING = frozenset({State.READY, State.OFFBOARDING})
"""States of a tenant in which there is something to look at."""

_MOST_INTENTS = 500

_MAY_WRITE = "let the identity read it (Storage Table Data Contributor), and its network reach it"
_MAY_APPEND = "let the identity read it (the deployment's append-only role), and its network reach it"
_MAY_READ = "to look at a tenant, have Storage Table Data Reader on the state account, and reach its network from here"
_NOT_A_PERSON_S = "not looked at: what the app's identity may, and its clock, take the app's identity"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator named. `defender`: whether the tenants have Defender. `validates`: requests may be validated."""

    tenants: tuple[TenantId, ...] = ()
    subscriptions: tuple[SubscriptionId, ...] = ()
    defender: bool | None = None
    validates: bool = True


class Doctor:
    """Examines one deployment: as the app, or as the person who is signed in."""

    def __init__(
        self,
        settings: Settings,
        who: Credentials | SignedIn,
        http: httpx.AsyncClient,
        state: TableServiceClient,
        audit: TableServiceClient,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._settings = settings
        self._who = who
        self._http = http
        self._clock = clock
        self._new_id = new_id
        self._asker = Asker(settings, who, http, as_person=isinstance(who, SignedIn))

        def table(name: str) -> Table:
            return Table(state.get_table_client, name, clock, creates=False)

        self._of_tenants, self._requests = table("Tenants"), table("Requests")
        self._audit = Table(audit.get_table_client, "Audit", clock, creates=False)
        self._tenants = TenantStore(self._of_tenants, table("ByState"), table("ByEnd"), clock, new_id)
        self._subscriptions = SubscriptionStore(table("Subscriptions"), table("ByEnd"), clock, new_id)

    async def examine(self, wanted: Wanted) -> Report:
        """The whole round. Raises BadRequest for what is not on the record."""
        if isinstance(self._who, SignedIn):
            checks, found = await self._as_person(self._who, wanted)
        else:
            checks, found = await self._as_app(self._who, wanted)
        checks.append(await health.public_address(self._http, self._settings.public_url))
        return Report(checks=tuple(checks), facts=judge(found))

    async def _as_app(self, credentials: Credentials, wanted: Wanted) -> tuple[list[Check], list[Finding]]:
        if not self._settings.role.works:
            raise BadRequest("TENANTRY_ROLE", "the doctor takes the settings and the identity of the worker")
        checks = [await health.identity(credentials)]
        identified = checks[-1].sound
        checks.append(await health.store("state tables", self._of_tenants, _MAY_WRITE))
        stored = checks[-1].sound
        checks.append(await health.store("audit table", self._audit, _MAY_APPEND))
        tenants = [await self._tenant(one) for one in wanted.tenants] if stored else []
        visits = [await self._declared(one) for one in wanted.subscriptions] if stored else []
        if not identified:
            return checks, barred(FACTS, "there is no managed identity here to ask by")
        checks += [one async for one in health.registrations(self._settings, credentials, tenants)]
        found = await self._asked(checks, tenants, visits, wanted)
        if self._asker.date:
            checks.append(health.clock_skew(self._asker.date, SystemClock().now()))
        return checks, found

    async def _as_person(self, signed_in: SignedIn, wanted: Wanted) -> tuple[list[Check], list[Finding]]:
        """What a person settles. What takes the app's identity is said to, and is nobody's fault."""
        checks = [await signed_in.check()]
        if not checks[0].sound:
            return checks, [*left_to_app(), *barred(AS_PERSON, "nobody is signed in to ask by")]
        stored = await health.store("state tables", self._of_tenants, _MAY_READ)
        checks.append(stored if stored.sound or wanted.tenants else _done_without(stored))
        tenants = [await self._tenant(one) for one in wanted.tenants] if stored.sound else []
        visits = [await self._declared(one) if stored.sound else self._bare(one) for one in wanted.subscriptions]
        checks.append(Check(name="registrations, audit table, clock", sound=True, told=_NOT_A_PERSON_S))
        return checks, [*left_to_app(), *await self._asked(checks, tenants, visits, wanted)]

    async def _asked(
        self, checks: list[Check], tenants: Sequence[Tenant], visits: Sequence[AzureVisit], wanted: Wanted
    ) -> list[Finding]:
        for one in visits:
            checks += [check async for check in health.azure_roles(self._settings, self._asker, one)]
        of_tenants = [await self._of_tenant(one, wanted) for one in tenants]
        of_azure = [await self._looked((*AZURE_LOOKS, *AZURE_REQUESTS), one, one.id, wanted) for one in visits]
        return [finding for found in (*of_tenants, *of_azure) for finding in found]

    async def _tenant(self, tenant_id: TenantId) -> Tenant:
        tenant = await _if_any(self._tenants.read(tenant_id))
        if tenant is None or tenant.record.state not in _STANDING:
            raise BadRequest("--tenant", f"{tenant_id} is not on the record, or not Ready")
        return tenant

    async def _declared(self, subscription_id: SubscriptionId) -> AzureVisit:
        subscription = await _if_any(self._subscriptions.read(subscription_id))
        if subscription is None:
            raise BadRequest("--subscription", f"{subscription_id} is not declared")
        lock, declared = subscription.record.lock_down, subscription.record.declared
        bare = self._bare(subscription_id)
        return msgspec.structs.replace(
            bare,
            role=declared[0].role_definition_id if declared else bare.role,
            brokered=lock is not None and lock.mode is ApprovalMode.BROKER,
            cancellations=await self._cancellations(),
        )

    def _bare(self, subscription_id: SubscriptionId) -> AzureVisit:
        """A subscription of which no more is known than its id; one of the roles that are looked after."""
        return AzureVisit(
            asker=self._asker,
            clock=self._clock,
            new_id=self._new_id,
            source=self._settings.source_tenant_id,
            id=subscription_id,
            role=min(self._settings.allowed_azure_roles),
        )

    async def _of_tenant(self, tenant: Tenant, wanted: Wanted) -> list[Finding]:
        visit = TenantVisit(
            asker=self._asker,
            clock=self._clock,
            new_id=self._new_id,
            source=self._settings.source_tenant_id,
            tenant=tenant,
            defender=wanted.defender,
        )
        return await self._looked((*GRAPH_LOOKS, *GRAPH_REQUESTS), visit, visit.id, wanted)

    async def _looked[V](self, looks: Sequence[Look[V]], visit: V, where: str, wanted: Wanted) -> list[Finding]:
        settled = AS_PERSON if self._asker.as_person else FACTS.keys()
        chosen = [one for one in looks if wanted.validates or not one.validates]
        found = [finding for one in chosen if settled & set(one.facts) for finding in await looked(one, visit, where)]
        return [one for one in found if one.fact in settled]

    async def _cancellations(self) -> tuple[Intent, ...] | None:
        """How the app's own cancellations came out, of as many requests as one page holds. None where they cannot be read."""
        try:
            rows, _ = await self._requests.page(
                "RowKey ge @f and RowKey lt @b", {"f": "intent|", "b": "intent|~"}, size=_MOST_INTENTS, token=None
            )
        except StoreConflict:
            return ()
        except StoreUnavailable:
            return None
        intents = [readable(row, Intent) for row in rows]
        return tuple(one for one in intents if one is not None and one.kind == Deed.CANCEL)


def _done_without(stored: Check) -> Check:
    """A subscription is looked at without its record, too; a tenant's record says what there is to look at."""
    return Check(name=stored.name, sound=True, told=f"{stored.told}; subscriptions are looked at without their records")


async def _if_any[T](reading: Awaitable[T | None]) -> T | None:
    """None where the table is not there yet, for nothing was ever written to it."""
    try:
        return await reading
    except StoreConflict:
        return None


@asynccontextmanager
async def opened(settings: Settings, clock: Clock, new_id: NewId, *, as_person: bool = False) -> AsyncIterator[Doctor]:
    """The doctor of a deployment, with its connections. `as_person`: who is signed in with the Azure CLI, for all of them."""
    who = SignedIn(settings) if as_person else Credentials(settings)
    identity = (
        who.credential
        if isinstance(who, SignedIn)
        else ManagedIdentityCredential(client_id=settings.identity_client_id)
    )
    http = httpx.AsyncClient(timeout=_TIMEOUT)
    state, audit = (
        service_of(one.endpoint, one.connection_string, lambda: identity)
        for one in (settings.tables, settings.audit_tables)
    )
    try:
        yield Doctor(settings, who, http, state, audit, clock, new_id)
    finally:
        await http.aclose()
        for one in (state, audit, identity, who):
            await one.close()
