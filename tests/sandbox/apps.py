"""The function apps of a world: one that is all of Tenantry, or three. Whom each acts as, and which secrets it is given."""

from base64 import b64encode
from collections.abc import Mapping
from secrets import token_hex

from shared.approvals import session
from shared.notify import destinations as notify
from shared.permissions import Registration
from shared.roles import TRUSTS, Role
from shared.settings import FINANCE_KEY, FINANCE_PREVIOUS_KEY
from tests.sandbox.clouds import Clouds
from tests.sandbox.entra.service import ManagedIdentity
from tests.sandbox.population import IDENTITY_PRINCIPAL_ID, guid

TOGETHER = (Role.ALL,)
APART = (Role.FRONT, Role.WORKER, Role.BROKER)

# The portals are where the checklist's links lead; names only, nobody goes there from the sandbox.
ALIKE: Mapping[str, str] = {
    "TENANTRY_MTO_PORTAL": "https://mto.portal.example",
    "TENANTRY_DEFENDER_PORTAL": "https://defender.portal.example",
    "TENANTRY_MYACCOUNT_PORTAL": "https://myaccount.portal.example",
    "TENANTRY_ENTRA_PORTAL": "https://entra.portal.example",
    session.KEY: b64encode(b"the sandbox's key of 32 bytes...").decode(),
}
"""Settings that are alike in every world."""

_ONLY_FOR: Mapping[str, Role] = {
    session.KEY: Role.FRONT,
    session.PREVIOUS_KEY: Role.FRONT,
    FINANCE_KEY: Role.FRONT,
    FINANCE_PREVIOUS_KEY: Role.FRONT,
    notify.URL: Role.WORKER,
    notify.KEY: Role.WORKER,
    notify.PREVIOUS_KEY: Role.WORKER,
    notify.TEAMS_URL: Role.WORKER,
    "TENANTRY_AUDIT_BLOBS_CONNECTION_STRING": Role.WORKER,
}
"""Secrets, and the way to the seals: what one app has, and the others lack."""


def identity(clouds: Clouds, role: Role) -> ManagedIdentity:
    """The managed identity of one app, which no other app reaches."""
    if role is Role.ALL:
        return clouds.managed_identity(guid("identity-client"), IDENTITY_PRINCIPAL_ID)
    names = guid(f"identity-client-{role}"), guid(f"identity-principal-{role}")
    return clouds.managed_identity(*names, header=token_hex(16))


def trust(clouds: Clouds, registration: Registration, app_id: str, identities: Mapping[Role, ManagedIdentity]) -> None:
    """As the deployment does: the registration trusts the apps that act as it."""
    for role, one in identities.items():
        if registration in TRUSTS[role]:
            clouds.trust(app_id, one.principal_id)


def settings_of(role: Role, settings: Mapping[str, str]) -> dict[str, str]:
    """Those of all settings that the app is given."""
    return {name: value for name, value in settings.items() if role in (Role.ALL, _ONLY_FOR.get(name, role))}
