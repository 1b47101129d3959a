"""An approver in a real browser: signs in, sees the price, decides by keyboard or on a phone; nothing is refused or leaks."""

import re
from decimal import Decimal
from urllib.parse import urlsplit

from playwright.async_api import Page, expect

from tests.browser.conftest import PICTURES, OpenWindow, Watched
from tests.flows.activating import Locked
from tests.sandbox.personas import Person

_PLAN = {
    "region": "westeurope",
    "days": 10,
    "vms": [{"size": "Standard_D4s_v5", "count": 2, "operatingSystem": "linux"}],
    "disks": [{"kind": "premiumSsd", "sizeGib": 128, "count": 2}],
}


async def sign_in(page: Page, person: Person) -> None:
    """At the sandbox's Entra, by keyboard."""
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await page.get_by_label("Sign in as").select_option(person.object_id)
    await page.get_by_role("button", name="Sign in").press("Enter")


async def is_sound(window: Watched, found: Locked) -> None:
    """No policy was violated, nothing complained, and nobody was asked but the app and Entra."""
    world = found.scene.world
    assert await window.violations() == []
    assert window.complaints == []
    assert window.hosts <= {urlsplit(world.host.url).netloc, urlsplit(world.clouds.authority).netloc}


async def tab_to(page: Page, name: str) -> None:
    """As somebody without a mouse gets there."""
    for _ in range(40):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.textContent.trim()") == name:
            return
    raise AssertionError(f"no way to {name} by keyboard")


async def test_an_approver_signs_in_sees_the_price_and_approves_by_keyboard(
    found: Locked, open_window: OpenWindow
) -> None:
    before = await found.asked(plan=_PLAN, reason="Trying it out")
    await found.decide(before, found.ivan, "deny", "Next week")
    request_id = await found.asked(plan=_PLAN, reason="Load test of the new shop before the sale")
    window = await open_window(viewport={"width": 1100, "height": 900})
    page = window.page

    await page.goto("/api/approvals")
    await sign_in(page, found.fiona)
    await expect(page.get_by_role("heading", name="Waiting for you")).to_be_visible()
    PICTURES.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=PICTURES / "waiting.png")
    await page.get_by_role("link", name="Emil Engineer").press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Emil Engineer asks for")
    estimate = (await found.shown(request_id))["money"]["estimate"]
    await expect(page.locator(".sums .main")).to_contain_text(f"{Decimal(estimate['forDays']):,.2f} USD")
    await expect(page.get_by_role("table").first).to_contain_text("D4s v5")
    await expect(page.get_by_role("img")).to_have_attribute("aria-label", re.compile("3,120.40 USD is spent"))
    spent, asked = await page.locator("rect.spent").bounding_box(), await page.locator("rect.asked").bounding_box()
    assert spent is not None
    assert asked is not None
    assert spent["width"] > 20 * asked["width"] > 0
    await is_sound(window, found)
    await page.screenshot(path=PICTURES / "approval.png", full_page=True)

    await page.get_by_label("Your reason").focus()
    await page.keyboard.type("Within the budget of the sale")
    await tab_to(page, "Approve")
    await page.keyboard.press("Enter")
    await sign_in(page, found.fiona)

    await expect(page.get_by_role("status")).to_contain_text("You approved it")
    await expect(page.get_by_label("Outcome")).to_contain_text("Approved by Fiona Finance")
    assert "code=" not in page.url
    assert found.holds()
    await page.screenshot(path=PICTURES / "approved.png")
    await is_sound(window, found)
    cookies = {one["name"]: one for one in await page.context.cookies(found.scene.world.host.url)}
    assert cookies["tenantry-local"]["httpOnly"]
    assert cookies["tenantry-local"]["sameSite"] == "Lax"


async def test_a_denial_on_a_phone_in_the_dark(found: Locked, open_window: OpenWindow) -> None:
    request_id = await found.asked(plan=_PLAN)
    window = await open_window(
        viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True, color_scheme="dark"
    )
    page = window.page

    await page.goto(f"/api/approvals/{request_id}")
    await sign_in(page, found.ivan)
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert await window.overflow() <= 0
    deny = page.get_by_role("button", name="Deny")
    box = await deny.bounding_box()
    assert box is not None
    assert box["height"] >= 44
    PICTURES.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=PICTURES / "phone.png", full_page=True)

    await page.get_by_label("Your reason").fill("Use the shared machine")
    await deny.tap()
    await sign_in(page, found.ivan)

    await expect(page.get_by_role("status")).to_contain_text("You denied it")
    assert found.status(request_id) == "Denied"
    assert await window.overflow() <= 0
    await is_sound(window, found)


async def test_a_justification_that_would_run_is_shown_as_text(found: Locked, open_window: OpenWindow) -> None:
    nasty = '<img src=x onerror="window.ran=1"><script>window.ran=1</script></textarea><svg onload=window.ran=1>'
    await found.asked(plan=_PLAN, reason=nasty)
    window = await open_window()
    page = window.page

    await page.goto("/api/approvals")
    await sign_in(page, found.fiona)
    await page.get_by_role("link", name="Emil Engineer").click()

    await expect(page.locator("dd.reason")).to_have_text(nasty)
    assert await page.evaluate("window.ran") is None
    await is_sound(window, found)


async def test_a_form_without_a_reason_is_held_by_the_browser_and_one_that_is_turned_down_at_entra_decides_nothing(
    found: Locked, open_window: OpenWindow
) -> None:
    request_id = await found.asked(plan=_PLAN)
    window = await open_window()
    page = window.page
    await page.goto(f"/api/approvals/{request_id}")
    await sign_in(page, found.fiona)

    await page.get_by_role("button", name="Approve").click()
    assert await page.evaluate("document.querySelector('textarea').matches(':invalid')")
    await page.get_by_label("Your reason").fill("x")
    await page.get_by_role("button", name="Approve").click()
    await page.get_by_role("button", name="Back").click()

    await expect(page.get_by_role("status")).to_contain_text("without signing in")
    assert found.status(request_id) == "PendingApproval"
    await is_sound(window, found)


async def test_somebody_signs_out_and_is_asked_to_sign_in_again(found: Locked, open_window: OpenWindow) -> None:
    window = await open_window()
    page = window.page
    await page.goto("/api/approvals")
    await sign_in(page, found.fiona)

    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", name="Signed out")).to_be_visible()
    await page.get_by_role("link", name="What waits for you").click()

    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await is_sound(window, found)
