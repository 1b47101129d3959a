"""The play itself: an operator posts the tenant, the target's administrator consents, both watch until the end."""

import asyncio
from urllib.parse import parse_qs, urljoin, urlsplit

from tests.sandbox.demo.browser import Browser
from tests.sandbox.demo.http import Answer, Patient
from tests.sandbox.demo.screen import Screen
from tests.sandbox.demo.view import ENDS, UNDER_WAY, WAITING_FOR_CONSENT, TenantView, read_view
from tests.sandbox.population import CLIENT_IDS, guard_access
from tests.sandbox.world import World

_LOOK_EVERY_SECONDS = 0.25
_PASSING_SECONDS = 20.0


class RefusedError(Exception):
    """The app refused the demo's own request."""


class Play:
    """One onboarding of Fabrikam in a running world. `view` is the last record seen, also after a failure."""

    def __init__(self, world: World, screen: Screen) -> None:
        self._world = world
        self._screen = screen
        self._operator = Patient(world.operator_token())
        self._stranger = Patient()
        self._browser = Browser(
            http=self._stranger,
            look=self._open,
            app=world.host.url,
            entra=world.clouds.authority,
            at_entra=self._accept,
        )
        self._opened: set[str] = set()
        self.view: TenantView | None = None
        self.body = b""

    async def run(self) -> TenantView:
        """To the end, or cancelled from outside. Raises RefusedError or ConsentFailedError."""
        try:
            address = await self._post()
            while True:
                view = await self._look(address)
                if view.state in ENDS:
                    return view
                if view.state == WAITING_FOR_CONSENT and (link := self._invitation(view)):
                    await self._consent(link, address)
                await asyncio.sleep(_LOOK_EVERY_SECONDS)
        finally:
            await self._operator.close()
            await self._stranger.close()

    async def _post(self) -> str:
        people = self._world.people
        url = f"{self._world.host.url}/api/tenants"
        self._screen.say(f"{people.operator.display_name} (operator) sends POST /api/tenants for Fabrikam")
        guard_access(self._world.fabrikam)
        answer = await self._operator.post(url, {**self._world.fabrikam_request(), "features": ["hunting"]})
        # A first try whose answer was lost may have been carried out: then the second one is told of the run under way.
        if answer.status not in ({202, 200, 409} if answer.tries > 1 else {202}):
            raise RefusedError(f"POST /api/tenants answered {answer.status}: {answer.text}")
        self._screen.say(f"{answer.status} {answer.headers.get('Location', '')}")
        return urljoin(url, answer.headers.get("Location") or f"/api/tenants/{self._world.fabrikam.id}")

    async def _look(self, address: str) -> TenantView:
        async with self._world.looking() as rests:
            answer = await self._operator.get(address)
        if answer.status != 200:
            raise RefusedError(f"GET {address} answered {answer.status}: {answer.text}")
        self.body = answer.body
        self.view = read_view(answer.body)
        self._screen.show(self.view)
        if rests and self.view.state in UNDER_WAY:
            self._pass_time()
        return self.view

    async def _open(self, address: str) -> Answer:
        async with self._world.looking() as rests:
            answer = await self._stranger.get(address)
        if rests:
            self._pass_time()
        return answer

    def _pass_time(self) -> None:
        """The clock jumps over the app's own waits; what only a timer of the host would wake (a sweep) is waited for here."""
        self._world.clock.advance(_PASSING_SECONDS)

    def _invitation(self, view: TenantView) -> str | None:
        links = [each.link for each in view.consents if each.link]
        return next((link for link in links if link not in self._opened), None)

    async def _consent(self, link: str, address: str) -> None:
        """The administrator clicks; meanwhile the operator goes on watching."""
        self._opened.add(link)
        administrator = self._world.people.administrator.display_name
        self._screen.say(f"{administrator} (Fabrikam's administrator) opens the consent page {link}")
        async with asyncio.TaskGroup() as group:
            clicking = group.create_task(self._browser.consent(link))
            while not clicking.done():
                await self._look(address)
                await asyncio.wait([clicking], timeout=_LOOK_EVERY_SECONDS)
        self._screen.say(f"{administrator} has nothing left to consent to")

    async def _accept(self, entra_address: str) -> str:
        administrator = self._world.people.administrator
        back = await self._world.clouds.open_consent(entra_address, administrator)
        asked = parse_qs(urlsplit(entra_address).query).get("client_id", [""])[0]
        registration = next((name for name, app_id in CLIENT_IDS.items() if app_id == asked), asked)
        self._screen.say(f"{administrator.display_name} accepts {registration} at Entra and is sent back to the app")
        return back
