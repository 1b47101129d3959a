"""What an approver sees of activation requests, as plain values. Pure: templates show them, and decide nothing.

Money is Decimal until it is shown; a sum that is not known is None, never zero.
"""

from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

import msgspec

_CENT = Decimal("0.01")
_FINE = Decimal("0.0001")
_WIDTH = Decimal(100)


class Told(StrEnum):
    """What the page says of what was just done, when a browser comes back from it."""

    APPROVED = "approved"
    DENIED = "denied"
    ALREADY = "already"
    OVER = "over"
    OWN = "own"
    NOT_ASKED = "not-asked"
    SENIOR = "senior"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"
    DECLINED = "declined"
    SOMEBODY_ELSE = "somebody-else"
    AGAIN = "again"


WORDS = {
    Told.APPROVED: "You approved it. Azure gives the role now; it can take some minutes to work.",
    Told.DENIED: "You denied it. The requester is told.",
    Told.ALREADY: "Somebody else had decided it before. Nothing was changed by you.",
    Told.OVER: "It is over: it was taken back, or nobody decided within 24 hours. Nothing was changed by you.",
    Told.OWN: "Nobody decides on their own request. Another approver has to.",
    Told.NOT_ASKED: "You are not among those whom Azure asks for this role. Nothing was changed.",
    Told.SENIOR: "What it costs is for senior IT to approve. Nothing was changed.",
    Told.REFUSED: "Azure refused the decision. Nothing was changed. An administrator looks at the app's set-up.",
    Told.UNCERTAIN: "Azure's answer was lost on the way. Look at this page again in a minute: it shows what became of it.",
    Told.DECLINED: "You came back from Microsoft Entra without signing in. Nothing was decided.",
    Told.SOMEBODY_ELSE: "You signed in to Microsoft Entra as somebody else. Nothing was decided: sign in as yourself.",
    Told.AGAIN: "It took too long, or the page was opened twice. Nothing was decided: please decide again.",
}
GOOD = frozenset({Told.APPROVED, Told.DENIED})


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the price."""

    what: str
    meter: str
    quantity: Decimal
    unit: str
    unit_price: Decimal
    hourly: Decimal
    monthly: Decimal


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """What the plan costs. `unpriced`: parts for which no price was found, so that the sums are at least."""

    currency: str
    lines: tuple[Line, ...]
    hourly: Decimal
    hours: int
    for_hours: Decimal
    days: int
    for_days: Decimal
    monthly: Decimal
    left_out: tuple[str, ...] = ()
    unpriced: tuple[str, ...] = ()
    priced_at: datetime | None = None


class Dearest(msgspec.Struct, frozen=True, kw_only=True):
    """The dearest size that is expected there, beside a request that says nothing of what it will cost."""

    size: str
    region: str
    hourly: Decimal
    currency: str


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """The month's budget. What is not known is None."""

    amount: Decimal
    currency: str
    spent: Decimal | None = None
    forecast: Decimal | None = None
    asked: Decimal | None = None
    note: str = ""

    @property
    def left(self) -> Decimal | None:
        """What is left of it now."""
        return None if self.spent is None else self.amount - self.spent

    @property
    def is_over(self) -> bool | None:
        """Whether this request would go beyond it; None where that is not known."""
        return None if self.left is None or self.asked is None else self.asked > self.left

    @property
    def bar(self) -> tuple[Decimal, Decimal, Decimal]:
        """Widths in hundredths of the bar: what is spent, what this adds, and where the budget ends."""
        spent, asked = self.spent or Decimal(0), self.asked or Decimal(0)
        whole = max(self.amount, spent + asked, _CENT)
        return tuple((part / whole * _WIDTH).quantize(_CENT) for part in (spent, asked, self.amount))  # type: ignore[return-value]  # three in, three out


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """What the same person asked for before, this month."""

    asked_at: datetime
    hours: int
    reason: str
    outcome: str
    cost: str


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What finance said."""

    by: str
    approve: bool
    reason: str
    at: datetime


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How it ended: in words, by whom, and why."""

    words: str
    by: str = ""
    at: datetime | None = None
    reason: str = ""


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A request in the list of what waits."""

    link: str
    who: str
    role: str
    subscription: str
    hours: int
    reason: str
    asked_at: datetime
    until: datetime
    cost: str


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A request whole. `outcome` None: it waits for a decision. `hindrance`: why this person may not decide, in words."""

    path: str
    who: str
    role: str
    subscription: str
    hours: int
    reason: str
    ticket: str
    asked_at: datetime
    until: datetime
    price: Price | None = None
    dearest: Dearest | None = None
    budget: Budget | None = None
    rules: tuple[str, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    earlier: tuple[Earlier, ...] = ()
    outcome: Outcome | None = None
    hindrance: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it can be decided by whoever looks."""
        return self.outcome is None and not self.hindrance


def money(amount: Decimal | None, currency: str) -> str:
    """A sum as people read it: rounded to cents, or finer where it is small."""
    if amount is None:
        return "not known"
    step = _CENT if amount == 0 or abs(amount) >= 1 else _FINE
    return f"{amount.quantize(step, ROUND_HALF_UP):,} {currency}"


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
