"""The tenant table: one partition a tenant, read whole, written in transactions that hold the record's ETag.

All writes go through `update`: it asks a pure function what to change, writes, and reads and asks again when somebody
else was faster. A row key is `record`, `act|08`, `analyst|{id}`, `elig|{hash}`, `consent|{registration}`,
`intent|{hash}`, `signin`, `proof|{feature}` or `health`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from shared.clock import Clock
from shared.eligibility.record import Eligibility, eligibility_key
from shared.errors import StoreConflict, TransitionNotAllowed
from shared.identifiers import NewId, TenantId
from shared.rows import Row, encode
from shared.subjects import Intent, intent_key
from shared.tables import BATCH_ROWS, Operation, Stale, Table, Write
from shared.tenants.change import Change
from shared.tenants.findings import Proof, SignIn
from shared.tenants.record import Act, Analyst, Consent, Health, Record, Tenant
from shared.tenants.states import State, may_become

RECORD = "record"
_SIGN_IN, _HEALTH = "signin", "health"
_KINDS = (RECORD, "act", "analyst", "elig", "consent", "intent", "proof", _SIGN_IN, _HEALTH)
_TRIES = 12
_ONE_ANSWER = 1000
"""The most rows that the service puts into one answer (Table Storage, query timeout and pagination)."""

_HINT_SETTLES = timedelta(minutes=10)
"""A hint is written before the record; one younger than this may be right in a moment."""


type Decide = Callable[[Tenant], Change | None]

_last_seen: ContextVar[Tenant | None] = ContextVar("last_seen", default=None)
"""The tenant as this invocation last read or wrote it: the worker gives each invocation a context of its own."""


class TenantStore:
    """Reads and writes tenants. `by_state` and `by_end` are tables of hints: which tenants are in a state, and which
    eligibilities end on a day.
    """

    def __init__(self, tenants: Table, by_state: Table, by_end: Table, clock: Clock, new_id: NewId) -> None:
        self._tenants = tenants
        self._by_state = by_state
        self._by_end = by_end
        self._clock = clock
        self._new_id = new_id

    async def read(self, tenant_id: TenantId) -> Tenant | None:
        """The tenant, or None."""
        for _ in range(_TRIES):
            tenant = _assemble(rows := await self._tenants.partition(tenant_id))
            if len(rows) < _ONE_ANSWER or await self._is_still(tenant_id, tenant):
                _last_seen.set(tenant)
                return tenant
        raise StoreConflict(f"tenant {tenant_id} kept changing")

    async def _is_still(self, tenant_id: TenantId, tenant: Tenant | None) -> bool:
        """Whether the record is as it was read. Rows of several answers may be older than the record that came last."""
        row = await self._tenants.get(tenant_id, RECORD)
        return (row.etag if row else None) == (tenant.etag if tenant else None)

    async def create(self, change: Change) -> bool:
        """Insert a tenant that is not there. False when it is."""
        try:
            await self._write(change, None)
        except Stale:
            return False
        return True

    async def update(self, tenant_id: TenantId, decide: Decide) -> Tenant:
        """Change a tenant by a pure function of what is there; None changes nothing. Gives the tenant as it is now.

        A change of what this invocation saw last is tried first: the ETag holds it. Anything else that `decide` says
        of what was seen is worth nothing until it was read again.

        Raises StoreConflict when others keep changing it, whatever `decide` raises, and TransitionNotAllowed.
        """
        seen = _last_seen.get()
        if seen is not None and seen.record.tenant_id == tenant_id and (change := _foreseen(seen, decide)):
            try:
                return await self._change(seen, change)
            except Stale:
                _last_seen.set(None)
        for _ in range(_TRIES):
            tenant = await self.read(tenant_id)
            if tenant is None:
                raise StoreConflict(f"tenant {tenant_id} is not there")
            decided = decide(tenant)
            if decided is None:
                return tenant
            try:
                return await self._change(tenant, decided)
            except Stale:
                await self._clock.sleep(0.05)
        raise StoreConflict(f"tenant {tenant_id} kept changing")

    async def change_intents(self, tenant_id: TenantId, decide: Callable[[Tenant], Sequence[Intent] | None]) -> Tenant:
        """As `update`, of intents alone."""

        def changing(tenant: Tenant) -> Change | None:
            intents = decide(tenant)
            return None if intents is None else Change(record=tenant.record, intents=intents)

        return await self.update(tenant_id, changing)

    async def list_by_state(self, state: State | None, *, size: int, token: Any) -> tuple[list[Record], Any]:
        """One page of records, of one state or of all, and the next page's token.

        The index only hints: each record is read, and one in another state is left out.
        """
        query, parameters = ("PartitionKey eq @s", {"s": state.value}) if state else ("", {})
        hints, following = await self._by_state.page(query, parameters, size=size, token=token)
        found: dict[TenantId, Record] = {}
        for hint in hints:
            row = await self._tenants.get(hint.key, RECORD)
            if row is None:
                continue
            record = row.decode(Record)
            if record.state.value == hint.partition:
                found[record.tenant_id] = record
            elif self._clock.now() - hint.decode(_Hint).at > _HINT_SETTLES:
                await self._forget(self._by_state, hint)
        return list(found.values()), following

    async def list_by_end(
        self, first: datetime, before: datetime, *, size: int, token: Any
    ) -> tuple[list[tuple[TenantId, Eligibility]], Any]:
        """One page of the eligibilities that end on these days, the earliest first, and the next page's token.

        The index only hints, as above.
        """
        days = {"f": _day(first), "b": _day(before)}
        hints, following = await self._by_end.page(
            "PartitionKey ge @f and PartitionKey lt @b", days, size=size, token=token
        )
        found: list[tuple[TenantId, Eligibility]] = []
        for hint in hints:
            tenant_id, _, key = hint.key.partition("|")
            row = await self._tenants.get(tenant_id, f"elig|{key}")
            eligibility = None if row is None else row.decode(Eligibility)
            if eligibility is not None and eligibility.end is not None and _day(eligibility.end) == hint.partition:
                found.append((TenantId(tenant_id), eligibility))
            elif self._clock.now() - hint.decode(_Hint).at > _HINT_SETTLES:
                await self._forget(self._by_end, hint)
        return sorted(found, key=_ends), following

    async def _change(self, tenant: Tenant, change: Change) -> Tenant:
        _last_seen.set(None)  # until the write is known to have landed, nobody knows what is there
        changed = _applied(tenant, change, await self._write(change, tenant))
        _last_seen.set(changed)
        return changed

    async def _forget(self, table: Table, hint: Row) -> None:
        try:
            await table.delete(hint.partition, hint.key, etag=hint.etag)
        except Stale:
            return  # it just came true again

    async def _write(self, change: Change, tenant: Tenant | None) -> str:
        record = change.record
        if tenant is not None and not may_become(tenant.record.state, record.state):
            raise TransitionNotAllowed(f"{tenant.record.state} to {record.state}")
        if tenant is None or tenant.record.state is not record.state:
            # Before the record: a hint too many is harmless, a missing one would hide the tenant from the sweeper.
            await self._by_state.upsert(self._hint(record.state.value, record.tenant_id))
        for one in change.eligibilities:
            key = eligibility_key(one.principal_id, one.role_definition_id)
            known = None if tenant is None else tenant.eligibilities.get(key)
            if one.end is not None and (known is None or known.end != one.end):
                await self._by_end.upsert(self._hint(_day(one.end), f"{record.tenant_id}|{key}"))
        return await self._transact(change, tenant)

    async def _transact(self, change: Change, tenant: Tenant | None) -> str:
        """Every transaction holds the record with its ETag. Rows above one batch follow in further ones, repeatably."""
        tenant_id = change.record.tenant_id
        rows = [_operation(row) for row in self._rows(change)]
        etag = "" if tenant is None else tenant.etag
        for at in range(0, max(len(rows), 1), BATCH_ROWS - 1):
            guard = self._row(tenant_id, RECORD, change.record, etag=etag)
            write = Operation(write=Write.UPDATE if etag else Write.INSERT, row=guard)
            etag = await self._tenants.transact([*rows[at : at + BATCH_ROWS - 1], write], guard=guard)
        return etag

    def _rows(self, change: Change) -> Iterable[Row]:
        tenant_id = change.record.tenant_id
        for act in change.acts:
            yield self._row(tenant_id, f"act|{act.number:02d}", act)
        for consent in change.consents:
            yield self._row(tenant_id, f"consent|{consent.registration.name.lower()}", consent)
        for analyst in change.analysts:
            yield self._row(tenant_id, f"analyst|{analyst.object_id}", analyst)
        for eligibility in change.eligibilities:
            key = eligibility_key(eligibility.principal_id, eligibility.role_definition_id)
            yield self._row(tenant_id, f"elig|{key}", eligibility)
        for intent in change.intents:
            yield self._row(tenant_id, f"intent|{intent_key(intent.where, intent.object_name)}", intent)
        yield from self._looked(change)
        forgotten = {
            "analyst": change.forgotten_analysts,
            "elig": change.forgotten_eligibilities,
            "intent": change.forgotten_intents,
            "proof": change.forgotten_proofs,
        }
        gone = [f"{kind}|{key}" for kind, keys in forgotten.items() for key in keys]
        looks = ((_SIGN_IN, change.forgets_sign_in), (_HEALTH, change.forgets_health))
        for key in (*gone, *(key for key, forgets in looks if forgets)):
            yield Row(partition=tenant_id, key=key, body=b"", nonce="")

    def _looked(self, change: Change) -> Iterable[Row]:
        """What the acts and nights that only look have found."""
        tenant_id = change.record.tenant_id
        for proof in change.proofs:
            yield self._row(tenant_id, f"proof|{proof.feature}", proof)
        for key, found in ((_SIGN_IN, change.sign_in), (_HEALTH, change.health)):
            if found is not None:
                yield self._row(tenant_id, key, found)

    def _row(self, tenant_id: TenantId, key: str, value: object, *, etag: str = "") -> Row:
        return Row(partition=tenant_id, key=key, body=encode(value), nonce=self._new_id(), etag=etag)

    def _hint(self, partition: str, key: str) -> Row:
        return Row(partition=partition, key=key, body=encode(_Hint(self._clock.now())), nonce=self._new_id())


def _foreseen(seen: Tenant, decide: Decide) -> Change | None:
    """The change that would be made of what was seen, if it can be made at all."""
    try:
        change = decide(seen)
    except Exception:  # noqa: BLE001 - what it raises of what is there counts, and is raised after the read
        return None
    return change if change is not None and may_become(seen.record.state, change.record.state) else None


class _Hint(msgspec.Struct, frozen=True):
    at: datetime


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d}"


def _ends(found: tuple[TenantId, Eligibility]) -> tuple[datetime, TenantId]:
    tenant_id, eligibility = found
    return eligibility.end or datetime.max.replace(tzinfo=UTC), tenant_id


def _operation(row: Row) -> Operation:
    return Operation(write=Write.UPSERT if row.body else Write.DELETE, row=row)


def _applied(tenant: Tenant, change: Change, etag: str) -> Tenant:
    """The tenant as the store now has it."""
    eligibilities = {eligibility_key(one.principal_id, one.role_definition_id): one for one in change.eligibilities}
    intents = {intent_key(one.where, one.object_name): one for one in change.intents}
    return Tenant(
        record=change.record,
        etag=etag,
        acts={**tenant.acts, **{act.number: act for act in change.acts}},
        analysts=_with(tenant.analysts, {one.object_id: one for one in change.analysts}, change.forgotten_analysts),
        eligibilities=_with(tenant.eligibilities, eligibilities, change.forgotten_eligibilities),
        consents={**tenant.consents, **{one.registration: one for one in change.consents}},
        intents=_with(tenant.intents, intents, change.forgotten_intents),
        sign_in=None if change.forgets_sign_in else change.sign_in or tenant.sign_in,
        proofs=_with(tenant.proofs, {one.feature: one for one in change.proofs}, change.forgotten_proofs),
        health=None if change.forgets_health else change.health or tenant.health,
    )


def _with[K, V](known: Mapping[K, V], written: Mapping[K, V], forgotten: Sequence[K]) -> dict[K, V]:
    return {key: value for key, value in {**known, **written}.items() if key not in forgotten}


def _assemble(rows: Sequence[Row]) -> Tenant | None:
    """A tenant of its partition's rows. Raises msgspec.ValidationError for a kind of row that no version of ours wrote."""
    found: dict[str, list[tuple[str, Row]]] = {kind: [] for kind in _KINDS}
    for row in rows:
        kind, _, key = row.key.partition("|")
        if kind not in found:
            raise msgspec.ValidationError(f"unknown row {kind} in a tenant's partition")
        found[kind].append((key, row))
    if not found[RECORD]:
        return None
    [(_, record)] = found[RECORD]
    proofs = [row.decode(Proof) for _, row in found["proof"]]
    analysts = [row.decode(Analyst) for _, row in found["analyst"]]
    consents = [row.decode(Consent) for _, row in found["consent"]]
    acts = [row.decode(Act) for _, row in found["act"]]
    return Tenant(
        record=record.decode(Record),
        etag=record.etag,
        acts={one.number: one for one in acts},
        analysts={one.object_id: one for one in analysts},
        eligibilities={key: row.decode(Eligibility) for key, row in found["elig"]},
        consents={one.registration: one for one in consents},
        intents={key: row.decode(Intent) for key, row in found["intent"]},
        sign_in=next((row.decode(SignIn) for _, row in found[_SIGN_IN]), None),
        proofs={one.feature: one for one in proofs},
        health=next((row.decode(Health) for _, row in found[_HEALTH]), None),
    )
