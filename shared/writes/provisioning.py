"""The privileged write of act 8 that goes by analyst: their account in the target, and what is known of it."""

from collections.abc import Mapping

from msgspec.structs import replace

from shared.errors import StrangeAccount
from shared.identifiers import ObjectId
from shared.permissions import Registration
from shared.privileged import OpenIntent, PrivilegedWrite
from shared.services import Services
from shared.tenants.change import Change
from shared.tenants.record import Analyst, Problem, Tenant
from shared.tenants.states import State
from shared.writes.provisioned import STRANGE, Provisioned, advice, fits, told_on_demand
from shared.writes.synchronization import held


def provisioning(services: Services, tenant: Tenant, arguments: Mapping[str, str]) -> PrivilegedWrite[ObjectId | None]:
    """Act 8: one analyst's account in the target. The image is its object id, once it can be read there."""
    known = held(tenant)
    analyst = ObjectId(arguments["analyst"])
    told: list[ObjectId] = [one for one in (tenant.analysts[analyst].target_object_id,) if one]

    async def read() -> ObjectId | None:
        if not told:
            return None
        user = await services.directory.target_user(tenant.record.tenant_id, told[-1])
        if user is not None and not fits(user.user_principal_name, user.mail or "", tenant.analysts[analyst]):
            raise StrangeAccount(user.id)
        return user.id if user else None

    async def send(_: ObjectId | None, intent: OpenIntent) -> str:
        text, request_id = await services.synchronizations.provision_on_demand(
            known.service_principal_id, known.job_id, known.rule_id, analyst, intent
        )
        result = told_on_demand(text, analyst)
        await keep_provisioned(services, tenant, analyst, result)
        if result.target_object_id:
            told.append(result.target_object_id)
        return request_id

    return PrivilegedWrite(
        kind="provisioning",
        arguments=arguments,
        registration=Registration.SOURCE,
        where=services.settings.source_tenant_id,
        object_name=f"account of {analyst} in {tenant.record.tenant_id}",
        what="provision the analyst's account in the target tenant",
        act=8,
        wanted={"objectId": analyst},
        read=read,
        satisfied=lambda found: found is not None,
        send=send,
        picture=lambda found: {"targetObjectId": found},
        # An account of a known id is on its way; without one, the provisioning log says when asking again is worth it.
        patient=bool(told),
    )


async def keep_provisioned(services: Services, tenant: Tenant, analyst: ObjectId, told: Provisioned) -> Tenant:
    """Store what was told about an analyst's account, on behalf of the run that `tenant` shows.

    An id is a fact whoever learns it, except of an account that is not theirs; a problem is only that run's to say.
    """
    mine = tenant.record.run_nonce

    def decide(found: Tenant) -> Change | None:
        row = found.analysts.get(analyst)
        if row is None:
            return None
        changed = replace(row, target_object_id=told.target_object_id or row.target_object_id)
        if found.record.run_nonce == mine and found.record.state is State.ONBOARDING:
            changed = replace(changed, problem=_problem(row, told) if told.refused else None)
            if told.code == STRANGE:
                changed = replace(changed, target_object_id=None)
        return None if changed == row else Change(record=found.record, analysts=[changed])

    return await services.tenants.update(tenant.record.tenant_id, decide)


def _problem(analyst: Analyst, told: Provisioned) -> Problem:
    what = f"{analyst.display_name} was not provisioned: {told.reason or told.code}"
    return Problem(code=told.code, what=what, do=advice(told.code))
