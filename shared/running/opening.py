"""What a tenant's record looks like when a run begins. Pure."""

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from shared.identifiers import NewId, TenantId
from shared.permissions import Registration
from shared.run import Run
from shared.running.acts import BY_NUMBER, OFFBOARDING, needed_in_target
from shared.running.consents import first_links, new_state
from shared.running.needs import will_need
from shared.running.planning import is_done
from shared.running.starting import Offboarding, Onboarding, Payload, goal_of
from shared.subjects import REVIEW_PERIOD, Review
from shared.tenants.change import Change
from shared.tenants.record import NO_TRUST, Act, ActState, Analyst, Consent, Goal, Record, Tenant, Wanted
from shared.tenants.states import State

_BY_ANALYST = frozenset(number for number, act in BY_NUMBER.items() if act.by_analyst or act.of_accounts)
_CHECKLIST = 12
_ACCOUNTS, _SYNCHRONIZATION = 24, 25


def has_begun(tenant: Tenant, run: Run, payload: Payload) -> bool:
    """Whether the record shows this run already, whole: many rows take more than one transaction."""
    if tenant.record.run_nonce != run.nonce:
        return False
    if isinstance(payload, Offboarding):
        return not tenant.staying
    wanted = {one.object_id for one in payload.analysts}
    if payload.replace:
        return wanted == set(tenant.analysts)
    return not payload.change or wanted == set(tenant.staying)


def is_stale(tenant: Tenant, run: Run) -> bool:
    """Whether another run of the same or a higher number came first."""
    return tenant.record.run >= run.number and tenant.record.run_nonce != run.nonce


def may_begin(tenant: Tenant, run: Run, payload: Payload) -> bool:
    """Whether the run may take the tenant over: no other came first, and what it answers is still waited for."""
    if tenant.record.run_nonce == run.nonce:
        return True
    return not is_stale(tenant, run) and payload.only_from in (None, tenant.record.state)


def first_record(run: Run, payload: Onboarding, now: datetime, new_id: NewId) -> Change:
    """The record and rows of a tenant that is new here."""
    tenant_id = TenantId(run.subject)
    record = Record(
        tenant_id=tenant_id,
        domain=payload.domain,
        state=State.ONBOARDING,
        since=now,
        created=now,
        run=run.number,
        run_nonce=run.nonce,
        requested_by=run.requested_by,
        wanted=payload.wanted,
        trust_asked=payload.wanted.trust,
    )
    consents = first_links(tenant_id, payload.wanted, now, new_id)
    return Change(record=record, analysts=payload.analysts, consents=consents)


def next_record(tenant: Tenant, run: Run, payload: Payload, now: datetime, new_id: NewId) -> Change:
    """The record for a further run. Acts that are done stay done unless what is wanted is another."""
    record = _taken_over(tenant.record, run, payload, now)
    match payload:
        case Offboarding():
            return _leaving(tenant, replace(record, target_by_kit=payload.by_kit), now, new_id)
        case Onboarding(replace=True):
            return _replaced(tenant, record, payload, now, new_id)
        case Onboarding(change=True):
            return _changed(tenant, record, payload, now, new_id)
        case Onboarding():
            return _continued(tenant, record)


def _taken_over(record: Record, run: Run, payload: Payload, now: datetime) -> Record:
    goal = goal_of(payload)
    return replace(
        record,
        state=State.ONBOARDING if goal is Goal.ONBOARDING else State.OFFBOARDING,
        goal=goal,
        reason=payload.reason,
        leavers_asked=(),
        since=now if record.run_nonce != run.nonce else record.since,
        run=run.number,
        run_nonce=run.nonce,
        cancel=False,
        cancelled_by="",
        requested_by=run.requested_by,
        # What an answer starts keeps its deadline: else whoever holds the link could put it off for ever.
        deadline=record.deadline if payload.only_from else None,
        problem=None,
        what_to_do=(),
        renewing=None,
    )


def _replaced(tenant: Tenant, record: Record, payload: Onboarding, now: datetime, new_id: NewId) -> Change:
    kept = {analyst.object_id for analyst in payload.analysts}
    anew = tenant.record.goal is Goal.OFFBOARDING
    if anew:
        review = Review(by=record.requested_by, at=now, until=now + REVIEW_PERIOD)
        record = replace(record, target_by_kit=False, left_to_kit=(), skipped=(), trust_asked=NO_TRUST, review=review)
    return Change(
        record=replace(_wishing(record, payload.wanted), domain=payload.domain),
        analysts=payload.analysts,
        acts=[replace(act, state=ActState.PENDING) for act in tenant.acts.values()],
        consents=first_links(tenant.record.tenant_id, payload.wanted, now, new_id) if anew else (),
        forgotten_analysts=[one for one in tenant.analysts if one not in kept],
    )


def _continued(tenant: Tenant, record: Record) -> Change:
    """Those who were left out go through the analysts' acts again; for the others these find everything done."""
    refused = _forgiven(tenant.analysts.values())
    return Change(record=record, analysts=refused, acts=_pending(tenant, _BY_ANALYST if refused else ()))


def _changed(tenant: Tenant, record: Record, payload: Onboarding, now: datetime, new_id: NewId) -> Change:
    wanted = {one.object_id: one for one in payload.analysts}
    joiners = [one for key, one in wanted.items() if key not in tenant.analysts]
    # Their account may be gone by now: it is proved anew.
    back = [
        replace(one, leaving=None, provisioned=None, problem=None)
        for key, one in tenant.leavers.items()
        if key in wanted
    ]
    leaving = [replace(one, leaving=now, problem=None) for key, one in tenant.staying.items() if key not in wanted]
    refused = _forgiven(one for key, one in tenant.staying.items() if key in wanted)
    acts = set(differing(tenant.record.wanted, payload.wanted))
    if joiners or back or refused:
        acts |= {*_BY_ANALYST, _CHECKLIST}
    if leaving:
        acts.add(_CHECKLIST)
    return Change(
        record=_wishing(record, payload.wanted),
        analysts=[*joiners, *back, *leaving, *refused],
        acts=_pending(tenant, acts),
        consents=_links(tenant, payload.wanted, acts, now, new_id),
    )


def _wishing(record: Record, wanted: Wanted) -> Record:
    return replace(record, wanted=wanted, trust_asked=record.trust_asked | wanted.trust)


def differing(before: Wanted, after: Wanted) -> Iterable[int]:
    """The acts that another wish concerns. Who the analysts are is told by their rows."""
    if before.trust != after.trust:
        yield from (1, 3, 10)
    if before.access != after.access:
        yield from (9, 12, 13)
    if before.without_pim is not after.without_pim:
        yield from (2, 9)
    if before.features != after.features:
        yield from (1, 11)
    if before.duration_days != after.duration_days:
        yield 9


def _links(tenant: Tenant, wanted: Wanted, acts: set[int], now: datetime, new_id: NewId) -> list[Consent]:
    """A new link to Setup, where it is needed again: the administrator was told to remove it once the tenant was Ready.
    And one to whatever is wanted for the first time.
    """
    again = [_link(tenant, now, new_id)] if 3 in acts else []
    first = [one for one in needed_in_target(acts, wanted) if one not in tenant.consents and not again]
    tenant_id = tenant.record.tenant_id
    return [
        *again,
        *(Consent(registration=one, state=new_state(tenant_id, new_id), created=now) for one in first),
    ]


def _leaving(tenant: Tenant, record: Record, now: datetime, new_id: NewId) -> Change:
    """Everybody leaves. Where this begins, nothing of an earlier leave counts; where it goes on, what was left to the kit
    is tried again once it is not to be.
    """
    gone = [replace(one, leaving=now, problem=None) for one in tenant.staying.values()]
    if tenant.record.goal is not Goal.OFFBOARDING:
        return Change(
            record=replace(record, left_to_kit=(), skipped=()),
            analysts=gone,
            acts=_pending(tenant, {*_open(tenant), *(act.number for act in OFFBOARDING)}),
            consents=_setup_link(tenant, record, now, new_id),
        )
    again: set[int] = set()
    if tenant.record.target_by_kit and not record.target_by_kit:
        # Accounts that are left go no more once the synchronization is gone.
        again = {one.act for one in record.left_to_kit if one.act != _ACCOUNTS or not is_done(tenant, _SYNCHRONIZATION)}
    return Change(
        record=replace(record, left_to_kit=tuple(one for one in record.left_to_kit if one.act not in again)),
        analysts=gone,
        acts=_pending(tenant, again),
    )


def _open(tenant: Tenant) -> set[int]:
    """Acts that waited: nobody waits for them any more."""
    return {number for number, act in tenant.acts.items() if act.state in (ActState.RUNNING, ActState.WAITING)}


def _setup_link(tenant: Tenant, record: Record, now: datetime, new_id: NewId) -> list[Consent]:
    """A new link to Setup, where it is needed and the last one was used: it may be consented while all else is done."""
    known = tenant.consents.get(Registration.SETUP)
    if record.target_by_kit or Registration.SETUP not in will_need(tenant) or (known and known.proved is None):
        return []
    return [_link(tenant, now, new_id)]


def _link(tenant: Tenant, now: datetime, new_id: NewId) -> Consent:
    return Consent(registration=Registration.SETUP, state=new_state(tenant.record.tenant_id, new_id), created=now)


def _forgiven(analysts: Iterable[Analyst]) -> list[Analyst]:
    return [replace(one, problem=None) for one in analysts if one.problem is not None]


def _pending(tenant: Tenant, numbers: Iterable[int]) -> list[Act]:
    return [replace(tenant.acts[number], state=ActState.PENDING) for number in numbers if number in tenant.acts]
