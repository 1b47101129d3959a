"""Accounts of analysts that a target had before the onboarding: a synchronization that loses them from its scope would
delete them, so a tenant that is let go keeps them in scope until the synchronization itself is gone.
"""

from msgspec.structs import replace

from shared.errors import Forbidden, NotConsented
from shared.privileged import check_fence
from shared.running.messages import ActCall, Again
from shared.running.performing import fence
from shared.running.refusals import lacking
from shared.services import Services
from shared.tenants.change import Change
from shared.tenants.record import Analyst, Tenant

_AT_ONCE = 20
"""Accounts looked at in one call of an activity."""


async def with_earlier_accounts(services: Services, call: ActCall, tenant: Tenant) -> Tenant | Again:
    """The tenant once it is known of each leaver whether their account is older than the onboarding."""
    unknown = [one for one in tenant.leavers.values() if one.earlier_account is None]
    looked = [
        replace(one, earlier_account=await _is_earlier(services, tenant, one))
        for one in sorted(unknown, key=lambda one: one.object_id)[:_AT_ONCE]
    ]
    if not looked:
        return tenant

    def decide(found: Tenant) -> Change:
        check_fence(found.record, fence(call))
        return Change(record=found.record, analysts=[one for one in looked if one.object_id in found.leavers])

    tenant = await services.tenants.update(tenant.record.tenant_id, decide)
    left = len(unknown) - len(looked)
    return Again(1.0, f"looking whose account was there before: {left} to go") if left else tenant


async def _is_earlier(services: Services, tenant: Tenant, analyst: Analyst) -> bool:
    """Where it may not be looked at, because its administrator is to see to what that leaves, it is taken for ours."""
    if analyst.target_object_id is None:
        return False
    try:
        user = await services.directory.target_user(tenant.record.tenant_id, analyst.target_object_id)
    except NotConsented:
        if not tenant.record.target_by_kit:
            raise
        return False
    except Forbidden as error:
        if not tenant.record.target_by_kit or await lacking(services, error) is None:
            raise
        return False
    return user is not None and user.created is not None and user.created < tenant.record.created
