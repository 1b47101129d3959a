"""HTTP answers: JSON, problem+json (RFC 9457), pages. Every error becomes one answer, in one place."""

import logging
from collections.abc import Awaitable, Callable, Mapping

import azure.functions as func
import msgspec

from shared.durable import Orchestrations
from shared.errors import (
    BadRequest,
    NotAllowed,
    NotConsented,
    RemoteError,
    StoreConflict,
    StoreUnavailable,
    Unauthenticated,
)
from shared.services import Services

_log = logging.getLogger(__name__)

type Route = Callable[[Services, Orchestrations, func.HttpRequest], Awaitable[func.HttpResponse]]

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
RETRY_AFTER_SECONDS = "10"


def answer(status: int, value: object, headers: Mapping[str, str] | None = None) -> func.HttpResponse:
    """A JSON answer."""
    return func.HttpResponse(
        body=msgspec.json.encode(value),
        status_code=status,
        headers={**_HEADERS, **(headers or {})},
        mimetype="application/json",
    )


def problem(
    status: int, title: str, detail: str, *, headers: Mapping[str, str] | None = None, **more: object
) -> func.HttpResponse:
    """An application/problem+json answer. `type` is about:blank: the title says what the status means here."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    return func.HttpResponse(
        body=msgspec.json.encode(body),
        status_code=status,
        headers={**_HEADERS, **(headers or {})},
        mimetype="application/problem+json",
    )


def try_again() -> func.HttpResponse:
    """503 for when a service behind the app does not answer."""
    detail = "A service behind this app did not answer. Nothing is lost: repeat the request."
    return problem(503, "Try again", detail, headers={"Retry-After": RETRY_AFTER_SECONDS})


def guarded(route: Route, postponed: Callable[[], func.HttpResponse] = try_again) -> Route:
    """Turn this app's errors into answers. What is not ours is logged and raised: the host answers 500.

    `postponed`: the answer when a service behind the app does not answer, for routes that answer with pages.
    """

    async def run(services: Services, orchestrations: Orchestrations, request: func.HttpRequest) -> func.HttpResponse:
        try:
            return await route(services, orchestrations, request)
        except BadRequest as error:
            return problem(400, "Bad request", str(error), field=error.field, reason=error.reason)
        except Unauthenticated as error:
            return problem(401, "Not signed in", str(error), headers={"WWW-Authenticate": "Bearer"})
        except NotAllowed as error:
            return problem(403, "Not allowed", f"The token lacks the app role {error}.")
        except NotConsented as error:
            _log.warning("registration.missing registration=%s tenant_id=%s", error.registration, error.tenant_id)
            return problem(503, "Not set up", f"{error.registration} is not set up in the source tenant.")
        except (RemoteError, StoreUnavailable, StoreConflict) as error:
            _log.warning("request.postponed reason=%s", error)
            return postponed()

    return run
