"""What the API answers about activation requests, as types. Pure. Docstrings and descriptions are text of its document."""

from datetime import datetime
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from shared.activation.budget import BudgetView
from shared.activation.cost import Estimate
from shared.activation.dearest import Dearest
from shared.activation.plan import Plan
from shared.activation.record import State
from shared.formats import Address, Guid, Moment


class RulingView(Struct, frozen=True, kw_only=True, rename="camel"):
    """One thing that follows from the subscription's money rules."""

    code: str
    reason: str
    evidence: dict[str, str]


class VerdictView(Struct, frozen=True, kw_only=True, rename="camel"):
    """What somebody of finance said."""

    verdict: str
    by: Guid
    at: Moment
    reason: str


class DecisionView(Struct, frozen=True, kw_only=True, rename="camel"):
    """How it was decided."""

    approved: bool
    at: Moment
    by: Annotated[Guid | None, Meta(description="None: in the portal. PIM does not tell an application by whom.")]
    reason: str


class ViolationView(Struct, frozen=True, kw_only=True, rename="camel"):
    """A rule that was passed over."""

    code: str
    what: str
    at: datetime


class MoneyView(Struct, frozen=True, kw_only=True, rename="camel"):
    """What it costs, and what the rules say of it. Money is list prices."""

    priced_at: Annotated[Moment | None, Meta(description="When the plan was priced; None: it was not yet.")]
    estimate: Annotated[Estimate | None, Meta(description="None: it has no plan, or was not priced yet.")]
    dearest: Annotated[Dearest | None, Meta(description="Without a plan: the dearest size that is expected here.")]
    budget: BudgetView | None
    rulings: tuple[RulingView, ...]
    verdicts: tuple[VerdictView, ...]


class ActivationView(Struct, frozen=True, kw_only=True, rename="camel"):
    """An activation request."""

    id: Guid
    subscription_id: Guid
    below: Annotated[str, Meta(description="Where in the subscription; empty: the subscription itself.")]
    role: str
    role_definition_id: Guid
    requester: Guid
    minutes: int | None
    reason: str
    ticket: str
    state: State
    since: Moment
    created: Moment
    expires: Moment
    end: Annotated[Moment | None, Meta(description="Until when the role is active.")]
    plan: Plan | None
    money: MoneyView
    decision: DecisionView | None
    violations: tuple[ViolationView, ...]
    problem: str
    href: Address
    page: Annotated[Address, Meta(description="Where an approver decides it.")]


class ActivationSummary(Struct, frozen=True, kw_only=True, rename="camel"):
    """One line of the list."""

    id: Guid
    subscription_id: Guid
    role: str
    requester: Guid
    minutes: int | None
    state: State
    created: Moment
    expires: Moment
    for_days: Annotated[str | None, Meta(description="What the plan costs in its days, with its currency.")]
    href: Address


class ActivationList(Struct, frozen=True, kw_only=True, rename="camel"):
    """Open requests, the oldest first."""

    value: tuple[ActivationSummary, ...]


class ActivationPlan(Struct, frozen=True, kw_only=True, rename="camel"):
    """What the same request without `dryRun` would ask for."""

    dry_run: bool
    role: str
    hours: int
    money: MoneyView
    refused: Annotated[str | UnsetType, Meta(description="Why it would not be put to PIM.")] = UNSET


class DecisionAnswer(Struct, frozen=True, kw_only=True, rename="camel"):
    """What became of a decision, and the request as it is now."""

    outcome: str
    told: str
    request: ActivationView
