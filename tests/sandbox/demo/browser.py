"""The target administrator's browser: opens the consent page, follows its links, accepts at Entra, comes back.

It knows nothing of the app but what a person sees: a page, its links, and whether it refreshes itself.
"""

import asyncio
from collections.abc import Awaitable, Callable
from html.parser import HTMLParser
from urllib.parse import urljoin

from tests.sandbox.demo.http import Answer, Patient

_MOST_PAGES = 200
_REFRESH_SECONDS = 0.2

type Look = Callable[[str], Awaitable[Answer]]
"""Opens a page that only shows something."""

type AtEntra = Callable[[str], Awaitable[str]]
"""Signs in and accepts at an address of Entra; gives the address that Entra sends the browser to."""


class ConsentFailedError(Exception):
    """The pages did not lead to the end."""


class Page(HTMLParser):
    """What a person can do on a page: follow links, or wait when it refreshes itself."""

    def __init__(self, address: str, text: str) -> None:
        super().__init__()
        self.address = address
        self.links: list[str] = []
        self.refresh: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "a" and (link := attributes.get("href")):
            self.links.append(urljoin(self.address, link))
        if tag == "meta" and (attributes.get("http-equiv") or "").lower() == "refresh":
            target = (attributes.get("content") or "").partition("url=")[2].strip("'\" ")
            self.refresh = urljoin(self.address, target) if target else self.address


class Browser:
    """Goes from page to page until there is nothing left to follow."""

    def __init__(self, *, http: Patient, look: Look, app: str, entra: str, at_entra: AtEntra) -> None:
        self._http = http
        self._look = look
        self._app = app
        self._entra = entra
        self._at_entra = at_entra
        self._followed: set[str] = set()

    async def consent(self, link: str) -> None:
        """From the link of an invitation to the last page. Raises ConsentFailedError."""
        self._followed.add(link)
        address, opened = link, self._look
        for _ in range(_MOST_PAGES):
            page = await _page(opened, address)
            opened = self._look
            if entra := self._next(page.links, self._entra):
                self._followed.add(entra)
                address, opened = await self._at_entra(entra), self._http.get
            elif following := self._next(page.links, f"{self._app}/api/consent/"):
                self._followed.add(following)
                address = following
            elif page.refresh is not None:
                await asyncio.sleep(_REFRESH_SECONDS)
                address = page.refresh
            else:
                return
        raise ConsentFailedError(f"no end after {_MOST_PAGES} pages; the last was {address}")

    def _next(self, links: list[str], prefix: str) -> str | None:
        return next((link for link in links if link.startswith(prefix) and link not in self._followed), None)


async def _page(opened: Look, address: str) -> Page:
    answer = await opened(address)
    if answer.status >= 400:
        raise ConsentFailedError(f"the page {address} answered {answer.status}: {answer.text[:300]}")
    return Page(address, answer.text)
