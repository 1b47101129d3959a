"""What crosses the durable boundary in a renewal: what is called by wire name, payloads, outcomes. Pure."""

from datetime import date

import msgspec

from shared.identifiers import SubscriptionId, TenantId
from shared.run import RunKey
from shared.running.acts import ORCHESTRATORS
from shared.running.messages import Again, Cursor, PageCall
from shared.wire import Activity, Child

KIND = "renewal"
TENANT_KIND = "tenantRenewal"
SUBSCRIPTION_KIND = "subscriptionRenewal"

BY_NIGHT = "the nightly renewal"
BY_HAND = "a renewal that was asked for"


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a run of renewal is for. Ends are counted from its date. Nothing named: all. `asked_by`: who had it run, where
    that was no night.
    """

    date: date
    tenant_ids: tuple[TenantId, ...] = ()
    subscription_ids: tuple[SubscriptionId, ...] = ()
    asked_by: str = ""

    @property
    def names(self) -> bool:
        """Whether it is about those alone that it names."""
        return bool(self.tenant_ids or self.subscription_ids)


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """How many were looked at; where something is due, and which are to be looked at again, by id; the next page's cursor.

    The wish comes without its names, for it goes to each of them.
    """

    wish: Wish
    cursor: Cursor | None = None
    looked_at: int = 0
    due: tuple[str, ...] = ()
    postponed: tuple[str, ...] = ()


class RenewCall(msgspec.Struct, frozen=True, kw_only=True):
    """One tenant or subscription where something is due. `nonce` tells this renewal from every other run of it. `run`: that
    which it is a part of, and what that has changed there by now, and what it was refused, by the eligibility's key.
    """

    run: RunKey
    subject_id: str
    nonce: str
    orchestration_id: str
    wish: Wish
    changes: int = 0
    refused: dict[str, str] = {}


class RenewOver(msgspec.Struct, frozen=True, kw_only=True, tag="over"):
    """How many eligibilities were changed, which PIM refused and by what code, and whether it is to be looked at again in the
    same night.
    """

    changed: int = 0
    again: bool = False
    refused: dict[str, str] = {}

    def after(self, earlier: "RenewOver") -> "RenewOver":
        """What came of it by now, with what came of it before in the same run."""
        return RenewOver(
            changed=earlier.changed + self.changed, again=self.again, refused={**earlier.refused, **self.refused}
        )


class EndCall(msgspec.Struct, frozen=True, kw_only=True):
    """How a run of renewal ended. `failed`: a page could not be read, so that nobody knows who was not looked at."""

    run: RunKey
    looked_at: int
    changed: int
    failed: bool = False
    given_up: tuple[TenantId, ...] = ()
    given_up_subscriptions: tuple[SubscriptionId, ...] = ()


class RenewalOver(msgspec.Struct, frozen=True):
    """The run is closed."""


type Plan = Activity[PageCall, Page]
type Renew = Activity[RenewCall, Again | RenewOver]
type RenewOne = Child[RenewCall, RenewOver]


def _renew(name: str) -> Renew:
    return Activity(name=name, payload=RenewCall, outcome=Again | RenewOver)


def _child(kind: str) -> RenewOne:
    return Child(name=ORCHESTRATORS[kind], payload=RenewCall, outcome=RenewOver)


PLAN: Plan = Activity(name="plan_renewals", payload=PageCall, outcome=Page)
RENEW = _renew("renew_eligibilities_of_tenant")
RENEW_ONE = _child(TENANT_KIND)
PLAN_SUBSCRIPTIONS: Plan = Activity(name="plan_subscription_renewals", payload=PageCall, outcome=Page)
RENEW_ON_SUBSCRIPTION = _renew("renew_eligibilities_on_subscription")
RENEW_ONE_SUBSCRIPTION = _child(SUBSCRIPTION_KIND)
END: Activity[EndCall, RenewalOver] = Activity(name="end_renewals", payload=EndCall, outcome=RenewalOver)
