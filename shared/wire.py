"""What activities and sub-orchestrators are on the wire: a name, and the types of one payload and one outcome. Pure."""

from typing import Any

import msgspec


class Activity[P, R](msgspec.Struct, frozen=True, kw_only=True):
    """An activity. `outcome` may be a union, which has no class of its own."""

    name: str
    payload: type[P]
    outcome: type[R] | Any


class Child[P, R](msgspec.Struct, frozen=True, kw_only=True):
    """A sub-orchestrator: its name, and the types of its one payload and its one outcome."""

    name: str
    payload: type[P]
    outcome: type[R]
