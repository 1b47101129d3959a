"""HTTP answers: JSON, problem+json (RFC 9457), pages. Every error becomes one answer, in one place."""

import base64
import logging
from collections.abc import Callable, Mapping
from typing import Annotated

import azure.functions as func
import msgspec
from msgspec import UNSET, Meta, UnsetType

from shared.errors import (
    BadRequest,
    ClaimsChallenge,
    Forbidden,
    NotAllowed,
    NotConsented,
    Rejected,
    RemoteError,
    StoreConflict,
    StoreUnavailable,
    Unauthenticated,
)
from shared.formats import Address
from shared.operations import Route
from shared.orchestrations import Orchestrations
from shared.permissions import Registration
from shared.services import Services

_log = logging.getLogger(__name__)

PROBLEM_JSON = "application/problem+json"
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_RETRY_AFTER_SECONDS = "10"


class ProblemDetails(msgspec.Struct, frozen=True, kw_only=True):
    """RFC 9457. `type` is about:blank: the title says what the status means here."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    field: Annotated[str | UnsetType, Meta(description="The part of the request that is wrong.")] = UNSET
    reason: Annotated[str | UnsetType, Meta(description="What is wrong with it.")] = UNSET
    tenant: Annotated[Address | UnsetType, Meta(description="The record that stands against the request.")] = UNSET


def answer(status: int, value: msgspec.Struct, headers: Mapping[str, str] | None = None) -> func.HttpResponse:
    """A JSON answer."""
    return func.HttpResponse(
        body=msgspec.json.encode(value),
        status_code=status,
        headers={**HEADERS, **(headers or {})},
        mimetype="application/json",
    )


def problem(
    status: int,
    title: str,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    field: str | UnsetType = UNSET,
    reason: str | UnsetType = UNSET,
    tenant: str | UnsetType = UNSET,
) -> func.HttpResponse:
    """An application/problem+json answer."""
    told = ProblemDetails(title=title, status=status, detail=detail, field=field, reason=reason, tenant=tenant)
    return func.HttpResponse(
        body=msgspec.json.encode(told),
        status_code=status,
        headers={**HEADERS, **(headers or {})},
        mimetype=PROBLEM_JSON,
    )


def cursor_of(token: object) -> str | UnsetType:
    """A store's continuation token as our routes give it out; nothing where nothing follows."""
    if token is None:
        return UNSET
    return base64.urlsafe_b64encode(msgspec.json.encode(token)).decode()


def page_token(request: func.HttpRequest) -> object:
    """The continuation token of a request's `cursor`, None without one. Raises BadRequest."""
    cursor = request.params.get("cursor")
    if cursor is None:
        return None
    try:
        token = msgspec.json.decode(base64.urlsafe_b64decode(cursor.encode()), type=dict[str, str | None])
    except (ValueError, msgspec.DecodeError) as error:
        raise BadRequest("cursor", "was not given out by this route") from error
    if not token:
        raise BadRequest("cursor", "was not given out by this route")
    return token


def guarded(route: Route, pages: Callable[[func.HttpResponse], func.HttpResponse] | None = None) -> Route:
    """Turn this app's errors into answers. What is not ours is raised: the host logs it and answers 500.

    `pages`: what a route that answers with pages makes of the problem of a service behind the app.
    """
    unanswered = pages or (lambda told: told)

    async def run(services: Services, orchestrations: Orchestrations, request: func.HttpRequest) -> func.HttpResponse:
        try:
            return await route(services, orchestrations, request)
        except BadRequest as error:
            return problem(400, "Bad request", str(error), field=error.field, reason=error.reason)
        except Unauthenticated as error:
            return problem(401, "Not signed in", str(error), headers={"WWW-Authenticate": "Bearer"})
        except ClaimsChallenge as error:
            return problem(401, "More is wanted", str(error), headers={"WWW-Authenticate": _challenge(services, error)})
        except NotAllowed as error:
            return problem(403, "Not allowed", str(error))
        except (NotConsented, Forbidden, Rejected) as error:
            # No repeat heals it: an administrator of the source tenant has to look.
            _log.error("request.not_set_up reason=%s", error)
            return unanswered(problem(503, "Not set up", _not_set_up(error)))
        except (RemoteError, StoreUnavailable, StoreConflict) as error:
            _log.warning("request.postponed reason=%s", error)
            detail = "A service behind this app did not answer. Nothing is lost: repeat the request."
            return unanswered(problem(503, "Try again", detail, headers={"Retry-After": _RETRY_AFTER_SECONDS}))

    return run


def _challenge(services: Services, error: ClaimsChallenge) -> str:
    """How an API hands on a claims challenge: its client signs in anew, with the claims (Entra, claims challenges)."""
    settings = services.settings
    authorize = f"{settings.authority}/{settings.source_tenant_id}/oauth2/v2.0/authorize"
    claims = base64.b64encode(error.claims.encode()).decode()
    return (
        f'Bearer realm="", authorization_uri="{authorize}", client_id="{settings.client_ids[Registration.API]}", '
        f'error="insufficient_claims", claims="{claims}"'
    )


def _not_set_up(error: NotConsented | Forbidden | Rejected) -> str:
    if isinstance(error, NotConsented):
        return f"{error.registration} is not set up in the source tenant."
    who, code = error.call.registration or "A call", error.call.code or error.call.status
    return f"{who} was refused ({code}). An administrator of the source tenant looks at the app's set-up."
