"""The policies of a tenant that onboarding reads before it writes (sections 1.4, 6.7 and 7)."""

from dataclasses import dataclass, field

from tests.sandbox.graph.wire import Wire

INVITERS = ("none", "adminsAndGuestInviters", "adminsGuestInvitersAndAllMembers", "everyone")

# Service plan and SKU ids from Microsoft's published table of licensing identifiers.
_P1_PLAN = ("41781fb2-bc02-4b7c-bd55-b576c07bb09d", "AAD_PREMIUM")
_P2_PLAN = ("eec0eb4f-6444-4f95-aba0-50c24d67f998", "AAD_PREMIUM_P2")
_P1_SKU = ("078d2b04-f1bd-4111-bbd4-b4b1b354cef4", "AAD_PREMIUM")
_P2_SKU = ("84a661c4-e949-4bd2-a560-ed7766fcaf2b", "AAD_PREMIUM_P2")


@dataclass(slots=True, kw_only=True)
class Policies:
    """Who may invite guests, security defaults, and conditional access, as their wire objects."""

    allow_invites_from: str = "everyone"
    security_defaults: bool = False
    conditional_access: list[Wire] = field(default_factory=list)
    named_locations: list[Wire] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Licences:
    """Which of Entra's premium plans the tenant has. `p2_status` other than Success is a plan that doesn't work."""

    p1: bool = True
    p2: bool = True
    p2_status: str = "Success"

    @property
    def has_pim(self) -> bool:
        """Section 6.7."""
        return self.p2 and self.p2_status == "Success"

    def skus(self, tenant_id: str) -> list[Wire]:
        """As subscribedSkus. P2 holds P1's plan too."""
        found: list[Wire] = []
        if self.p2:
            plans = [(_P2_PLAN, self.p2_status), (_P1_PLAN, "Success")]
            found.append(_sku(tenant_id, _P2_SKU, plans))
        elif self.p1:
            found.append(_sku(tenant_id, _P1_SKU, [(_P1_PLAN, "Success")]))
        return found


def _sku(tenant_id: str, sku: tuple[str, str], plans: list[tuple[tuple[str, str], str]]) -> Wire:
    return {
        "id": f"{tenant_id}_{sku[0]}",
        "accountId": tenant_id,
        "accountName": "sandbox",
        "appliesTo": "User",
        "capabilityStatus": "Enabled",
        "consumedUnits": 5,
        "prepaidUnits": {"enabled": 25, "lockedOut": 0, "suspended": 0, "warning": 0},
        "servicePlans": [
            {"servicePlanId": plan, "servicePlanName": name, "provisioningStatus": status, "appliesTo": "User"}
            for (plan, name), status in plans
        ],
        "skuId": sku[0],
        "skuPartNumber": sku[1],
        "subscriptionIds": [],
    }
