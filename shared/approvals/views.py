"""What an approver sees of activation requests, as plain values. Pure: templates show them, and decide nothing.

Money is Decimal until it is shown; a sum that is not known is None, never zero.
"""

from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

import msgspec

from shared.activation.cost import Estimate
from shared.activation.dearest import Dearest

_CENT = Decimal("0.01")
_FINE = Decimal("0.0001")
_WIDTH = Decimal(100)


class Told(StrEnum):
    """What the page says of what was just done, when a browser comes back from it."""

    APPROVED = "approved"
    DENIED = "denied"
    COUNTED = "counted"
    ALREADY = "already"
    OVER = "over"
    NOT_ALLOWED = "not-allowed"
    HELD_BACK = "held-back"
    BUSY = "busy"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"
    LATER = "later"
    DECLINED = "declined"
    SOMEBODY_ELSE = "somebody-else"
    AGAIN = "again"


WORDS = {
    Told.APPROVED: "You approved it. Azure gives the role now; it can take some minutes to work.",
    Told.DENIED: "You denied it. The requester is told.",
    Told.COUNTED: "Your word counts. It is approved once the others whose word it takes agree.",
    Told.ALREADY: "Somebody else had decided it before. Nothing was changed by you.",
    Told.OVER: "It is over: it was taken back, or nobody decided within 24 hours. Nothing was changed by you.",
    Told.NOT_ALLOWED: "That decision is not yours, or not any more. Nothing was changed. What the rules say stands below.",
    Told.HELD_BACK: "It cannot be approved yet: what the rules demand is missing. Nothing was changed.",
    Told.BUSY: "Somebody else is deciding it at this moment. Look at this page again in a minute.",
    Told.REFUSED: "Azure refused the decision. Nothing was changed. An administrator looks at the app's set-up.",
    Told.UNCERTAIN: "Azure's answer was lost on the way. Look at this page again in a minute: it shows what became of it.",
    Told.LATER: "Azure did not answer. Nothing was decided: please decide again in a minute.",
    Told.DECLINED: "You came back from Microsoft Entra without signing in. Nothing was decided.",
    Told.SOMEBODY_ELSE: "You signed in to Microsoft Entra as somebody else. Nothing was decided: sign in as yourself.",
    Told.AGAIN: "It took too long, or the page was opened twice. Nothing was decided: please decide again.",
}
GOOD = frozenset({Told.APPROVED, Told.DENIED})


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """In hundredths of its length: what is spent, what this adds, and where the budget ends."""

    spent: Decimal
    asked: Decimal
    end: Decimal


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """The month's budget, and what this request adds to the month. What is not known is None."""

    amount: Decimal | None
    currency: str
    spent: Decimal | None = None
    forecast: Decimal | None = None
    left: Decimal | None = None
    asked: Decimal | None = None
    notes: tuple[str, ...] = ()

    @property
    def is_over(self) -> bool | None:
        """Whether this request would go beyond it; None where that is not known."""
        return None if self.left is None or self.asked is None else self.asked > self.left

    @property
    def bar(self) -> Bar | None:
        """The bar; None where nobody knows the budget, or what is spent of it."""
        if self.amount is None or self.spent is None:
            return None
        asked = self.asked or Decimal(0)
        whole = max(self.amount, self.spent + asked, _CENT)

        def width(part: Decimal) -> Decimal:
            return (max(part, Decimal(0)) / whole * _WIDTH).quantize(_CENT)

        return Bar(spent=width(self.spent), asked=width(asked), end=width(self.amount))


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """What the same person asked for before, this month."""

    asked_at: datetime
    hours: str
    reason: str
    outcome: str
    cost: str


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody said before it was decided. `whose`: in which part."""

    whose: str
    by: str
    approve: bool
    reason: str
    at: datetime


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How it ended: in words, when, and why."""

    words: str
    at: datetime | None = None
    reason: str = ""


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A request in the list of what waits. `hours` is written as people say it."""

    link: str
    who: str
    role: str
    where: str
    hours: str
    reason: str
    asked_at: datetime
    until: datetime
    cost: str


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A request whole. `outcome` None: it waits for a decision. `hindrance`: why this person may not decide, in words;
    `held_back`: why they may not approve (yet), though they may deny. `priced_at`: tells the price that is shown from a later
    one.
    """

    path: str
    who: str
    role: str
    where: str
    subscription_id: str
    hours: str
    reason: str
    ticket: str
    asked_at: datetime
    until: datetime
    price: Estimate | None = None
    dearest: Dearest | None = None
    budget: Budget | None = None
    rules: tuple[str, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    earlier: tuple[Earlier, ...] = ()
    outcome: Outcome | None = None
    hindrance: str = ""
    held_back: str = ""
    missing: str = ""
    priced_at: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it can be decided by whoever looks."""
        return self.outcome is None and not self.hindrance


def money(amount: Decimal | None, currency: str) -> str:
    """A sum as people read it: in cents, or finer where it is so small that cents would hide it."""
    if amount is None:
        return "not known"
    in_cents = amount == amount.quantize(_CENT)
    step = _CENT if in_cents or abs(amount) >= 1 else _FINE
    return f"{amount.quantize(step, ROUND_HALF_UP):,} {currency}"


def length(minutes: int | None) -> str:
    """How long, as people say it."""
    if minutes is None:
        return "as long as the role allows"
    hours, rest = divmod(minutes, 60)
    said = [f"{hours} hour{'' if hours == 1 else 's'}"] if hours else []
    return " ".join([*said, *([f"{rest} minute{'' if rest == 1 else 's'}"] if rest or not hours else [])])


def moment(at: datetime) -> str:
    """A time as people read it; all are in UTC, and say so."""
    return at.strftime("%-d %B %Y, %H:%M UTC")


def left_until(until: datetime, now: datetime) -> str:
    """How long it still waits, in words."""
    left = until - now
    if left <= timedelta(0):
        return "over"
    hours, minutes = divmod(int(left.total_seconds()) // 60, 60)
    if hours:
        return f"{hours} h {minutes} min left" if minutes else f"{hours} h left"
    return f"{max(minutes, 1)} min left"


def count(quantity: Decimal) -> str:
    """A quantity without zeros that say nothing."""
    text = f"{quantity:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
