"""Persons of the simulated tenants, as they appear in tokens and at the consent page."""

from dataclasses import dataclass, field

from tests.sandbox.graph.models.pim_records import GLOBAL_ADMINISTRATOR, PRIVILEGED_ROLE_ADMINISTRATOR

MAY_CONSENT = frozenset({GLOBAL_ADMINISTRATOR, PRIVILEGED_ROLE_ADMINISTRATOR})
"""Who may grant application permissions of Graph (section 9.1); Cloud Application Administrator is not enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody with an account in a tenant."""

    tenant_id: str
    object_id: str
    user_principal_name: str
    display_name: str
    guest: bool = False
    directory_roles: frozenset[str] = field(default_factory=frozenset)

    @property
    def may_consent(self) -> bool:
        """Whether admin consent is theirs to give."""
        return not MAY_CONSENT.isdisjoint(self.directory_roles)

    def claims(self, authority: str) -> dict[str, object]:
        """Who they are, as a v2 token says it; a guest has acct 1 and the identity provider of their home."""
        claims: dict[str, object] = {
            "oid": self.object_id,
            "sub": f"{self.object_id}-pairwise",
            "tid": self.tenant_id,
            "name": self.display_name,
            "preferred_username": self.user_principal_name,
            "acct": 1 if self.guest else 0,
        }
        if self.guest:
            claims["idp"] = f"{authority}/another-home/"
        return claims
