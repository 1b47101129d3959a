"""What the API shows of the outbox, made of what is kept. Pure."""

from collections.abc import Iterable
from datetime import datetime

from shared.notify.answers import DestinationView
from shared.notify.notices import Destination, Kept


def destination(
    name: Destination, kept: Iterable[Kept], *, configured: bool | None, gone_since: datetime | None
) -> DestinationView:
    """How one destination stands."""
    found = tuple(kept)
    tried = [one for one in found if not one.stopped]
    failed = [one for one in found if one.problem]
    latest = max(failed, key=lambda one: one.due, default=None)
    return DestinationView(
        destination=name,
        configured=configured,
        gone_since=gone_since,
        undelivered=len(found),
        since=min((one.told for one in found), default=None),
        stopped=len(found) - len(tried),
        next_try=min((one.due for one in tried), default=None) if configured and gone_since is None else None,
        last_problem=latest.problem if latest else None,
    )
