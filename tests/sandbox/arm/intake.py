"""A request as it comes in: its options, its body, and the ids that its answer carries."""

from collections.abc import Callable
from urllib.parse import parse_qsl
from uuid import uuid4

from aiohttp import web

from tests.sandbox.arm.errors import ArmError, malformed, unsupported
from tests.sandbox.arm.router import Route
from tests.sandbox.graph.errors import GraphError
from tests.sandbox.switches import Switches


def query(request: web.Request, route: Route) -> dict[str, str]:
    """The options, all of which the endpoint offers."""
    named: dict[str, str] = {}
    offered = {"api-version", *({"$filter"} if route.filters else ()), *({"$skiptoken"} if route.lists else ())}
    for name, value in parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True):
        if name in named or name not in offered:
            raise unsupported(f"The query option '{name}' is not supported here, or came twice.")
        named[name] = value
    return named


def checked_body(request: web.Request, raw: bytes, body: object, route: Route) -> object:
    """A body of the shape that the endpoint takes, or none where it takes none."""
    if route.body is None:
        if raw:
            raise malformed("no body is expected.")
        return None
    if request.content_type != "application/json":
        raise ArmError(415, "UnsupportedMediaType", "The content media type is not supported.", violation=True)
    if "@odata.type" in raw.decode("utf-8", "replace"):
        raise malformed("'@odata.type' is no property of Resource Manager.")
    check = route.body
    as_arm(lambda: check(body, ""))
    return body


def as_arm[T](act: Callable[[], T]) -> T:
    """Shapes of bodies are those of Graph's sandbox; what they refuse is told as Resource Manager tells it."""
    try:
        return act()
    except GraphError as error:
        raise ArmError(400, "InvalidRequestContent", error.message, violation=error.violation) from error


def ids(request: web.Request) -> dict[str, str]:
    """The headers that support asks for."""
    request_id = str(uuid4())
    given = request.headers.get("x-ms-correlation-request-id", request_id)
    return {
        "x-ms-request-id": request_id,
        "x-ms-correlation-request-id": given,
        "x-ms-routing-request-id": f"SANDBOX:{request_id}",
    }


def refused_list(object_id: str, route: Route, switches: Switches) -> ArmError | None:
    """How PIM's lists refuse a reader without the right, where that is not the usual 403 (section 11)."""
    if not route.lists or "Schedule" not in str(route.action):
        return None
    if route.call.endswith("/roleAssignmentSchedules"):
        return ArmError(500, "InternalServerError", "An error has occurred.")
    if not switches.is_flipped("arm-lists-refuse-with-400"):
        return None
    text = f"The requestor {object_id} does not have permissions for this request. "
    return ArmError(
        400,
        "InsufficientPermissions",
        f"{text}Please use $filter=asTarget() to filter on the requestor's assignments.",
    )
