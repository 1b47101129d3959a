"""The HTTP front: finds the function, hands it the request, sends its answer.

The host never retries a request: if the app's process dies in the middle, the caller gets a dropped connection.
"""

from aiohttp import web
from multidict import CIMultiDict

from tests.sandbox.host.messages import HttpRequest
from tests.sandbox.host.routes import Route, find
from tests.sandbox.host.runtime import Runtime
from tests.sandbox.host.worker import AppLost
from tests.sandbox.points import Cut


class Front:
    """Answers every path that isn't the Durable API's."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._routes: list[Route] = []

    def load(self) -> None:
        """Compile the routes of the app's functions."""
        prefix = self._runtime.settings.route_prefix
        functions = self._runtime.functions.values()
        self._routes = [Route.of(function, prefix) for function in functions if function.kind == "httpTrigger"]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one request."""
        runtime = self._runtime
        if runtime.worker is None and not runtime.coming:
            return web.Response(status=503)
        found = find(self._routes, request.method, request.rel_url.raw_path)
        if found is None:
            return web.Response(status=404)
        function, params = found
        if str(function.trigger.get("authLevel", "function")).lower() != "anonymous":
            return web.Response(status=401)
        parameter = str(function.trigger["name"])
        with runtime.busy:
            taken = HttpRequest(
                request.method,
                str(request.url),
                {name: ", ".join(request.headers.getall(name)) for name in request.headers},
                params,
                {name: ",".join(request.query.getall(name)) for name in request.query},
                await request.read(),
            )
            try:
                await runtime.points.hit("http.before", function.name)
                worker = await runtime.present()
                inputs = runtime.completed(function, {"http": (parameter, taken)})
                answer = await worker.invoke(function.function_id, **inputs)
            except (AppLost, Cut):
                return drop(request)
        if answer.error is not None or answer.http is None:
            runtime.failures.append((function.name, f"{answer.error}\n{answer.trace}"))
            return web.Response(status=500)
        headers = CIMultiDict(answer.http.headers)
        headers.popall("Content-Length", None)
        return web.Response(status=answer.http.status, headers=headers, body=answer.http.body)


def drop(request: web.Request) -> web.Response:
    """Cut the connection; the response that aiohttp wants goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
