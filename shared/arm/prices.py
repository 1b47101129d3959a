"""The Azure Retail Prices API: list prices, for everybody, without a token. How a call is tried is patience.py's business."""

from urllib.parse import SplitResult, quote, urlencode, urlsplit

import httpx
import msgspec

from shared.arm.price_shapes import PATH, Price, PriceQuery
from shared.clock import Clock
from shared.errors import Rejected, RemoteCall, Unavailable
from shared.patience import Answer, Patience, Try, failure
from shared.permissions import Family

_VERSION = "2023-01-01-preview"
_PAGES = 20
"""A page holds up to 1,000 rows; what we ask for has some dozen."""

_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
"""Somebody waits for the price: an older one serves where this one takes long."""

_PORTS = {"https": 443, "http": 80}


class _Page(msgspec.Struct, rename="pascal"):
    items: list[Price]
    next_page_link: str | None = None


class Prices:
    """The price list of one cloud."""

    def __init__(self, endpoint: str, http: httpx.AsyncClient, clock: Clock) -> None:
        self._endpoint = endpoint
        self._http = http
        self._patience = Patience(clock)

    async def find(self, query: PriceQuery, currency: str) -> tuple[Price, ...]:
        """The rows by consumption that a query finds, in a currency; none where nothing of it is sold.

        GET /api/retail/prices?currencyCode=...&$filter=... (anonymous), following NextPageLink on the same host only. Without
        meterRegion='primary', which would hide the sizes that share another's meter. Raises Throttled, Unavailable, and
        Rejected, also for an answer in another currency or of another shape, and for a list that never ends.
        """
        options = {
            "api-version": _VERSION,
            "currencyCode": f"'{currency}'",
            "$filter": query.filter,
        }
        options_text = urlencode(options, quote_via=quote, safe="$'")
        found: list[Price] = []
        for _ in range(_PAGES):
            page = _decoded(await self._get(options_text))
            found.extend(page.items)
            if any(one.currency_code != currency for one in page.items):
                raise Rejected(_remote("OtherCurrency"))
            if not page.next_page_link:
                return tuple(found)
            options_text = self._following(page.next_page_link)
        raise Rejected(_remote(f"MoreThan{_PAGES}Pages"))

    async def _get(self, options: str) -> Answer:
        async def never() -> bool:
            return False

        async def once() -> Answer:
            return await self._once(f"{self._endpoint}{PATH}?{options}")

        how = Try(lane=(None, "", Family.RETAIL_PRICES), write=False, repeatable=True, renew=never)
        return await self._patience.send(_remote(), how, once)

    async def _once(self, url: str) -> Answer:
        try:
            answer = await self._http.get(url, headers={"Accept": "application/json"}, timeout=_TIMEOUT)
        except httpx.TransportError as error:
            raise Unavailable(_remote(), uncertain=False) from error
        request_id = answer.headers.get("x-ms-request-id", "")
        if answer.is_success:
            return Answer(answer.content, request_id)
        raise failure(_remote(), answer.status_code, answer.content, answer.headers, request_id, None)

    def _following(self, link: str) -> str:
        """The options of the next page, at our own address. The service writes its port out, where we need not."""
        there, ours = urlsplit(link), urlsplit(self._endpoint + PATH)
        if _place(there) != _place(ours):
            raise Rejected(_remote("NextLinkElsewhere"))
        return there.query


def _place(address: SplitResult) -> tuple[str, str | None, int | None, str]:
    try:
        port = address.port
    except ValueError:
        port = 0
    return address.scheme, address.hostname, port or _PORTS.get(address.scheme), address.path


def _decoded(answer: Answer) -> _Page:
    try:
        return answer.decode(_Page)
    except msgspec.DecodeError as error:
        raise Rejected(_remote("UnexpectedAnswer")) from error


def _remote(code: str = "") -> RemoteCall:
    return RemoteCall(service="prices", method="GET", path=PATH, tenant_id="", code=code)
