"""What letting a tenant go would do, by what is kept of it. Pure: nobody is asked before it begins."""

from shared.identifiers import TenantId
from shared.onboarding.answers import BeforeImage, NeededPermissions, OffboardingPlan, PlannedAct
from shared.permissions import needed
from shared.running.acts import OFFBOARDING
from shared.running.needs import will_need
from shared.subjects import Intent
from shared.tenants.record import Tenant

_RESTORED = (3, 4, 5)
_UNKNOWN = (
    "whether the target's administrator consents again to what must be",
    "what somebody changed since in either tenant: that is left as it is, and named",
    "which accounts a cycle of the synchronization deletes within a day",
    "what the service makes of a setting that is put back to where it was not set",
)


def plan(tenant: Tenant, source: TenantId) -> OffboardingPlan:
    """Each act with what it would do, what would be put back, and what cannot be known before."""
    return OffboardingPlan(
        dry_run=True,
        tenant_id=tenant.record.tenant_id,
        state=tenant.record.state,
        acts=tuple(
            PlannedAct(number=act.number, name=act.name, would=_would(tenant, source, act.number))
            for act in OFFBOARDING
        ),
        before_images=tuple(
            BeforeImage(tenant=one.where, object_name=one.object_name, before=bytes(one.before).decode())
            for one in _restored(tenant)
        ),
        permissions=tuple(
            NeededPermissions(registration=one, permissions=tuple(needed(one))) for one in will_need(tenant)
        ),
        unknown=_UNKNOWN,
    )


def _would(tenant: Tenant, source: TenantId, number: int) -> str:
    known = tenant.record.synchronization
    accounts = [one for one in tenant.analysts.values() if one.target_object_id is not None]
    match number:
        case 21:
            return f"remove {len(tenant.eligibilities)} eligibilities for Security Reader"
        case 22:
            return f"take {len(tenant.analysts)} analysts out of scope of the synchronization"
        case 24:
            return f"wait, for a day at most, until {len(accounts)} accounts are soft-deleted"
        case 25:
            return f"delete the job and the enterprise application '{known.name}'" if known else "do nothing"
        case _:
            where = source if number == 26 else tenant.record.tenant_id
            count = sum(one.where == where for one in _restored(tenant))
            return f"put {count} objects back as they were" if count else "do nothing"


def _restored(tenant: Tenant) -> list[Intent]:
    """The writes whose first images would be put back."""
    written = [one for one in tenant.intents.values() if one.act in _RESTORED and one.landed]
    return sorted(written, key=lambda one: (one.act, one.object_name))
