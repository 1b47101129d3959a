"""The Durable HTTP API, as the SDK's client calls it: start, status, list, events, end, suspend, purge."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from tests.sandbox.host.history import stamp
from tests.sandbox.host.hub import Instance
from tests.sandbox.host.orchestrations import AlreadyRunning, Orchestrations
from tests.sandbox.host.runtime import Runtime

BASE = "/runtime/webhooks/durabletask"
_PAGE = 100


class Management:
    """The routes below BASE."""

    def __init__(self, runtime: Runtime, orchestrations: Orchestrations) -> None:
        self._runtime = runtime
        self._orchestrations = orchestrations

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Register the routes; whatever else is asked below BASE is a violation."""
        router.add_post(BASE + "/orchestrators/{name}", self._start)
        router.add_post(BASE + "/orchestrators/{name}/{id}", self._start)
        router.add_get(BASE + "/instances", self._list)
        router.add_get(BASE + "/instances/", self._list)
        router.add_delete(BASE + "/instances", self._purge_many)
        router.add_delete(BASE + "/instances/", self._purge_many)
        router.add_get(BASE + "/instances/{id}", self._status)
        router.add_delete(BASE + "/instances/{id}", self._purge)
        router.add_post(BASE + "/instances/{id}/raiseEvent/{event}", self._raise_event)
        router.add_post(BASE + "/instances/{id}/terminate", self._terminate)
        router.add_post(BASE + "/instances/{id}/suspend", self._suspend)
        router.add_post(BASE + "/instances/{id}/resume", self._resume)
        router.add_route("*", BASE + "/{rest:.*}", self._unknown)

    def binding(self, origin: str) -> str:
        """What a durable client is made of."""
        base = origin + BASE
        one = f"{base}/instances/INSTANCEID"
        return json.dumps(
            {
                "taskHubName": self._runtime.settings.task_hub,
                "creationUrls": {
                    "createNewInstancePostUri": f"{base}/orchestrators/{{functionName}}[/{{instanceId}}]",
                    "createAndWaitOnNewInstancePostUri": f"{base}/orchestrators/{{functionName}}[/{{instanceId}}]",
                },
                "managementUrls": {
                    "id": "INSTANCEID",
                    "statusQueryGetUri": one,
                    "sendEventPostUri": f"{one}/raiseEvent/{{eventName}}",
                    "terminatePostUri": f"{one}/terminate?reason={{text}}",
                    "purgeHistoryDeleteUri": one,
                    "suspendPostUri": f"{one}/suspend?reason={{text}}",
                    "resumePostUri": f"{one}/resume?reason={{text}}",
                },
                "baseUrl": base,
                "requiredQueryStringParameters": "",
                "rpcBaseUrl": base + "/",
            }
        )

    async def _start(self, request: web.Request) -> web.Response:
        name, wanted = request.match_info["name"], request.match_info.get("id")
        body = await request.text()
        given = json.loads(body) if body else None
        # The SDK's client posts the JSON text of its input as a JSON string.
        payload = given if given is None or isinstance(given, str) else json.dumps(given)
        try:
            instance_id = self._orchestrations.start(name, wanted, payload)
        except LookupError:
            reason = f"The function '{name}' doesn't exist, is disabled, or is not an orchestrator function."
            return web.json_response({"ExceptionMessage": reason}, status=400)
        except AlreadyRunning:
            return web.json_response({"Message": f"An instance with ID '{wanted}' already exists."}, status=409)
        one = f"{request.url.origin()}{BASE}/instances/{instance_id}"
        return web.json_response(
            {"id": instance_id, "statusQueryGetUri": one, "purgeHistoryDeleteUri": one},
            status=202,
            headers={"Location": one},
        )

    async def _status(self, request: web.Request) -> web.Response:
        instance = self._runtime.hub.instance(request.match_info["id"])
        if instance is None:
            return web.Response(status=404)
        answer = _described(instance, show_input=_flag(request, "showInput", default=True))
        if _flag(request, "showHistory"):
            answer["historyEvents"] = [json.loads(text) for text in self._runtime.hub.history(instance.id)]
        return web.json_response(answer, status=202 if instance.live else 200)

    async def _list(self, request: web.Request) -> web.Response:
        """One page; the continuation token is the position of the next."""
        found = self._chosen(request)
        start = int(request.headers.get("x-ms-continuation-token", "0"))
        top = int(request.query.get("top", _PAGE))
        show_input = _flag(request, "showInput")
        page = [_described(each, show_input=show_input) for each in found[start : start + top]]
        headers = {"x-ms-continuation-token": str(start + top)} if start + top < len(found) else {}
        return web.json_response(page, headers=headers)

    async def _purge_many(self, request: web.Request) -> web.Response:
        if "createdTimeFrom" not in request.query:
            return web.json_response({"Message": "createdTimeFrom is required"}, status=400)
        deleted = sum(self._orchestrations.purge(each.id) for each in self._chosen(request))
        return web.json_response({"instancesDeleted": deleted}, status=200 if deleted else 404)

    async def _purge(self, request: web.Request) -> web.Response:
        instance = self._runtime.hub.instance(request.match_info["id"])
        if instance is not None and instance.live:
            self._runtime.violations.append(f"purge of {instance.id}, which is {instance.status}")
            return web.json_response({"Message": "the instance is running"}, status=400)
        if not self._orchestrations.purge(request.match_info["id"]):
            return web.Response(status=404)
        return web.json_response({"instancesDeleted": 1})

    async def _raise_event(self, request: web.Request) -> web.Response:
        # Handed on as it came. The SDK's client encodes twice, so the orchestrator reads a string, as in Azure
        # (azure-functions-durable-python issue 295).
        payload = await request.text() or "null"
        return _accepted(
            self._orchestrations.raise_event(request.match_info["id"], request.match_info["event"], payload)
        )

    async def _terminate(self, request: web.Request) -> web.Response:
        return _accepted(self._orchestrations.terminate(request.match_info["id"], request.query.get("reason", "")))

    async def _suspend(self, request: web.Request) -> web.Response:
        return _accepted(self._orchestrations.suspend(request.match_info["id"]))

    async def _resume(self, request: web.Request) -> web.Response:
        return _accepted(self._orchestrations.suspend(request.match_info["id"], resume=True))

    async def _unknown(self, request: web.Request) -> web.Response:
        self._runtime.violations.append(f"the driver's Durable API has no {request.method} {request.path}")
        return web.json_response({"Message": "not implemented by the driver"}, status=501)

    def _chosen(self, request: web.Request) -> list[Instance]:
        query = request.query
        statuses = {status for status in query.get("runtimeStatus", "").split(",") if status}
        tests: list[Callable[[Instance], bool]] = [lambda each: each.id.startswith(query.get("instanceIdPrefix", ""))]
        if statuses:
            tests.append(lambda each: each.status in statuses)
        if "createdTimeFrom" in query:
            begin = datetime.fromisoformat(query["createdTimeFrom"]).timestamp()
            tests.append(lambda each: each.created >= begin)
        if "createdTimeTo" in query:
            end = datetime.fromisoformat(query["createdTimeTo"]).timestamp()
            tests.append(lambda each: each.created <= end)
        return [each for each in self._runtime.hub.instances() if all(test(each) for test in tests)]


def _flag(request: web.Request, name: str, *, default: bool = False) -> bool:
    return request.query[name].lower() == "true" if name in request.query else default


def _accepted(status: str | None) -> web.Response:
    if status is None:
        return web.Response(status=404)
    return web.Response(status=202 if status in {"Pending", "Running", "Suspended"} else 410)


def _described(instance: Instance, *, show_input: bool) -> dict[str, Any]:
    return {
        "name": instance.name,
        "instanceId": instance.id,
        "runtimeStatus": instance.status,
        "input": instance.input if show_input else None,
        "customStatus": json.loads(instance.custom_status) if instance.custom_status else None,
        "output": json.loads(instance.output) if instance.output else None,
        "createdTime": stamp(datetime.fromtimestamp(instance.created, UTC)),
        "lastUpdatedTime": stamp(datetime.fromtimestamp(instance.updated, UTC)),
    }
