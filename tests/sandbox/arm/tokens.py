"""A person's token for Resource Manager, as a portal, a CLI or an on-behalf-of exchange gets it."""

from collections.abc import Sequence

from tests.sandbox.clouds import Clouds
from tests.sandbox.entra.tokens import LIFETIME_SECONDS, life, sign
from tests.sandbox.personas import Person

AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"


def person_token(
    clouds: Clouds,
    person: Person,
    *,
    mfa: bool = True,
    contexts: Sequence[str] = (),
    app_id: str = AZURE_CLI,
    issued_seconds_ago: float = 0,
    lifetime: float = LIFETIME_SECONDS,
) -> str:
    """Delegated: what the person may, with or without a second factor and authentication contexts (acrs)."""
    return sign(
        {
            "aud": clouds.arm,
            "iss": f"{clouds.authority}/{person.tenant_id}/",
            "tid": person.tenant_id,
            "oid": person.object_id,
            "sub": f"{person.object_id}-pairwise",
            "appid": app_id,
            "idtyp": "user",
            "scp": "user_impersonation",
            "amr": ["pwd", "mfa"] if mfa else ["pwd"],
            "acrs": list(contexts),
            "ver": "1.0",
            **life(issued_seconds_ago, lifetime),
        }
    )
