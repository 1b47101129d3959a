"""An approver at their browser: cookies, forms, and the way to Entra and back, as a browser without script does it."""

from html.parser import HTMLParser
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

import httpx

from tests.app.visitor import Page
from tests.flows import described
from tests.sandbox.personas import Person
from tests.sandbox.world import World


class Form(HTMLParser):
    """The forms of a page: where each is posted, and with which fields."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: dict[str, dict[str, str]] = {}
        self._at = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._at = attributes["action"]
            self.forms[self._at] = {}
        elif tag == "input":
            self.forms[self._at][attributes["name"]] = attributes.get("value", "")


class Approver:
    """A browser, and who sits before it."""

    def __init__(self, world: World, person: Person) -> None:
        self.world, self.person = world, person
        self.mfa = True
        self.http = httpx.AsyncClient(base_url=world.host.url, trust_env=False, timeout=30)
        self.seen: list[httpx.Response] = []
        """Every answer of the app."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()

    async def ask(self, method: str, address: str, **how: Any) -> httpx.Response:
        """One request, as the document says."""
        answer = await self.http.request(method, address, **how)
        described.hold(answer)
        self.seen.append(answer)
        return answer

    def is_at_entra(self, address: str) -> bool:
        """Whether it is where a person signs in."""
        return address.startswith(f"{self.world.clouds.authority}/")

    async def open(self, address: str) -> Page:
        """A page, with all that happens on the way: to Entra, a sign-in there, and back."""
        return await self._settled(await self.ask("GET", address))

    async def submit(self, page: Page, action: str, **fields: str) -> Page:
        """Post a form of a page, and go where it leads."""
        return await self._settled(await self.post(page, action, **fields))

    async def post(self, page: Page, action: str, **fields: str) -> httpx.Response:
        """Only the posting of it."""
        return await self.ask("POST", action, data={**Form(page.html).forms[action], **fields})

    def at_entra(self, address: str) -> str:
        """Sign in there; gives where Entra sends the browser."""
        return self.world.clouds.sign_in(address, self.person, mfa=self.mfa)

    async def _settled(self, answer: httpx.Response) -> Page:
        for _ in range(20):
            address = answer.headers.get("Location", "") or Page(answer).refresh
            if not address:
                return Page(answer)
            address = urljoin(str(answer.url), address)
            back = self.at_entra(address) if self.is_at_entra(address) else address
            answer = await self.ask("GET", back)
        raise AssertionError("the browser goes on and on")


def path_of(answer: httpx.Response) -> str:
    """Where the browser is."""
    return urlsplit(str(answer.url)).path
