"""What crosses the durable boundary in a tenant's run, and in nights: activities by wire name, payloads, outcomes. Pure.

One file to open to learn what can happen. Names are a contract with running instances: a test holds the list.
"""

from datetime import datetime

import msgspec

from shared.identifiers import ObjectId
from shared.permissions import Family
from shared.run import RunKey
from shared.tenants.record import Problem
from shared.tenants.states import State

type Cursor = dict[str, str | None]


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """A moment reserved for one call of a family that the source tenant may call rarely."""

    family: Family
    at: datetime


class ActCall(msgspec.Struct, frozen=True, kw_only=True):
    """One act for one run; of one analyst where the act goes by analyst. `slot` was reserved before.

    `last`: no other analyst of this step is still waited for.
    """

    run: RunKey
    analyst: ObjectId | None = None
    slot: Slot | None = None
    last: bool = True


class PageCall(msgspec.Struct, frozen=True, kw_only=True):
    """One page of tenants, or of subscriptions, from where the last one ended; or, with `only`, those that were postponed."""

    run: RunKey
    cursor: Cursor | None = None
    only: tuple[str, ...] = ()


class Done(msgspec.Struct, frozen=True, tag="done"):
    """What the step ensures is so, and was read back. `more`: the act has further steps to go; else they are left out."""

    detail: str = ""
    more: bool = False


class Again(msgspec.Struct, frozen=True, tag="again"):
    """Not yet: come again after so many seconds, with the slot if one was reserved."""

    seconds: float
    reason: str
    slot: Slot | None = None


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """The run ends here, in this state. No state: it was cancelled, or another run followed."""

    state: State | None
    problem: Problem | None = None


class Plan(msgspec.Struct, frozen=True, tag="plan"):
    """The acts that are left, by number, the analysts they go through, and the state when all are done."""

    acts: tuple[int, ...]
    analysts: tuple[ObjectId, ...]
    then: State = State.READY


class Resume(msgspec.Struct, frozen=True, tag="resume"):
    """What the run was to wait for has come meanwhile: go on."""


class EndCall(msgspec.Struct, frozen=True, kw_only=True):
    """How a run is to end."""

    run: RunKey
    ended: Ended


type ActOutcome = Done | Again | Ended
type BeginOutcome = Plan | Again | Ended
type EndOutcome = Done | Again | Resume
