"""How long each act may take before it has failed. Pure."""

from datetime import timedelta

from shared.running.acts import BY_NUMBER, LEAVING, SUPERSEDED
from shared.settings import Deadlines

_ANALYST_TAKES = timedelta(seconds=20)
"""One analyst's part of an act that goes by analyst: reads, a write, looks until it shows."""

_TO_LOOK = timedelta(minutes=20)
"""For an act that only looks: longer than the 15 minutes after which a tenant's hunting quota is renewed."""

A_DAY = timedelta(days=1)
"""How long accounts are waited for that a cycle of the synchronization is to delete."""

_BY_ANALYST = frozenset(
    {number for number, act in BY_NUMBER.items() if act.by_analyst} | {act.number for act in (*LEAVING, SUPERSEDED)}
)


def deadline(deadlines: Deadlines, number: int, analysts: int) -> timedelta:
    """How long an act may take: provisioning waits for the synchronization, the rest for replication. Acts that go by
    analyst take their time for each.
    """
    each = analysts * _ANALYST_TAKES if number in _BY_ANALYST else timedelta()
    match number:
        case 8:
            return deadlines.provisioning + each
        case 10 | 11:
            return _TO_LOOK
        case 24:
            return A_DAY + 2 * deadlines.replication
        case 26 | 27:
            # What is deleted or put back may take its time to show: settings, synchronization, partner.
            return 3 * deadlines.replication
        case 6 | 9 | 13 | 21 | 23 | 25:
            # The application must show before its job can be made, the account before PIM knows it; and an answer that
            # was lost is waited for before either is asked for again.
            return 2 * deadlines.replication + each
        case _:
            return deadlines.replication + each
