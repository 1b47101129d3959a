"""Sends one message to its destination: one POST, no redirects, and nothing of the answer but its status is read."""

import asyncio
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

from shared.clock import Clock
from shared.notify.destinations import Destinations
from shared.notify.notices import Destination, Kept
from shared.notify.waits import Answered
from shared.notify.webhook import signed

_SECONDS = 20.0
"""How long a receiver may take, all in all (Standard Webhooks: 15 to 30)."""


class Post:
    """The way out. `machine`: signatures live on machine time."""

    def __init__(
        self, http: httpx.AsyncClient, destinations: Destinations, machine: Clock, *, seconds: float = _SECONDS
    ) -> None:
        self._http = http
        self._destinations = destinations
        self._machine = machine
        self._seconds = seconds

    async def send(self, kept: Kept) -> Answered:
        """POST a message. Safe twice, for who knows its id. Gives a value for a failure, too."""
        now = self._machine.now()
        headers = {"Content-Type": "application/json"}
        if kept.destination is Destination.WEBHOOK:
            headers |= signed(kept.id, now, kept.body, self._destinations.keys)
        try:
            async with (
                asyncio.timeout(self._seconds),
                self._http.stream(
                    "POST",
                    self._destinations.urls[kept.destination],
                    content=kept.body.encode(),
                    headers=headers,
                    follow_redirects=False,
                    # Connecting and the handshake each end by themselves before the whole time is over: a cancellation in
                    # the middle of them would leave the socket open.
                    timeout=httpx.Timeout(self._seconds, connect=self._seconds / 3),
                ) as answer,
            ):
                return Answered(status=answer.status_code, wait=_wait(answer.headers.get("Retry-After", ""), now))
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            # By its kind alone: the text of some holds the address, which is a secret.
            return Answered(status=None, problem=type(error).__name__)


def _wait(text: str, now: datetime) -> timedelta | None:
    """Retry-After: seconds, or a date."""
    if text.isascii() and text.isdigit():
        return timedelta(seconds=int(text[:9]))
    try:
        return max(parsedate_to_datetime(text) - now, timedelta())
    except (TypeError, ValueError):
        return None
