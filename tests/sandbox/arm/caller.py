"""Who calls Resource Manager: a token of ours for it, of an application or of a person, on machine time."""

from collections.abc import Mapping
from dataclasses import dataclass

import jwt

from tests.sandbox.arm.errors import unauthenticated
from tests.sandbox.arm.models.records import Requestor
from tests.sandbox.entra.tokens import PUBLIC_ARM, read
from tests.sandbox.graph.models.tenant import Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """What the token says. What it may do is looked up in Azure, never in the token."""

    tenant: Tenant
    object_id: str
    app_id: str
    is_application: bool
    has_mfa: bool = False
    contexts: frozenset[str] = frozenset()

    @property
    def requestor(self) -> Requestor:
        """As PIM sees them."""
        return Requestor(
            object_id=self.object_id,
            is_application=self.is_application,
            has_mfa=self.has_mfa,
            contexts=self.contexts,
        )


def authenticated(header: str, own_url: str, tenants: Mapping[str, Tenant]) -> Caller:
    """Reads the Authorization header, or refuses it as Resource Manager does."""
    scheme, _, token = header.partition(" ")
    if scheme != "Bearer" or not token:
        raise unauthenticated("The 'Authorization' header is missing.", "AuthenticationFailed")
    try:
        claims = read(token, audience=[own_url, PUBLIC_ARM])
    except jwt.ExpiredSignatureError:
        raise unauthenticated("The access token expiry is in the past.", "ExpiredAuthenticationToken") from None
    except jwt.InvalidAudienceError:
        raise unauthenticated(
            f"The access token has been obtained for wrong audience or resource. It should be '{PUBLIC_ARM}'.",
            "InvalidAuthenticationTokenAudience",
        ) from None
    except jwt.PyJWTError:
        raise unauthenticated("The access token is invalid.") from None
    tenant = tenants.get(str(claims.get("tid")))
    is_application = claims.get("idtyp") == "app"
    if tenant is None or not (is_application or claims.get("scp") == "user_impersonation"):
        raise unauthenticated("The access token is of no known directory, or lacks the scope user_impersonation.")
    return Caller(
        tenant=tenant,
        object_id=str(claims.get("oid")),
        app_id=str(claims.get("appid")),
        is_application=is_application,
        has_mfa="mfa" in _names(claims.get("amr")),
        contexts=_names(claims.get("acrs")),
    )


def _names(value: object) -> frozenset[str]:
    return frozenset(str(one) for one in value) if isinstance(value, list) else frozenset()
