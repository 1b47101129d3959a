"""An aiohttp server on a free loopback port."""

import ssl
from collections.abc import Awaitable, Callable

from aiohttp import web

from tests.sandbox.points import Cut


class Listener:
    """Serves one handler for every method and path."""

    def __init__(
        self, handler: Callable[[web.Request], Awaitable[web.StreamResponse]], context: ssl.SSLContext | None = None
    ) -> None:
        self._handler = handler
        self._context = context
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def start(self) -> None:
        """Listen; the port is known afterwards."""
        app = web.Application(client_max_size=2**22)
        app.router.add_route("*", r"/{tail:[\s\S]*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._context)
        await site.start()
        sockets = self._runner.addresses
        self.port = sockets[0][1]

    async def stop(self) -> None:
        """Close every connection."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        try:
            return await self._handler(request)
        except Cut:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
