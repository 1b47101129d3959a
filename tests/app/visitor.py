"""The target's administrator at the consent pages, one step at a time: what a page shows, and where its links lead."""

from html.parser import HTMLParser
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from shared.permissions import Registration
from tests.flows.scene import Scene
from tests.sandbox.personas import Person


class Page(HTMLParser):
    """An answer, as a browser reads it."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        self.status = answer.status_code
        self.headers = answer.headers
        self.html = answer.text
        self.title = ""
        self.text = ""
        self.links: list[str] = []
        self.refresh = ""
        self._in = ""
        self.feed(answer.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in = tag
        attributes = dict(attrs)
        if tag == "a":
            self.links.append(attributes.get("href") or "")
        if tag == "meta" and attributes.get("http-equiv") == "refresh":
            self.refresh = (attributes.get("content") or "").partition("url=")[2]

    def handle_data(self, data: str) -> None:
        if self._in == "title":
            self.title += data
        elif self._in != "style":
            self.text += data

    def handle_endtag(self, tag: str) -> None:
        self._in = "" if tag == self._in else self._in


class Visitor:
    """Somebody who was sent a consent link."""

    def __init__(self, scene: Scene, person: Person | None = None) -> None:
        self.scene = scene
        self.person = person or scene.world.people.administrator

    async def link(self, registration: Registration = Registration.SETUP) -> str:
        """The link that the record shows for a registration."""
        consents = (await self.scene.record())["consents"]
        return str(next(one["link"] for one in consents if one["registration"] == registration.value))

    async def open(self, address: str) -> Page:
        """A page of the app."""
        return Page(await self.scene.call("GET", address, token=None))

    async def at_entra(self, page: Page, answer: str = "accept") -> str:
        """Follows the page's link to Entra and answers there; gives the address that Entra sends the browser to."""
        [entra] = [link for link in page.links if link.startswith(self.scene.world.clouds.authority)]
        return await self.scene.world.clouds.open_consent(entra, self.person, answer)

    async def consent(self, registration: Registration = Registration.SETUP, answer: str = "accept") -> Page:
        """From the link to the page after Entra."""
        return await self.open(await self.at_entra(await self.open(await self.link(registration)), answer))


def callback(scene: Scene, link: str, **fields: str) -> str:
    """The address of a callback that Entra never sent: for the state of a link, with these fields."""
    state = link.rpartition("/")[2]
    return f"{scene.world.host.url}/api/consent?{urlencode({'state': state, **fields})}"


def given(scene: Scene) -> dict[str, str]:
    """The fields of a consent that was given."""
    return {"admin_consent": "True", "tenant": scene.target}


def asked(link: str) -> dict[str, str]:
    """The query of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
