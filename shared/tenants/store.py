"""The tenant table: one partition a tenant (partitions.py), and the index of states.

A row key is `record`, `act|08`, `analyst|{id}`, `elig|{hash}`, `consent|{registration}`, `intent|{hash}`, `signin`,
`proof|{feature}` or `health`.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from shared.clock import Clock
from shared.eligibility.record import Eligibility
from shared.ends import HINT_SETTLES, Hint, forget, noting
from shared.errors import TransitionNotAllowed
from shared.identifiers import NewId, TenantId
from shared.partitions import RECORD, Partitions, Shape, by_kind, with_changes
from shared.rows import Row, encode
from shared.subjects import Intent
from shared.tables import Table, readable
from shared.tenants.change import Change
from shared.tenants.findings import Proof, SignIn
from shared.tenants.record import Act, Analyst, Consent, Health, Record, Tenant
from shared.tenants.states import State, may_become

_SIGN_IN, _HEALTH = "signin", "health"
_KINDS = (RECORD, "act", "analyst", "elig", "consent", "intent", "proof", _SIGN_IN, _HEALTH)

type Decide = Callable[[Tenant], Change | None]


class TenantStore:
    """Reads and writes tenants. `by_state` and `by_end` are tables of hints: which tenants are in a state, and which
    eligibilities end on a day.
    """

    def __init__(self, tenants: Table, by_state: Table, by_end: Table, clock: Clock, new_id: NewId) -> None:
        self._by_state = by_state
        self._clock = clock
        self._new_id = new_id
        self._note_ends = noting(by_end, clock, new_id)
        shape = Shape(
            name="tenant",
            assemble=_assemble,
            record_of=lambda change: (change.record.tenant_id, change.record),
            rows=_rows,
            applied=_applied,
            may=lambda tenant, change: may_become(tenant.record.state, change.record.state),
            before=self._hint_at,
        )
        self._partitions: Partitions[Tenant, Change] = Partitions(tenants, clock, new_id, shape)

    async def read(self, tenant_id: TenantId) -> Tenant | None:
        """The tenant, or None."""
        return await self._partitions.read(tenant_id)

    async def seen(self, tenant_id: TenantId) -> Tenant | None:
        """The tenant as this invocation last read or wrote it; read, where it did not."""
        return await self._partitions.seen(tenant_id)

    async def create(self, change: Change) -> bool:
        """Insert a tenant that is not there. False when it is."""
        return await self._partitions.create(change)

    async def update(self, tenant_id: TenantId, decide: Decide) -> Tenant:
        """Change a tenant by a pure function of what is there; None changes nothing. Gives the tenant as it is now.

        Raises StoreConflict when others keep changing it, whatever `decide` raises, and TransitionNotAllowed.
        """
        return await self._partitions.update(tenant_id, decide)

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
            row = await self._partitions.record(hint.key)
            record = None if row is None else readable(row, Record)
            if record is None:
                continue
            if record.state.value == hint.partition:
                found[record.tenant_id] = record
            elif self._clock.now() - hint.decode(Hint).at > HINT_SETTLES:
                await forget(self._by_state, hint)
        return list(found.values()), following

    async def _hint_at(self, tenant: Tenant | None, change: Change) -> None:
        """Note in the indexes what a change brings. Raises TransitionNotAllowed."""
        record = change.record
        if tenant is not None and not may_become(tenant.record.state, record.state):
            raise TransitionNotAllowed(f"{tenant.record.state} to {record.state}")
        if tenant is None or tenant.record.state is not record.state:
            # Before the record: a hint too many is harmless, a missing one would hide the tenant from the sweeper.
            hint = encode(Hint(self._clock.now()))
            await self._by_state.upsert(
                Row(partition=record.state.value, key=record.tenant_id, body=hint, nonce=self._new_id())
            )
        await self._note_ends(record.tenant_id, {} if tenant is None else tenant.eligibilities, change.eligibilities)


def _rows(change: Change) -> Iterable[tuple[str, object | None]]:
    for act in change.acts:
        yield f"act|{act.number:02d}", act
    for consent in change.consents:
        yield f"consent|{consent.registration.name.lower()}", consent
    for analyst in change.analysts:
        yield f"analyst|{analyst.object_id}", analyst
    for eligibility in change.eligibilities:
        yield f"elig|{eligibility.key}", eligibility
    for intent in change.intents:
        yield f"intent|{intent.key}", intent
    for proof in change.proofs:
        yield f"proof|{proof.feature}", proof
    for key, found in ((_SIGN_IN, change.sign_in), (_HEALTH, change.health)):
        if found is not None:
            yield key, found
    yield from ((key, None) for key in _forgotten(change))


def _forgotten(change: Change) -> Iterable[str]:
    forgotten = {
        "analyst": change.forgotten_analysts,
        "elig": change.forgotten_eligibilities,
        "intent": change.forgotten_intents,
        "proof": change.forgotten_proofs,
    }
    yield from (f"{kind}|{key}" for kind, keys in forgotten.items() for key in keys)
    looks = ((_SIGN_IN, change.forgets_sign_in), (_HEALTH, change.forgets_health))
    yield from (key for key, forgets in looks if forgets)


def _applied(tenant: Tenant, change: Change, etag: str) -> Tenant:
    """The tenant as the store now has it."""
    eligibilities = {one.key: one for one in change.eligibilities}
    intents = {one.key: one for one in change.intents}
    return Tenant(
        record=change.record,
        etag=etag,
        acts={**tenant.acts, **{act.number: act for act in change.acts}},
        analysts=with_changes(
            tenant.analysts, {one.object_id: one for one in change.analysts}, change.forgotten_analysts
        ),
        eligibilities=with_changes(tenant.eligibilities, eligibilities, change.forgotten_eligibilities),
        consents={**tenant.consents, **{one.registration: one for one in change.consents}},
        intents=with_changes(tenant.intents, intents, change.forgotten_intents),
        sign_in=None if change.forgets_sign_in else change.sign_in or tenant.sign_in,
        proofs=with_changes(tenant.proofs, {one.feature: one for one in change.proofs}, change.forgotten_proofs),
        health=None if change.forgets_health else change.health or tenant.health,
    )


def _assemble(rows: Sequence[Row]) -> Tenant | None:
    """A tenant of its partition's rows. Raises msgspec.ValidationError for a kind of row that no version of ours wrote."""
    found = by_kind("tenant", rows, _KINDS)
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
