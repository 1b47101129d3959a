"""The approval pages: open to who is signed in. GET decides nothing; a form is kept, and its person goes through Entra."""

from datetime import datetime

import azure.functions as func

from shared.activation.record import RequestId
from shared.approvals.browsers import Browser, browser_of, not_set_up, sign_in_at
from shared.approvals.reading import Reader
from shared.approvals.shown import HOME, path_of
from shared.approvals.views import Shown, Told
from shared.approvals.visiting import leave
from shared.approvals.visits import Pending
from shared.identifiers import as_guid
from shared.orchestrations import Orchestrations
from shared.services import Services

LONGEST_REASON = 500
_VERDICTS = {"approve": True, "deny": False}


async def get_approvals(services: Services, _: Orchestrations, request: func.HttpRequest) -> func.HttpResponse:
    """GET /api/approvals: what waits for the person."""
    browser = browser_of(services, request)
    if browser is None:
        return not_set_up()
    if browser.session is None:
        return _to_sign_in(browser, request, HOME)
    waiting, more = await Reader(services, browser.session.person_id).waiting()
    return browser.page(200, browser.pages.waiting(waiting, more, _told(request)))


async def get_approval(services: Services, _: Orchestrations, request: func.HttpRequest) -> func.HttpResponse:
    """GET /api/approvals/{id}: one request, what it costs, and the form to decide it."""
    browser = browser_of(services, request)
    if browser is None:
        return not_set_up()
    if browser.session is None:
        return _to_sign_in(browser, request, _path(request) or HOME)
    shown = await _shown(services, browser, request)
    return browser.page(200, browser.pages.request(shown, _told(request))) if shown else _none(browser)


async def post_approval(services: Services, _: Orchestrations, request: func.HttpRequest) -> func.HttpResponse:
    """POST /api/approvals/{id}: keeps the decision, and leads to Entra for a token that is spent on it."""
    browser = browser_of(services, request)
    if browser is None:
        return not_set_up()
    path = _path(request)
    fields = browser.form(path)
    if browser.session is None or fields is None:
        text = "Your session is over, or the form is not one of ours. Nothing was decided: open the request again."
        return browser.page(403, browser.pages.message("Not taken", text, link=path or HOME, link_text="Open it again"))
    shown = await _shown(services, browser, request)
    if shown is None:
        return _none(browser)
    if not shown.is_open:
        return browser.page(409, browser.pages.request(shown))
    verdict, reason = _VERDICTS.get(fields.get("verdict", "")), fields.get("reason", "").strip()
    if problem := _problem(verdict, reason):
        return browser.page(400, browser.pages.request(shown, reason=reason[:LONGEST_REASON], problem=problem))
    pending = Pending(
        person_id=browser.session.person_id,
        request_id=_request_id(request),
        approve=verdict is True,
        reason=reason,
        priced_at=_moment(fields.get("priced", "")),
    )
    address = await leave(services, browser, path, pending=pending)
    # By a page, and not by a redirect: the policy that forms are posted to us alone would hold for where it leads, too.
    going = browser.pages.message(
        "To Microsoft Entra",
        f"To {'approve' if verdict else 'deny'} it, you go on to Microsoft Entra, which makes sure that it is you.",
        link=address,
        link_text="Go on",
        refresh=f"0;url={address}",
    )
    return browser.page(200, going)


def _moment(text: str) -> datetime | None:
    """When the price was made that the form was shown with; None where none was. Whoever changes it decides nothing."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _problem(verdict: bool | None, reason: str) -> str:  # noqa: FBT001 - a decision, not an option
    """What is wrong with a form, in words."""
    if verdict is None:
        return "Approve or deny."
    if not reason:
        return "Say why, in a few words."
    return f"Say it in {LONGEST_REASON} characters." if len(reason) > LONGEST_REASON else ""


async def _shown(services: Services, browser: Browser, request: func.HttpRequest) -> Shown | None:
    request_id = _request_id(request)
    if browser.session is None or not request_id:
        return None
    return await Reader(services, browser.session.person_id).shown(request_id)


def _to_sign_in(browser: Browser, request: func.HttpRequest, path: str) -> func.HttpResponse:
    if "signed-in" in request.params:
        # They come from a sign-in, and the cookie did not: to send them there again would never end.
        text = "Your browser did not keep the cookie of the session. Allow cookies of this address, and sign in again."
        return browser.page(400, browser.pages.message("No session", text, link=sign_in_at(path), link_text="Sign in"))
    return browser.go(sign_in_at(path))


def _none(browser: Browser) -> func.HttpResponse:
    text = "There is no such request, or you are not among those who are asked for it."
    return browser.page(404, browser.pages.message("Nothing here", text, link=HOME, link_text="What waits for you"))


def _told(request: func.HttpRequest) -> Told | None:
    told = request.params.get("told", "")
    return Told(told) if told in set(Told) else None


def _path(request: func.HttpRequest) -> str:
    """The page of the request that the path names; empty where it names none."""
    request_id = _request_id(request)
    return path_of(request_id) if request_id else ""


def _request_id(request: func.HttpRequest) -> RequestId:
    return RequestId(as_guid(request.route_params.get("id", "")) or "")
