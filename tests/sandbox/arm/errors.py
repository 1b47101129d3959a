"""Resource Manager's errors, with the codes of section 11 and of the sections of each call.

A violation is what no correct caller ever meets: an unknown route, version, property, option or value. The sandbox
answers it and also keeps it in a list that tests expect to be empty.
"""

from tests.sandbox.answers import VendorError


class ArmError(VendorError):
    """What a handler raises instead of an answer."""


def unauthenticated(message: str, code: str = "InvalidAuthenticationToken") -> ArmError:
    """The token is missing, wrong, expired, or of another directory than the subscription's."""
    challenge = (
        f'Bearer authorization_uri="https://login.windows.net/", error="invalid_token", error_description="{message}"'
    )
    return ArmError(401, code, message, headers={"WWW-Authenticate": challenge})


def forbidden(client: str, object_id: str, action: str, scope: str) -> ArmError:
    """An action is missing at the scope."""
    return ArmError(
        403,
        "AuthorizationFailed",
        f"The client '{client}' with object id '{object_id}' does not have authorization to perform action '{action}' "
        f"over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.",
    )


def not_found(code: str, message: str) -> ArmError:
    """Also what is not yet, or no longer, shown."""
    return ArmError(404, code, message)


def bad_request(code: str, message: str) -> ArmError:
    """A refusal that a correct caller may meet."""
    return ArmError(400, code, message)


def malformed(message: str, code: str = "InvalidRequestContent") -> ArmError:
    """A body that no correct caller sends."""
    return ArmError(400, code, f"The request content was invalid: {message}", violation=True)


def unsupported(message: str) -> ArmError:
    """A query option or a filter that the endpoint does not know."""
    return ArmError(400, "InvalidFilter", message, violation=True)


def unknown_route(method: str, path: str) -> ArmError:
    """The sandbox does not serve it. The real service might: add it here with its rules first."""
    return ArmError(501, "NotImplemented", f"The sandbox serves no {method} {path}.", violation=True)


def throttled(retry_after: int, kind: str) -> ArmError:
    """Section 11: a bucket is empty."""
    return ArmError(
        429,
        "SubscriptionRequestsThrottled",
        f"Number of {kind} requests exceeded the limit. Please try again after '{retry_after}' seconds.",
        headers={"Retry-After": str(retry_after)},
    )
