"""What is kept of an eligibility, and of the policy that bounds it. Pure."""

import hashlib
from datetime import datetime

import msgspec

from shared.identifiers import ObjectId, SubscriptionId, TenantId


class RolePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What the PIM policy of a role asks, as it was last read."""

    maximum_days: int | None = None
    ticketing: bool = False
    activation_hours: float | None = None
    activation_needs: tuple[str, ...] = ()


class Eligibility(msgspec.Struct, frozen=True, kw_only=True):
    """One eligibility in force in a target, or on a subscription, as read back. `end`: as we left it; `ends_early`: the
    earlier one that a person gave it since. `removed`: since when a night missed it before its end.

    In a target: no analyst means a group's; `plain` is an assignment for good, which the target's administrator made, for
    want of PIM. On a subscription: the `condition` that it is held under goes along whenever it is renewed.
    """

    principal_id: ObjectId
    role_definition_id: str
    analyst_id: ObjectId | None
    schedule_id: str
    end: datetime | None
    wanted_days: int
    capped_to_days: int | None = None
    plain: bool = False
    removed: datetime | None = None
    condition: str = ""
    condition_version: str = ""
    ends_early: datetime | None = None

    @property
    def key(self) -> str:
        """The key of its row."""
        return eligibility_key(self.principal_id, self.role_definition_id)

    @property
    def ends(self) -> datetime | None:
        """The end that holds."""
        return self.ends_early or self.end


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """One eligibility that ends, in a tenant or on a subscription."""

    row: Eligibility
    end: datetime
    tenant_id: TenantId | None = None
    subscription_id: SubscriptionId | None = None


def eligibility_key(principal_id: str, role_definition_id: str) -> str:
    """The key of an eligibility."""
    return hashlib.sha256(f"{principal_id}|{role_definition_id}".encode()).hexdigest()[:32]
