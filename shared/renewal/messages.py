"""What crosses the durable boundary in a renewal: what is called by wire name, payloads, outcomes. Pure."""

from datetime import date

import msgspec

from shared.identifiers import TenantId
from shared.run import RunKey
from shared.running.acts import ORCHESTRATORS
from shared.running.messages import Again, Cursor, PageCall
from shared.wire import Activity, Child

KIND = "renewal"
TENANT_KIND = "tenantRenewal"

BY_NIGHT = "the nightly renewal"
BY_HAND = "a renewal that was asked for"


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a run of renewal is for. Ends are counted from its date. No tenants: all. `asked_by`: who had it run, where
    that was no night.
    """

    date: date
    tenant_ids: tuple[TenantId, ...] = ()
    asked_by: str = ""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """How many were looked at; in which something is due, and which are to be looked at again; the next page's cursor.

    The wish comes without its tenants, for it goes to each of them.
    """

    wish: Wish
    cursor: Cursor | None = None
    looked_at: int = 0
    due: tuple[TenantId, ...] = ()
    postponed: tuple[TenantId, ...] = ()


class TenantCall(msgspec.Struct, frozen=True, kw_only=True):
    """One tenant in which something is due. `nonce` tells this renewal from every other run of the tenant."""

    tenant_id: TenantId
    nonce: str
    orchestration_id: str
    wish: Wish


class TenantOver(msgspec.Struct, frozen=True, kw_only=True, tag="over"):
    """How many eligibilities were changed, and whether the tenant is to be looked at again in the same night."""

    changed: int = 0
    again: bool = False


class EndCall(msgspec.Struct, frozen=True, kw_only=True):
    """How a run of renewal ended."""

    run: RunKey
    looked_at: int
    changed: int
    given_up: tuple[TenantId, ...]


class RenewalOver(msgspec.Struct, frozen=True):
    """The run is closed."""


PLAN: Activity[PageCall, Page] = Activity(name="plan_renewals", payload=PageCall, outcome=Page)
RENEW: Activity[TenantCall, Again | TenantOver] = Activity(
    name="renew_eligibilities_of_tenant", payload=TenantCall, outcome=Again | TenantOver
)
END: Activity[EndCall, RenewalOver] = Activity(name="end_renewals", payload=EndCall, outcome=RenewalOver)
RENEW_ONE: Child[TenantCall, TenantOver] = Child(
    name=ORCHESTRATORS[TENANT_KIND], payload=TenantCall, outcome=TenantOver
)
