"""The acts that only look: why an analyst's sign-in would fail (10), and hunting queries as a proof (11).

Neither stops an onboarding: what cannot be read in time, or at all, stands on the record as a warning.
"""

import msgspec

from shared.errors import Forbidden, NotConsented, Rejected, Throttled
from shared.identifiers import TenantId
from shared.onboarding import proving, signin
from shared.permissions import Registration
from shared.privileged import check_fence
from shared.running.messages import ActCall, ActOutcome, Again, Done
from shared.running.performing import fence, perform
from shared.running.refusals import lacking
from shared.saved_queries import SavedQuery
from shared.services import Services
from shared.tenants.change import Change
from shared.tenants.findings import Answered, Feature, Proof, SignIn
from shared.tenants.record import Tenant, Trust

_QUOTA_PAUSE_SECONDS = 30.0
"""A spent quota is renewed after minutes, and does not always say when."""


async def diagnose_sign_in(services: Services, call: ActCall) -> ActOutcome:
    """Act 10: what conditional access would ask of the analysts is read and told in words."""
    return await perform(services, call, 10, _diagnose_sign_in, late=_give_up_diagnosis)


async def prove_hunting(services: Services, call: ActCall) -> ActOutcome:
    """Act 11: where hunting is wanted, saved queries are run in the target and their first rows kept."""
    return await perform(services, call, 11, _prove_hunting, late=_give_up_proof)


async def _diagnose_sign_in(services: Services, call: ActCall, tenant: Tenant) -> ActOutcome:
    try:
        found = signin.judge(await _seen(services, tenant), services.clock.now())
    except NotConsented as error:
        return await _without_setup(services, call, tenant, error)
    except Forbidden as error:
        if (missing := await lacking(services, error)) is not None:
            return await _without_setup(services, call, tenant, missing)
        return await _undiagnosed(services, call, tenant, _denied(error))
    except Rejected as error:
        return await _undiagnosed(services, call, tenant, _denied(error))
    except msgspec.DecodeError:
        return await _undiagnosed(services, call, tenant, "an answer had a shape that is not known here")
    return await _keep_diagnosis(services, call, found)


async def _give_up_diagnosis(services: Services, call: ActCall, tenant: Tenant) -> ActOutcome:
    return await _undiagnosed(
        services, call, tenant, f"not in time. Last seen: {tenant.acts[10].detail or 'no answer'}"
    )


async def _seen(services: Services, tenant: Tenant) -> signin.Seen:
    target = tenant.record.tenant_id
    policies = await services.conditional_access.policies(target)
    defaults = await services.directory.security_defaults(target)
    # What is trusted, and from where, only matters to what is asked.
    asks = defaults or signin.ask(policies)
    return signin.Seen(
        policies=policies,
        trust=await _trust(services, tenant) if asks else tenant.record.wanted.trust,
        security_defaults=defaults,
        locations=await services.conditional_access.named_locations(target) if asks else (),
        source=services.settings.source_tenant_id,
        accounts={
            one.object_id: one.target_object_id
            for one in tenant.analysts.values()
            if one.target_object_id is not None and one.problem is None
        },
    )


async def _trust(services: Services, tenant: Tenant) -> Trust:
    """What the target trusts of the source by now: what was asked for, and what was trusted before."""
    access = services.cross_tenant(Registration.SETUP, tenant.record.tenant_id)
    partner = await access.partner(services.settings.source_tenant_id)
    if partner is None:  # a replica that has not heard of it: act 3 read it back
        return tenant.record.wanted.trust
    own = partner.inbound_trust
    default = (await access.default()).inbound_trust if signin.inherits(own) else None
    return signin.trusted(own, default)


async def _without_setup(services: Services, call: ActCall, tenant: Tenant, error: NotConsented) -> ActOutcome:
    """Once a tenant was Ready, Tenantry Setup is gone as it should be: what was found before stands, without a warning."""
    known = tenant.sign_in
    if known is None or known.problem:
        return await _undiagnosed(services, call, tenant, _absent(error))
    return Done(f"as read on {known.read:%Y-%m-%d}: {signin.summary(known)}; {_absent(error)}")


async def _undiagnosed(services: Services, call: ActCall, tenant: Tenant, why: str) -> ActOutcome:
    """What was found before stays beside the reason."""
    problem = f"Why a sign-in of the analysts would fail could not be read: {why}."
    found = tenant.sign_in or SignIn(read=services.clock.now())
    return await _keep_diagnosis(services, call, msgspec.structs.replace(found, problem=problem))


def _absent(error: NotConsented) -> str:
    why = f"lacks {', '.join(error.missing)}" if error.missing else "is not present any more"
    return f"{error.registration} {why} in the target"


def _denied(error: Forbidden | Rejected) -> str:
    return f"the target refused it: {error.call.status} {error.call.code}"


async def _keep_diagnosis(services: Services, call: ActCall, found: SignIn) -> ActOutcome:
    def decide(tenant: Tenant) -> Change:
        check_fence(tenant.record, fence(call))
        return Change(record=tenant.record, sign_in=found)

    await services.tenants.update(TenantId(call.run.subject), decide)
    return Done(signin.summary(found))


async def _prove_hunting(services: Services, call: ActCall, tenant: Tenant) -> ActOutcome:
    """One query each time: each may take minutes, and what was answered is kept."""
    proof = _proof(services, call, tenant)
    query = proving.to_ask(proof) if proof.asked else None
    if query is not None:
        try:
            answer = await _answered(services, tenant, query)
        except Throttled as error:
            told = error.call.message[:200] or "the tenant's quota is spent"
            return Again(max(error.seconds, _QUOTA_PAUSE_SECONDS), f"hunting is throttled: {told}")
        proof = msgspec.structs.replace(proof, answers=(*proof.answers, answer))
    await _keep_proof(services, call, proof)
    if proof.asked and proving.to_ask(proof) is not None:
        return Again(1.0, proving.summary(proof))
    return Done(proving.summary(proof))


async def _give_up_proof(services: Services, call: ActCall, tenant: Tenant) -> ActOutcome:
    proof, now = _proof(services, call, tenant), services.clock.now()
    why = f"No answer in time. Last seen: {tenant.acts[11].detail or 'no answer'}."
    while proof.asked and (query := proving.to_ask(proof)) is not None:
        unanswered = Answered(query=query.name, at=now, problem=why)
        proof = msgspec.structs.replace(proof, answers=(*proof.answers, unanswered))
    await _keep_proof(services, call, proof)
    return Done(proving.summary(proof))


def _proof(services: Services, call: ActCall, tenant: Tenant) -> Proof:
    """What this run has found so far."""
    known = tenant.proofs.get(Feature.HUNTING)
    asked = Feature.HUNTING in tenant.record.wanted.features
    if known is not None and known.run == call.run.number and known.asked == asked:
        return known
    return Proof(feature=Feature.HUNTING, run=call.run.number, since=services.clock.now(), asked=asked)


async def _answered(services: Services, tenant: Tenant, query: SavedQuery) -> Answered:
    """The answer to a query; one that the tenant refuses for want of Defender data is an answer too."""
    now = services.clock.now()
    try:
        rows = await services.hunting.run(tenant.record.tenant_id, query)
    except Forbidden as error:
        if await lacking(services, error) is not None:
            raise
        return Answered(query=query.name, at=now, problem=_refused(error))
    except Rejected as error:
        return Answered(query=query.name, at=now, problem=_refused(error))
    except msgspec.DecodeError:
        return Answered(query=query.name, at=now, problem="Its answer had a shape that is not known here.")
    return Answered(query=query.name, at=now, columns=query.columns, rows=rows)


def _refused(error: Forbidden | Rejected) -> str:
    told = f" {error.call.message[:200]}" if error.call.message else ""
    return f"The target refused it ({error.call.status} {error.call.code}): it may have no Defender data.{told}"


async def _keep_proof(services: Services, call: ActCall, proof: Proof) -> None:
    def decide(tenant: Tenant) -> Change | None:
        check_fence(tenant.record, fence(call))
        same = tenant.proofs.get(proof.feature) == proof
        return None if same else Change(record=tenant.record, proofs=[proof])

    await services.tenants.update(TenantId(call.run.subject), decide)
