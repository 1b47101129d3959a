"""The verifier: reads every chain of the audit table and names the first entry that does not follow."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from shared.audit import Audit
from shared.chain import Entry, Unreadable, verify
from shared.errors import ChainBroken

_PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One subject's chain. `broken`: the first entry that does not follow, or the row that cannot be read; or nothing."""

    subject: str
    entries: int
    head: str = ""
    broken: str = ""


async def verdicts(audit: Audit, subject: str = "") -> AsyncIterator[Verdict]:
    """Check the chain of one subject, or of each. One chain at a time is held in memory."""
    chain: list[Entry | Unreadable] = []
    async for entry in _entries(audit, subject):
        if chain and chain[0].subject != entry.subject:
            yield _verdict(chain)
            chain = []
        chain.append(entry)
    if chain:
        yield _verdict(chain)


async def _entries(audit: Audit, subject: str) -> AsyncIterator[Entry | Unreadable]:
    token = None
    while True:
        entries, token = await audit.page(subject, size=_PAGE, token=token)
        for entry in entries:
            yield entry
        if token is None:
            return


def _verdict(newest_first: list[Entry | Unreadable]) -> Verdict:
    subject, count = newest_first[0].subject, len(newest_first)
    entries = [one for one in reversed(newest_first) if isinstance(one, Entry)]
    for one in reversed(newest_first):
        if isinstance(one, Unreadable):
            return Verdict(subject=subject, entries=count, broken=f"{subject} row {one.key}")
    try:
        verify(entries)
    except ChainBroken as error:
        return Verdict(subject=subject, entries=count, head=entries[-1].hash, broken=str(error))
    return Verdict(subject=subject, entries=count, head=entries[-1].hash)
