"""Acts 26 and 27: the two tenants' settings for each other are as before the onboarding, but for what somebody else
changed since, which is named. Safe to repeat.
"""

from collections.abc import Iterable

import msgspec

from shared.graph.shapes import IdentitySynchronization, Partner
from shared.identifiers import TenantId
from shared.privileged import IN_PATIENCE, NotYet, check_fence
from shared.running.messages import ActCall, ActOutcome, Again, Done
from shared.running.performing import ensure, fence, perform
from shared.services import Services
from shared.subjects import Intent, IntentState, intent_key
from shared.tenants.change import Change
from shared.tenants.record import Skipped, Tenant
from shared.writes import restoring, trust_back
from shared.writes.rebuilding import rebuilt
from shared.writes.restoring import Difference
from shared.writes.trust_back import Side

_CHANGED = "somebody changed it since"
_NOT_TAKEN = "it was put back, but the service still shows it as we left it"
_NOT_YET = Again(15.0, "what was written is not to be seen yet")


async def distrust_target(services: Services, call: ActCall) -> ActOutcome:
    """Act 26: the source's settings for the target are as before."""
    return await perform(services, call, 26, _distrust_target)


async def distrust_source(services: Services, call: ActCall) -> ActOutcome:
    """Act 27: the target's settings for the source are as before, users can no more be synchronized in."""
    return await perform(services, call, 27, _distrust_source)


async def _distrust_target(services: Services, call: ActCall, tenant: Tenant) -> ActOutcome:
    return await _put_back(services, call, tenant, trust_back.in_source(services, tenant))


async def _distrust_source(services: Services, call: ActCall, tenant: Tenant) -> ActOutcome:
    return await _put_back(services, call, tenant, trust_back.in_target(services, tenant))


async def _put_back(services: Services, call: ActCall, tenant: Tenant, side: Side) -> ActOutcome:
    intents = [_intent(tenant, side, name) for name in (side.partner, side.partner_settings, side.synchronization)]
    written = [one for one in intents if one is not None and one.landed]
    if not written:
        return await _noted(services, call, side, [])
    if any(one.state is IntentState.OPEN and one.act != side.act for one in written):
        # It was sent by an earlier run, and could not be read until now.
        wait = await services.intents.close_open(
            tenant.record.tenant_id, lambda found, intent: rebuilt(services, found, intent)
        )
        return Again(max(1.0, wait), "an earlier write is looked at first")
    synchronization = await _synchronization_back(services, call, tenant, side)
    if isinstance(synchronization, Again):
        return synchronization
    there, skipped = synchronization
    partner = await _partner_back(services, call, tenant, side, synchronized=there)
    if isinstance(partner, Again):
        return partner
    return await _noted(services, call, side, [*skipped, *partner])


async def _synchronization_back(
    services: Services, call: ActCall, tenant: Tenant, side: Side
) -> tuple[bool, list[Skipped]] | Again:
    """Whether there is still an identity synchronization, and what of it was left alone."""
    now = await trust_back.access_of(services, side).identity_synchronization(side.other)
    kept = restoring.images(tenant, side.where, side.synchronization, IdentitySynchronization)
    if kept is None:
        return now is not None, []
    if now is None and _may_be_hidden(services, tenant, side, side.synchronization):
        return _NOT_YET
    back = restoring.sync_back(kept, now)
    if not back.is_nothing or _is_open(tenant, side, side.synchronization):
        result = await ensure(services, call, trust_back.identity_sync_back(services, tenant, {}))
        if isinstance(result, NotYet):
            return Again(result.seconds, result.reason)
        now = result.image
    return now is not None, list(_skipped(side, "identity synchronization", back.differing, _CHANGED))


async def _partner_back(
    services: Services, call: ActCall, tenant: Tenant, side: Side, *, synchronized: bool
) -> list[Skipped] | Again:
    """What of the partner was left alone. One that we made goes while it is as we left it, and nothing hangs on it."""
    now = await trust_back.access_of(services, side).partner(side.other)
    made = _is_made_by_us(tenant, side)
    if now is None:
        return await _without_partner(services, call, tenant, side, made=made)
    others = _others(tenant, side, now, synchronized=synchronized) if made else ()
    if made and not others:
        return await _removed(services, call, tenant, side)
    settings = await _settings_back(services, call, tenant, side, now)
    if isinstance(settings, Again):
        return settings
    named = {one.what for one in settings}
    more = [one for one in _skipped(side, "partner", others, _CHANGED) if one.what not in named]
    return [*settings, *more]


async def _without_partner(
    services: Services, call: ActCall, tenant: Tenant, side: Side, *, made: bool
) -> list[Skipped] | Again:
    """There is none: it is slow to show, or it is gone, by us or by somebody else."""
    if _may_be_hidden(services, tenant, side, side.partner_settings, side.partner):
        return _NOT_YET
    if not made:
        return list(_skipped(side, "partner", (restoring.GONE,), _CHANGED))
    return await _removed(services, call, tenant, side) if _is_open(tenant, side, side.partner) else []


async def _removed(services: Services, call: ActCall, tenant: Tenant, side: Side) -> list[Skipped] | Again:
    result = await ensure(services, call, side.removal(services, tenant, {}))
    return Again(result.seconds, result.reason) if isinstance(result, NotYet) else []


async def _settings_back(
    services: Services, call: ActCall, tenant: Tenant, side: Side, now: Partner
) -> list[Skipped] | Again:
    kept = restoring.images(tenant, side.where, side.partner_settings, Partner)
    if kept is None:
        return []
    not_taken: tuple[Difference, ...] = ()
    if restoring.changes_back(kept, now) or _is_open(tenant, side, side.partner_settings):
        if _is_not_taken(services, tenant, side):
            not_taken = restoring.still_ours(kept, now)
        else:
            result = await ensure(services, call, side.settings(services, tenant, {}))
            if isinstance(result, NotYet):
                return Again(result.seconds, result.reason)
            now = result.image or now
    changed = restoring.changed_by_others(kept, now)
    return [*_skipped(side, "partner", changed, _CHANGED), *_skipped(side, "partner", not_taken, _NOT_TAKEN)]


def _others(tenant: Tenant, side: Side, now: Partner, *, synchronized: bool) -> tuple[Difference, ...]:
    """What somebody else put on a partner that we made: then it stays."""
    changed = restoring.changed_since(trust_back.left_partner(tenant, side), now)
    if not synchronized:
        return changed
    return (*changed, Difference(what="identitySynchronization", before=None, left=None, now="there"))


def _is_made_by_us(tenant: Tenant, side: Side) -> bool:
    intent = _intent(tenant, side, side.partner)
    kept = restoring.images(tenant, side.where, side.partner, Partner)
    return intent is not None and intent.landed and kept is not None and kept.before is None


def _is_not_taken(services: Services, tenant: Tenant, side: Side) -> bool:
    """Whether the settings were sent back, the answer was good, and for long they have shown unchanged all the same."""
    intent = _intent(tenant, side, side.partner_settings)
    if intent is None or intent.act != side.act or intent.state is not IntentState.OPEN or intent.attempted is None:
        return False
    return bool(intent.request_id) and services.clock.now() - intent.attempted > IN_PATIENCE


def _is_open(tenant: Tenant, side: Side, object_name: str) -> bool:
    """Whether the object was put back by a call of this act whose end nobody saw: ensuring it once more tells."""
    intent = _intent(tenant, side, object_name)
    return intent is not None and intent.act == side.act and intent.state is not IntentState.CLOSED


def _may_be_hidden(services: Services, tenant: Tenant, side: Side, *names: str) -> bool:
    """Whether what does not show was made so lately that it may only be slow to show."""
    found = (_intent(tenant, side, name) for name in names)
    made = [one for one in found if one is not None and one.landed]
    if any(one.act == side.act for one in made):
        return False
    return any(services.clock.now() - one.opened < IN_PATIENCE for one in made)


def _intent(tenant: Tenant, side: Side, object_name: str) -> Intent | None:
    return tenant.intents.get(intent_key(side.where, object_name))


def _skipped(side: Side, name: str, differing: Iterable[Difference], why: str) -> Iterable[Skipped]:
    for one in differing:
        yield Skipped(
            act=side.act,
            where=side.where,
            what=f"{name} {one.what}".strip(),
            why=why,
            before=_json(one.before),
            left=_json(one.left),
            now=_json(one.now),
        )


async def _noted(services: Services, call: ActCall, side: Side, skipped: list[Skipped]) -> Done:
    def decide(found: Tenant) -> Change | None:
        check_fence(found.record, fence(call))
        noted = (*(one for one in found.record.skipped if one.act != side.act), *skipped)
        if noted == found.record.skipped:
            return None
        return Change(record=msgspec.structs.replace(found.record, skipped=noted))

    await services.tenants.update(TenantId(call.run.subject), decide)
    return Done(f"as before; left alone: {', '.join(one.what for one in skipped)}" if skipped else "as before")


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
