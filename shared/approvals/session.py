"""The session of a person at the pages: a signed cookie that says who they are and until when, and nothing else. Pure.

Signed is enough: no token is in it, and its owner may read their own name. It grants the sight of pages; whoever decides goes
through Entra again. Forms carry a token that only the session's owner can have been given.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

import msgspec

from shared.identifiers import ObjectId

KEY, PREVIOUS_KEY = "TENANTRY_COOKIE_KEY", "TENANTRY_COOKIE_PREVIOUS_KEY"
LASTS = timedelta(minutes=30)
VISIT_LASTS = timedelta(minutes=10)
"""How long a sign-in may take at Entra, whose codes live as long."""

_KEY_BYTES = range(32, 65)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Keys(msgspec.Struct, frozen=True):
    """What cookies and forms are signed with, the newest first. None: the pages are not set up. It may not be shown."""

    values: tuple[bytes, ...] = ()

    def __repr__(self) -> str:
        return "Keys()"

    def sign(self, purpose: str, text: str) -> str:
        """By the newest key."""
        return _signature(self.values[0], purpose, text)

    def verify(self, purpose: str, text: str, signature: str) -> bool:
        """By any key: who signed in before a change of keys stays signed in."""
        given = signature.encode()
        return any(hmac.compare_digest(_signature(key, purpose, text).encode(), given) for key in self.values)


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Who is signed in, and until when. `number` is the session's own, which its forms are bound to."""

    person_id: ObjectId
    name: str
    username: str
    number: str
    until: datetime


class Cookies(msgspec.Struct, frozen=True, kw_only=True):
    """How cookies are set where the app is reached.

    Over https with the prefix __Host-, which no other host and no plain connection can set. A browser takes that only with
    Secure, so a run on this machine over plain http has names of its own; plain http from elsewhere gets no session at all.
    """

    secure: bool

    @property
    def session(self) -> str:
        """The name of the session's cookie."""
        return "__Host-tenantry" if self.secure else "tenantry-local"

    @property
    def browser(self) -> str:
        """The name of the cookie that says that a sign-in ends in the browser in which it began."""
        return "__Host-tenantry-browser" if self.secure else "tenantry-local-browser"

    def set(self, name: str, value: str, lasts: timedelta) -> str:
        """The header. Lax: Entra's way back is a navigation from elsewhere, a form that is posted from elsewhere is not."""
        secure = "; Secure" if self.secure else ""
        seconds = int(lasts.total_seconds())
        return f"{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"

    def given(self, headers: Mapping[str, str], name: str) -> str:
        """A cookie that came with a request; empty where it did not."""
        try:
            morsel = SimpleCookie(headers.get("Cookie", "")).get(name)
        except CookieError:
            return ""
        return morsel.value if morsel is not None else ""


def cookies_at(public_url: str) -> Cookies | None:
    """The cookies of an app that is reached there; None where they would travel in the clear."""
    parts = urlsplit(public_url)
    if parts.scheme == "https":
        return Cookies(secure=True)
    return Cookies(secure=False) if parts.hostname in _LOOPBACK else None


def read_key(value: str) -> bytes | None:
    """A key of the settings: the base64 of 32 to 64 bytes."""
    try:
        key = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) in _KEY_BYTES else None


def key_problems(key: str, previous: str) -> Iterator[str]:
    """What is wrong with the settings, by name. Never what they are."""
    for name, value in ((KEY, key), (PREVIOUS_KEY, previous)):
        if value and read_key(value) is None:
            yield f"{name} is not the base64 of 32 to 64 bytes"
    if previous and (not key or previous == key):
        yield f"{PREVIOUS_KEY} is for the key that was {KEY} before"


def keys_of(key: str, previous: str) -> Keys:
    """The keys of these settings, where nothing is wrong with them."""
    return Keys(tuple(found for one in (key, previous) if (found := read_key(one))))


def sealed(session: Session, keys: Keys) -> str:
    """The cookie's value."""
    body = base64.urlsafe_b64encode(msgspec.json.encode(session)).decode().rstrip("=")
    return f"{body}.{keys.sign('session', body)}"


def opened(value: str, keys: Keys, now: datetime) -> Session | None:
    """The session of a cookie; None for one that we did not sign, or that is over."""
    body, _, signature = value.partition(".")
    if not body or not keys.verify("session", body, signature):
        return None
    try:
        session = msgspec.json.decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)), type=Session)
    except (msgspec.DecodeError, binascii.Error):
        return None
    return session if now < session.until else None


def form_token(session: Session, path: str, keys: Keys) -> str:
    """What a form that is posted to that path carries, to prove that our page showed it to this session."""
    return keys.sign("form", f"{session.number}\n{path}")


def is_form_token(token: str, session: Session, path: str, keys: Keys) -> bool:
    """Whether a form was shown to this session, by a page of ours."""
    return keys.verify("form", f"{session.number}\n{path}", token)


def _signature(key: bytes, purpose: str, text: str) -> str:
    # A key of its own for each purpose, so that what was signed for one is worth nothing for another.
    own = hmac.digest(key, purpose.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(hmac.digest(own, text.encode(), hashlib.sha256)).decode().rstrip("=")
