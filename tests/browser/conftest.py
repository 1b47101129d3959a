"""Chromium for the tests, where the machine has it. CI must: what is skipped there would never be seen to fail."""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from msgspec.structs import replace
from playwright.async_api import BrowserContext, ConsoleMessage, Page, Request, async_playwright

from shared.subscriptions.lockdown import Budget
from shared.subscriptions.record import Change, Subscription
from tests.conftest import OpenWorld
from tests.flows.activating import Locked, locked
from tests.flows.scene import Scene
from tests.sandbox.arm.models.budgets import Budget as AzureBudget

PICTURES = Path(__file__).parents[2] / "build" / "pages"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Without them Chromium asks its maker's hosts for this and that at every start, and as root it does not start at all.
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_WATCH = """
window.violations = [];
document.addEventListener('securitypolicyviolation', one => window.violations.push(one.violatedDirective));
"""


@dataclass
class Watched:
    """A browser's window, and what went wrong in it."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    async def violations(self) -> list[str]:
        """What the policy of the page that is shown refused."""
        found: list[str] = await self.page.evaluate("window.violations")
        return found

    async def overflow(self) -> int:
        """How far the page is wider than the window."""
        return int(await self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


type OpenWindow = Callable[..., Awaitable[Watched]]


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where it is. Skips where it is not, unless CI runs."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        reason = "there is no Chromium on this machine (Debian: apt-get install chromium)"
        if os.environ.get("CI") or os.environ.get("BROWSER_TESTS"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture
async def found(chromium: str, open_world: OpenWorld) -> AsyncIterator[Locked]:  # noqa: ARG001 - no world without it
    """Production, locked down, with a budget of which more than half is spent."""
    async with Scene(await open_world(receiving=True, auto_advance=False)) as scene:
        production = await locked(scene)
        production.subscription.set_budget(AzureBudget(name="production", amount=5000, spent=3120.4, forecast=4300))

        def with_budget(one: Subscription) -> Change | None:
            assert one.record.lock_down is not None
            budget = Budget(amount=Decimal(5000), azure_name="production")
            return Change(record=replace(one.record, lock_down=replace(one.record.lock_down, budget=budget)))

        await scene.subscriptions.update(production.id, with_budget)
        yield production


@pytest.fixture
async def open_window(chromium: str, found: Locked) -> AsyncIterator[OpenWindow]:
    """Opens windows that know nobody yet, with Playwright's options of a context."""
    async with AsyncExitStack() as leaving:
        playwright = await leaving.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(_FLAGS))
        leaving.push_async_callback(browser.close)

        async def opened(**options: Any) -> Watched:
            # The sandbox's Entra has a certificate of its own making.
            context: BrowserContext = await browser.new_context(
                base_url=found.scene.world.host.url, ignore_https_errors=True, **options
            )
            await context.add_init_script(_WATCH)
            context.set_default_timeout(20_000)
            window = Watched(await context.new_page())

            def complain(message: ConsoleMessage) -> None:
                if message.type in ("error", "warning"):
                    window.complaints.append(message.text)

            def note(request: Request) -> None:
                if not request.url.startswith("data:"):
                    window.hosts.add(urlsplit(request.url).netloc)

            window.page.on("console", complain)
            window.page.on("pageerror", lambda error: window.complaints.append(str(error)))
            window.page.on("request", note)
            return window

        yield opened
