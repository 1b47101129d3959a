"""What looks at tenants and at subscriptions have in common."""

from collections.abc import Awaitable, Callable, Hashable, Iterable
from datetime import datetime

from msgspec.structs import replace

from shared.eligibility.decide import Action
from shared.eligibility.record import Eligibility, RolePolicy
from shared.graph.directory import User
from shared.renewal.due import Due, Seen, Tonight, Why, is_holder_asked_for, is_near, judge
from shared.renewal.kinds import Judged, Reviewed
from shared.renewal.messages import Wish
from shared.services import Services


def tonight_of(services: Services, record: Reviewed, policy: RolePolicy | None, wish: Wish) -> Tonight:
    """What holds in a night, by what is known of a role's policy."""
    return Tonight(
        date=wish.date,
        now=services.clock.now(),
        review_by=record.reviewed.until,
        maximum_days=policy.maximum_days if policy else None,
        window_days=services.settings.renewal.window_days,
    )


def seen_of(row: Eligibility, wanted_days: int, *, in_force: bool, end: datetime | None) -> Seen:
    """One of ours, as PIM shows it."""
    return Seen(left=row.end, in_force=in_force, end=end, wanted_days=wanted_days, removed=row.removed is not None)


def latest[K: Hashable, T](
    found: Iterable[T], key: Callable[[T], K], end: Callable[[T], datetime | None]
) -> dict[K, T]:
    """Of several with one key, the one that ends last; one without an end ends last of all."""
    kept: dict[K, T] = {}
    for one in found:
        known = kept.get(key(one))
        if known is None or _is_later(end(one), end(known)):
            kept[key(one)] = one
    return kept


async def judged(
    row: Eligibility,
    known: Eligibility | None,
    seen: Seen,
    tonight: Tonight,
    *,
    obstacle: Callable[[], Awaitable[Why | None]],
    was_removed: Callable[[], Awaitable[bool]],
) -> Judged:
    """What becomes of one. Who holds it, and the requests, are only read for what would be written or alarmed of."""
    verdict = judge(seen, tonight)
    if is_holder_asked_for(verdict):
        seen = replace(seen, obstacle=await obstacle())
        if isinstance(verdict, Due) and verdict.action is Action.RENEW:
            seen = replace(seen, removed=await was_removed())
        verdict = judge(seen, tonight)
    return Judged(row=row, known=known, seen=seen, tonight=tonight, verdict=verdict)


def missed(user: User | None) -> Why | None:
    """Why a user is not to hold one."""
    if user is None:
        return Why.GONE
    return Why.DISABLED if user.account_enabled is False else None


def ends_soon(end: datetime | None, tonight: Tonight) -> bool:
    """Whether one ends soon enough to be told of."""
    return is_near(Seen(left=end, in_force=True, end=end, wanted_days=1), tonight)


def _is_later(end: datetime | None, than: datetime | None) -> bool:
    return than is not None and (end is None or end > than)
