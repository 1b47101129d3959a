"""What an approver says of a request, and what becomes of it, as values. Pure."""

from datetime import datetime
from enum import StrEnum

import msgspec

from shared.activation.record import Request
from shared.activation.rulings import Judgement
from shared.subscriptions.lockdown import Quorum


class Fate(StrEnum):
    """What became of a decision."""

    DONE = "done"
    COUNTED = "counted"
    DECIDED_BEFORE = "decidedBefore"
    OVER = "over"
    HELD_BACK = "heldBack"
    BUSY = "busy"
    UNSEEN = "unseen"
    UNKNOWN = "unknown"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a decision, the record as it is now, and why it was not taken."""

    fate: Fate
    record: Request | None = None
    told: str = ""


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """What an approver says. `priced_at`: of the price that they were shown; None: they did not say."""

    approve: bool
    reason: str
    priced_at: datetime | None = None


def is_otherwise_priced(record: Request, word: Word) -> bool:
    """Whether the price is another one than they were shown."""
    return word.priced_at is not None and (record.priced is None or record.priced.at != word.priced_at)


def why_not_at_pim(judgement: Judgement, quorum: Quorum) -> str:
    """Why nobody may approve it at PIM through us (yet), in words; empty: a declared approver may."""
    if quorum is Quorum.BOTH:
        return "it takes finance and senior IT both, and PIM lets one of them decide: ask for it through Tenantry"
    if judgement.cancel is not None:
        return f"it is to be cancelled: {judgement.cancel.reason}"
    if judgement.demand_finance is not None and not judgement.finance_agreed:
        return judgement.demand_finance.reason
    return ""


def before(record: Request) -> Outcome:
    """It was decided, or is over: by whom, and when."""
    decision = record.decision
    if decision is None:
        return Outcome(fate=Fate.OVER, record=record, told=f"It is {record.state} already.")
    what = "approved" if decision.approved else "denied"
    by = f"by {decision.by}" if decision.by else "in the portal"
    told = f"It was {what} {by} at {decision.at:%Y-%m-%d %H:%M} UTC already."
    return Outcome(fate=Fate.DECIDED_BEFORE, record=record, told=told)
