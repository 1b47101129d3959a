"""Renewal on subscriptions: the Azure roles' eligibilities that are declared there. What is missing is told, never made.

Where nothing ends soon a look takes one call: a role's policy, and whose an eligibility is, are only read for what is near
its end.
"""

from collections.abc import Callable, Mapping

import msgspec
from msgspec.structs import replace

from shared.arm.shapes import AzureEligibility
from shared.eligibility.decide import Held
from shared.eligibility.policy import asks_for_mfa, role_policy
from shared.eligibility.record import Eligibility, RolePolicy, eligibility_key
from shared.errors import Forbidden, NotConsented
from shared.graph.shapes import Rule
from shared.identifiers import SubscriptionId
from shared.privileged import Ensured, Fence, NotYet
from shared.renewal.due import Seen, Tonight, Why, is_near
from shared.renewal.kinds import Judged, Look, Named, Noted
from shared.renewal.looking import ends_soon, judged, latest, missed, seen_of, tonight_of
from shared.renewal.messages import SUBSCRIPTION_KIND, Wish
from shared.renewal.report import Of
from shared.services import Services
from shared.subscriptions.record import Change, Declaration, PrincipalKind, Subscription
from shared.writes.azure_eligibility import azure_renewal, close_subscription_intents


class Subscriptions:
    """Managed subscriptions."""

    of = Of.SUBSCRIPTION
    run_kind = SUBSCRIPTION_KIND

    def __init__(self, services: Services) -> None:
        self._services = services

    async def read(self, subject_id: str) -> Subscription | None:
        """The subscription, or None."""
        return await self._services.subscriptions.read(SubscriptionId(subject_id))

    async def note(self, subject_id: str, decide: Callable[[Subscription], Noted | None]) -> Subscription:
        """Change it by a pure function of what is there. What is not declared any more leaves no row."""

        def changing(found: Subscription) -> Change | None:
            noted = decide(found)
            if noted is None:
                return None
            record = msgspec.structs.replace(
                found.record,
                run=found.record.run if noted.run is None else noted.run,
                renewing=noted.renewing,
                policies={**found.record.policies, **noted.policies},
            )
            rows = [one for one in noted.rows if one.key in found.declared]
            return Change(record=record, eligibilities=rows) if rows or record != found.record else None

        return await self._services.subscriptions.update(SubscriptionId(subject_id), changing)

    def is_let_go(self, subject: Subscription) -> bool:  # noqa: ARG002 - none is, so far
        """Whether it is let go."""
        return False

    def is_busy(self, subject: Subscription) -> bool:
        """Whether a run of its own is under way."""
        return subject.record.under_way

    def is_looked_after(self, subject: Subscription) -> bool:
        """Whether renewal may work on it."""
        return not subject.record.under_way

    def has_any(self, subject: Subscription) -> bool:
        """Whether anything is declared."""
        return bool(subject.record.declared)

    def lost(self, error: Exception) -> str:
        """The registration that may not read or write there any more: its custom role was taken, or the directory lost it."""
        if isinstance(error, NotConsented):
            return error.registration
        return error.call.registration if isinstance(error, Forbidden) else ""

    def tonight(self, subject: Subscription, role_definition_id: str, wish: Wish) -> Tonight:
        """What holds for a role's eligibilities, by what is known."""
        policy = subject.record.policies.get(role_definition_id)
        return tonight_of(self._services, subject.record, policy, wish)

    def wanted_days(self, subject: Subscription, row: Eligibility) -> int:
        """As it is declared."""
        declared = subject.declared.get(row.key)
        return row.wanted_days if declared is None else declared.duration_days

    async def look(self, subject: Subscription, wish: Wish) -> Look[Subscription]:
        """Look at the subscription's eligibilities by PIM."""
        tonight = self.tonight(subject, "", wish)
        shown = await self._services.azure_pim.in_force(subject.record.subscription_id)
        in_force = latest(
            shown, key=lambda one: eligibility_key(one.principal_id, one.role_definition_id), end=lambda one: one.end
        )
        allowed = self._services.settings.allowed_azure_roles
        barred = {key: one for key, one in subject.declared.items() if one.role_definition_id not in allowed}
        rows = {
            key: _row(subject, one, in_force.get(key)) for key, one in subject.declared.items() if key not in barred
        }
        seen = {
            key: seen_of(
                row,
                row.wanted_days,
                in_force=key in in_force,
                end=in_force[key].end if key in in_force else None,
            )
            for key, row in rows.items()
            if row is not None
        }
        near = {row.role_definition_id for key, row in rows.items() if row is not None and is_near(seen[key], tonight)}
        rules = {role: await self._rules(subject, role) for role in sorted(near)}
        policies = {role: role_policy(found) for role, found in rules.items()}
        ours = [
            await self._judged(subject, key, row, seen[key], _with_rules(tonight, row, rules, policies))
            for key, row in rows.items()
            if row is not None
        ]
        return Look(
            subject=subject,
            now=tonight.now,
            judged=tuple(ours),
            policies=policies,
            others=tuple(
                Named(principal_id=one.principal_id, role_definition_id=one.role_definition_id, end=one.end)
                for key, one in in_force.items()
                if key not in subject.declared and ends_soon(one.end, tonight)
            ),
            missing=tuple(
                Named(principal_id=one.principal_id, role_definition_id=one.role_definition_id)
                for key, one in subject.declared.items()
                if key in rows and rows[key] is None
            ),
            barred=tuple(
                Named(
                    principal_id=one.principal_id,
                    role_definition_id=one.role_definition_id,
                    end=in_force[key].end if key in in_force else None,
                )
                for key, one in barred.items()
            ),
        )

    async def ensure(
        self, subject: Subscription, fence: Fence, arguments: Mapping[str, str]
    ) -> Ensured[Held | None] | NotYet:
        """Make an eligibility last on."""
        write = azure_renewal(self._services, subject, arguments)
        return await self._services.subscription_intents.ensure(subject.record.subscription_id, fence, write)

    async def close_open(self, subject_id: str) -> float:
        """Close its open intents."""
        return await close_subscription_intents(self._services, SubscriptionId(subject_id))

    async def _rules(self, subject: Subscription, role_definition_id: str) -> tuple[Rule, ...]:
        found = await self._services.azure_pim.role_rules(subject.record.subscription_id, role_definition_id)
        return tuple(found)

    async def _judged(self, subject: Subscription, key: str, row: Eligibility, seen: Seen, tonight: Tonight) -> Judged:
        return await judged(
            row,
            subject.eligibilities.get(key),
            seen,
            tonight,
            obstacle=lambda: self._obstacle(subject.declared[key]),
            was_removed=lambda: self._services.azure_pim.was_removed(
                subject.record.subscription_id, row.principal_id, row.role_definition_id
            ),
        )

    async def _obstacle(self, declared: Declaration) -> Why | None:
        """Why who holds it is not to have it renewed, by the source's directory."""
        if declared.kind is PrincipalKind.USER:
            return missed(await self._services.directory.source_user(declared.principal_id))
        return Why.GONE if await self._services.directory.source_group(declared.principal_id) is None else None


def _with_rules(
    tonight: Tonight, row: Eligibility, rules: Mapping[str, tuple[Rule, ...]], policies: Mapping[str, RolePolicy]
) -> Tonight:
    role = row.role_definition_id
    if role not in rules:
        return tonight
    return replace(tonight, maximum_days=policies[role].maximum_days, mfa=asks_for_mfa(rules[role]))


def _row(subject: Subscription, declared: Declaration, held: AzureEligibility | None) -> Eligibility | None:
    """The row of what is declared: as it is known, or as it is seen for the first time. The condition is as it is now."""
    known = subject.eligibilities.get(declared.key)
    if held is None:
        return known
    if known is None:
        known = declared.row(held.schedule_id, held.end)
    return msgspec.structs.replace(
        known,
        condition=held.condition,
        condition_version=held.condition_version,
        wanted_days=declared.duration_days,
        schedule_id=held.schedule_id,
    )
