"""The verifier: reads every chain of the audit table, names the first entry that does not follow, and holds the chains
against what the nights have sealed.
"""

from collections.abc import AsyncIterator, Mapping, Sequence

import msgspec

from shared.audit import Audit
from shared.chain import Entry, Unreadable, verify
from shared.errors import ChainBroken
from shared.seals import Head, Seal

_PAGE = 1000


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One subject's chain. `broken`: the first entry that does not follow, is not what was sealed, or the row that cannot
    be read; or nothing. `seals`: how many different heads of it were sealed.
    """

    subject: str
    entries: int
    head: str = ""
    broken: str = ""
    seals: int = 0


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """What the seal of a night says of a chain."""

    night: str
    head: Head


type Promises = Mapping[str, Sequence[Promise]]


async def promises(seals: AsyncIterator[Seal]) -> Promises:
    """What was sealed of each subject, the oldest first. A head that stayed is named once, by its first night."""
    found: dict[str, dict[Head, Promise]] = {}
    async for seal in seals:
        for head in seal.heads:
            found.setdefault(head.subject, {}).setdefault(head, Promise(night=seal.date, head=head))
    return {one: tuple(known.values()) for one, known in found.items()}


async def verdicts(audit: Audit, subject: str = "", sealed: Promises | None = None) -> AsyncIterator[Verdict]:
    """Check the chain of one subject, or of each. One chain at a time is held in memory."""
    left = {one: promised for one, promised in (sealed or {}).items() if subject in ("", one)}
    async for chain in _chains(audit, subject):
        yield _verdict(chain, left.pop(chain[0].subject, ()))
    for gone, promised in left.items():
        first = f"every entry is gone; the seal of {promised[0].night} holds entry {promised[0].head.sequence}"
        yield Verdict(subject=gone, entries=0, broken=f"{gone}: {first}", seals=len(promised))


async def _chains(audit: Audit, subject: str) -> AsyncIterator[list[Entry | Unreadable]]:
    chain: list[Entry | Unreadable] = []
    async for entry in _entries(audit, subject):
        if chain and chain[0].subject != entry.subject:
            yield chain
            chain = []
        chain.append(entry)
    if chain:
        yield chain


async def _entries(audit: Audit, subject: str) -> AsyncIterator[Entry | Unreadable]:
    token = None
    while True:
        entries, token = await audit.page(subject, size=_PAGE, token=token)
        for entry in entries:
            yield entry
        if token is None:
            return


def _verdict(newest_first: list[Entry | Unreadable], promised: Sequence[Promise]) -> Verdict:
    subject = newest_first[0].subject
    entries = [one for one in reversed(newest_first) if isinstance(one, Entry)]
    return Verdict(
        subject=subject,
        entries=len(newest_first),
        head=entries[-1].hash if entries else "",
        broken=_unreadable(newest_first) or _broken(entries) or _unkept(subject, entries, promised),
        seals=len(promised),
    )


def _unreadable(newest_first: list[Entry | Unreadable]) -> str:
    return next((f"{one.subject} row {one.key}" for one in reversed(newest_first) if isinstance(one, Unreadable)), "")


def _broken(entries: list[Entry]) -> str:
    try:
        verify(entries)
    except ChainBroken as error:
        return str(error)
    return ""


def _unkept(subject: str, entries: list[Entry], promised: Sequence[Promise]) -> str:
    """The first thing sealed that a chain, which holds together, does not hold."""
    for one in promised:
        head = one.head
        if head.sequence > len(entries) or entries[head.sequence - 1].hash != head.hash:
            return f"{subject} entry {head.sequence}: not what the seal of {one.night} holds"
    return ""
