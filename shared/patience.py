"""How a vendor call is tried: retries of seconds, the waits that the vendor asks for, and what a failure means.

What takes longer is raised and waited for on a durable timer. A write whose answer was lost is never repeated blindly,
unless its method makes a repeat harmless: `Unavailable(uncertain=True)` is raised, and the caller looks first.
"""

from collections.abc import Awaitable, Callable, Mapping

import msgspec
from msgspec.structs import replace

from shared.clock import Clock
from shared.errors import (
    ClaimsChallenge,
    Conflict,
    Forbidden,
    NotConsented,
    NotFound,
    Rejected,
    RemoteCall,
    RemoteError,
    Throttled,
    Unavailable,
)
from shared.throttle import Lane, Throttle

LONGEST_WAIT_SECONDS = 5.0
"""What an activity sits out itself; anything longer is raised as Throttled."""

_BACKOFFS = (0.5, 1.0, 2.0)
_DEFAULT_RETRY_AFTER = 10.0
"""PIM answers 429 without a Retry-After (graph issues)."""


class Answer(msgspec.Struct, frozen=True):
    """A success: the raw JSON and the vendor's request id."""

    content: bytes
    request_id: str

    def decode[T](self, kind: type[T]) -> T:
        """The JSON as one of our types; unknown fields are ignored."""
        return msgspec.json.decode(self.content, type=kind)


class _Inner(msgspec.Struct):
    code: str | None = None
    message: str | None = None


class _Envelope(msgspec.Struct):
    error: _Inner = msgspec.field(default_factory=_Inner)


class Try(msgspec.Struct, frozen=True, kw_only=True):
    """How a call may be tried. `renew`: a new token may do what this one was refused; then it is tried with that."""

    lane: Lane
    write: bool
    repeatable: bool
    renew: Callable[[], Awaitable[bool]]


class Patience:
    """Tries calls. Remembers, in this process, until when which lane is closed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._throttle = Throttle(clock)

    async def send(self, remote: RemoteCall, how: Try, once: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer of a call that is tried by `once`. Raises what it raises."""
        landed = False
        try:
            renewed = False
            for backoff in (*_BACKOFFS, None):
                await self._await_lane(how.lane, remote)
                try:
                    return await self._once(how.lane, once)
                except Throttled as error:
                    self._throttle.note(how.lane, error.seconds)
                    if backoff is None or error.seconds > LONGEST_WAIT_SECONDS:
                        raise
                except Forbidden:
                    # A cached token keeps the rights of its day; what it was refused, a new one may do.
                    if renewed or not await how.renew():
                        raise
                    renewed = True
                except Unavailable as error:
                    landed = landed or error.uncertain
                    if backoff is None or not how.repeatable or error.seconds > LONGEST_WAIT_SECONDS:
                        raise
                    await self._clock.sleep(max(backoff, error.seconds))
        except (RemoteError, NotConsented, ClaimsChallenge) as error:
            # What a later try answers says nothing of an earlier one whose answer was lost.
            if how.write and landed:
                seconds = error.seconds if isinstance(error, Throttled | Unavailable) else 0.0
                raise Unavailable(remote, uncertain=True, seconds=seconds) from error
            raise
        raise AssertionError("the last try raises")

    async def _once(self, lane: Lane, once: Callable[[], Awaitable[Answer]]) -> Answer:
        try:
            return await once()
        finally:
            # Not before: the token may have had to be fetched first.
            self._throttle.called(lane)

    async def _await_lane(self, lane: Lane, remote: RemoteCall) -> None:
        wait = self._throttle.wait(lane)
        if wait > LONGEST_WAIT_SECONDS:
            raise Throttled(remote, seconds=wait)
        if wait:
            await self._clock.sleep(wait)


def failure(
    remote: RemoteCall, status: int, content: bytes, headers: Mapping[str, str], request_id: str, pace: float | None
) -> RemoteError:
    """The error that an answer means. `pace`: the wait where the vendor names none."""
    told = _told(content)
    call = replace(remote, status=status, code=told.code or "", message=told.message or "", request_id=request_id)
    retry_after, default = headers.get("Retry-After", ""), _DEFAULT_RETRY_AFTER if pace is None else pace
    match status:
        case 429:
            return Throttled(call, seconds=_seconds(retry_after, default))
        case 404:
            return NotFound(call)
        case 409:
            return Conflict(call)
        case 401 | 403:
            return Forbidden(call)
        case _ if status >= 500:
            return Unavailable(call, uncertain=True, seconds=_seconds(retry_after, default) if retry_after else 0.0)
        case _:
            return Rejected(call)


def code_of(content: bytes) -> str:
    """The vendor's code of a refusal; empty where it has none."""
    return _told(content).code or ""


def _told(content: bytes) -> _Inner:
    try:
        return msgspec.json.decode(content, type=_Envelope).error
    except msgspec.DecodeError:
        return _Inner()


def _seconds(retry_after: str, default: float) -> float:
    return float(retry_after) if retry_after.isascii() and retry_after.isdigit() else default
