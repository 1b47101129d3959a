"""A look at one tenant's eligibilities: what is in force, and what becomes of each tonight. Reads only.

Where nothing ends soon it takes one call: the policy, and whose an eligibility is, are only read for what is near its end.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from shared.eligibility.decide import Action
from shared.eligibility.policy import asks_for_mfa, role_policy
from shared.eligibility.record import Eligibility, RolePolicy
from shared.graph.directory import User
from shared.graph.pim import ScheduleInstance
from shared.identifiers import ObjectId
from shared.permissions import SECURITY_READER
from shared.renewal.due import Due, Seen, Tonight, Verdict, Why, is_near, judge
from shared.renewal.messages import Wish
from shared.running.planning import holders
from shared.services import Services
from shared.tenants.record import Goal, Tenant
from shared.tenants.states import RESTING, UNDER_WAY, State

_PERMANENT = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One eligibility of ours, as it was seen, and what becomes of it."""

    row: Eligibility
    seen: Seen
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was seen of a tenant. `policy`: where it was read. `others`: those that end soon and are not ours."""

    tenant: Tenant
    tonight: Tonight
    judged: tuple[Judged, ...]
    policy: RolePolicy | None
    others: tuple[ScheduleInstance, ...]

    @property
    def due(self) -> tuple[Judged, ...]:
        """What is to be written, the nearest to its end first."""
        found = [one for one in self.judged if isinstance(one.verdict, Due)]
        return tuple(sorted(found, key=lambda one: (one.row.end or _PERMANENT, one.row.principal_id)))

    @property
    def next_end(self) -> datetime | None:
        """When the first of ours ends."""
        return min((one.seen.end for one in self.judged if one.seen.end is not None), default=None)


def is_looked_after(tenant: Tenant) -> bool:
    """Whether renewal concerns itself with a tenant: it is at rest, and stays."""
    record = tenant.record
    return record.goal is Goal.ONBOARDING and (record.state is State.READY or record.state in RESTING)


def is_busy(tenant: Tenant) -> bool:
    """Whether a run of the tenant's own is under way, which may make or take what is looked at."""
    return tenant.record.state in UNDER_WAY or tenant.record.state is State.CANCELLING


async def look(services: Services, tenant: Tenant, wish: Wish) -> Look:
    """Look at the tenant's eligibilities by PIM. A plain assignment has no end, and costs no call."""
    ours = {
        one.principal_id: one
        for one in tenant.eligibilities.values()
        if one.role_definition_id == SECURITY_READER and not one.plain
    }
    tonight = Tonight(
        date=wish.date,
        now=services.clock.now(),
        review_by=tenant.record.reviewed.until,
        window_days=services.settings.renewal.window_days,
    )
    if not ours:
        return Look(tenant=tenant, tonight=tonight, judged=(), policy=None, others=())
    in_force = _latest(await services.pim.in_force(tenant.record.tenant_id, SECURITY_READER))
    seen = {key: _seen(tenant, row, in_force.get(key)) for key, row in ours.items()}
    policy = None
    if any(is_near(one, tonight) for one in seen.values()):
        rules = tuple(await services.pim.role_rules(tenant.record.tenant_id, SECURITY_READER))
        policy = role_policy(rules)
        tonight = replace(tonight, maximum_days=policy.maximum_days, mfa=asks_for_mfa(rules))
    judged = [await _judged(services, tenant, row, seen[key], tonight) for key, row in ours.items()]
    others = tuple(one for key, one in in_force.items() if key not in ours and _ends_soon(one, tonight))
    return Look(tenant=tenant, tonight=tonight, judged=tuple(judged), policy=policy, others=others)


async def _judged(services: Services, tenant: Tenant, row: Eligibility, seen: Seen, tonight: Tonight) -> Judged:
    """A closer look only at what would be written."""
    verdict = judge(seen, tonight)
    if isinstance(verdict, Due):
        seen = replace(seen, obstacle=await _obstacle(services, tenant, row))
        if verdict.action is Action.RENEW:
            target = tenant.record.tenant_id
            seen = replace(seen, removed=await services.pim.was_removed(target, row.principal_id, SECURITY_READER))
        verdict = judge(seen, tonight)
    return Judged(row=row, seen=seen, verdict=verdict)


async def _obstacle(services: Services, tenant: Tenant, row: Eligibility) -> Why | None:
    """Why who holds it is not to have it renewed. The target's group is not ours to read."""
    if row.principal_id not in holders(tenant):
        return Why.NOT_TO_HOLD
    if row.analyst_id is None:
        return None
    account = await services.directory.target_user(tenant.record.tenant_id, row.principal_id)
    return _missed(account) or _missed(await services.directory.source_user(row.analyst_id))


def _missed(user: User | None) -> Why | None:
    if user is None:
        return Why.GONE
    return Why.DISABLED if user.account_enabled is False else None


def _seen(tenant: Tenant, row: Eligibility, held: ScheduleInstance | None) -> Seen:
    return Seen(
        left=row.end,
        in_force=held is not None,
        end=None if held is None else held.end_date_time,
        wanted_days=tenant.record.wanted.duration_days,
        removed=row.removed is not None,
    )


def _latest(instances: Iterable[ScheduleInstance]) -> Mapping[ObjectId, ScheduleInstance]:
    """What each principal holds by itself; of several, the one that ends last."""
    found: dict[ObjectId, ScheduleInstance] = {}
    for one in instances:
        known = found.get(one.principal_id)
        if one.direct and (known is None or (one.end_date_time or _PERMANENT) > (known.end_date_time or _PERMANENT)):
            found[one.principal_id] = one
    return found


def _ends_soon(one: ScheduleInstance, tonight: Tonight) -> bool:
    seen = Seen(left=one.end_date_time, in_force=True, end=one.end_date_time, wanted_days=1)
    return is_near(seen, tonight)
