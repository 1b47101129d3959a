"""What is known of a request's money, and what follows from it, as values. Pure. The rules are policy.py."""

from enum import StrEnum

import msgspec

from shared.activation.budget import BudgetView
from shared.activation.cost import Estimate
from shared.identifiers import ObjectId


class Channel(StrEnum):
    """How a request was made."""

    PORTAL = "portal"
    API = "api"


class Word(StrEnum):
    """A verdict of finance."""

    APPROVE = "approve"
    DENY = "deny"


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Whose word, and which."""

    by: ObjectId
    word: Word


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a request. `estimate`: None without a plan, or a price. `budget`: None where none is declared."""

    estimate: Estimate | None
    budget: BudgetView | None
    verdicts: tuple[Verdict, ...] = ()
    channel: Channel = Channel.API


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A figure, or a word, that a ruling rests on."""

    name: str
    value: str


class Code(StrEnum):
    """What a ruling, or a violation, is about."""

    FINANCE_ASKED = "financeAsked"
    FINANCE_DEMANDED = "financeDemanded"
    SENIOR_ONLY = "seniorOnly"
    FINANCE_DENIED = "financeDenied"
    OVER_BUDGET = "overBudget"
    BUDGET_UNKNOWN = "budgetUnknown"
    OWN_REQUEST = "ownRequest"


class Ruling(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that follows from the rules, why, and from which figures."""

    code: Code
    reason: str
    evidence: tuple[Figure, ...]


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """All that follows. `ask_finance`: they are told and asked. `demand_finance`: their verdict must be there, and
    `senior_only`: a senior decides. `cancel`: the request is cancelled. `warnings`: what the approver must know.

    `finance_agreed`: somebody of finance approved, and nobody denied.
    """

    ask_finance: Ruling | None = None
    demand_finance: Ruling | None = None
    senior_only: Ruling | None = None
    cancel: Ruling | None = None
    warnings: tuple[Ruling, ...] = ()
    finance_agreed: bool = False
