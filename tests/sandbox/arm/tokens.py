"""A person's token for Resource Manager, as a portal, a CLI or an on-behalf-of exchange gets it."""

from collections.abc import Sequence

from tests.sandbox.clouds import Clouds
from tests.sandbox.entra.tokens import LIFETIME_SECONDS, azure_claims, life, sign
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
    claims = azure_claims(
        authority=clouds.authority,
        tenant_id=person.tenant_id,
        audience=clouds.arm,
        app_id=app_id,
        object_id=person.object_id,
        mfa=mfa,
        contexts=contexts,
    )
    return sign({**claims, **life(issued_seconds_ago, lifetime)})
