"""One tenant or subscription that the doctor looks at, and what a look is."""

from collections.abc import Awaitable, Callable

import msgspec

from shared.clock import Clock
from shared.doctor.asking import Asker, Told
from shared.doctor.findings import Finding, as_app, barred, unsettled
from shared.doctor.signed_in import OutOfReach
from shared.errors import NotConsented, RemoteError
from shared.identifiers import NewId, SubscriptionId, TenantId
from shared.subjects import Intent
from shared.tenants.record import Tenant

_NO_PIM = frozenset({"AadPremiumLicenseRequired", "MissingProvider"})


class TenantVisit(msgspec.Struct, frozen=True, kw_only=True):
    """A target tenant. `defender`: whether it has Defender, where the operator says so."""

    asker: Asker
    clock: Clock
    new_id: NewId
    source: TenantId
    tenant: Tenant
    defender: bool | None = None

    @property
    def id(self) -> TenantId:
        """The target's id."""
        return self.tenant.record.tenant_id


class AzureVisit(msgspec.Struct, frozen=True, kw_only=True):
    """A managed subscription. `role`: one that is looked after there. `brokered`: whether it is of the mode broker;
    `cancellations`: how the app's own came out, wherever they were. Both are None where the store is out of reach.
    """

    asker: Asker
    clock: Clock
    new_id: NewId
    source: TenantId
    id: SubscriptionId
    role: str
    brokered: bool | None = None
    cancellations: tuple[Intent, ...] | None = None


class Look[V](msgspec.Struct, frozen=True, kw_only=True):
    """What tells these facts. `validates`: it sends requests that are validated only."""

    facts: tuple[str, ...]
    by: Callable[[V], Awaitable[list[Finding]]]
    validates: bool = False


async def looked[V](look: Look[V], visit: V, where: str) -> list[Finding]:
    """What a look says. What stood in its way is told of each of its facts that it says nothing of."""
    found: list[Finding] = []
    try:
        found = await look.by(visit)
        rest = unsettled(look.facts, "nothing there to tell it by")
    except NotConsented as error:
        rest = barred(look.facts, f"{error.registration} is not consented: have it consented, or leave its feature")
    except OutOfReach as error:
        rest = as_app(look.facts, f"{error}: {error.do}")
    except RemoteError as error:
        told = f"{error.call.method} {error.call.path} failed with {error.call.status} {error.call.code}".strip()
        rest = barred(look.facts, f"{told}: run the doctor again later")
    except msgspec.DecodeError:
        rest = unsettled(look.facts, "what the vendor answered could not be read")
    said = {one.fact for one in found}
    found += [one for one in rest if one.fact not in said]
    return [msgspec.structs.replace(one, where=where) for one in found]


def refused(facts: tuple[str, ...], told: Told, who: str) -> list[Finding]:
    """A refusal that is not what was asked for."""
    if told.code in _NO_PIM:
        return unsettled(facts, "there is no PIM here")
    if told.forbidden:
        return barred(
            facts, f"{who} is refused with {told.brief}: consent or assign what the permission table asks for"
        )
    return unsettled(facts, f"refused with {told.brief}, which tells nothing of it")
