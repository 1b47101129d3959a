"""How a role is locked down on a subscription, as it is declared: who approves, for how long, and what money says. Pure."""

from decimal import Decimal
from enum import StrEnum

import msgspec

from shared.identifiers import ObjectId


class ApprovalMode(StrEnum):
    """Who gives the role: PIM, once its approver said so; or the broker's identity, after our own approval."""

    PIM = "pim"
    BROKER = "broker"


class Quorum(StrEnum):
    """Whose word it takes: one of the approvers'; or finance's and senior IT's, by two persons. PIM knows the first alone."""

    ANY = "any"
    BOTH = "both"


class OverBudget(StrEnum):
    """What becomes of a request whose cost the budget does not hold."""

    CANCEL = "cancel"
    WARN = "warn"


class Principals(msgspec.Struct, frozen=True, kw_only=True):
    """Groups and users of the source tenant, each sorted."""

    groups: tuple[ObjectId, ...] = ()
    users: tuple[ObjectId, ...] = ()

    def __bool__(self) -> bool:
        """Whether anybody is named."""
        return bool(self.groups or self.users)


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """What may be spent in a month: a figure of our own, or the Azure budget of that name on the subscription."""

    amount: Decimal | None = None
    azure_name: str = ""


class MoneyRules(msgspec.Struct, frozen=True, kw_only=True):
    """What a request's cost asks for. Sums are in `currency`, of all that the plan says for the days that it will run.

    `finance`: users whose verdict counts. Above `finance_above` they are asked; above `senior_above` their verdict
    is demanded, and `senior` alone decides. None: never.
    """

    currency: str = "USD"
    finance: tuple[ObjectId, ...] = ()
    finance_above: Decimal | None = None
    senior_above: Decimal | None = None
    senior: Principals = Principals()
    over_budget: OverBudget = OverBudget.CANCEL


class ExpectedSizes(msgspec.Struct, frozen=True, kw_only=True):
    """VM sizes that are expected in a region: the dearest is shown beside a request without a plan."""

    region: str
    sizes: tuple[str, ...]


class LockDown(msgspec.Struct, frozen=True, kw_only=True):
    """What is declared of a subscription's roles. `hours`: the longest activation. `context`: an authentication context, in
    the place of MFA. `repair`: a night puts drift of the policy right. `quorum` and `window_hours`, how long a request waits
    for it, may be others than PIM's in the broker's mode alone.
    """

    roles: tuple[str, ...]
    approvers: Principals
    hours: int = 8
    mfa: bool = True
    context: str = ""
    ticket: bool = True
    budget: Budget = Budget()
    expected: tuple[ExpectedSizes, ...] = ()
    mode: ApprovalMode = ApprovalMode.PIM
    money: MoneyRules = MoneyRules()
    repair: bool = True
    quorum: Quorum = Quorum.ANY
    window_hours: int = 24
