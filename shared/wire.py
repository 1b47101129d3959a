"""What activities and sub-orchestrators are on the wire: a name, and the types of one payload and one outcome. Pure."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity[P, R]:
    """An activity. `outcome` may be a union, which has no class of its own."""

    name: str
    payload: type[P]
    outcome: type[R] | Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Child[P, R]:
    """A sub-orchestrator: its name, and the types of its one payload and its one outcome."""

    name: str
    payload: type[P]
    outcome: type[R]
