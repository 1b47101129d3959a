"""What crosses the durable boundary in a lock-down: what is called by wire name, payloads, outcomes. Pure."""

import msgspec

from shared.run import RunKey
from shared.running.acts import LOCK_DOWN
from shared.running.messages import Again
from shared.subscriptions.lockdown import LockDown
from shared.subscriptions.record import Declaration
from shared.tenants.record import Problem
from shared.wire import Activity

KIND = LOCK_DOWN


class LockWish(msgspec.Struct, frozen=True, kw_only=True):
    """What a run is for: what is declared from now on. `before`: what the word for it was checked against. Nothing declared
    (`lock_down` None): what is declared already is made so again.

    `makes`: a person declared it, so eligibilities that are missing are made. A night puts policies right, and no more.
    """

    declared: tuple[Declaration, ...] = ()
    lock_down: LockDown | None = None
    before: tuple[Declaration, ...] = ()
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


def _act(name: str) -> Activity[LockCall, Again | Went]:
    return Activity(name=name, payload=LockCall, outcome=Again | Went)


BEGIN: Activity[LockCall, LockPlan | Again | Went] = Activity(
    name="begin_lock_down", payload=LockCall, outcome=LockPlan | Again | Went
)
LOCK_ROLE = _act("lock_role_down")
MAKE_ELIGIBLE = _act("make_eligible")
CHECK_APPROVERS = _act("check_approvers")
END: Activity[LockEnd, Again | LockOver] = Activity(name="end_lock_down", payload=LockEnd, outcome=Again | LockOver)
