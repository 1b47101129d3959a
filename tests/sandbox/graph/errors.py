"""Graph's errors, with the codes and texts of section 0.1 of the Graph contract and of the sections of each call.

A violation is an error that the real service never gives to a caller who follows the documents: an unknown route,
property, option or value. The sandbox answers it and also keeps it in a list that tests expect to be empty.
"""

from tests.sandbox.answers import VendorError


class GraphError(VendorError):
    """What a handler raises instead of an answer."""


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
