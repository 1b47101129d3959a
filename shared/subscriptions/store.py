"""The subscription table: one partition a managed subscription (partitions.py).

A row key is `record`, `elig|{hash}`, `intent|{hash}`, `role|{id}`, `approvers` or `drift`.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from shared.clock import Clock
from shared.eligibility.record import Eligibility
from shared.ends import noting
from shared.identifiers import NewId, SubscriptionId
from shared.partitions import RECORD, Partitions, Shape, by_kind, with_changes
from shared.rows import Row
from shared.subjects import Intent
from shared.subscriptions.findings import ApproversSeen, Drift
from shared.subscriptions.record import Change, Record, Subscription
from shared.subscriptions.roles import RoleInForce
from shared.tables import Table, readable

_APPROVERS, _DRIFT = "approvers", "drift"
_KINDS = (RECORD, "elig", "intent", "role", _APPROVERS, _DRIFT)


class SubscriptionStore:
    """Reads and writes subscriptions. `by_end`: a table of hints, which eligibilities end on a day."""

    def __init__(self, subscriptions: Table, by_end: Table, clock: Clock, new_id: NewId) -> None:
        self._table = subscriptions
        self._note_ends = noting(by_end, clock, new_id, on_subscription=True)
        shape = Shape(
            name="subscription",
            assemble=_assemble,
            record_of=lambda change: (change.record.subscription_id, change.record),
            rows=_rows,
            applied=_applied,
            may=lambda _, __: True,
            before=self._hint_at,
        )
        self._partitions: Partitions[Subscription, Change] = Partitions(subscriptions, clock, new_id, shape)

    async def read(self, subscription_id: SubscriptionId) -> Subscription | None:
        """The subscription, or None."""
        return await self._partitions.read(subscription_id)

    async def seen(self, subscription_id: SubscriptionId) -> Subscription | None:
        """The subscription as this invocation last read or wrote it; read, where it did not."""
        return await self._partitions.seen(subscription_id)

    async def create(self, change: Change) -> bool:
        """Insert a subscription that is not there. False when it is."""
        return await self._partitions.create(change)

    async def update(
        self, subscription_id: SubscriptionId, decide: Callable[[Subscription], Change | None]
    ) -> Subscription:
        """Change a subscription by a pure function of what is there; None changes nothing. Gives it as it is now.

        Raises StoreConflict when others keep changing it, and whatever `decide` raises.
        """
        return await self._partitions.update(subscription_id, decide)

    async def change_intents(
        self, subscription_id: SubscriptionId, decide: Callable[[Subscription], Sequence[Intent] | None]
    ) -> Subscription:
        """As `update`, of intents alone."""

        def changing(found: Subscription) -> Change | None:
            intents = decide(found)
            return None if intents is None else Change(record=found.record, intents=intents)

        return await self.update(subscription_id, changing)

    async def list(self, *, size: int, token: Any) -> tuple[list[Record], Any]:
        """One page of records, and the next page's token. It may be empty and yet have a next one."""
        rows, following = await self._table.page("RowKey eq @r", {"r": RECORD}, size=size, token=token)
        return [record for row in rows if (record := readable(row, Record)) is not None], following

    async def _hint_at(self, known: Subscription | None, change: Change) -> None:
        there = {} if known is None else known.eligibilities
        await self._note_ends(change.record.subscription_id, there, change.eligibilities)


def _rows(change: Change) -> Iterable[tuple[str, object | None]]:
    for eligibility in change.eligibilities:
        yield f"elig|{eligibility.key}", eligibility
    for intent in change.intents:
        yield f"intent|{intent.key}", intent
    for key in change.forgotten_eligibilities:
        yield f"elig|{key}", None
    for role in change.roles:
        yield f"role|{role.role_definition_id}", role
    if change.approvers is not None:
        yield _APPROVERS, change.approvers
    if change.drift is not None:
        yield _DRIFT, change.drift


def _applied(subscription: Subscription, change: Change, etag: str) -> Subscription:
    """The subscription as the store now has it."""
    rows = {one.key: one for one in change.eligibilities}
    intents = {one.key: one for one in change.intents}
    return Subscription(
        record=change.record,
        etag=etag,
        eligibilities=with_changes(subscription.eligibilities, rows, change.forgotten_eligibilities),
        intents=with_changes(subscription.intents, intents),
        roles=with_changes(subscription.roles, {one.role_definition_id: one for one in change.roles}),
        approvers=change.approvers or subscription.approvers,
        drift=change.drift or subscription.drift,
    )


def _assemble(rows: Sequence[Row]) -> Subscription | None:
    """A subscription of its partition's rows. Raises msgspec.ValidationError for a kind of row that no version wrote."""
    found = by_kind("subscription", rows, _KINDS)
    if not found[RECORD]:
        return None
    [(_, record)] = found[RECORD]
    return Subscription(
        record=record.decode(Record),
        etag=record.etag,
        eligibilities={key: row.decode(Eligibility) for key, row in found["elig"]},
        intents={key: row.decode(Intent) for key, row in found["intent"]},
        roles={key: row.decode(RoleInForce) for key, row in found["role"]},
        approvers=next((row.decode(ApproversSeen) for _, row in found[_APPROVERS]), None),
        drift=next((row.decode(Drift) for _, row in found[_DRIFT]), None),
    )
