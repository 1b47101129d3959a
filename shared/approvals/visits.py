"""Visits to Entra that are under way: one row for each, spent by the first that comes back with its state.

What MSAL needs afterwards (the PKCE verifier, the nonce) stands in the row, and never in the browser: the row is there
anyway, for only the store can tell a second use from the first, and without Entra's code and our credential it opens nothing.
A decision that was posted stands in it too, so that the way back through the browser carries a state alone.
"""

import hashlib
import hmac
import re
from datetime import datetime, timedelta

import msgspec

from shared.activation.record import RequestId
from shared.clock import Clock
from shared.errors import StoreConflict
from shared.identifiers import NewId, ObjectId
from shared.rows import Row, encode
from shared.tables import Stale, Table

_STATE = re.compile(r"[0-9]{10}[0-9a-f]{64}", re.ASCII)
_PAGE = 200
_KEPT = timedelta(hours=1)


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """A decision that was posted, and waits for its person to come back with a token."""

    person_id: ObjectId
    request_id: RequestId
    approve: bool
    reason: str
    priced_at: datetime | None = None


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """A visit. `browser` is the hash of the cookie of the browser that began it; `flow` is MSAL's, as JSON."""

    browser: str
    flow: msgspec.Raw
    until: datetime
    back: str = ""
    pending: Pending | None = None
    round: int = 0


class _Kept(msgspec.Struct, frozen=True):
    """A row's body: the visit, until it came back."""

    visit: Visit | None = None


class Visits:
    """The table of visits. The hour in which one began is its partition, and the first part of its state."""

    def __init__(self, table: Table, clock: Clock, new_id: NewId) -> None:
        self._table = table
        self._clock = clock
        self._new_id = new_id

    def new_state(self) -> str:
        """A state that nobody can guess: two GUIDs of the operating system's chance."""
        return f"{_hour(self._clock.now())}-{self._new_id()}{self._new_id()}".replace("-", "")

    async def begin(self, state: str, visit: Visit) -> None:
        """Keep a visit, until it comes back."""
        row = Row(partition=_partition(state), key=_key(state), body=encode(_Kept(visit)), nonce=self._new_id())
        if await self._table.insert(row) is not None:
            raise StoreConflict("a state was given out twice")

    async def spend(self, state: str, browser: str) -> Visit | None:
        """The visit of a state, for once and in its own browser; None where there is none (any more).

        A state from another browser spends nothing: its owner may still come.
        """
        row = await self._table.get(_partition(state), _key(state)) if _STATE.fullmatch(state) else None
        visit = row.decode(_Kept).visit if row is not None else None
        if row is None or visit is None:
            return None
        if not hmac.compare_digest(visit.browser.encode(), fingerprint(browser).encode()):
            return None
        # Taken over before it is used: of two that come at once only one finds it as it read it.
        spent = msgspec.structs.replace(row, body=encode(_Kept()), nonce=self._new_id())
        try:
            await self._table.replace(spent)
        except Stale:
            return None
        return visit if self._clock.now() < visit.until else None

    async def forget(self) -> int:
        """Delete what is over, spent or not. Gives how many."""
        before = _hour(self._clock.now() - _KEPT)
        gone, token = 0, None
        for _ in range(_PAGE):
            rows, token = await self._table.page("PartitionKey lt @p", {"p": before}, size=_PAGE, token=token)
            for row in rows:
                await self._table.delete(row.partition, row.key)
            gone += len(rows)
            if token is None:
                break
        return gone


def fingerprint(secret: str) -> str:
    """The hash by which a row knows a secret that it does not hold."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _hour(moment: datetime) -> str:
    return moment.strftime("%Y%m%d%H")


def _partition(state: str) -> str:
    return state[:10]


def _key(state: str) -> str:
    return fingerprint(state)
