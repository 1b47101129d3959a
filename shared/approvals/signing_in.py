"""Signing in to the pages, and coming back from Entra.

The way back is bound: to a state that is spent once, to the browser that began, and for a decision to who posted it.
"""

import logging

import azure.functions as func

from shared.approvals.browsers import Browser, browser_of, local, not_set_up
from shared.approvals.deciding import decide_as
from shared.approvals.pages import SIGN_OUT
from shared.approvals.shown import HOME
from shared.approvals.views import Told
from shared.approvals.visiting import leave, leave_again
from shared.approvals.visits import Visit
from shared.callers import AppRole, Caller
from shared.errors import ClaimsChallenge, Unauthenticated, Unavailable
from shared.orchestrations import Orchestrations
from shared.services import Services

_log = logging.getLogger(__name__)


async def get_sign_in(services: Services, _: Orchestrations, request: func.HttpRequest) -> func.HttpResponse:
    """GET /api/sign-in: to Entra, and from there back to the page named."""
    browser = browser_of(services, request)
    if browser is None:
        return not_set_up()
    return browser.go(await leave(services, browser, local(request.params.get("back", ""))))


async def get_callback(
    services: Services, orchestrations: Orchestrations, request: func.HttpRequest
) -> func.HttpResponse:
    """GET /api/sign-in/callback: where Entra sends the browser back, signed in, or with a token for one decision."""
    browser = browser_of(services, request)
    if browser is None:
        return not_set_up()
    visit = await services.visits.spend(request.params.get("state", ""), browser.secret)
    if visit is None:
        text = (
            "It took more than ten minutes, was used before, or began in another browser. If it was for a decision, the "
            "request's page shows whether that counts."
        )
        return _message(browser, 400, "This sign-in is over", text)
    if request.params.get("error"):
        return _back(browser, visit, Told.DECLINED)
    try:
        return await _arrived(services, orchestrations, browser, visit, request)
    except (ClaimsChallenge, Unavailable) as error:
        # An answer that was lost may have spent the code, so that only a new one helps; Entra knows the person by now.
        claims = error.claims if isinstance(error, ClaimsChallenge) else ""
        again = await leave_again(services, browser, visit, claims)
        return browser.go(again) if again else _back(browser, visit, Told.AGAIN)
    except Unauthenticated as error:
        _log.info("sign_in.refused reason=%s", error)
        return _back(browser, visit, Told.AGAIN)


async def post_sign_out(services: Services, _: Orchestrations, request: func.HttpRequest) -> func.HttpResponse:
    """POST /api/sign-out: ends the session of this browser at our pages; the one at Entra is Entra's."""
    browser = browser_of(services, request)
    if browser is None:
        return not_set_up()
    if browser.form(SIGN_OUT) is not None:
        browser.sign_out()
    return _message(browser, 200, "Signed out", "You are signed out of Tenantry in this browser.")


async def _arrived(
    services: Services, orchestrations: Orchestrations, browser: Browser, visit: Visit, request: func.HttpRequest
) -> func.HttpResponse:
    arrived = await services.entra.arrive(visit.flow, dict(request.params))
    who = arrived.who
    if hindrance := _hindrance(who.caller):
        return _message(browser, 403, "Not for you", hindrance)
    if visit.pending is not None and visit.pending.person_id != who.caller.object_id:
        return _back(browser, visit, Told.SOMEBODY_ELSE)
    told = await decide_as(services, orchestrations, arrived, visit.pending) if visit.pending else None
    browser.sign_in(who)
    return _back(browser, visit, told)


def _hindrance(caller: Caller) -> str:
    """Why a person gets no session, in words."""
    if caller.guest:
        return "Guests of the organization approve nothing here."
    if AppRole.APPROVE.value not in caller.roles:
        missing = f"You lack the app role {AppRole.APPROVE.value} of Tenantry API."
        return f"{missing} An administrator of the organization assigns it."
    return ""


def _back(browser: Browser, visit: Visit, told: Told | None) -> func.HttpResponse:
    """To the page from which they left. It says what was done; and that there is a session, if the browser kept it."""
    if browser.session is None:
        return _message(browser, 400, "You are not signed in", "You came back from Microsoft Entra without a sign-in.")
    return browser.go(f"{visit.back}?{f'told={told}' if told else 'signed-in='}")


def _message(browser: Browser, status: int, heading: str, text: str) -> func.HttpResponse:
    return browser.page(status, browser.pages.message(heading, text, link=HOME, link_text="What waits for you"))
