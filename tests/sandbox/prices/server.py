"""The price list as a service: one anonymous endpoint. Tests change its rows, slow it down or take it away."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import override
from urllib.parse import parse_qsl, quote
from uuid import uuid4

from aiohttp import web

from tests.sandbox.answers import Answer, VendorError
from tests.sandbox.faults import Faults
from tests.sandbox.points import Points
from tests.sandbox.prices.filters import matches, parse, refused
from tests.sandbox.prices.items import stocked
from tests.sandbox.recorder import Recorder
from tests.sandbox.serving import Accepted, Exchange, VendorServer, json_or_text

PATH = "/api/retail/prices"
LABEL = f"GET {PATH}"
VERSION = "2023-01-01-preview"
RATES = {"USD": Decimal(1), "EUR": Decimal("0.9"), "GBP": Decimal("0.8"), "JPY": Decimal(150)}
"""Currencies of this world, and what a dollar is in them."""
_OPTIONS = frozenset({"api-version", "currencyCode", "meterRegion", "$filter", "$skip"})


class Retail:
    """What is sold, and how the service feels. `throttled`: seconds in every answer. `answers_in`: whatever is asked for."""

    def __init__(self) -> None:
        self.items = stocked()
        self.page = 1000
        self.down = False
        self.throttled: int | None = None
        self.answers_in: str | None = None

    def reprice(self, factor: str) -> None:
        """Everything costs so many times as much from now on."""
        self.items = [replace(item, usd=item.usd * Decimal(factor)) for item in self.items]


class PriceServer(VendorServer):
    """The service."""

    service = "prices"
    gateway_timeout = VendorError(504, "GatewayTimeout", "The gateway did not answer in time.")

    def __init__(
        self,
        *,
        retail: Retail,
        now: Callable[[], datetime],
        points: Points,
        faults: Faults,
        recorder: Recorder,
        violate: Callable[[str], None],
    ) -> None:
        super().__init__(now=now, points=points, faults=faults, recorder=recorder, violate=violate)
        self._retail = retail

    @override
    def _ids(self, request: web.Request) -> dict[str, str]:
        return {"x-ms-request-id": str(uuid4())}

    @override
    def _envelope(self, exchange: Exchange, error: VendorError) -> dict[str, object]:
        return {"Error": {"Code": error.code, "Message": error.message}}

    @override
    def _accepted(self, exchange: Exchange) -> Accepted:
        request = exchange.request
        exchange.body = json_or_text(exchange.raw)
        if (request.method, request.path) != ("GET", PATH):
            text = f"The sandbox serves no {request.method} {request.path}."
            raise VendorError(501, "NotImplemented", text, violation=True)
        if exchange.raw or "Authorization" in request.headers:
            raise refused("The prices are for everybody: no body and no token is expected.")
        return Accepted(
            label=LABEL, writes=False, throttling=lambda: _throttled(3), serve=lambda: self._served(request)
        )

    def _served(self, request: web.Request) -> Answer:
        retail = self._retail
        if retail.throttled is not None:
            raise _throttled(retail.throttled)
        if retail.down:
            raise VendorError(503, "ServiceUnavailable", "The service is unavailable.")
        given = _options(request)
        currency = retail.answers_in or _quoted(given.get("currencyCode", "'USD'"))
        if currency not in RATES:
            raise refused(f"The currency '{currency}' is not one of this world: {', '.join(RATES)}.")
        if given.get("meterRegion", "'primary'") != "'primary'":
            raise refused("meterRegion may be 'primary' only.")
        terms = parse(given["$filter"]) if given.get("$filter") else ()
        primary_only = "meterRegion" in given
        found = [one for one in retail.items if matches(one, terms) and (one.primary or not primary_only)]
        return Answer(body=self._page(given, [one.wire(currency, RATES[currency]) for one in found], currency))

    def _page(self, given: dict[str, str], rows: list[dict[str, object]], currency: str) -> dict[str, object]:
        offset = int(given.get("$skip", "0"))
        end = offset + self._retail.page
        link = None
        if end < len(rows):
            following = {**given, "$skip": str(end)}
            link = f"{self.url}{PATH}?" + "&".join(f"{name}={quote(value)}" for name, value in following.items())
        page = rows[offset:end]
        return {
            "BillingCurrency": currency,
            "CustomerEntityId": "Default",
            "CustomerEntityType": "Retail",
            "Items": page,
            "NextPageLink": link,
            "Count": len(page),
        }


def _options(request: web.Request) -> dict[str, str]:
    named: dict[str, str] = {}
    for name, value in parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True):
        if name in named or name not in _OPTIONS:
            raise refused(f"The query option '{name}' is not supported, or came twice.")
        named[name] = value
    if named.get("api-version") != VERSION:
        raise refused(f"The sandbox knows the version {VERSION} only.")
    if not named.get("$skip", "0").isdigit():
        raise refused("$skip must be a number.")
    return named


def _quoted(text: str) -> str:
    if len(text) < 2 or text[0] != "'" or text[-1] != "'":
        raise refused(f"A value stands in apostrophes, unlike {text}.")
    return text[1:-1]


def _throttled(seconds: int) -> VendorError:
    return VendorError(429, "TooManyRequests", "Too many requests.", headers={"Retry-After": str(seconds)})
