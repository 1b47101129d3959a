"""May an onboarding start, and what the tenant's record looks like when it does. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import msgspec

from shared.identifiers import NewId, TenantId
from shared.run import Run
from shared.running.acts import BY_NUMBER
from shared.running.consents import first_links
from shared.tenants.change import Change
from shared.tenants.record import ActState, Analyst, Record, Tenant, Wanted
from shared.tenants.states import RESTING, State


class Onboarding(msgspec.Struct, frozen=True, kw_only=True):
    """A run's payload. `replace`: the wanted values and analysts take the place of what was wanted before.

    `only_from`: nobody asked for this run but an answer that came; it begins only while the tenant still waits for it.
    """

    domain: str
    wanted: Wanted
    analysts: tuple[Analyst, ...]
    replace: bool
    only_from: State | None = None


class Verdict(StrEnum):
    """What becomes of a POST."""

    START = "start"
    CONTINUE = "continue"
    UNCHANGED = "unchanged"
    BUSY = "busy"
    READY_OTHERWISE = "ready otherwise"
    BEGUN_OTHERWISE = "begun otherwise"
    WRONG_STATE = "wrong state"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The verdict on a POST, with the reason in words."""

    verdict: Verdict
    reason: str = ""


def on_post(tenant: Tenant | None, wanted: Wanted) -> Answer:
    """Whether a POST with this wish starts a run."""
    if tenant is None or tenant.record.state is State.OFFBOARDED:
        return Answer(verdict=Verdict.START)
    record = tenant.record
    same = record.wanted == wanted
    if record.state is State.READY:
        if same:
            return Answer(verdict=Verdict.UNCHANGED)
        return Answer(
            verdict=Verdict.READY_OTHERWISE,
            reason="The tenant is Ready with other wishes. Change the analysts by PUT /api/tenants/{tenantId}/analysts, "
            "the rest by PATCH /api/tenants/{tenantId}.",
        )
    if record.state not in RESTING:
        return Answer(verdict=Verdict.BUSY, reason=f"The tenant is {record.state}.")
    if same:
        return Answer(verdict=Verdict.CONTINUE)
    if has_written(tenant):
        return Answer(
            verdict=Verdict.BEGUN_OTHERWISE,
            reason="An act after preflight has written already, so what is wanted cannot be replaced any more. Send the "
            "same body, or POST /api/tenants/{tenantId}/retry, and change the rest when the tenant is Ready.",
        )
    return Answer(verdict=Verdict.START)


def on_retry(tenant: Tenant) -> Answer:
    """Whether a retry starts a run."""
    if tenant.record.state in RESTING:
        return Answer(verdict=Verdict.CONTINUE)
    if tenant.record.state is State.READY:
        return Answer(verdict=Verdict.WRONG_STATE, reason="The tenant is Ready: there is nothing to retry.")
    return Answer(verdict=Verdict.BUSY, reason=f"The tenant is {tenant.record.state}.")


def has_written(tenant: Tenant) -> bool:
    """Whether an act after preflight has tried a write in either tenant."""
    return any(intent.act > 2 for intent in tenant.intents.values())


def has_begun(tenant: Tenant | None, run: Run, payload: Onboarding) -> bool:
    """Whether the record shows this run already, whole."""
    if tenant is None or tenant.record.run_nonce != run.nonce:
        return False
    return not payload.replace or {one.object_id for one in payload.analysts} == set(tenant.analysts)


def is_stale(tenant: Tenant | None, run: Run) -> bool:
    """Whether another run of the same or a higher number came first."""
    return tenant is not None and tenant.record.run >= run.number and tenant.record.run_nonce != run.nonce


def may_begin(tenant: Tenant, run: Run, payload: Onboarding) -> bool:
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
    )
    consents = first_links(tenant_id, payload.wanted, now, new_id)
    return Change(record=record, analysts=payload.analysts, consents=consents)


def next_record(tenant: Tenant, run: Run, payload: Onboarding, now: datetime) -> Change:
    """The record for a further run. Acts that are done stay done unless what is wanted was replaced."""
    record = msgspec.structs.replace(
        tenant.record,
        state=State.ONBOARDING,
        since=now if tenant.record.run_nonce != run.nonce else tenant.record.since,
        run=run.number,
        run_nonce=run.nonce,
        cancel=False,
        cancelled_by="",
        requested_by=run.requested_by,
        # What an answer starts keeps its deadline: else whoever holds the link could put it off for ever.
        deadline=tenant.record.deadline if payload.only_from else None,
        problem=None,
        what_to_do=(),
    )
    if payload.replace:
        kept = {analyst.object_id for analyst in payload.analysts}
        redone = [msgspec.structs.replace(act, state=ActState.PENDING) for act in tenant.acts.values()]
        return Change(
            record=msgspec.structs.replace(record, wanted=payload.wanted, domain=payload.domain),
            analysts=payload.analysts,
            acts=redone,
            forgotten_analysts=[one for one in tenant.analysts if one not in kept],
        )
    refused = [
        msgspec.structs.replace(one, problem=None) for one in tenant.analysts.values() if one.problem is not None
    ]
    # Those who were left out go through the analysts' acts again; for the others these find everything done.
    redone = [
        msgspec.structs.replace(act, state=ActState.PENDING)
        for act in tenant.acts.values()
        if refused and (BY_NUMBER[act.number].by_analyst or BY_NUMBER[act.number].of_accounts)
    ]
    return Change(record=record, analysts=refused, acts=redone)
