"""The demo's own parts: its browser, its reading of the record, its plain lines."""

import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from rich.console import Console

from tests.sandbox.demo.browser import Browser, ConsentFailedError
from tests.sandbox.demo.http import Patient
from tests.sandbox.demo.report import print_checklists, print_permissions, print_record, summary
from tests.sandbox.demo.screen import LiveScreen, PlainScreen, duration
from tests.sandbox.demo.view import read_view

_NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
_RECORD = b"""
{
  "tenantId": "7a1c", "displayName": "Fabrikam", "state": "Onboarding", "since": "2026-11-23T11:00:00Z", "run": 1,
  "whatToDo": ["wait [a little]"], "aNewField": {"of": "tomorrow"},
  "acts": [
    {"number": 1, "name": "consent", "state": "Done", "since": "2026-11-23T11:00:00Z", "ended": "2026-11-23T11:01:05Z"},
    {"number": 2, "name": "preflight", "state": "Running", "since": "2026-11-23T11:59:58.5Z", "ended": null,
     "problem": {"code": "x", "what": "slow", "do": "nothing"}},
    {"number": 3, "name": "trust", "state": "Pending"}
  ],
  "analysts": [{"objectId": "a", "displayName": "Ana", "userPrincipalName": "ana@contoso.com", "targetObjectId": "t"}],
  "eligibilities": [{"principalId": "t", "roleDefinitionId": "r", "endDateTime": "2027-05-23T00:00:00Z",
                     "wanted": "P365D", "cappedTo": "P180D"}],
  "permissions": [{"registration": "Tenantry Setup", "tenant": "7a1c", "permissions": ["Policy.Read.All"]}],
  "checklist": [{"analyst": "a", "items": [{"title": "Open the page", "text": "and look", "link": "https://x.example/"}]}]
}
"""


def test_the_record_is_read_tolerantly_and_summed_up() -> None:
    view = read_view(_RECORD)

    onboarding = summary(view, now=_NOON, vendor_calls=7)["onboarding"]

    assert onboarding == {
        "state": "Onboarding",
        "acts": [
            {"name": "consent", "state": "Done", "seconds": 65.0},
            {"name": "preflight", "state": "Running", "seconds": 1.5},
            {"name": "trust", "state": "Pending", "seconds": None},
        ],
        "vendorCalls": 7,
        "eligibilities": [
            {
                "principalId": "t",
                "roleDefinitionId": "r",
                "endDateTime": "2027-05-23T00:00:00+00:00",
                "wanted": "P365D",
                "cappedTo": "P180D",
            }
        ],
    }


def test_without_a_terminal_every_change_is_one_line() -> None:
    written = io.StringIO()
    with PlainScreen(Console(file=written, width=140), lambda: _NOON) as screen:
        screen.show(read_view(_RECORD))
        screen.show(read_view(_RECORD))

    lines = [line.partition("] ")[2] for line in written.getvalue().splitlines()]
    assert lines == [
        "act  1 consent: Done · 1 min 05 s",
        "act  2 preflight: Running · slow: nothing",
        "Fabrikam: Onboarding · wait [a little]",
    ]


def test_on_a_terminal_the_acts_stand_in_a_table_that_is_drawn_anew() -> None:
    written = io.StringIO()
    console = Console(file=written, width=120, force_terminal=True, color_system=None)
    with LiveScreen(console, lambda: _NOON) as screen:
        screen.say("Olga [operator] sends a request")
        screen.show(read_view(_RECORD))

    shown = written.getvalue()
    assert "Olga [operator] sends a request" in shown
    assert "✓ consent" in shown
    assert "1 min 05 s" in shown


def test_the_report_names_people_and_keeps_links_whole() -> None:
    written = io.StringIO()
    console = Console(file=written, width=100)
    view = read_view(_RECORD)

    print_record(console, view, _NOON)
    print_checklists(console, view)
    print_permissions(console, view, {"7a1c": "Fabrikam of Demo"})

    shown = written.getvalue()
    assert "Checklist of Ana <ana@contoso.com>" in shown
    assert "https://x.example/" in shown
    assert "Policy.Read.All" in shown
    assert "Fabrikam of Demo" in shown
    assert "2027-05-23" in shown


@pytest.mark.parametrize(("seconds", "text"), [(None, ""), (0.42, "0.4 s"), (65, "1 min 05 s"), (7500, "2 h 05 min")])
def test_durations_are_short(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@asynccontextmanager
async def _served(**pages: Callable[[web.Request], Awaitable[web.Response]]) -> AsyncIterator[str]:
    app = web.Application()
    for name, page in pages.items():
        app.router.add_get("/" + name.replace("__", "/"), page)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


def _html(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/html")


async def test_the_browser_follows_both_consents_to_the_end() -> None:
    checks = 0
    accepted: list[str] = []

    async def setup(_: web.Request) -> web.Response:
        return _html('<a href="https://docs.example/">what?</a><a href="https://entra.invalid/c?a=1&amp;b=2">go</a>')

    async def back(request: web.Request) -> web.Response:
        nonlocal checks
        checks += 1
        if request.query["for"] == "access":
            return _html("<p>Thank you</p>")
        if checks < 3:
            return _html('<meta http-equiv="refresh" content="2">being checked')
        return _html('<a href="/api/consent/access">next</a>')

    async def access(_: web.Request) -> web.Response:
        return _html('<a href="https://entra.invalid/c?second">go</a>')

    async with _served(api__consent__setup=setup, api__consent__access=access, api__consent=back) as app:

        async def at_entra(address: str) -> str:
            accepted.append(address)
            return f"{app}/api/consent?for={'setup' if len(accepted) == 1 else 'access'}"

        http = Patient()
        browser = Browser(http=http, look=http.get, app=app, entra="https://entra.invalid", at_entra=at_entra)
        await browser.consent(f"{app}/api/consent/setup")
        await http.close()

    assert accepted == ["https://entra.invalid/c?a=1&b=2", "https://entra.invalid/c?second"]
    assert checks == 4


async def test_a_page_that_refuses_ends_the_browser() -> None:
    async def gone(_: web.Request) -> web.Response:
        return _html("This link was used already.", 410)

    async def at_entra(address: str) -> str:
        return address

    async with _served(api__consent__setup=gone) as app:
        http = Patient()
        browser = Browser(http=http, look=http.get, app=app, entra="https://entra.invalid", at_entra=at_entra)
        with pytest.raises(ConsentFailedError, match="410"):
            await browser.consent(f"{app}/api/consent/setup")
        await http.close()


async def test_a_call_is_tried_again_until_the_app_is_back() -> None:
    tries = 0

    async def sometimes(_: web.Request) -> web.Response:
        nonlocal tries
        tries += 1
        return _html("back" if tries == 3 else "down", 200 if tries == 3 else 503)

    async with _served(page=sometimes) as app:
        http = Patient()
        answer = await http.get(f"{app}/page")
        await http.close()

    assert (answer.status, answer.text, answer.tries) == (200, "back", 3)


def test_an_act_that_still_runs_counts_up_to_now() -> None:
    running = read_view(_RECORD).acts[1]

    assert running.seconds(_NOON + timedelta(seconds=10)) == 11.5
