"""The approval pages, rendered: Jinja2, everything escaped, no script, nothing loaded from elsewhere. Pure but for templates.

Jinja2 is loaded by the first page, and not by a cold start.
"""

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from shared.approvals.session import Keys, Session, form_token
from shared.approvals.shown import HOME
from shared.approvals.views import GOOD, WORDS, Shown, Told, Waiting, count, left_until, moment, money

if TYPE_CHECKING:
    from jinja2 import Environment

SIGN_IN, SIGN_OUT = "/api/sign-in", "/api/sign-out"
_TEMPLATES = Path(__file__).parent / "templates"


class Pages:
    """Renders for one browser. `session` None: nobody is signed in."""

    def __init__(self, keys: Keys, session: Session | None, now: datetime) -> None:
        self._keys = keys
        self._session = session
        self._now = now

    def waiting(self, waiting: Sequence[Waiting], more: int = 0, told: Told | None = None) -> str:
        """What waits for the person. `more`: how much is not shown."""
        return self._render("waiting.html", told, waiting=waiting, more=more)

    def request(self, request: Shown, told: Told | None = None, *, reason: str = "", problem: str = "") -> str:
        """A request, with the form to decide it where that is theirs. `problem`: what was wrong with the form before."""
        token = form_token(self._session, request.path, self._keys) if self._session else ""
        return self._render(
            "request.html", told, request=request, form_token=token, reason=reason, reason_problem=problem
        )

    def message(self, heading: str, text: str, *, link: str = "", link_text: str = "", refresh: str = "") -> str:
        """A page that says one thing."""
        return self._render("message.html", None, refresh, heading=heading, text=text, link=link, link_text=link_text)

    def _render(self, template: str, told: Told | None, refresh: str = "", **values: object) -> str:
        session = self._session
        return (
            _environment()
            .get_template(template)
            .render(
                style=_style(),
                refresh=refresh,
                now=self._now,
                session=session,
                home=HOME,
                sign_out=SIGN_OUT,
                sign_out_token=form_token(session, SIGN_OUT, self._keys) if session else "",
                told=WORDS[told] if told else "",
                told_good=told in GOOD,
                **values,
            )
        )


def headers() -> dict[str, str]:
    """Of every page. Its one style sheet is allowed by its hash; forms are posted to us alone."""
    return {
        "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_style_hash()}'; img-src data:; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - see above

    made = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    made.filters.update({"money": money, "moment": moment, "count": count, "left": left_until})
    return made


@cache
def _style() -> str:
    return (_TEMPLATES / "style.css").read_text(encoding="utf-8").strip()


@cache
def _style_hash() -> str:
    return base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
