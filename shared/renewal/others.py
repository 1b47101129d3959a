"""Whether a principal is there to hold an eligibility, and whether one that is not ours ends soon."""

from datetime import datetime

from shared.graph.directory import User
from shared.renewal.due import Seen, Tonight, Why, is_near


def missed(user: User | None) -> Why | None:
    """Why a user is not to hold one."""
    if user is None:
        return Why.GONE
    return Why.DISABLED if user.account_enabled is False else None


def ends_soon(end: datetime | None, tonight: Tonight) -> bool:
    """Whether one ends soon enough to be told of."""
    return is_near(Seen(left=end, in_force=True, end=end, wanted_days=1), tonight)
