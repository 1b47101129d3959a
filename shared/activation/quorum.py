"""Whether what was said of a request is enough for the broker, and what is still missing. Pure. PIM has rules of its own.

A signed webhook proves a system, and no person: it counts in their place up to the deployment's ceiling, and never for senior
IT. One person is never both sides. Any deny ends it.
"""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from shared.activation.cost import Estimate
from shared.activation.rulings import Judgement
from shared.identifiers import ObjectId
from shared.subscriptions.lockdown import LockDown, Quorum


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One's latest word. `in_person`: by their own token, else by finance's webhook."""

    by: ObjectId
    approves: bool
    in_person: bool
    finance: bool = False
    senior: bool = False
    reason: str = ""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a request takes. `webhook_counts`: its price is whole, and not above the ceiling. `demands_finance`: their verdict
    must be there, by whichever way. `senior_only`: a senior must be among those who approve.
    """

    quorum: Quorum
    webhook_counts: bool = False
    demands_finance: bool = False
    senior_only: bool = False


def terms_of(lock_down: LockDown, judgement: Judgement, estimate: Estimate | None, ceiling: Decimal) -> Terms:
    """What a request takes, by what it costs. What has no whole price counts as above every limit."""
    return Terms(
        quorum=lock_down.quorum,
        webhook_counts=_is_within(lock_down.money.currency, estimate, ceiling),
        demands_finance=judgement.demand_finance is not None,
        senior_only=judgement.senior_only is not None,
    )


def denial(said: Sequence[Said]) -> Said | None:
    """The first who denies."""
    return next((one for one in said if not one.approves), None)


def missing(terms: Terms, said: Sequence[Said]) -> str:
    """What is still missing, in words; empty where it is enough."""
    if denial(said) is not None:
        return "somebody denied it"
    counting = [one for one in said if one.in_person or terms.webhook_counts]
    finance = {one.by for one in counting if one.finance}
    seniors = {one.by for one in counting if one.senior and one.in_person}
    if not counting:
        return "the word of an approver, in person"
    if terms.quorum is Quorum.BOTH and not _are_two(finance, seniors):
        if finance and seniors:
            return "another person: one is not both finance and senior IT"
        return "senior IT, in person" if finance else "finance" if terms.webhook_counts else "finance, in person"
    if terms.senior_only and not seniors:
        return "senior IT, in person"
    if terms.demands_finance and not any(one.finance for one in said):
        return "finance's verdict"
    return ""


def _are_two(finance: set[ObjectId], seniors: set[ObjectId]) -> bool:
    """Whether there is one of each who is not the other."""
    return bool(finance) and bool(seniors) and len(finance | seniors) > 1


def _is_within(currency: str, estimate: Estimate | None, ceiling: Decimal) -> bool:
    if estimate is None or not estimate.is_whole or not estimate.lines or estimate.currency != currency:
        return False
    return ceiling > 0 and estimate.for_days <= ceiling
