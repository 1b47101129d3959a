"""Access tokens on machine time: good ones, and every kind of bad one that a caller check must refuse."""

import time
from collections.abc import Mapping, Sequence
from enum import Enum
from uuid import uuid4

import jwt

from tests.sandbox.entra.keys import published_key, strange_key

PUBLIC_GRAPH = "https://graph.microsoft.com"
"""The resource's name in the public cloud; the sandbox's own address counts too."""
PUBLIC_ARM = "https://management.azure.com"
"""The same of Azure Resource Manager."""
LIFETIME_SECONDS = 3599
"""What Entra gives an application, give or take a random part."""


class Signer(Enum):
    """Who signs a token."""

    ENTRA = "entra"
    STRANGER = "a key that nobody publishes"
    IMPOSTOR = "a strange key under the published key's id"
    NOBODY = "alg none"
    PUBLIC_KEY = "HS256 with the published public key as its secret"


def sign(claims: Mapping[str, object], signer: Signer = Signer.ENTRA) -> str:
    """A compact token."""
    key, strange = published_key(), strange_key()
    match signer:
        case Signer.ENTRA:
            return jwt.encode(dict(claims), key.private, algorithm="RS256", headers={"kid": key.kid})
        case Signer.STRANGER:
            return jwt.encode(dict(claims), strange.private, algorithm="RS256", headers={"kid": strange.kid})
        case Signer.IMPOSTOR:
            return jwt.encode(dict(claims), strange.private, algorithm="RS256", headers={"kid": key.kid})
        case Signer.NOBODY:
            return jwt.encode(dict(claims), "", algorithm="none", headers={"kid": key.kid})
        case Signer.PUBLIC_KEY:
            secret = str(key.public_wire()["n"])
            return jwt.encode(dict(claims), secret, algorithm="HS256", headers={"kid": key.kid})


def read(token: str, *, audience: str | list[str]) -> dict[str, object]:
    """The claims of a token of ours; raises jwt.PyJWTError for any other."""
    public = published_key().private.public_key()
    claims: dict[str, object] = jwt.decode(
        token, public, algorithms=["RS256"], audience=audience, options={"require": ["exp", "iss", "aud"]}
    )
    return claims


def life(issued_seconds_ago: float = 0, lifetime: float = LIFETIME_SECONDS) -> dict[str, object]:
    """The three dates; an expired token is one issued in the past."""
    issued = int(time.time() - issued_seconds_ago)
    return {"iat": issued, "nbf": issued, "exp": int(issued + lifetime)}


def graph_claims(
    *, authority: str, tenant_id: str, audience: str, app_id: str, principal_id: str, roles: list[str]
) -> dict[str, object]:
    """An app-only token for Microsoft Graph or Resource Manager (their tokens are version 1.0); the latter has no roles."""
    claims: dict[str, object] = {
        "aud": audience,
        "iss": f"{authority}/{tenant_id}/",
        "appid": app_id,
        "idtyp": "app",
        "oid": principal_id,
        "sub": principal_id,
        "tid": tenant_id,
        "uti": uuid4().hex,
        "ver": "1.0",
        **life(),
    }
    if roles:
        claims["roles"] = roles
    return claims


def azure_claims(
    *,
    authority: str,
    tenant_id: str,
    audience: str,
    app_id: str,
    object_id: str,
    mfa: bool,
    contexts: Sequence[str],
) -> dict[str, object]:
    """A person's token for Resource Manager: delegated, with how they signed in, and authentication contexts (acrs)."""
    return {
        "aud": audience,
        "iss": f"{authority}/{tenant_id}/",
        "tid": tenant_id,
        "oid": object_id,
        "sub": f"{object_id}-pairwise",
        "appid": app_id,
        "idtyp": "user",
        "scp": "user_impersonation",
        "amr": ["pwd", "mfa"] if mfa else ["pwd"],
        "acrs": list(contexts),
        "uti": uuid4().hex,
        "ver": "1.0",
    }


def identity_claims(
    *, authority: str, home_tenant: str, client_id: str, principal_id: str, audience: str
) -> dict[str, object]:
    """A managed identity's token, which registrations accept as an assertion (section 9.2)."""
    return {
        "aud": audience,
        "iss": f"{authority}/{home_tenant}/v2.0",
        "azp": client_id,
        "oid": principal_id,
        "sub": principal_id,
        "tid": home_tenant,
        "uti": uuid4().hex,
        "ver": "2.0",
        **life(lifetime=86400),
    }


def api_claims(authority: str, tenant_id: str, audience: str, roles: Sequence[str]) -> dict[str, object]:
    """What every v2 token for an API of ours has; who it is about comes on top."""
    issuer = f"{authority}/{tenant_id}/v2.0"
    return {"aud": audience, "iss": issuer, "tid": tenant_id, "roles": list(roles), "ver": "2.0", "uti": uuid4().hex}


def present(claims: Mapping[str, object]) -> dict[str, object]:
    """Without those that are None."""
    return {name: value for name, value in claims.items() if value is not None}
