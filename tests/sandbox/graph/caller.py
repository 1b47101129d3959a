"""Who calls Graph: a token of ours for Graph, of an application, on machine time."""

from collections.abc import Mapping
from dataclasses import dataclass

import jwt

from tests.sandbox.entra.tokens import PUBLIC_GRAPH, read
from tests.sandbox.graph.errors import unauthenticated
from tests.sandbox.graph.models.tenant import Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """What the token says."""

    tenant: Tenant
    app_id: str
    roles: frozenset[str]


def authenticated(header: str, graph_url: str, tenants: Mapping[str, Tenant]) -> Caller:
    """Reads the Authorization header, or refuses it as Graph does."""
    scheme, _, token = header.partition(" ")
    if scheme != "Bearer" or not token:
        raise unauthenticated("Access token is empty.")
    try:
        claims = read(token, audience=[graph_url, PUBLIC_GRAPH])
    except jwt.ExpiredSignatureError:
        raise unauthenticated("Lifetime validation failed, the token is expired.") from None
    except jwt.InvalidAudienceError:
        raise unauthenticated("Access token validation failure. Invalid audience.") from None
    except jwt.PyJWTError:
        raise unauthenticated("Access token validation failure.") from None
    tenant = tenants.get(str(claims.get("tid")))
    if tenant is None or claims.get("idtyp") != "app":
        raise unauthenticated("Access token validation failure. Only applications are served.")
    roles = claims.get("roles")
    return Caller(
        tenant=tenant,
        app_id=str(claims.get("appid")),
        roles=frozenset(str(role) for role in roles) if isinstance(roles, list) else frozenset(),
    )
