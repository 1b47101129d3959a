"""Who calls Graph: a token of ours for Graph, of an application or of a person, on machine time."""

from collections.abc import Mapping
from dataclasses import dataclass

import jwt

from tests.sandbox.entra.tokens import PUBLIC_GRAPH, read
from tests.sandbox.graph.errors import unauthenticated
from tests.sandbox.graph.models.tenant import Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """What the token says. `roles`: app permissions, or a person's scopes. What the person themself may is not looked at."""

    tenant: Tenant
    app_id: str
    roles: frozenset[str]
    person_id: str | None = None


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
    if tenant is None:
        raise unauthenticated("Access token validation failure. The tenant is not known.")
    scopes, roles = claims.get("scp"), claims.get("roles")
    if claims.get("idtyp") != "app" and not scopes:
        raise unauthenticated("Access token validation failure. Neither an application's nor with scopes.")
    held = str(scopes).split() if scopes else roles
    return Caller(
        tenant=tenant,
        app_id=str(claims.get("appid")),
        roles=frozenset(str(role) for role in held) if isinstance(held, list) else frozenset(),
        person_id=str(claims.get("oid")) if scopes else None,
    )
