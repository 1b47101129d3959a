"""What stands between the app and Azurite, so that the store can fail as Table Storage does.

Requests pass through unchanged, signature and all. Each write is a point before it is applied and a point after, with
a label such as `POST Runs` or `BATCH Tenants`; reads are points before. Faults refuse a request (503 ServerBusy,
nothing applied) or lose its answer (applied, connection dropped). Table Storage's continuation tokens have a form of their
own and it answers anything else with 400 InvalidInput (azure-sdk-for-js 20913); Azurite takes whatever comes, so here only
tokens count that were given out.
"""

import asyncio
import re
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector, web
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from tests.sandbox.azurite import StorageAccount
from tests.sandbox.faults import Fault, Faults
from tests.sandbox.points import Cut, Points

# A batch holds up to 4 MiB (entity group transactions, Table Storage reference).
_LARGEST_REQUEST_BYTES = 8 * 1024 * 1024
_HOP_BY_HOP = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding"})
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_BATCHED = re.compile(rb"^(?:GET|POST|PUT|PATCH|MERGE|DELETE) (\S+) HTTP/1\.1\r?$", re.MULTILINE)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_NEXT = ("NextPartitionKey", "NextRowKey")
_ERROR = """{"odata.error":{"code":"%s","message":{"lang":"en-US","value":"%s"}}}"""


class StoreProxy:
    """Serves the given accounts, each below its own name, as Azurite does."""

    def __init__(self, *, accounts: Iterable[StorageAccount], points: Points, faults: Faults | None = None) -> None:
        self._upstream = {account.name: URL(account.endpoint).origin() for account in accounts}
        self._points = points
        self._faults = faults
        self._given: set[tuple[str | None, ...]] = set()
        self._runner: web.AppRunner | None = None
        self._session: ClientSession | None = None
        self.url = ""
        self.latency = 0.0
        """Seconds of machine time that each request takes, as a far store would; for benchmarks."""

    async def start(self) -> None:
        """Listen on a free port; `url` is known afterwards."""
        self._session = ClientSession(
            connector=TCPConnector(limit=0),
            cookie_jar=DummyCookieJar(),
            timeout=ClientTimeout(total=30),
            auto_decompress=False,
        )
        app = web.Application(client_max_size=_LARGEST_REQUEST_BYTES)
        app.router.add_route("*", "/{account}/{rest:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"

    async def stop(self) -> None:
        """Stop listening; safe twice."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _serve(self, request: web.Request) -> web.Response:
        body = await request.read()
        label = _label(request.method, request.path, body)
        is_read = request.method in _READS
        if self.latency:
            await asyncio.sleep(self.latency)
        try:
            await self._points.hit("store-read.before" if is_read else "store.before", label)
            fault = None if self._faults is None else self._faults.next("store", label)
            if fault is Fault.REFUSED:
                return _refusal(503, "ServerBusy", "The server is busy.")
            answer = await self._forward(request, body)
            if not is_read:
                await self._points.hit("store.after", label)
        except Cut:
            fault = Fault.LOST_ANSWER
            answer = web.Response()
        if fault is Fault.LOST_ANSWER and request.transport is not None:
            request.transport.abort()
        return answer

    async def _forward(self, request: web.Request, body: bytes) -> web.Response:
        upstream = self._upstream.get(request.match_info["account"])
        if upstream is None:
            return web.Response(status=404, text="The sandbox has no such storage account.")
        if self._session is None:
            raise RuntimeError("the store proxy was stopped in the middle of a request")
        token = tuple(request.query.get(name) for name in _NEXT)
        if any(part is not None for part in token) and token not in self._given:
            return _refusal(400, "InvalidInput", "One of the request inputs is not valid.")
        # The signature covers the path as it was written: it must not be decoded and encoded again.
        target = URL(f"{upstream}{request.raw_path}", encoded=True)
        async with self._session.request(
            request.method,
            target,
            headers=_kept(request.headers),
            # A header more, and the signature of a blob's request does not hold.
            skip_auto_headers=("Content-Type",),
            data=body or None,
            allow_redirects=False,
        ) as answer:
            content = await answer.read()
            self._given.add(tuple(answer.headers.get(f"x-ms-continuation-{name}") for name in _NEXT))
            return web.Response(status=answer.status, headers=_kept(answer.headers), body=content)


def _label(method: str, path: str, body: bytes) -> str:
    """`POST Runs`; for a batch, which concerns one table, `BATCH Runs`."""
    rest = path.split("/", 2)[2]
    if rest != "$batch":
        return f"{method} {_table(rest)}"
    first = _BATCHED.search(body)
    return f"BATCH {_table(urlsplit(first[1].decode()).path.split('/', 2)[2]) if first else '?'}"


def _table(rest: str) -> str:
    name = _NAME.match(unquote(rest))
    return name[0] if name else "?"


def _kept(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in _HOP_BY_HOP)


def _refusal(status: int, code: str, message: str) -> web.Response:
    return web.Response(
        status=status, text=_ERROR % (code, message), content_type="application/json", headers={"x-ms-error-code": code}
    )
