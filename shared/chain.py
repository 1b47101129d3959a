"""The audit's hash chain: what an entry holds, how it is sealed, how a chain is verified. Pure. The table is audit.py."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

import msgspec

from shared.errors import ChainBroken

GENESIS = "0" * 64
"""What the first entry follows."""


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what to which tenant, when, on whose word, why, and how it ended."""

    at: datetime
    registration: str
    on_whose_word: str
    tenant_id: str
    act: int
    run: int
    what: str
    why: str
    object_name: str
    wanted: msgspec.Raw
    before: msgspec.Raw
    outcome: str
    request_id: str


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One link of a subject's chain."""

    subject: str
    sequence: int
    previous: str
    deed: Deed
    hash: str = ""


class Unreadable(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the audit table that holds no entry of its place: damaged, or somebody else's."""

    subject: str
    key: str


def sealed(subject: str, sequence: int, previous: str, deed: Deed) -> Entry:
    """The entry with its hash: SHA-256 over its JSON in field order, with an empty hash."""
    entry = Entry(subject=subject, sequence=sequence, previous=previous, deed=deed)
    return msgspec.structs.replace(entry, hash=hashlib.sha256(msgspec.json.encode(entry)).hexdigest())


def verify(entries: list[Entry]) -> None:
    """Check a whole chain, oldest first. Raises ChainBroken that names the first wrong entry."""
    if wrong := broken(entries[::-1], whole=True):
        raise ChainBroken(f"{entries[0].subject} {wrong}")


def broken(newest_first: Sequence[Entry | Unreadable], *, whole: bool = False) -> str:
    """The oldest wrong one of a chain's newest part, or of a `whole` chain; empty where each follows the one before it.

    What is missing at the new end, and a chain that was made anew, is for the seals to tell.
    """
    older: Entry | None = None
    for one in reversed(newest_first):
        if isinstance(one, Unreadable):
            return f"row {one.key}"
        start = 1 if whole else one.sequence
        number = start if older is None else older.sequence + 1
        first = GENESIS if number == 1 else one.previous
        if one != sealed(one.subject, number, first if older is None else older.hash, one.deed):
            return f"entry {number}"
        older = one
    return ""
