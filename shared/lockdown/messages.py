"""What crosses the durable boundary in a lock-down: what is called by wire name, payloads, outcomes. Pure."""

import msgspec
from msgspec import UNSET, UnsetType

from shared.identifiers import SubscriptionId
from shared.run import RunKey
from shared.running.acts import LOCK_DOWN
from shared.running.messages import Again, Cursor, PageCall
from shared.subscriptions.lockdown import LockDown
from shared.subscriptions.record import Declaration
from shared.tenants.record import Problem
from shared.wire import Activity

KIND = LOCK_DOWN
NIGHT_KIND = "subscriptionNight"


class LockWish(msgspec.Struct, frozen=True, kw_only=True):
    """What a run is for: what is declared from now on. `before`, `lock_before`: what the word for it was checked against; a
    row of an earlier version does not say the latter. Nothing declared (`lock_down` None): what is declared already is made
    so again.

    `makes`: a person declared it, so eligibilities that are missing are made. A night puts policies right, and no more.
    """

    declared: tuple[Declaration, ...] = ()
    lock_down: LockDown | None = None
    before: tuple[Declaration, ...] = ()
    lock_before: LockDown | UnsetType | None = UNSET
    makes: bool = False
    reason: str = ""


class LockCall(msgspec.Struct, frozen=True, kw_only=True):
    """One act of a run: of a role, or of an eligibility by its key."""

    run: RunKey
    role: str = ""
    eligibility: str = ""


class LockPlan(msgspec.Struct, frozen=True, kw_only=True, tag="plan"):
    """Which roles' policies are made so, and then which eligibilities are missing, by key."""

    roles: tuple[str, ...]
    eligibilities: tuple[str, ...] = ()


class Went(msgspec.Struct, frozen=True, kw_only=True, tag="went"):
    """What an act came to: nothing is left to be done by it. `stops`: the run goes no further. `problems`: a person's."""

    problems: tuple[Problem, ...] = ()
    stops: bool = False


class LockEnd(msgspec.Struct, frozen=True, kw_only=True):
    """How a run came out: what went wrong, and whether it went to its end."""

    run: RunKey
    problems: tuple[Problem, ...] = ()
    failed: bool = False


class LockOver(msgspec.Struct, frozen=True, kw_only=True, tag="over"):
    """The subscription is at rest, and the run is closed."""


class LockedPage(msgspec.Struct, frozen=True, kw_only=True):
    """How many were looked at, how many drifted, and which are to be looked at again; the next page's cursor."""

    cursor: Cursor | None = None
    looked_at: int = 0
    drifted: int = 0
    postponed: tuple[SubscriptionId, ...] = ()


class LockedNightEnd(msgspec.Struct, frozen=True, kw_only=True):
    """How a night ended. `failed`: a page could not be read, so that nobody knows which were not looked at."""

    run: RunKey
    looked_at: int
    drifted: int
    given_up: tuple[SubscriptionId, ...] = ()
    failed: bool = False


class LockedNightOver(msgspec.Struct, frozen=True):
    """The night's run is closed."""


def _act(name: str) -> Activity[LockCall, Again | Went]:
    return Activity(name=name, payload=LockCall, outcome=Again | Went)


BEGIN: Activity[LockCall, LockPlan | Again | Went] = Activity(
    name="begin_lock_down", payload=LockCall, outcome=LockPlan | Again | Went
)
LOCK_ROLE = _act("lock_role_down")
MAKE_ELIGIBLE = _act("make_eligible")
CHECK_APPROVERS = _act("check_approvers")
END: Activity[LockEnd, Again | LockOver] = Activity(name="end_lock_down", payload=LockEnd, outcome=Again | LockOver)
LOOK: Activity[PageCall, LockedPage] = Activity(name="look_at_locked_page", payload=PageCall, outcome=LockedPage)
END_LOOK: Activity[LockedNightEnd, LockedNightOver] = Activity(
    name="end_subscription_night", payload=LockedNightEnd, outcome=LockedNightOver
)
