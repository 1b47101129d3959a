"""What a tenant's runs need of the target's administrator, and what a record shows of its acts. Pure."""

from collections.abc import Collection

from shared.eligibility.record import Eligibility, eligibility_key
from shared.identifiers import ObjectId
from shared.permissions import MULTI_TENANT, SECURITY_READER, Registration
from shared.running.acts import ACTS, BY_NUMBER, OFFBOARDING, ActKind, asked_of, needed_in_target
from shared.running.planning import asks_again, is_done, without_consent
from shared.subjects import NOTHING, Intent
from shared.tenants.record import ActState, Goal, Tenant
from shared.tenants.states import State

_TRUST = (3, 4, 27)
"""The acts that write in the target's cross-tenant access settings."""


def must_be_proved(tenant: Tenant, lacking: Collection[Registration]) -> tuple[Registration, ...]:
    """Which of the consents that are lacking a run cannot do without. An offboarding waits for one at a time: whatever
    can be done without the other comes first.
    """
    if tenant.record.goal is Goal.ONBOARDING:
        return tuple(lacking)
    return tuple(one for one in needed_in_target(without_consent(tenant), tenant.record.wanted) if one in lacking)


def will_need(tenant: Tenant) -> tuple[Registration, ...]:
    """The consents that letting a tenant go needs, by what is known of it."""
    access = bool(tenant.eligibilities) or any(one.target_object_id for one in tenant.analysts.values())
    here = (intent for intent in tenant.intents.values() if intent.where == tenant.record.tenant_id)
    setup = any(intent.act in _TRUST and intent.landed for intent in here)
    undone = tenant.record.goal is Goal.OFFBOARDING
    needed = {
        Registration.ACCESS: access and not (undone and is_done(tenant, 21) and is_done(tenant, 24)),
        Registration.SETUP: setup and not (undone and is_done(tenant, 27)),
    }
    return tuple(one for one in MULTI_TENANT if needed.get(one, False))


def asked_for(tenant: Tenant) -> tuple[Registration, ...]:
    """The registrations whose consent links are worth sending."""
    return asked_of(tenant.record.wanted) if tenant.record.goal is Goal.ONBOARDING else will_need(tenant)


def shown_acts(tenant: Tenant) -> tuple[ActKind, ...]:
    """The acts that a record shows."""
    if tenant.record.goal is Goal.OFFBOARDING:
        asks = asks_again(tenant) and (
            tenant.record.state is State.WAITING_FOR_CONSENT or tenant.acts[1].run == tenant.record.run
        )
        return (*((BY_NUMBER[1],) if asks else ()), *OFFBOARDING)
    others = [
        BY_NUMBER[number]
        for number in sorted(tenant.acts)
        if BY_NUMBER[number] not in ACTS and tenant.acts[number].state is not ActState.PENDING
    ]
    return (*ACTS, *others)


def unrecorded(tenant: Tenant) -> list[Eligibility]:
    """Eligibilities that were asked for leavers, or for a group once the tenant is let go, and of which no answer was
    kept.
    """
    found: dict[str, Eligibility] = {}
    for intent in tenant.intents.values():
        asked = _asked(tenant, intent)
        if asked is not None and intent.landed and intent.before == NOTHING:
            principal, analyst = asked
            found[eligibility_key(principal, SECURITY_READER)] = Eligibility(
                principal_id=principal,
                role_definition_id=SECURITY_READER,
                analyst_id=analyst,
                schedule_id="",
                end=None,
                wanted_days=tenant.record.wanted.duration_days,
            )
    return [one for key, one in found.items() if key not in tenant.eligibilities]


def _asked(tenant: Tenant, intent: Intent) -> tuple[ObjectId, ObjectId | None] | None:
    """For whom an intent asked, and whose account that is."""
    if intent.kind == "security_reader":
        analyst = tenant.leavers.get(ObjectId(intent.arguments["analyst"]))
        if analyst is not None and analyst.target_object_id is not None:
            return analyst.target_object_id, analyst.object_id
    if intent.kind == "group_security_reader" and tenant.record.goal is Goal.OFFBOARDING:
        return ObjectId(intent.arguments["group"]), None
    return None
