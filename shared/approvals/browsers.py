"""The browser that asks for a page: who is signed in there, what its forms say, and how it is answered."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import azure.functions as func

from shared.approvals.pages import SIGN_IN, Pages, headers
from shared.approvals.session import (
    LASTS,
    VISIT_LASTS,
    Cookies,
    Keys,
    Session,
    cookies_at,
    is_form_token,
    opened,
    sealed,
)
from shared.approvals.shown import HOME
from shared.callers import SignedIn
from shared.services import Services

_FORM = "application/x-www-form-urlencoded"
_MOST_BYTES = 16_384
_HTML = "text/html"
_STRANGER = Pages(Keys(), None, datetime.min.replace(tzinfo=UTC))
"""Pages that need neither a key nor the time."""


class Browser:
    """One request of a browser. Only where the pages are set up: see `browser_of`."""

    def __init__(self, services: Services, request: func.HttpRequest, cookies: Cookies) -> None:
        self._services = services
        self._request = request
        self._cookies = cookies
        self._keys = services.settings.cookie_keys
        self._now = services.clock.now()
        self._set: list[str] = []
        self.session = opened(cookies.given(request.headers, cookies.session), self._keys, self._now)

    @property
    def pages(self) -> Pages:
        """The pages as this browser sees them."""
        return Pages(self._keys, self.session, self._now)

    @property
    def secret(self) -> str:
        """What tells this browser from others; empty where it began no visit."""
        return self._cookies.given(self._request.headers, self._cookies.browser)

    def own_secret(self) -> str:
        """The same, made where there is none yet, and kept by the browser until the visit is over."""
        secret = self.secret or f"{self._services.new_id()}{self._services.new_id()}"
        self._set.append(self._cookies.set(self._cookies.browser, secret, VISIT_LASTS))
        return secret

    def sign_in(self, who: SignedIn) -> None:
        """From now on it is them, for half an hour."""
        self.session = Session(
            person_id=who.caller.object_id,
            name=who.name or who.username,
            username=who.username,
            number=self._services.new_id(),
            until=self._now + LASTS,
        )
        self._set.append(self._cookies.set(self._cookies.session, sealed(self.session, self._keys), LASTS))

    def sign_out(self) -> None:
        """Nobody any more."""
        self.session = None
        self._set.append(self._cookies.set(self._cookies.session, "", timedelta(0)))

    def form(self, path: str) -> Mapping[str, str] | None:
        """What was posted to that path, if a page of ours showed the form to this session; None for any other."""
        content_type = self._request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        body = self._request.get_body()
        # Where a browser says whence a form came, it says so truly; the token decides.
        elsewhere = self._request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin"
        if self.session is None or elsewhere or content_type != _FORM or len(body) > _MOST_BYTES:
            return None
        try:
            fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=10, strict_parsing=True)
        except ValueError:
            return None
        found = {name: values[0] for name, values in fields.items()}
        return found if is_form_token(found.get("form", ""), self.session, path, self._keys) else None

    def page(self, status: int, html: str) -> func.HttpResponse:
        """A page."""
        return self._with_cookies(func.HttpResponse(body=html, status_code=status, headers=headers(), mimetype=_HTML))

    def go(self, address: str) -> func.HttpResponse:
        """Elsewhere, by GET: to Entra, or to a page of ours."""
        address = f"{self._services.settings.public_url}{address}" if address.startswith("/") else address
        found = func.HttpResponse(body="", status_code=303, headers={**headers(), "Location": address}, mimetype=_HTML)
        return self._with_cookies(found)

    def _with_cookies(self, answer: func.HttpResponse) -> func.HttpResponse:
        for cookie in self._set:
            answer.headers.add("Set-Cookie", cookie)
        return answer


def browser_of(services: Services, request: func.HttpRequest) -> Browser | None:
    """The browser, where the pages are set up: with a key, and reached by https or on this machine."""
    cookies = cookies_at(services.settings.public_url)
    return Browser(services, request, cookies) if cookies and services.settings.cookie_keys.values else None


def not_set_up() -> func.HttpResponse:
    """The page in their place."""
    html = _STRANGER.message(
        "The approval pages are not set up",
        "This deployment has no key for their sessions, or is not reached by https. Decide in the Azure portal: Privileged "
        "Identity Management, Approve requests.",
    )
    return func.HttpResponse(body=html, status_code=503, headers=headers(), mimetype=_HTML)


def unanswered(told: func.HttpResponse) -> func.HttpResponse:
    """The page for when a service behind the app does not answer, or refuses."""
    waits = {"Retry-After": told.headers["Retry-After"]} if "Retry-After" in told.headers else {}
    text = (
        "A service behind this page did not answer. Nothing is lost: the request's page shows whether a decision counts. "
        "Look there before you try again."
    )
    if not waits:
        text = "Microsoft refused this app. An administrator of the source tenant looks at its set-up. Nothing was decided."
    html = _STRANGER.message("Not now", text, link=HOME, link_text="What waits for you")
    return func.HttpResponse(body=html, status_code=told.status_code, headers={**headers(), **waits}, mimetype=_HTML)


def local(back: str) -> str:
    """Where to go after the sign-in: a page of ours, whatever was asked for."""
    try:
        parts = urlsplit(back)
    except ValueError:
        return HOME
    ours = not parts.scheme and not parts.netloc and (parts.path == HOME or parts.path.startswith(f"{HOME}/"))
    return parts.path if ours and "\\" not in back and back.isascii() and back.isprintable() else HOME


def sign_in_at(back: str) -> str:
    """The address at which a sign-in begins that leads back there."""
    return f"{SIGN_IN}?back={local(back)}"
