"""What the acts that only look have found of a tenant, as rows of its partition. Pure."""

from datetime import datetime
from enum import StrEnum

import msgspec

from shared.identifiers import ObjectId


class Feature(StrEnum):
    """What a tenant may be given beyond the eligibilities, by the names that the API knows."""

    HUNTING = "hunting"


class Applies(StrEnum):
    """Whether a policy of the target is about the analysts' sign-in. What is only reported stops nobody yet."""

    YES = "yes"
    MAYBE = "maybe"
    REPORT_ONLY = "reportOnly"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that the target would ask of an analyst's sign-in, and what a person does about it.

    `stops`: no analyst can give it. No analysts named: all of them. No locations named: all of this side.
    """

    policy: str
    policy_id: str
    applies: Applies
    stops: bool
    controls: tuple[str, ...]
    what: str
    do: str
    analysts: tuple[ObjectId, ...] = ()
    locations: tuple[str, ...] = ()


class SignIn(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the way of a sign-in to the target, inside its named locations and outside, as it was read.

    `left_out`: findings beyond the most that are kept. `problem`: why it could not be read.
    """

    read: datetime
    locations: tuple[str, ...] = ()
    inside: tuple[Finding, ...] = ()
    outside: tuple[Finding, ...] = ()
    left_out: int = 0
    problem: str = ""


type Cell = str | int | float | bool | None


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one saved query: its first rows, or why there are none."""

    query: str
    at: datetime
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    problem: str = ""


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """How far a feature is proved by use, as one run found it. Not asked: it was not wanted."""

    feature: Feature
    run: int
    since: datetime
    asked: bool
    answers: tuple[Answered, ...] = ()
