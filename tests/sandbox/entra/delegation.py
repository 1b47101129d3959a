"""Tokens for Azure in the name of a person: what the on-behalf-of exchange takes, and what it refuses (section 6)."""

from collections.abc import Mapping

import jwt

from tests.sandbox.entra.errors import EntraError
from tests.sandbox.entra.registrations import Grants, Registration
from tests.sandbox.entra.sign_ins import SignIn, SignIns
from tests.sandbox.entra.tokens import PUBLIC_ARM, azure_claims, life, read, sign
from tests.sandbox.graph.models.tenant import Tenant

ON_BEHALF_OF = "urn:ietf:params:oauth:grant-type:jwt-bearer"
DELEGATED = "user_impersonation"
OPENID = frozenset({"openid", "profile", "offline_access", "email"})


class Delegation:
    """Exchanges a person's token for one for Azure, and makes these.

    That a second factor and authentication contexts of the first token's sign-in count for the second is UNCONFIRMED; what
    calls it does not read them.
    """

    def __init__(self, grants: Grants, sign_ins: SignIns) -> None:
        self._grants = grants
        self._sign_ins = sign_ins
        self.authority = ""
        self.arm = ""

    def on_behalf(self, registration: Registration, tenant: Tenant, form: Mapping[str, str]) -> tuple[str, str]:
        """The token, and the person's object id."""
        if form.get("requested_token_use") != "on_behalf_of":
            raise EntraError(
                400, "invalid_request", 900144, "The parameter 'requested_token_use' must be on_behalf_of."
            )
        self.check_scope(form["scope"])
        claims = _assertion(registration, tenant, form.get("assertion", ""))
        if "scp" not in claims:
            text = f"Application '{claims.get('azp')}' is not allowed to make application on-behalf-of calls."
            raise EntraError(400, "unauthorized_client", 7000114, text)
        person_id, sign_in = str(claims["oid"]), self._sign_ins.behind(claims.get("uti"))
        token = self.token(registration, tenant, person_id, sign_in, form.get("claims"))
        return token, person_id

    def token(
        self, registration: Registration, tenant: Tenant, person_id: str, sign_in: SignIn, wanted: str | None
    ) -> str:
        """A token for Azure, if the person may have one by that registration."""
        user = tenant.directory.users.get(person_id)
        if user is None:
            raise EntraError(400, "invalid_grant", 50034, "The user account does not exist in the directory.")
        if not user.account_enabled:
            raise EntraError(400, "invalid_grant", 50057, "The user account is disabled.")
        self.check_consent(registration, tenant)
        self._sign_ins.check(person_id, sign_in, wanted)
        claims = azure_claims(
            authority=self.authority,
            tenant_id=tenant.id,
            audience=self.arm,
            app_id=registration.app_id,
            object_id=person_id,
            mfa=sign_in.mfa,
            contexts=sorted(sign_in.contexts),
        )
        return sign({**claims, **life()})

    def check_consent(self, registration: Registration, tenant: Tenant) -> None:
        """An administrator's, for everybody: nobody is asked for their own."""
        if not self._grants.is_delegated(registration.app_id, tenant, DELEGATED):
            text = (
                f"The user or administrator has not consented to use the application with ID '{registration.app_id}' "
                f"named '{registration.display_name}'. Send an interactive authorization request for this user and resource."
            )
            raise EntraError(400, "invalid_grant", 65001, text, suberror="consent_required")

    def check_scope(self, scope: str) -> None:
        """Azure's one delegated permission, by name or as what is consented to."""
        asked = set(scope.split()) - OPENID
        if asked not in [
            {f"{resource}/{name}"} for resource in (self.arm, PUBLIC_ARM) for name in (DELEGATED, ".default")
        ]:
            text = f"The provided value for the input parameter 'scope' is not valid: '{scope}'."
            raise EntraError(400, "invalid_scope", 70011, text)


def _assertion(registration: Registration, tenant: Tenant, assertion: str) -> dict[str, object]:
    """A token that Entra issued for the registration itself, in this tenant, and that still lives."""
    try:
        claims = read(assertion, audience=registration.app_id)
    except jwt.ExpiredSignatureError:
        text = "Assertion is not within its valid time range. Ensure that the access token is not expired."
        raise EntraError(400, "invalid_grant", 500133, text) from None
    except jwt.InvalidAudienceError:
        text = (
            "Assertion audience does not match the Client app presenting the assertion. The expected audience is "
            f"'{registration.app_id}'."
        )
        raise EntraError(400, "invalid_grant", 500131, text) from None
    except jwt.PyJWTError:
        raise EntraError(400, "invalid_grant", 50013, "Assertion failed signature validation.") from None
    if claims.get("tid") != tenant.id:
        # UNCONFIRMED which of its codes Entra gives; that it refuses is sure.
        text = f"User account from identity provider '{claims.get('tid')}' does not exist in tenant '{tenant.display_name}'."
        raise EntraError(400, "invalid_grant", 50020, text)
    return claims
