"""Graph's errors, with the codes and texts of section 0.1 of the Graph contract and of the sections of each call.

A violation is an error that the real service never gives to a caller who follows the documents: an unknown route,
property, option or value. The sandbox answers it and also keeps it in a list that tests expect to be empty.
"""

from collections.abc import Mapping, Sequence


class GraphError(Exception):
    """What a handler raises instead of an answer."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        violation: bool = False,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.details = tuple(dict(detail) for detail in details)
        self.headers = dict(headers or {})
        self.violation = violation

    def wire(self, request_id: str, client_request_id: str, date: str) -> dict[str, object]:
        """The envelope of section 0.1."""
        inner = {"date": date, "request-id": request_id, "client-request-id": client_request_id}
        error: dict[str, object] = {"code": self.code, "message": self.message, "innerError": inner}
        if self.details:
            error["details"] = list(self.details)
        return {"error": error}


def unauthenticated(message: str) -> GraphError:
    """The token is missing, wrong or expired."""
    return GraphError(401, "InvalidAuthenticationToken", message)


def forbidden() -> GraphError:
    """Section 0.1: a missing permission on directory and policy endpoints."""
    return GraphError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def synchronization_forbidden() -> GraphError:
    """Section 0.1: a missing permission on synchronization endpoints."""
    return GraphError(401, "UnknownError", "")


def not_found(object_id: str) -> GraphError:
    """Also what a replica says of an object that it has not yet heard of."""
    return GraphError(
        404,
        "Request_ResourceNotFound",
        f"Resource '{object_id}' does not exist or one of its queried reference-property objects are not present.",
    )


def bad_request(message: str) -> GraphError:
    """A refusal that a correct caller may meet."""
    return GraphError(400, "Request_BadRequest", message)


def malformed(message: str) -> GraphError:
    """A body that no correct caller sends."""
    return GraphError(400, "Request_BadRequest", message, violation=True)


def unsupported_query(message: str) -> GraphError:
    """A query option, property or operator that the endpoint does not know."""
    return GraphError(400, "Request_UnsupportedQuery", message, violation=True)


def unknown_route(method: str, path: str) -> GraphError:
    """The sandbox does not serve it. The real service might: add it here with its rules first."""
    return GraphError(501, "NotImplemented", f"The sandbox serves no {method} {path}.", violation=True)


def throttled(retry_after: int | None, code: str = "TooManyRequests", message: str = "Too Many Requests") -> GraphError:
    """Section 10; conditional access gives no Retry-After. Hunting says in words which quota is spent (8.1)."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return GraphError(429, code, message, headers=headers)
