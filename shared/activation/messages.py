"""What crosses the durable boundary while a request is followed. Pure. Names are a contract with running instances."""

import msgspec

from shared.run import RunKey
from shared.running.messages import Again
from shared.wire import Activity


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """One look at a request. Its id is the run's subject."""

    run: RunKey


class Over(msgspec.Struct, frozen=True, tag="over"):
    """Nothing is left to be followed for now."""

    state: str


type LookOutcome = Again | Over

LOOK: Activity[Look, LookOutcome] = Activity(name="look_at_activation", payload=Look, outcome=LookOutcome)
