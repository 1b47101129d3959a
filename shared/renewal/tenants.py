"""Renewal in target tenants: the eligibilities for Security Reader that onboarding made.

Where nothing ends soon a look takes one call: the policy, and whose an eligibility is, are only read for what is near its
end.
"""

from collections.abc import Callable, Mapping

import msgspec
from msgspec.structs import replace

from shared.eligibility.decide import Held
from shared.eligibility.policy import asks_for_mfa, role_policy
from shared.eligibility.record import Eligibility
from shared.errors import NotConsented
from shared.identifiers import TenantId
from shared.permissions import SECURITY_READER
from shared.privileged import Ensured, Fence, NotYet
from shared.renewal.due import Seen, Tonight, Why, is_near
from shared.renewal.kinds import Judged, Look, Named, Noted
from shared.renewal.looking import ends_soon, judged, latest, missed, seen_of, tonight_of
from shared.renewal.messages import TENANT_KIND, Wish
from shared.renewal.report import Of
from shared.running.lifecycle import close_intents
from shared.running.planning import holders
from shared.services import Services
from shared.tenants.change import Change
from shared.tenants.record import Goal, Tenant
from shared.tenants.states import RESTING, UNDER_WAY, State
from shared.writes.eligibility import eligibility_renewal


class Tenants:
    """Target tenants."""

    of = Of.TENANT
    run_kind = TENANT_KIND

    def __init__(self, services: Services) -> None:
        self._services = services

    async def read(self, subject_id: str) -> Tenant | None:
        """The tenant, or None."""
        return await self._services.tenants.read(TenantId(subject_id))

    async def note(self, subject_id: str, decide: Callable[[Tenant], Noted | None]) -> Tenant:
        """Change it by a pure function of what is there."""

        def changing(found: Tenant) -> Change | None:
            noted = decide(found)
            if noted is None:
                return None
            record = msgspec.structs.replace(
                found.record,
                run=found.record.run if noted.run is None else noted.run,
                renewing=noted.renewing,
                role_policy=noted.policies.get(SECURITY_READER, found.record.role_policy),
            )
            return Change(record=record, eligibilities=noted.rows) if noted.rows or record != found.record else None

        return await self._services.tenants.update(TenantId(subject_id), changing)

    def is_let_go(self, subject: Tenant) -> bool:
        """Whether it is let go."""
        return subject.record.goal is Goal.OFFBOARDING

    def is_busy(self, subject: Tenant) -> bool:
        """Whether a run of the tenant's own is under way, which may make or take what is looked at."""
        return subject.record.state in UNDER_WAY or subject.record.state is State.CANCELLING

    def is_looked_after(self, subject: Tenant) -> bool:
        """Whether renewal concerns itself with a tenant: it is at rest, and stays."""
        record = subject.record
        return record.goal is Goal.ONBOARDING and (record.state is State.READY or record.state in RESTING)

    def has_any(self, subject: Tenant) -> bool:
        """Whether there is any eligibility of ours."""
        return bool(subject.eligibilities)

    def lost(self, error: Exception) -> str:
        """The registration whose consent is missing."""
        return error.registration if isinstance(error, NotConsented) else ""

    def tonight(self, subject: Tenant, role_definition_id: str, wish: Wish) -> Tonight:  # noqa: ARG002 - there is one role
        """What holds for all of its eligibilities, by what is known."""
        return tonight_of(self._services, subject.record, subject.record.role_policy, wish)

    def wanted_days(self, subject: Tenant, row: Eligibility) -> int:  # noqa: ARG002 - they are all to last as long
        """How long each is to last."""
        return subject.record.wanted.duration_days

    async def look(self, subject: Tenant, wish: Wish) -> Look[Tenant]:
        """Look at the tenant's eligibilities by PIM. A plain assignment has no end, and costs no call."""
        tenant_id, pim = subject.record.tenant_id, self._services.pim
        ours = {
            one.principal_id: one
            for one in subject.eligibilities.values()
            if one.role_definition_id == SECURITY_READER and not one.plain
        }
        tonight = replace(self.tonight(subject, SECURITY_READER, wish), maximum_days=None)
        if not ours:
            return Look(subject=subject, now=tonight.now)
        shown = [one for one in await pim.in_force(tenant_id, SECURITY_READER) if one.direct]
        in_force = latest(shown, key=lambda one: one.principal_id, end=lambda one: one.end_date_time)
        seen = {
            key: seen_of(
                row,
                self.wanted_days(subject, row),
                in_force=key in in_force,
                end=in_force[key].end_date_time if key in in_force else None,
            )
            for key, row in ours.items()
        }
        policies = {}
        if any(is_near(one, tonight) for one in seen.values()):
            rules = tuple(await pim.role_rules(tenant_id, SECURITY_READER))
            policy = policies[SECURITY_READER] = role_policy(rules)
            tonight = replace(tonight, maximum_days=policy.maximum_days, mfa=asks_for_mfa(rules))
        looked = [await self._judged(subject, row, seen[key], tonight) for key, row in ours.items()]
        others = [
            Named(principal_id=key, role_definition_id=SECURITY_READER, end=one.end_date_time)
            for key, one in in_force.items()
            if key not in ours and ends_soon(one.end_date_time, tonight)
        ]
        return Look(subject=subject, now=tonight.now, judged=tuple(looked), policies=policies, others=tuple(others))

    async def ensure(
        self, subject: Tenant, fence: Fence, arguments: Mapping[str, str]
    ) -> Ensured[Held | None] | NotYet:
        """Make an eligibility last on."""
        write = eligibility_renewal(self._services, subject, arguments)
        return await self._services.intents.ensure(subject.record.tenant_id, fence, write)

    async def close_open(self, subject_id: str) -> float:
        """Close its open intents."""
        return await close_intents(self._services, TenantId(subject_id))

    async def _judged(self, tenant: Tenant, row: Eligibility, seen: Seen, tonight: Tonight) -> Judged:
        return await judged(
            row,
            row,
            seen,
            tonight,
            obstacle=lambda: self._obstacle(tenant, row),
            was_removed=lambda: self._services.pim.was_removed(
                tenant.record.tenant_id, row.principal_id, SECURITY_READER
            ),
        )

    async def _obstacle(self, tenant: Tenant, row: Eligibility) -> Why | None:
        """Why who holds it is not to have it renewed. The target's group is not ours to read."""
        if row.principal_id not in holders(tenant):
            return Why.NOT_TO_HOLD
        if row.analyst_id is None:
            return None
        directory = self._services.directory
        account = await directory.target_user(tenant.record.tenant_id, row.principal_id)
        return missed(account) or missed(await directory.source_user(row.analyst_id))
