"""The acts of onboarding in a target tenant's trust: consent, preflight, partners on both sides. Each is safe to
repeat.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

import msgspec

from shared.errors import Conflict, NotConsented, PimUnavailable
from shared.graph.shapes import Partner, Rule
from shared.identifiers import TenantId
from shared.onboarding import preflight
from shared.permissions import SECURITY_READER, Registration, needed
from shared.privileged import IN_PATIENCE, Ensured, NotYet, PrivilegedWrite, check_fence
from shared.running.acts import needed_in_target
from shared.running.advice import deleted_partner
from shared.running.consents import still_to_prove
from shared.running.messages import ActCall, ActOutcome, Again, Done, Ended
from shared.running.needs import must_be_proved
from shared.running.performing import ensure, fence, perform
from shared.running.planning import acts_left
from shared.running.proving import prove
from shared.services import Services
from shared.tenants.change import Change
from shared.tenants.record import Problem, Tenant
from shared.tenants.states import State
from shared.writes import cross_tenant

_GRANT_PAUSE_SECONDS = 10.0

_SOFT_DELETED = timedelta(days=30)
"""How long a deleted partner is kept, and may keep another from being made (whether it does is unconfirmed)."""

_DELETED_BY_US = timedelta(minutes=3)
_UNDONE_BY = {3: 27, 5: 26}

type PartnerWrite = Callable[[Services, Tenant, Mapping[str, str]], PrivilegedWrite[Partner | None]]


async def prove_consent(services: Services, call: ActCall) -> ActOutcome:
    """Act 1: every registration that the acts left need is present in the target with all its permissions."""
    return await perform(services, call, 1, _prove_consent)


async def run_preflight(services: Services, call: ActCall) -> ActOutcome:
    """Act 2: read what could stand in the way, before anything is written."""
    return await perform(services, call, 2, _run_preflight)


async def trust_source(services: Services, call: ActCall) -> ActOutcome:
    """Act 3: the target names the source as a partner, redeems automatically and trusts its MFA."""
    return await perform(services, call, 3, _trust_source)


async def allow_inbound_sync(services: Services, call: ActCall) -> ActOutcome:
    """Act 4: the target lets the source synchronize users in."""
    return await perform(services, call, 4, _allow_inbound_sync)


async def trust_target(services: Services, call: ActCall) -> ActOutcome:
    """Act 5: the source names the target as a partner and redeems automatically."""
    return await perform(services, call, 5, _trust_target)


async def _prove_consent(services: Services, call: ActCall, tenant: Tenant) -> ActOutcome:
    left = [number for number in acts_left(tenant) if number != 1]
    proof = await prove(services, call, tenant, needed_in_target(left, tenant.record.wanted))
    needed_now = must_be_proved(proof.tenant, proof.lacking)
    if not needed_now:
        return Done(f"{', '.join(registration.value for registration in proof.granted) or 'nothing'} present")
    if still_to_prove(proof.tenant, tuple(proof.lacking), services.clock.now()):
        return Again(_GRANT_PAUSE_SECONDS, "consent was given; waiting until Entra's tokens show it")
    names = ", ".join(registration.value for registration in needed_now)
    problem = Problem(
        code="ConsentMissing",
        what=f"The target's administrator has not consented to {names} with every permission.",
        do="Send the consent link to an administrator of the target tenant.",
    )
    return Ended(State.WAITING_FOR_CONSENT, problem)


async def _run_preflight(services: Services, call: ActCall, tenant: Tenant) -> ActOutcome:
    target, source = tenant.record.tenant_id, services.settings.source_tenant_id
    organization = await services.directory.organization(target)
    if organization is None or organization.id != target:
        problem = Problem(
            code="WrongTenant", what="The tenant that answers is another one.", do="Report this: it is a bug."
        )
        return Ended(State.BLOCKED, problem)
    plans = await services.directory.service_plans(target)
    there = services.cross_tenant(Registration.SETUP, target)
    here = services.cross_tenant(Registration.SOURCE, source)
    observed = preflight.Observed(
        invites_from=await services.directory.allows_invites_from(target),
        target_default=await there.default(),
        target_partner=await there.partner(source),
        source_default=await here.default(),
        source_partner=await here.partner(target),
        target_plans=plans,
        source_plans=await services.directory.service_plans(source),
        # How PIM refuses a tenant without a licence is unconfirmed: it is not asked.
        rules=await _rules(services, target) if preflight.has_pim(plans) else None,
    )
    findings = preflight.judge(observed, tenant.record.wanted)
    held = await _held_in_source(services)

    def decide(found: Tenant) -> Change:
        check_fence(found.record, fence(call))
        record = msgspec.structs.replace(
            found.record,
            warnings=findings.warnings,
            role_policy=findings.role_policy,
            without_pim=findings.without_pim,
            granted={**found.record.granted, Registration.SOURCE.value: held},
        )
        return Change(record=record)

    await services.tenants.update(target, decide)
    if findings.blocking:
        first = findings.blocking[0]
        return Ended(
            State.BLOCKED,
            Problem(
                code=first.code,
                what=" ".join(problem.what for problem in findings.blocking),
                do=" ".join(problem.do for problem in findings.blocking),
            ),
        )
    return Done(f"{organization.display_name}; warnings: {len(findings.warnings)}")


async def _held_in_source(services: Services) -> tuple[str, ...]:
    """What our registration of the source holds there. Raises NotConsented when a permission is missing."""
    source = services.settings.source_tenant_id
    held = await services.credentials.fresh_roles(Registration.SOURCE, source)
    if missing := tuple(sorted(set(needed(Registration.SOURCE, services.settings.source_mode)) - held)):
        raise NotConsented(Registration.SOURCE.value, source, missing)
    return tuple(sorted(held))


async def _rules(services: Services, target: TenantId) -> tuple[Rule, ...] | None:
    try:
        return tuple(await services.pim.role_rules(target, SECURITY_READER))
    except PimUnavailable:
        return None


async def _trust_source(services: Services, call: ActCall, tenant: Tenant) -> ActOutcome:
    writes = (cross_tenant.partner_in_target, cross_tenant.trust_source)
    return await _trusted(services, call, tenant, 3, writes) or Done("partner, inbound automatic redemption, trust")


async def _trusted(
    services: Services, call: ActCall, tenant: Tenant, number: int, builders: Iterable[PartnerWrite]
) -> ActOutcome | None:
    """Make the writes in their order; the outcome that keeps the act from being done, if any. All are of one partner."""
    seen: Ensured[Partner | None] | None = None
    for builder in builders:
        write = builder(services, tenant, {})
        try:
            result = await ensure(services, call, write, just_read=seen)
        except Conflict as error:
            # One that is there shows within that time; one that was deleted never does.
            if services.clock.now() - tenant.acts[number].since < _patience(services, tenant, number):
                raise
            return Ended(State.WAITING_FOR_PERSON, deleted_partner(write.object_name, write.where, error))
        if isinstance(result, NotYet):
            return Again(result.seconds, result.reason)
        seen = result
    return None


def _patience(services: Services, tenant: Tenant, number: int) -> timedelta:
    """How long a partner is waited for that is refused as being there. One that we deleted ourselves shows no more."""
    undone = tenant.acts.get(_UNDONE_BY[number])
    if undone is None or undone.ended is None or services.clock.now() - undone.ended > _SOFT_DELETED:
        return IN_PATIENCE
    return _DELETED_BY_US


async def _allow_inbound_sync(services: Services, call: ActCall, tenant: Tenant) -> ActOutcome:
    arguments = {"source_name": await services.directory.source_name()}
    result = await ensure(services, call, cross_tenant.identity_sync(services, tenant, arguments))
    return Again(result.seconds, result.reason) if isinstance(result, NotYet) else Done("user synchronization allowed")


async def _trust_target(services: Services, call: ActCall, tenant: Tenant) -> ActOutcome:
    writes = (cross_tenant.partner_in_source, cross_tenant.trust_target)
    return await _trusted(services, call, tenant, 5, writes) or Done("partner, outbound automatic redemption")
