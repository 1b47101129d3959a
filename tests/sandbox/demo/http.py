"""Calls to the app as a patient person makes them: a dropped connection or a 5xx is tried again, for a while.

Under faults the app's process is killed in mid-request, and then nobody knows what was done: what the demo sends may be
sent twice, and the API answers that plainly.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import httpx

_TRIES = 40
_PAUSE_SECONDS = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back; `tries` above 1 means that an earlier try may have been carried out."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    tries: int = field(default=1)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode(errors="replace")


class Patient:
    """An HTTP client that tries again. Loopback only: proxies of the machine are not asked."""

    def __init__(self, token: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.AsyncClient(headers=headers, trust_env=False, timeout=20)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()

    async def get(self, url: str) -> Answer:
        """GET, following redirects by hand is the caller's business."""
        return await self._send("GET", url, None)

    async def post(self, url: str, body: object) -> Answer:
        """POST JSON."""
        return await self._send("POST", url, body)

    async def put(self, url: str, body: object) -> Answer:
        """PUT JSON."""
        return await self._send("PUT", url, body)

    async def send(self, url: str, content: bytes, headers: Mapping[str, str]) -> Answer:
        """POST of these very bytes."""
        return await self._patiently(
            f"POST {url}", lambda: self._client.post(url, content=content, headers=dict(headers))
        )

    async def _send(self, method: str, url: str, body: object) -> Answer:
        return await self._patiently(
            f"{method} {url}",
            lambda: self._client.request(method, url, json=body) if body else self._client.get(url),
        )

    async def _patiently(self, what: str, send: Callable[[], Awaitable[httpx.Response]]) -> Answer:
        problem = "nothing was sent"
        for attempt in range(1, _TRIES + 1):
            try:
                response = await send()
            except httpx.TransportError as error:
                problem = f"{type(error).__name__}: {error}"
            else:
                if response.status_code < 500:
                    return Answer(
                        status=response.status_code, body=response.content, headers=response.headers, tries=attempt
                    )
                problem = f"{response.status_code} {response.text[:500]}"
            await asyncio.sleep(_PAUSE_SECONDS)
        raise TimeoutError(f"{what} failed {_TRIES} times; the last time: {problem}")
