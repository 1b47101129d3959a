"""Who is told: a receiver of Standard Webhooks and a Teams workflow, as strict as the specifications, and nasty on demand.

A message that they would not take is a violation. The signature is checked by the specification's own package, on machine
time. A mood makes an endpoint answer otherwise, or not at all.
"""

import asyncio
import base64
import json
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from secrets import token_bytes, token_urlsafe
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from tests.sandbox.clock import SharedClock
from tests.sandbox.faults import Fault, Faults
from tests.sandbox.listening import Listener
from tests.sandbox.points import Cut, Points

_HOOK, _WORKFLOW = "/hooks/tenantry", "/workflows/0123abcd/triggers/manual/paths/invoke"
_LARGEST = {"webhook": 20_000, "teams": 28_000}
_TYPE = re.compile(r"[a-zA-Z0-9_]+(\.[a-zA-Z0-9_]+)*")
_PERSONAL = re.compile(r"eyJ[A-Za-z0-9_-]{8,}|@|bearer|sig=|code=|access_token", re.IGNORECASE)
_ELEMENTS = {
    "TextBlock": ({"type", "text", "wrap"}, {"weight", "size", "color", "isSubtle", "spacing"}),
    "FactSet": ({"type", "facts"}, {"spacing"}),
}


def new_key() -> str:
    """A signing key."""
    return f"whsec_{base64.b64encode(token_bytes(32)).decode()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mood:
    """How an endpoint answers instead of taking a message. Status None: not at all, while the caller waits."""

    status: int | None
    retry_after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message that came, as often as it came. `taken`: it was answered with 2xx, or that answer was lost."""

    at: datetime
    id: str
    body: Mapping[str, Any]
    taken: bool


class _Wrong(Exception):
    """Raised for a message that no receiver would take."""


class Receiver:
    """Both endpoints. `came` is all that came, by endpoint; `moods`, by endpoint, say how they answer."""

    def __init__(
        self,
        *,
        clock: SharedClock,
        points: Points,
        faults: Faults,
        context: ssl.SSLContext,
        violate: Callable[[str], None],
    ) -> None:
        self.key = new_key()
        self.sig = token_urlsafe(32)
        self.came: dict[str, list[Delivery]] = {"webhook": [], "teams": []}
        self.moods: dict[str, Mood] = {}
        self._bodies: dict[str, bytes] = {}
        self._clock, self._points, self._faults, self._violate = clock, points, faults, violate
        self._listener = Listener(self._handle, context)

    async def start(self) -> None:
        """Listen on a free loopback port."""
        await self._listener.start()

    async def stop(self) -> None:
        """Close every connection."""
        await self._listener.stop()

    @property
    def webhook_url(self) -> str:
        """Where webhooks go."""
        return f"https://localhost:{self._listener.port}{_HOOK}"

    @property
    def teams_url(self) -> str:
        """Where cards go; whoever knows it may post."""
        query = f"api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig={self.sig}"
        return f"https://localhost:{self._listener.port}{_WORKFLOW}?{query}"

    def environment(self) -> dict[str, str]:
        """The app's settings."""
        return {
            "TENANTRY_WEBHOOK_URL": self.webhook_url,
            "TENANTRY_WEBHOOK_KEY": self.key,
            "TENANTRY_TEAMS_URL": self.teams_url,
        }

    def taken(self, endpoint: str) -> list[Mapping[str, Any]]:
        """The bodies that were taken, each once however often it came (cards carry no id: as often as they came)."""
        return [
            one.body
            for one in {one.id or str(at): one for at, one in enumerate(self.came[endpoint]) if one.taken}.values()
        ]

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        try:
            endpoint = _endpoint(request)
            message_id, body = self._checked(endpoint, request, raw)
        except _Wrong as wrong:
            self._violate(f"receiver: {wrong}")
            return web.Response(status=400)
        await self._points.hit("receiver.before", endpoint)
        status, retry_after, lost = self._answer(endpoint)
        taken = status is not None and 200 <= status < 300
        self.came[endpoint].append(Delivery(at=self._clock.now(), id=message_id, body=body, taken=taken))
        if status is None:
            await asyncio.Event().wait()
        await self._points.hit("receiver.after", endpoint)
        if lost:
            raise Cut
        return web.Response(status=status or 500, headers={"Retry-After": retry_after} if retry_after else {})

    def _answer(self, endpoint: str) -> tuple[int | None, str, bool]:
        """Status, Retry-After, and whether the answer is to be lost."""
        mood = self.moods.get(endpoint)
        if mood is not None:
            return mood.status, mood.retry_after, False
        good = 202 if endpoint == "teams" else 204
        match self._faults.next("vendor", f"receiver {endpoint}"):
            case Fault.THROTTLE:
                return 429, "30", False
            case Fault.SERVER_ERROR:
                return 503, "", False
            case fault:
                return good, "", fault is Fault.LOST_ANSWER

    def _checked(self, endpoint: str, request: web.Request, raw: bytes) -> tuple[str, Mapping[str, Any]]:
        if request.method != "POST" or request.content_type != "application/json":
            raise _Wrong(f"{request.method} of {request.content_type}")
        if "Authorization" in request.headers or "Cookie" in request.headers:
            raise _Wrong("credentials of somebody else")
        if len(raw) >= _LARGEST[endpoint]:
            raise _Wrong(f"{len(raw)} bytes")
        try:
            body = json.loads(raw)
        except ValueError as error:
            raise _Wrong("no JSON") from error
        if found := _PERSONAL.search(raw.decode()):
            raise _Wrong(f"something personal: {found[0][:4]}")
        if endpoint == "teams":
            _check_card(body)
            return "", body
        return self._signed(request, raw, body), body

    def _signed(self, request: web.Request, raw: bytes, body: Any) -> str:
        headers = {
            name: request.headers.getall(name, []) for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
        }
        if any(len(values) != 1 for values in headers.values()):
            raise _Wrong("headers of Standard Webhooks are missing")
        given = {name: values[0] for name, values in headers.items()}
        try:
            Webhook(self.key).verify(raw, given, json_parse=False)
        except (WebhookVerificationError, ValueError) as error:
            raise _Wrong(f"the signature: {error}") from error
        if not given["webhook-timestamp"].isdigit() or "." in given["webhook-id"]:
            raise _Wrong("id or timestamp")
        if self._bodies.setdefault(given["webhook-id"], raw) != raw:
            raise _Wrong("another body under the same id")
        _check_payload(body)
        return given["webhook-id"]


def _endpoint(request: web.Request) -> str:
    if request.path == _HOOK and not request.query_string:
        return "webhook"
    if request.path == _WORKFLOW and request.query.get("sig"):
        return "teams"
    raise _Wrong(f"nobody lives at {request.path}")


def _check_payload(body: Any) -> None:
    if not isinstance(body, dict) or set(body) != {"type", "timestamp", "data"} or not isinstance(body["data"], dict):
        raise _Wrong("the payload's structure")
    if not _TYPE.fullmatch(body["type"]) or not body["data"]:
        raise _Wrong("type or data")
    if datetime.fromisoformat(body["timestamp"]).tzinfo is None:
        raise _Wrong("the timestamp has no zone")


def _check_card(body: Any) -> None:
    if not isinstance(body, dict) or set(body) != {"type", "attachments"} or body["type"] != "message":
        raise _Wrong("no message with attachments")
    [attachment] = body["attachments"]
    if (
        attachment["contentType"] != "application/vnd.microsoft.card.adaptive"
        or attachment.get("contentUrl") is not None
    ):
        raise _Wrong("the attachment is no Adaptive Card")
    content = attachment["content"]
    if set(content) != {"$schema", "type", "version", "body", "actions"} or content["type"] != "AdaptiveCard":
        raise _Wrong("the card's structure")
    if content["version"] not in {"1.2", "1.3", "1.4", "1.5"}:
        raise _Wrong("a version that Teams does not show")
    for element in content["body"]:
        needed, allowed = _ELEMENTS[element["type"]]
        if not needed <= set(element) <= needed | allowed:
            raise _Wrong(f"properties of a {element['type']}")
        for fact in element.get("facts", []):
            if set(fact) != {"title", "value"} or not all(isinstance(text, str) and text for text in fact.values()):
                raise _Wrong("a fact")
    for action in content["actions"]:
        if action["type"] != "Action.OpenUrl" or set(action) != {"type", "title", "url"} or "?" in action["url"]:
            raise _Wrong("an action that does more than open an address")
